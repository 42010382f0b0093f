//! The contributions to one phase, each bound to all before it.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::{PrimeField as _, Zero as _};
use sha2::{Digest as _, Sha256};

use super::{
    Beacon, CeremonyError, ChainError, ITERATIONS,
    pairing::{hash_to_g2, same_ratio},
};
use crate::{
    points::{Check, Point as _},
    wire::Reader,
};

/// The most contributions to a phase.
pub const MAX_CONTRIBUTIONS: usize = 4096;

/// The contributions to a phase with `N` secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain<const N: usize> {
    names: [&'static str; N],
    start: [u8; 32],
    contributions: Vec<Contribution<N>>,
}

/// One turn.
///
/// ```text
///  0  32  transcript before it
/// 32   1  0 for a contributor, 1 for a beacon
/// 33   1  beacon: its iterations' exponent, else zero
/// 34  32  beacon: its value, else zero
/// 66      for each secret s: s·G1 (64), s·R (128), the product of all so far in G1 (64)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution<const N: usize> {
    /// The transcript that it continues.
    pub previous: [u8; 32],
    /// Who made it.
    pub origin: Origin,
    /// Of each secret.
    pub parts: [Part; N],
}

/// Where the secrets of a contribution come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Somebody who, it is hoped, deleted them.
    Contributor,
    /// A public value.
    Beacon(Beacon),
}

/// What a contribution says of one secret s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// s·G1.
    pub public: G1Affine,
    /// s·R, R being a hash of the transcript, the secret's name and s·G1: only who knows s can give it.
    pub proof: G2Affine,
    /// The product of this and all earlier contributors' secrets, in G1.
    pub product: G1Affine,
}

impl<const N: usize> Chain<N> {
    pub(super) const fn new(names: [&'static str; N], start: [u8; 32]) -> Self {
        Self { names, start, contributions: Vec::new() }
    }

    /// Every contribution, oldest first.
    #[must_use]
    pub fn contributions(&self) -> &[Contribution<N>] {
        &self.contributions
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn transcript(&self) -> [u8; 32] {
        self.contributions.last().map_or(self.start, Contribution::transcript)
    }

    /// The transcript after each contribution, oldest first.
    pub fn transcripts(&self) -> impl Iterator<Item = [u8; 32]> {
        self.contributions.iter().map(Contribution::transcript)
    }

    /// The beacon that ends the phase, if it is ended.
    #[must_use]
    pub fn beacon(&self) -> Option<Beacon> {
        match self.contributions.last()?.origin {
            Origin::Beacon(beacon) => Some(beacon),
            Origin::Contributor => None,
        }
    }

    /// Requires that the phase is ended, and that somebody but the beacon contributed.
    pub(super) fn expect_ended(&self) -> Result<(), ChainError> {
        match (self.beacon(), self.contributions.len()) {
            (None, _) => Err(ChainError::NoBeacon),
            (Some(_), 0 | 1) => Err(ChainError::NoContribution),
            (Some(_), _) => Ok(()),
        }
    }

    /// The product of all secrets so far, in G1.
    pub(super) fn products(&self) -> [G1Affine; N] {
        self.contributions
            .last()
            .map_or([G1Affine::generator(); N], |last| last.parts.map(|part| part.product))
    }

    /// The secrets that a contribution from `origin` has, a contributor's being `own`.
    pub(super) fn append(
        &mut self,
        origin: Origin,
        secrets: &[Fr; N],
    ) -> Result<(), CeremonyError> {
        let number = self.contributions.len().saturating_add(1);
        if self.beacon().is_some() {
            return Err(ChainError::AfterBeacon { number }.into());
        }
        if number > MAX_CONTRIBUTIONS {
            return Err(count_error(number));
        }
        let previous = self.transcript();
        let mut parts = [Part::NONE; N];
        let before = self.products();
        for (((part, name), secret), before) in
            parts.iter_mut().zip(self.names).zip(secrets).zip(before)
        {
            if secret.is_zero() {
                return Err(ChainError::Zero { number, secret: name }.into());
            }
            let public = times(G1Affine::generator(), secret);
            *part = Part {
                public,
                proof: base(&previous, name, public).mul_bigint(secret.into_bigint()).into_affine(),
                product: times(before, secret),
            };
        }
        self.contributions.push(Contribution { previous, origin, parts });
        Ok(())
    }

    /// Checks every contribution: that it continues the one before it, knows its secrets, and multiplied by them.
    pub(super) fn verify(&self) -> Result<(), ChainError> {
        let mut transcript = self.start;
        let mut products = [G1Affine::generator(); N];
        let mut ended = false;
        for (number, contribution) in (1..).zip(&self.contributions) {
            if ended {
                return Err(ChainError::AfterBeacon { number });
            }
            if contribution.previous != transcript {
                let (expected, found) = (transcript, contribution.previous);
                return Err(ChainError::Link { number, expected, found });
            }
            for ((part, secret), before) in contribution.parts.iter().zip(self.names).zip(products)
            {
                let Part { public, proof, product } = *part;
                if public.is_zero() || proof.is_zero() || product.is_zero() {
                    return Err(ChainError::Zero { number, secret });
                }
                let base = base(&transcript, secret, public);
                if !same_ratio((G1Affine::generator(), public), (base, proof)) {
                    return Err(ChainError::Knowledge { number, secret });
                }
                if !same_ratio((before, product), (base, proof)) {
                    return Err(ChainError::Product { number, secret });
                }
            }
            if let Origin::Beacon(beacon) = contribution.origin {
                let secrets = beacon.secrets::<N>(&transcript)?;
                for ((part, value), secret) in
                    contribution.parts.iter().zip(secrets.iter()).zip(self.names)
                {
                    if times(G1Affine::generator(), value) != part.public {
                        return Err(ChainError::Beacon { number, secret });
                    }
                }
                ended = true;
            }
            products = contribution.parts.map(|part| part.product);
            transcript = contribution.transcript();
        }
        Ok(())
    }

    /// A count of four bytes, then the contributions.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let count = u32::try_from(self.contributions.len()).unwrap_or(u32::MAX);
        out.extend(count.to_be_bytes());
        for contribution in &self.contributions {
            contribution.write(out);
        }
    }

    pub(super) fn read(
        names: [&'static str; N],
        start: [u8; 32],
        reader: &mut Reader<'_>,
    ) -> Result<Self, CeremonyError> {
        let count = u32::from_be_bytes(reader.array()?);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > MAX_CONTRIBUTIONS {
            return Err(count_error(count));
        }
        let mut chain = Self::new(names, start);
        for _ in 0..count {
            chain.contributions.push(Contribution::read(reader)?);
        }
        Ok(chain)
    }

    /// For tests that tamper.
    #[cfg(test)]
    pub(super) const fn contributions_mut(&mut self) -> &mut Vec<Contribution<N>> {
        &mut self.contributions
    }
}

impl Part {
    const NONE: Self = Self {
        public: G1Affine::identity(),
        proof: G2Affine::identity(),
        product: G1Affine::identity(),
    };
}

impl<const N: usize> Contribution<N> {
    /// The transcript after it: SHA-256 of its bytes, which begin with the transcript before it.
    #[must_use]
    pub fn transcript(&self) -> [u8; 32] {
        let mut bytes = b"greenlight ceremony transcript".to_vec();
        self.write(&mut bytes);
        Sha256::digest(bytes).into()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.previous);
        let (kind, beacon) = match self.origin {
            Origin::Contributor => (0, Beacon { value: [0; 32], iterations: 0 }),
            Origin::Beacon(beacon) => (1, beacon),
        };
        out.extend([kind, beacon.iterations]);
        out.extend(beacon.value);
        for part in &self.parts {
            part.public.write(out);
            part.proof.write(out);
            part.product.write(out);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, CeremonyError> {
        let previous = reader.array()?;
        let [kind, iterations] = reader.array()?;
        let value: [u8; 32] = reader.array()?;
        let origin = match kind {
            0 if iterations == 0 && value == [0; 32] => Origin::Contributor,
            0 => return Err(CeremonyError::Reserved { found: iterations.max(1) }),
            1 if ITERATIONS.contains(&iterations) => Origin::Beacon(Beacon { value, iterations }),
            1 => return Err(ChainError::Iterations { found: iterations }.into()),
            found => return Err(ChainError::Kind { found }.into()),
        };
        let mut parts = [Part::NONE; N];
        for part in &mut parts {
            *part = Part {
                public: reader.point(Check::Full)?,
                proof: reader.point(Check::Full)?,
                product: reader.point(Check::Full)?,
            };
        }
        Ok(Self { previous, origin, parts })
    }
}

fn count_error(found: usize) -> CeremonyError {
    let number = |number| u64::try_from(number).unwrap_or(u64::MAX);
    let (max, found) = (number(MAX_CONTRIBUTIONS), number(found));
    CeremonyError::Bound { what: "contributions", min: 0, max, found }
}

/// R: where the knowledge of a secret is shown.
fn base(transcript: &[u8; 32], name: &str, public: G1Affine) -> G2Affine {
    let mut input = transcript.to_vec();
    public.write(&mut input);
    input.extend(name.as_bytes());
    hash_to_g2(&input)
}

fn times(point: G1Affine, factor: &Fr) -> G1Affine {
    point.mul_bigint(factor.into_bigint()).into_affine()
}
