//! Phase 2: δ.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::Field as _;
use sha2::{Digest as _, Sha256};

use super::{
    Beacon, CeremonyError, Chain, ChainError, Origin, Powers,
    pairing::{pair, same_ratio, scale},
};
use crate::{
    keys::{MAX_KEY_FILE, ProvingKey},
    points::{self, Check, Point as _},
    wire::Reader,
};

/// The most bytes that a file of phase 2 may have.
pub const MAX_PHASE2_FILE: u64 = MAX_KEY_FILE;

const MAGIC: [u8; 4] = *b"GLP2";
const FORMAT: u16 = 1;
const NAMES: [&str; 1] = ["delta"];

/// What contributions to δ change of a key: δ itself, and the h and l queries, which are divided by it. The rest stands in
/// the key that [`specialize`](super::specialize) made, which everybody can make again, and cannot change.
///
/// ```text
///   0   4  magic "GLP2"
///   4   2  format = 1
///   6   2  zero
///   8   4  circuit version
///  12  32  hash of the circuit's constraints (`R1cs::hash`)
///  44  32  transcript of phase 1
///  76  32  SHA-256 of the specialized key's file
/// 108   4  elements of the h query, m
/// 112   4  elements of the l query, w
/// 116   4  number of contributions
/// 120      the contributions
///          δ in G1, δ in G2, h, m points; l, w points
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase2 {
    circuit: Circuit,
    chain: Chain<1>,
    pub(super) delta_g1: G1Affine,
    pub(super) delta_g2: G2Affine,
    pub(super) h: Vec<G1Affine>,
    pub(super) l: Vec<G1Affine>,
}

/// What a phase 2 is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Circuit {
    version: u32,
    r1cs_hash: [u8; 32],
    powers: [u8; 32],
    specialized: [u8; 32],
}

impl Circuit {
    fn of(specialized: &ProvingKey, powers: [u8; 32]) -> Self {
        Self {
            version: specialized.circuit_version,
            r1cs_hash: specialized.r1cs_hash,
            powers,
            specialized: Sha256::digest(specialized.to_bytes()).into(),
        }
    }

    fn start(&self) -> [u8; 32] {
        Sha256::new_with_prefix("greenlight ceremony delta")
            .chain_update(self.version.to_be_bytes())
            .chain_update(self.r1cs_hash)
            .chain_update(self.powers)
            .chain_update(self.specialized)
            .finalize()
            .into()
    }
}

impl Phase2 {
    /// The beginning, with δ = 1.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Chain`] where phase 1 is not ended.
    pub fn new(powers: &Powers, specialized: &ProvingKey) -> Result<Self, CeremonyError> {
        powers.expect_ended()?;
        let circuit = Circuit::of(specialized, powers.chain().transcript());
        Ok(Self {
            circuit,
            chain: Chain::new(NAMES, circuit.start()),
            delta_g1: G1Affine::generator(),
            delta_g2: G2Affine::generator(),
            h: specialized.points.h_query.clone(),
            l: specialized.points.l_query.clone(),
        })
    }

    /// Who contributed.
    #[must_use]
    pub const fn chain(&self) -> &Chain<1> {
        &self.chain
    }

    /// For tests that tamper.
    #[cfg(test)]
    pub(super) const fn chain_mut(&mut self) -> &mut Chain<1> {
        &mut self.chain
    }

    /// The transcript of the phase 1 that this one continues.
    #[must_use]
    pub const fn powers(&self) -> [u8; 32] {
        self.circuit.powers
    }

    /// Multiplies δ by a contributor's secret.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Chain`] after the beacon, or where the secret is zero.
    pub fn contribute(&mut self, secret: &[Fr; 1]) -> Result<(), CeremonyError> {
        self.append(Origin::Contributor, secret)
    }

    /// Multiplies δ by a beacon's secret, and ends the phase.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Chain`] after another beacon, or where its iterations are out of bounds.
    pub fn end(&mut self, beacon: Beacon) -> Result<(), CeremonyError> {
        let secret = beacon.secrets(&self.chain.transcript())?;
        self.append(Origin::Beacon(beacon), &secret)
    }

    #[allow(clippy::arithmetic_side_effects, reason = "of points")]
    fn append(&mut self, origin: Origin, secret: &[Fr; 1]) -> Result<(), CeremonyError> {
        self.chain.append(origin, secret)?;
        let [delta] = secret;
        let [product] = self.chain.products();
        self.delta_g1 = product;
        self.delta_g2 = (self.delta_g2 * delta).into_affine();
        // The chain takes no zero.
        let inverse = zeroize::Zeroizing::new(delta.inverse().unwrap_or_default());
        for query in [&mut self.h, &mut self.l] {
            let factors = zeroize::Zeroizing::new(vec![*inverse; query.len()]);
            scale::<G1Projective>(query, &factors);
        }
        Ok(())
    }

    /// Checks that this continues the powers and the key made of them, every contribution, and that the points are what
    /// the product of their secrets makes of the key's. A file's points must have been read with [`Check::Full`], and
    /// `specialized` be made by the verifier, of powers that were verified.
    ///
    /// # Errors
    ///
    /// [`CeremonyError`] says what is wrong.
    pub fn verify(&self, powers: [u8; 32], specialized: &ProvingKey) -> Result<(), CeremonyError> {
        let expected = Circuit::of(specialized, powers);
        let found = self.circuit;
        if (expected.version, expected.r1cs_hash) != (found.version, found.r1cs_hash) {
            return Err(CeremonyError::Circuit {
                expected_version: expected.version,
                found_version: found.version,
                expected: expected.r1cs_hash,
                found: found.r1cs_hash,
            });
        }
        for (what, expected, found) in [
            ("transcript of phase 1", expected.powers, found.powers),
            ("specialized key", expected.specialized, found.specialized),
        ] {
            if expected != found {
                return Err(CeremonyError::Beginning { what, expected, found });
            }
        }
        self.chain.verify()?;

        let [delta] = self.chain.products();
        if self.delta_g1 != delta {
            return Err(CeremonyError::NotOfTheLast { what: "delta in G1" });
        }
        let (one, two) = (G1Affine::generator(), G2Affine::generator());
        if !same_ratio((one, delta), (two, self.delta_g2)) {
            return Err(CeremonyError::Ratio { what: "delta in G2" });
        }
        for (what, before, after) in [
            ("h query", &specialized.points.h_query, &self.h),
            ("l query", &specialized.points.l_query, &self.l),
        ] {
            // The key's queries are δ times these.
            let (before_sum, after_sum) = pair(before, after);
            let holds = before.len() == after.len()
                && same_ratio((after_sum, before_sum), (two, self.delta_g2));
            if !holds {
                return Err(CeremonyError::Ratio { what });
            }
        }
        Ok(())
    }

    /// The key, once the phase is ended. What [`verify`](Self::verify) requires must have been checked.
    ///
    /// # Errors
    ///
    /// [`ChainError`] unless a beacon ends the phase and somebody else contributed, too.
    pub fn key(self, specialized: &ProvingKey) -> Result<ProvingKey, ChainError> {
        self.chain.expect_ended()?;
        let mut key = specialized.clone();
        key.development = false;
        key.points.delta_g1 = self.delta_g1;
        key.points.vk.delta_g2 = self.delta_g2;
        key.points.h_query = self.h;
        key.points.l_query = self.l;
        Ok(key)
    }

    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(self.circuit.version.to_be_bytes());
        bytes.extend(self.circuit.r1cs_hash);
        bytes.extend(self.circuit.powers);
        bytes.extend(self.circuit.specialized);
        bytes.extend(count(self.h.len()));
        bytes.extend(count(self.l.len()));
        self.chain.write(&mut bytes);
        self.delta_g1.write(&mut bytes);
        self.delta_g2.write(&mut bytes);
        points::write_all(&self.h, &mut bytes);
        points::write_all(&self.l, &mut bytes);
        bytes
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    ///
    /// [`CeremonyError`] unless they are a phase 2, to the last byte. Whether it is right is for
    /// [`verify`](Self::verify) to say.
    pub fn from_bytes(bytes: &[u8], check: Check) -> Result<Self, CeremonyError> {
        let mut reader = Reader::new(bytes);
        super::read_magic(&mut reader, MAGIC, FORMAT)?;
        let reserved: [u8; 2] = reader.array()?;
        if let Some(found) = reserved.into_iter().find(|byte| *byte != 0) {
            return Err(CeremonyError::Reserved { found });
        }
        let circuit = Circuit {
            version: u32::from_be_bytes(reader.array()?),
            r1cs_hash: reader.array()?,
            powers: reader.array()?,
            specialized: reader.array()?,
        };
        let [h, l] = [reader.array()?, reader.array()?]
            .map(|count| usize::try_from(u32::from_be_bytes(count)).unwrap_or(usize::MAX));
        let chain = Chain::read(NAMES, circuit.start(), &mut reader)?;
        let phase2 = Self {
            circuit,
            chain,
            delta_g1: reader.point(check)?,
            delta_g2: reader.point(check)?,
            h: reader.points(h, check)?,
            l: reader.points(l, check)?,
        };
        super::read_end(&reader)?;
        Ok(phase2)
    }
}
