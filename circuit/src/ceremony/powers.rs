//! Phase 1: powers of τ, with α and β.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::One as _;
use sha2::{Digest as _, Sha256};

use super::{
    Beacon, CeremonyError, Chain, Origin,
    pairing::{neighbours, same_ratio, scale},
};
use crate::{
    points::{self, Check, Point as _},
    wire::Reader,
};

/// Powers for circuits of at most 2^20 rows.
pub const MAX_POWER: u32 = 20;

/// The most bytes that a file of them may have.
pub const MAX_POWERS_FILE: u64 = 512 << 20;

const MAGIC: [u8; 4] = *b"GLP1";
const FORMAT: u16 = 1;
const NAMES: [&str; 3] = ["tau", "alpha", "beta"];

/// The powers for circuits of up to n = 2^power rows, instance variables included.
///
/// ```text
///  0  4  magic "GLP1"
///  4  2  format = 1
///  6  1  power, 1 to 20
///  7  1  zero
///  8  4  number of contributions
/// 12     the contributions
///        τ^i in G1, 2n - 1; ατ^i in G1, n; βτ^i in G1, n; τ^i in G2, n; β in G2
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Powers {
    power: u32,
    chain: Chain<3>,
    /// τ^i in G1 for i up to 2n - 2.
    pub(super) tau_g1: Vec<G1Affine>,
    /// ατ^i in G1 for i below n.
    pub(super) alpha_tau_g1: Vec<G1Affine>,
    /// βτ^i in G1 for i below n.
    pub(super) beta_tau_g1: Vec<G1Affine>,
    /// τ^i in G2 for i below n.
    pub(super) tau_g2: Vec<G2Affine>,
    /// β in G2.
    pub(super) beta_g2: G2Affine,
}

impl Powers {
    /// The beginning: τ, α and β are 1.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Bound`] unless `power` is 1 to [`MAX_POWER`].
    pub fn new(power: u32) -> Result<Self, CeremonyError> {
        let n = size(power)?;
        Ok(Self {
            power,
            chain: Chain::new(NAMES, start(power)),
            tau_g1: vec![G1Affine::generator(); n.saturating_mul(2).saturating_sub(1)],
            alpha_tau_g1: vec![G1Affine::generator(); n],
            beta_tau_g1: vec![G1Affine::generator(); n],
            tau_g2: vec![G2Affine::generator(); n],
            beta_g2: G2Affine::generator(),
        })
    }

    /// The number of rows is 2 to the power of this.
    #[must_use]
    pub const fn power(&self) -> u32 {
        self.power
    }

    /// Who contributed.
    #[must_use]
    pub const fn chain(&self) -> &Chain<3> {
        &self.chain
    }

    /// For tests that tamper.
    #[cfg(test)]
    pub(super) const fn chain_mut(&mut self) -> &mut Chain<3> {
        &mut self.chain
    }

    /// Multiplies by a contributor's secrets: τ, α, β.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Chain`] after the beacon, or where a secret is zero.
    pub fn contribute(&mut self, secrets: &[Fr; 3]) -> Result<(), CeremonyError> {
        self.append(Origin::Contributor, secrets)
    }

    /// Multiplies by a beacon's secrets, and ends the phase.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Chain`] after another beacon, or where its iterations are out of bounds.
    pub fn end(&mut self, beacon: Beacon) -> Result<(), CeremonyError> {
        let secrets = beacon.secrets(&self.chain.transcript())?;
        self.append(Origin::Beacon(beacon), &secrets)
    }

    #[allow(clippy::arithmetic_side_effects, reason = "of points and field elements")]
    pub(super) fn append(
        &mut self,
        origin: Origin,
        secrets: &[Fr; 3],
    ) -> Result<(), CeremonyError> {
        self.chain.append(origin, secrets)?;
        let [tau, alpha, beta] = secrets;
        let powers = zeroize::Zeroizing::new(
            std::iter::successors(Some(Fr::one()), |power| Some(*power * tau))
                .take(self.tau_g1.len())
                .collect::<Vec<_>>(),
        );
        let times = |factor: &Fr| {
            zeroize::Zeroizing::new(
                powers
                    .iter()
                    .take(self.tau_g2.len())
                    .map(|power| *power * factor)
                    .collect::<Vec<_>>(),
            )
        };
        scale::<G1Projective>(&mut self.alpha_tau_g1, &times(alpha));
        scale::<G1Projective>(&mut self.beta_tau_g1, &times(beta));
        scale::<G1Projective>(&mut self.tau_g1, &powers);
        scale::<G2Projective>(&mut self.tau_g2, &powers);
        self.beta_g2 = (self.beta_g2 * beta).into_affine();
        Ok(())
    }

    /// Checks every contribution, and that the points are what the product of their secrets makes of them. A file's
    /// points must have been read with [`Check::Full`].
    ///
    /// # Errors
    ///
    /// [`CeremonyError`] says which contribution or which points are wrong.
    pub fn verify(&self) -> Result<(), CeremonyError> {
        self.chain.verify()?;
        let [tau, alpha, beta] = self.chain.products();
        let (one, two) = (G1Affine::generator(), G2Affine::generator());
        let ([first, second, ..], [first_alpha, ..], [first_beta, ..], [first_two, tau_g2, ..]) =
            (&*self.tau_g1, &*self.alpha_tau_g1, &*self.beta_tau_g1, &*self.tau_g2)
        else {
            // Both ways to make powers give two or more of each.
            return Err(CeremonyError::Ratio { what: "powers of tau in G1" });
        };
        if *first != one {
            return Err(CeremonyError::Generator { what: "powers of tau in G1" });
        }
        if *first_two != two {
            return Err(CeremonyError::Generator { what: "powers of tau in G2" });
        }
        for (what, found, expected) in [
            ("tau in G1", second, tau),
            ("alpha in G1", first_alpha, alpha),
            ("beta in G1", first_beta, beta),
        ] {
            if *found != expected {
                return Err(CeremonyError::NotOfTheLast { what });
            }
        }
        let ratio =
            |holds: bool, what| if holds { Ok(()) } else { Err(CeremonyError::Ratio { what }) };
        ratio(same_ratio((one, tau), (two, *tau_g2)), "tau in G2")?;
        ratio(same_ratio((one, beta), (two, self.beta_g2)), "beta in G2")?;
        for (what, list) in [
            ("powers of tau in G1", &self.tau_g1),
            ("alpha times powers of tau in G1", &self.alpha_tau_g1),
            ("beta times powers of tau in G1", &self.beta_tau_g1),
        ] {
            ratio(same_ratio(neighbours::<G1Projective>(list), (two, *tau_g2)), what)?;
        }
        let neighbours = neighbours::<G2Projective>(&self.tau_g2);
        ratio(same_ratio((one, tau), neighbours), "powers of tau in G2")
    }

    /// Checks that the phase is ended by a beacon and that somebody else contributed, too.
    ///
    /// # Errors
    ///
    /// [`ChainError`](super::ChainError).
    pub fn expect_ended(&self) -> Result<(), CeremonyError> {
        Ok(self.chain.expect_ended()?)
    }

    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend([u8::try_from(self.power).unwrap_or(u8::MAX), 0]);
        self.chain.write(&mut bytes);
        points::write_all(&self.tau_g1, &mut bytes);
        points::write_all(&self.alpha_tau_g1, &mut bytes);
        points::write_all(&self.beta_tau_g1, &mut bytes);
        points::write_all(&self.tau_g2, &mut bytes);
        self.beta_g2.write(&mut bytes);
        bytes
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    ///
    /// [`CeremonyError`] unless they are powers, to the last byte. Whether the powers are right is for
    /// [`verify`](Self::verify) to say.
    pub fn from_bytes(bytes: &[u8], check: Check) -> Result<Self, CeremonyError> {
        let mut reader = Reader::new(bytes);
        super::read_magic(&mut reader, MAGIC, FORMAT)?;
        let [power, reserved] = reader.array()?;
        if reserved != 0 {
            return Err(CeremonyError::Reserved { found: reserved });
        }
        let power = u32::from(power);
        let n = size(power)?;
        let chain = Chain::read(NAMES, start(power), &mut reader)?;
        let powers = Self {
            power,
            chain,
            tau_g1: reader.points(n.saturating_mul(2).saturating_sub(1), check)?,
            alpha_tau_g1: reader.points(n, check)?,
            beta_tau_g1: reader.points(n, check)?,
            tau_g2: reader.points(n, check)?,
            beta_g2: reader.point(check)?,
        };
        super::read_end(&reader)?;
        Ok(powers)
    }
}

fn size(power: u32) -> Result<usize, CeremonyError> {
    if (1..=MAX_POWER).contains(&power) {
        Ok(1 << power)
    } else {
        let (max, found) = (u64::from(MAX_POWER), u64::from(power));
        Err(CeremonyError::Bound { what: "power", min: 1, max, found })
    }
}

fn start(power: u32) -> [u8; 32] {
    Sha256::new_with_prefix("greenlight ceremony powers of tau")
        .chain_update(power.to_be_bytes())
        .finalize()
        .into()
}
