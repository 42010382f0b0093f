//! The one encoding of curve points: uncompressed and big-endian as the EVM's precompiles take them (EIP-196, EIP-197).
//!
//! A G1 point is x ‖ y (64 bytes), a G2 point x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0 (128 bytes); the identity is all zero.

use ark_bn254::{Fq, Fq2, Fr, g1::G1Affine, g2::G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger as _, PrimeField, Zero as _};
use rayon::prelude::*;

/// A curve point with its encoding.
pub trait Point: AffineRepr<ScalarField = Fr> {
    /// Bytes of an encoded point.
    const LEN: usize;

    /// Appends the encoding.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads a point: coordinates below the modulus, but maybe not on the curve. `bytes` has [`Self::LEN`] bytes.
    ///
    /// # Errors
    ///
    /// [`PointError::Coordinate`].
    fn read_unchecked(bytes: &[u8]) -> Result<Self, PointError>;

    /// Whether the point is on the curve and in the subgroup of prime order.
    ///
    /// # Errors
    ///
    /// [`PointError::Curve`] and [`PointError::Subgroup`].
    fn check_point(&self) -> Result<(), PointError>;

    /// Reads a point and checks it.
    ///
    /// # Errors
    ///
    /// [`PointError`].
    fn read(bytes: &[u8]) -> Result<Self, PointError> {
        let point = Self::read_unchecked(bytes)?;
        point.check_point().map(|()| point)
    }
}

/// Why bytes are no point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// More or fewer bytes than points take.
    #[error("expected {expected} bytes of points; found {found}")]
    Length {
        /// What they take.
        expected: usize,
        /// What there are.
        found: usize,
    },
    /// A coordinate is not below the modulus of the base field.
    #[error("expected a coordinate below the field's modulus")]
    Coordinate,
    /// Not on the curve.
    #[error("expected a point on the curve")]
    Curve,
    /// On the curve, but not in the subgroup of prime order.
    #[error("expected a point in the subgroup of prime order")]
    Subgroup,
}

/// A field element as 32 big-endian bytes.
#[must_use]
pub fn be_bytes(element: impl PrimeField<BigInt = BigInt<4>>) -> [u8; 32] {
    let mut bytes = [0; 32];
    // Four limbs are 32 bytes.
    bytes.copy_from_slice(&element.into_bigint().to_bytes_be());
    bytes
}

/// The field element that 32 big-endian bytes are, or `None` where they are not below its modulus.
#[must_use]
pub fn from_be_bytes<F: PrimeField<BigInt = BigInt<4>>>(bytes: &[u8; 32]) -> Option<F> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*chunk);
    }
    F::from_bigint(BigInt::new(limbs))
}

/// The coordinates in an encoding of `N` of them.
fn coordinates<const N: usize>(bytes: &[u8]) -> Result<[Fq; N], PointError> {
    let length = PointError::Length { expected: N.saturating_mul(32), found: bytes.len() };
    let (words, rest) = bytes.as_chunks::<32>();
    let words: &[[u8; 32]; N] = words.try_into().map_err(|_| length)?;
    if !rest.is_empty() {
        return Err(length);
    }
    let mut coordinates = [Fq::zero(); N];
    for (coordinate, word) in coordinates.iter_mut().zip(words) {
        *coordinate = from_be_bytes(word).ok_or(PointError::Coordinate)?;
    }
    Ok(coordinates)
}

impl Point for G1Affine {
    const LEN: usize = 64;

    fn write(&self, out: &mut Vec<u8>) {
        // The identity's fields are not promised to be zero.
        let (x, y) = self.xy().unwrap_or_default();
        out.extend([x, y].into_iter().flat_map(be_bytes));
    }

    fn read_unchecked(bytes: &[u8]) -> Result<Self, PointError> {
        let [x, y] = coordinates(bytes)?;
        Ok(if x.is_zero() && y.is_zero() { Self::zero() } else { Self::new_unchecked(x, y) })
    }

    fn check_point(&self) -> Result<(), PointError> {
        // The curve has prime order.
        if self.is_on_curve() { Ok(()) } else { Err(PointError::Curve) }
    }
}

impl Point for G2Affine {
    const LEN: usize = 128;

    fn write(&self, out: &mut Vec<u8>) {
        let (x, y) = self.xy().unwrap_or_default();
        out.extend([x.c1, x.c0, y.c1, y.c0].into_iter().flat_map(be_bytes));
    }

    fn read_unchecked(bytes: &[u8]) -> Result<Self, PointError> {
        let [x1, x0, y1, y0] = coordinates(bytes)?;
        let (x, y) = (Fq2::new(x0, x1), Fq2::new(y0, y1));
        Ok(if x.is_zero() && y.is_zero() { Self::zero() } else { Self::new_unchecked(x, y) })
    }

    fn check_point(&self) -> Result<(), PointError> {
        if !self.is_on_curve() {
            Err(PointError::Curve)
        } else if !self.is_in_correct_subgroup_assuming_on_curve() {
            Err(PointError::Subgroup)
        } else {
            Ok(())
        }
    }
}

/// Appends the encodings of many points.
pub fn write_all<P: Point>(points: &[P], out: &mut Vec<u8>) {
    out.reserve(points.len().saturating_mul(P::LEN));
    for point in points {
        point.write(out);
    }
}

/// Reads as many points as `bytes` holds, on all cores.
///
/// # Errors
///
/// [`PointError`]; of several, any.
pub fn read_all<P: Point>(bytes: &[u8], check: Check) -> Result<Vec<P>, PointError> {
    if !bytes.len().is_multiple_of(P::LEN) {
        let expected = bytes.len().next_multiple_of(P::LEN);
        return Err(PointError::Length { expected, found: bytes.len() });
    }
    let read = match check {
        Check::Full => P::read,
        Check::Coordinates => P::read_unchecked,
    };
    bytes.par_chunks_exact(P::LEN).with_min_len(64).map(read).collect()
}

/// How much of a point is checked as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Curve and subgroup.
    Full,
    /// Only that coordinates are below the modulus: for bytes whose hash was compared.
    Coordinates,
}
