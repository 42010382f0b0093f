#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking; clippy grants that to test functions alone"
)]

use std::sync::LazyLock;

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _, PrimeGroup as _};
use ark_ff::{One as _, Zero as _};

use super::*;
use crate::{
    keys::{ProvingKey, Secrets},
    points::{Check, Point as _, PointError},
    r1cs::{R1cs, tiny},
};

const POWER: u32 = 4;
const BEACON: Beacon = Beacon { value: [0xb1; 32], iterations: 10 };

/// A ceremony with secrets that the test knows, to compare with the key that they make.
struct Ceremony {
    powers: Powers,
    specialized: ProvingKey,
    phase2: Phase2,
}

fn secret(number: u64) -> Fr {
    Fr::from(0x0123_4567_89ab_cdef_u64 + number)
}

/// Three contributors and a beacon in each phase.
static CEREMONY: LazyLock<Ceremony> = LazyLock::new(|| {
    let mut powers = Powers::new(POWER).unwrap();
    for turn in 0..3 {
        powers.contribute(&[secret(turn), secret(10 + turn), secret(20 + turn)]).unwrap();
    }
    powers.end(BEACON).unwrap();
    let specialized = specialize(&powers, &tiny::r1cs(), 7).unwrap();
    let mut phase2 = Phase2::new(&powers, &specialized).unwrap();
    for turn in 0..3 {
        phase2.contribute(&[secret(30 + turn)]).unwrap();
    }
    phase2.end(BEACON).unwrap();
    Ceremony { powers, specialized, phase2 }
});

fn verify(phase2: &Phase2) -> Result<(), CeremonyError> {
    let Ceremony { powers, specialized, .. } = &*CEREMONY;
    phase2.verify(powers.chain().transcript(), specialized)
}

#[test]
fn three_contributors_and_a_beacon_make_a_key_that_works() {
    let Ceremony { powers, specialized, phase2 } = &*CEREMONY;
    powers.verify().unwrap();
    verify(phase2).unwrap();
    let key = phase2.clone().key(specialized).unwrap();
    assert!(!key.development && specialized.development);
    assert_eq!((key.circuit_version, key.r1cs_hash), (7, tiny::r1cs().hash()));
    tiny::assert_proves(&key.points);
    assert_eq!(ProvingKey::from_bytes(&key.to_bytes()).unwrap(), key);
}

#[test]
fn the_key_is_the_one_that_the_product_of_all_secrets_makes() {
    let Ceremony { powers, specialized, phase2 } = &*CEREMONY;
    let before = |chain: &[Contribution<3>]| chain.last().unwrap().previous;
    let beacon = BEACON.secrets::<3>(&before(powers.chain().contributions())).unwrap();
    let delta = BEACON.secrets::<1>(&phase2.chain().contributions()[3].previous).unwrap();
    let product =
        |first: u64, beacon: Fr| (0..3).map(|turn| secret(first + turn)).product::<Fr>() * beacon;
    let secrets = Secrets {
        tau: product(0, beacon[0]),
        alpha: product(10, beacon[1]),
        beta: product(20, beacon[2]),
        delta: product(30, delta[0]),
    };
    let key = phase2.clone().key(specialized).unwrap();
    assert_eq!(key.points, secrets.key(&tiny::r1cs()).unwrap());
}

#[test]
fn powers_for_more_rows_than_needed_will_do_and_for_fewer_will_not() {
    let mut larger = Powers::new(POWER + 1).unwrap();
    larger.contribute(&[secret(0), secret(10), secret(20)]).unwrap();
    larger.end(BEACON).unwrap();
    let specialized = specialize(&larger, &tiny::r1cs(), 7).unwrap();
    let mut phase2 = Phase2::new(&larger, &specialized).unwrap();
    phase2.contribute(&[secret(30)]).unwrap();
    phase2.end(BEACON).unwrap();
    phase2.verify(larger.chain().transcript(), &specialized).unwrap();
    tiny::assert_proves(&phase2.key(&specialized).unwrap().points);

    let smaller = Powers::new(POWER - 1).unwrap();
    assert_eq!(
        specialize(&smaller, &tiny::r1cs(), 7).unwrap_err(),
        CeremonyError::Power { needed: POWER, found: POWER - 1 }
    );
}

#[test]
fn files_are_read_as_they_were_written() {
    let Ceremony { powers, phase2, .. } = &*CEREMONY;
    let bytes = powers.to_bytes();
    assert_eq!(Powers::from_bytes(&bytes, Check::Full).unwrap(), *powers);
    for length in (0..bytes.len()).step_by(61) {
        assert!(Powers::from_bytes(&bytes[..length], Check::Coordinates).is_err(), "{length}");
    }
    let longer = [&*bytes, &[0]].concat();
    let trailing = CeremonyError::Trailing { found: 1 };
    assert_eq!(Powers::from_bytes(&longer, Check::Full).unwrap_err(), trailing);

    let bytes = phase2.to_bytes();
    assert_eq!(Phase2::from_bytes(&bytes, Check::Full).unwrap(), *phase2);
    for length in (0..bytes.len()).step_by(61) {
        assert!(Phase2::from_bytes(&bytes[..length], Check::Coordinates).is_err(), "{length}");
    }
    let longer = [&*bytes, &[0]].concat();
    assert_eq!(Phase2::from_bytes(&longer, Check::Full).unwrap_err(), trailing);
    assert!(matches!(
        Phase2::from_bytes(&powers.to_bytes(), Check::Full),
        Err(CeremonyError::Magic { .. })
    ));
}

#[test]
fn no_changed_byte_goes_unseen() {
    let Ceremony { powers, phase2, .. } = &*CEREMONY;
    let bytes = powers.to_bytes();
    for place in (0..bytes.len()).step_by(29) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let read = Powers::from_bytes(&changed, Check::Full).and_then(|powers| powers.verify());
        assert!(read.is_err(), "powers: byte {place}");
    }
    let bytes = phase2.to_bytes();
    for place in (0..bytes.len()).step_by(29) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let read = Phase2::from_bytes(&changed, Check::Full).and_then(|phase2| verify(&phase2));
        assert!(read.is_err(), "phase 2: byte {place}");
    }
}

#[test]
fn counts_of_a_hostile_file_ask_for_no_memory() {
    let mut bytes = CEREMONY.powers.to_bytes();
    bytes[6] = 20;
    assert!(matches!(
        Powers::from_bytes(&bytes, Check::Full),
        Err(CeremonyError::Point(PointError::Length { .. }))
    ));
    bytes[6] = 21;
    assert!(matches!(
        Powers::from_bytes(&bytes, Check::Full),
        Err(CeremonyError::Bound { what: "power", found: 21, .. })
    ));
    let mut bytes = CEREMONY.phase2.to_bytes();
    bytes[116..120].fill(0xff);
    assert!(matches!(
        Phase2::from_bytes(&bytes, Check::Full),
        Err(CeremonyError::Bound { what: "contributions", .. })
    ));
}

/// The powers with one thing changed; why they are refused.
fn tampered(change: impl FnOnce(&mut Powers)) -> CeremonyError {
    let mut powers = CEREMONY.powers.clone();
    change(&mut powers);
    powers.verify().unwrap_err()
}

fn chain(change: impl FnOnce(&mut Vec<Contribution<3>>)) -> ChainError {
    match tampered(|powers| change(powers.chain_mut().contributions_mut())) {
        CeremonyError::Chain(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn a_contribution_that_was_dropped_moved_or_replaced_is_missed() {
    let number = |error| match error {
        ChainError::Link { number, .. } => number,
        other => panic!("{other}"),
    };
    assert_eq!(number(chain(|list| _ = list.remove(0))), 1);
    assert_eq!(number(chain(|list| _ = list.remove(1))), 2);
    assert_eq!(number(chain(|list| list.swap(0, 1))), 1);
    // Somebody else's turn in its place.
    let other = |list: &mut Vec<Contribution<3>>| {
        let mut chain = Chain::new(["tau", "alpha", "beta"], list[0].previous);
        chain.append(Origin::Contributor, &[secret(90), secret(91), secret(92)]).unwrap();
        list[0] = chain.contributions()[0].clone();
    };
    assert_eq!(number(chain(other)), 2);
    // The last dropped: the points are of more than who is left.
    assert_eq!(
        tampered(|powers| _ = powers.chain_mut().contributions_mut().pop()),
        CeremonyError::NotOfTheLast { what: "tau in G1" }
    );
}

#[test]
fn a_contribution_that_only_claims_to_continue_another_proves_nothing() {
    // Dropped, and the next one relinked: its proofs are bound to what it was made on.
    let error = chain(|list| {
        let removed = list.remove(1);
        list[1].previous = removed.previous;
    });
    assert_eq!(error, ChainError::Knowledge { number: 2, secret: "tau" });
}

#[test]
fn each_part_of_a_contribution_is_checked() {
    let (one, two) = (G1Affine::generator(), G2Affine::generator());
    for (number, secret) in ["tau", "alpha", "beta"].into_iter().enumerate() {
        assert_eq!(
            chain(|list| list[2].parts[number].proof = two),
            ChainError::Knowledge { number: 3, secret }
        );
        assert_eq!(
            chain(|list| list[2].parts[number].public = one),
            ChainError::Knowledge { number: 3, secret }
        );
        assert_eq!(
            chain(|list| list[2].parts[number].product = one),
            ChainError::Product { number: 3, secret }
        );
        assert_eq!(
            chain(|list| list[2].parts[number].public = G1Affine::zero()),
            ChainError::Zero { number: 3, secret }
        );
        assert_eq!(
            chain(|list| list[2].parts[number].product = G1Affine::zero()),
            ChainError::Zero { number: 3, secret }
        );
    }
    // A proof for one secret is none for another, though they be equal.
    let mut powers = Powers::new(POWER).unwrap();
    powers.contribute(&[secret(1), secret(1), secret(1)]).unwrap();
    let parts = &mut powers.chain_mut().contributions_mut()[0].parts;
    parts[1].proof = parts[0].proof;
    let expected = ChainError::Knowledge { number: 1, secret: "alpha" };
    assert_eq!(powers.verify().unwrap_err(), expected.into());

    let zero = powers.contribute(&[secret(1), Fr::zero(), secret(1)]).unwrap_err();
    assert_eq!(zero, ChainError::Zero { number: 2, secret: "alpha" }.into());
}

#[test]
fn each_point_of_the_powers_is_checked() {
    let twice = |point: &mut G1Affine| *point = (*point + *point).into_affine();
    let ratio = |what| CeremonyError::Ratio { what };
    let first = |what| CeremonyError::NotOfTheLast { what };
    for index in 0..CEREMONY.powers.tau_g1.len() {
        let expected = match index {
            0 => CeremonyError::Generator { what: "powers of tau in G1" },
            1 => first("tau in G1"),
            _ => ratio("powers of tau in G1"),
        };
        assert_eq!(tampered(|powers| twice(&mut powers.tau_g1[index])), expected, "{index}");
    }
    for index in 0..CEREMONY.powers.tau_g2.len() {
        let (alpha, beta) = match index {
            0 => (first("alpha in G1"), first("beta in G1")),
            _ => {
                (ratio("alpha times powers of tau in G1"), ratio("beta times powers of tau in G1"))
            }
        };
        assert_eq!(tampered(|powers| twice(&mut powers.alpha_tau_g1[index])), alpha, "{index}");
        assert_eq!(tampered(|powers| twice(&mut powers.beta_tau_g1[index])), beta, "{index}");
        let expected = match index {
            0 => CeremonyError::Generator { what: "powers of tau in G2" },
            1 => ratio("tau in G2"),
            _ => ratio("powers of tau in G2"),
        };
        let error = tampered(|powers| {
            powers.tau_g2[index] = (powers.tau_g2[index] + powers.tau_g2[index]).into_affine();
        });
        assert_eq!(error, expected, "{index}");
    }
    let error = tampered(|powers| powers.beta_g2 = (powers.beta_g2 + powers.beta_g2).into_affine());
    assert_eq!(error, ratio("beta in G2"));
}

#[test]
fn points_off_the_curve_or_of_another_order_are_not_read() {
    let bytes = CEREMONY.powers.to_bytes();
    // β in G2 stands last.
    let with = |beta: G2Affine| {
        let mut bytes = bytes[..bytes.len() - G2Affine::LEN].to_vec();
        beta.write(&mut bytes);
        Powers::from_bytes(&bytes, Check::Full).unwrap_err()
    };
    let generator = G2Affine::generator();
    let off = G2Affine::new_unchecked(generator.x, generator.x);
    assert_eq!(with(off), PointError::Curve.into());
    // Nearly every point of the curve over the extension field is outside the subgroup.
    let other = (1..).find_map(|x: u64| {
        G2Affine::get_point_from_x_unchecked(ark_bn254::Fq2::from(x), false)
            .filter(|point| !point.is_in_correct_subgroup_assuming_on_curve())
    });
    assert_eq!(with(other.unwrap()), PointError::Subgroup.into());
    let mut bytes = bytes.clone();
    let last = bytes.len() - 32;
    bytes[last..].fill(0xff);
    assert_eq!(Powers::from_bytes(&bytes, Check::Full).unwrap_err(), PointError::Coordinate.into());
}

#[test]
fn a_beacon_is_the_last_and_anyone_can_recompute_it() {
    let number = 4;
    let error = chain(|list| {
        let Origin::Beacon(beacon) = &mut list[3].origin else { panic!() };
        beacon.value[31] ^= 1;
    });
    assert_eq!(error, ChainError::Beacon { number, secret: "tau" });
    let error = chain(|list| {
        let Origin::Beacon(beacon) = &mut list[3].origin else { panic!() };
        beacon.iterations = 11;
    });
    assert_eq!(error, ChainError::Beacon { number, secret: "tau" });
    // Own secrets under the beacon's name.
    let mut powers = Powers::new(POWER).unwrap();
    powers.contribute(&[secret(0), secret(1), secret(2)]).unwrap();
    powers.append(Origin::Beacon(BEACON), &[secret(3), secret(4), secret(5)]).unwrap();
    let expected = ChainError::Beacon { number: 2, secret: "tau" };
    assert_eq!(powers.verify().unwrap_err(), expected.into());

    let mut powers = CEREMONY.powers.clone();
    let after = CeremonyError::Chain(ChainError::AfterBeacon { number: 5 });
    assert_eq!(powers.contribute(&[secret(0), secret(1), secret(2)]).unwrap_err(), after);
    assert_eq!(powers.end(BEACON).unwrap_err(), after);
    let error = chain(|list| {
        let mut again = Chain::new(["tau", "alpha", "beta"], list[3].transcript());
        again.append(Origin::Contributor, &[secret(0), secret(1), secret(2)]).unwrap();
        list.push(again.contributions()[0].clone());
    });
    assert_eq!(error, ChainError::AfterBeacon { number: 5 });

    for iterations in [0, 9, 41, 255] {
        let mut powers = Powers::new(POWER).unwrap();
        let error = powers.end(Beacon { value: [0; 32], iterations }).unwrap_err();
        assert_eq!(error, ChainError::Iterations { found: iterations }.into());
    }
}

#[test]
fn no_key_without_a_beacon_or_without_a_contributor() {
    let Ceremony { powers, specialized, .. } = &*CEREMONY;
    let mut open = Powers::new(POWER).unwrap();
    open.contribute(&[secret(0), secret(1), secret(2)]).unwrap();
    let error = Phase2::new(&open, specialized).unwrap_err();
    assert_eq!(error, ChainError::NoBeacon.into());
    let mut alone = Powers::new(POWER).unwrap();
    alone.end(BEACON).unwrap();
    let error = Phase2::new(&alone, specialized).unwrap_err();
    assert_eq!(error, ChainError::NoContribution.into());

    let mut phase2 = Phase2::new(powers, specialized).unwrap();
    verify(&phase2).unwrap();
    assert_eq!(phase2.clone().key(specialized).unwrap_err(), ChainError::NoBeacon);
    phase2.end(BEACON).unwrap();
    verify(&phase2).unwrap();
    assert_eq!(phase2.key(specialized).unwrap_err(), ChainError::NoContribution);
}

#[test]
fn each_point_of_phase_2_is_checked() {
    let tampered = |change: &dyn Fn(&mut Phase2)| {
        let mut phase2 = CEREMONY.phase2.clone();
        change(&mut phase2);
        verify(&phase2).unwrap_err()
    };
    let twice = |point: &mut G1Affine| *point = (*point + *point).into_affine();
    let (h, l) = (CEREMONY.phase2.h.len(), CEREMONY.phase2.l.len());
    for index in 0..h {
        let error = tampered(&|phase2| twice(&mut phase2.h[index]));
        assert_eq!(error, CeremonyError::Ratio { what: "h query" }, "{index}");
    }
    for index in 0..l {
        let error = tampered(&|phase2| twice(&mut phase2.l[index]));
        assert_eq!(error, CeremonyError::Ratio { what: "l query" }, "{index}");
    }
    assert_eq!(
        tampered(&|phase2| phase2.l.truncate(l - 1)),
        CeremonyError::Ratio { what: "l query" }
    );
    assert_eq!(
        tampered(&|phase2| twice(&mut phase2.delta_g1)),
        CeremonyError::NotOfTheLast { what: "delta in G1" }
    );
    assert_eq!(
        tampered(&|phase2| phase2.delta_g2 = G2Affine::generator()),
        CeremonyError::Ratio { what: "delta in G2" }
    );
    let mut dropped = CEREMONY.phase2.clone();
    dropped.chain_mut().contributions_mut().remove(1);
    assert!(matches!(
        verify(&dropped).unwrap_err(),
        CeremonyError::Chain(ChainError::Link { number: 2, .. })
    ));
}

#[test]
fn a_phase_2_of_other_powers_another_circuit_or_another_key_is_refused() {
    let Ceremony { powers, specialized, phase2 } = &*CEREMONY;
    assert!(matches!(
        phase2.verify([1; 32], specialized).unwrap_err(),
        CeremonyError::Beginning { what: "transcript of phase 1", .. }
    ));
    let mut r1cs: R1cs = tiny::r1cs();
    r1cs.matrices[0][0][0].0 += Fr::one();
    let other = specialize(powers, &r1cs, 7).unwrap();
    let transcript = powers.chain().transcript();
    assert!(matches!(
        phase2.verify(transcript, &other).unwrap_err(),
        CeremonyError::Circuit { expected_version: 7, found_version: 7, .. }
    ));
    let newer = ProvingKey { circuit_version: 8, ..specialized.clone() };
    assert!(matches!(
        phase2.verify(transcript, &newer).unwrap_err(),
        CeremonyError::Circuit { expected_version: 8, found_version: 7, .. }
    ));
    // The same circuit, but a key that is not made of these powers.
    let mut forged = specialized.clone();
    forged.points.l_query.reverse();
    assert!(matches!(
        phase2.verify(transcript, &forged).unwrap_err(),
        CeremonyError::Beginning { what: "specialized key", .. }
    ));
}

#[test]
fn secrets_are_of_the_systems_chance_and_never_twice_the_same() {
    let (one, other) = (random::<3>(b"text").unwrap(), random::<3>(b"text").unwrap());
    let mut all: Vec<Fr> = one.iter().chain(other.iter()).copied().collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
    // A beacon, on the other hand, gives the same always, and others in another place.
    assert_eq!(BEACON.secrets::<1>(&[1; 32]).unwrap(), BEACON.secrets::<1>(&[1; 32]).unwrap());
    assert_ne!(BEACON.secrets::<1>(&[1; 32]).unwrap(), BEACON.secrets::<1>(&[2; 32]).unwrap());
}

/// In threads whose stacks have room for one sum by buckets, and not for others within it.
#[test]
fn long_columns_are_added_up_in_little_room() {
    let rows: Vec<G1Affine> = (1..=400_u64)
        .map(|number| (G1Projective::generator() * Fr::from(number)).into_affine())
        .collect();
    let factor = |column: u64, row: u64| match (column + row) % 4 {
        0 => Fr::one(),
        1 => -Fr::one(),
        _ => secret(column) * secret(100 + row),
    };
    // Every third is short.
    let column = |column: u64| {
        (0..if column.is_multiple_of(3) { 5 } else { 400 })
            .map(|row| (factor(column, row), usize::try_from(row).unwrap()))
            .collect()
    };
    let columns: Vec<Vec<_>> = (0..300).map(column).collect();
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(2).stack_size(128 << 10).build().unwrap();
    let sums = pool.install(|| specialize::sums::<G1Projective>(&columns, &rows));
    assert_eq!(sums.len(), columns.len());
    for (sum, terms) in sums.into_iter().zip(&columns) {
        let expected: Fr =
            terms.iter().map(|(factor, row)| *factor * Fr::from(*row as u64 + 1)).sum();
        assert_eq!(sum, G1Projective::generator() * expected);
    }
}
