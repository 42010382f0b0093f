//! The permutation of the commitment as constraints: three for each S-box, and none for what is linear.
//!
//! Between S-boxes everything is linear. In the partial rounds lanes would be sums of more and more terms, the same in each
//! permutation: their coefficients over what the S-boxes give are computed once.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes are the permutation's, and field elements wrap by definition"
)]

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup as _, Field as _};
use greenlight_artifact::commitment::{POSEIDON_WIDTH as WIDTH, poseidon_parameters};

use crate::builder::{Builder, Lc};

/// Coefficients of the constant, of the 13 S-boxes before the partial rounds and of the S-box of each partial round.
type Linear = Vec<Fr>;

/// What goes into the S-box of each partial round, and the lanes behind them.
struct Partial {
    boxes: Vec<Linear>,
    lanes: Vec<Linear>,
}

fn mix(lanes: &[Linear]) -> Vec<Linear> {
    let row = |row: &Vec<Fr>| {
        let mut sum = vec![Fr::ZERO; lanes[0].len()];
        for (factor, lane) in row.iter().zip(lanes) {
            for (sum, coefficient) in sum.iter_mut().zip(lane) {
                *sum += *factor * coefficient;
            }
        }
        sum
    };
    poseidon_parameters().mds.iter().map(row).collect()
}

fn partial() -> &'static Partial {
    static PARTIAL: OnceLock<Partial> = OnceLock::new();
    PARTIAL.get_or_init(|| {
        let parameters = poseidon_parameters();
        let terms = 1 + WIDTH + parameters.partial_rounds;
        let unit = |at: usize| {
            let mut linear = vec![Fr::ZERO; terms];
            linear[at] = Fr::ONE;
            linear
        };
        let mut lanes = mix(&(1..=WIDTH).map(unit).collect::<Vec<_>>());
        let mut boxes = Vec::new();
        let rounds = parameters.ark.chunks(WIDTH).skip(parameters.full_rounds / 2);
        for (round, constants) in rounds.take(parameters.partial_rounds).enumerate() {
            for (lane, constant) in lanes.iter_mut().zip(constants) {
                lane[0] += constant;
            }
            boxes.push(std::mem::replace(&mut lanes[0], unit(1 + WIDTH + round)));
            lanes = mix(&lanes);
        }
        Partial { boxes, lanes }
    })
}

/// The sponge's first state.
pub(crate) fn initial() -> Vec<Lc> {
    vec![Lc::zero(); WIDTH]
}

/// Adds a block to the state and permutes it.
pub(crate) fn absorb(b: &mut Builder, state: &mut Vec<Lc>, block: &[Lc]) {
    for (lane, element) in state.iter_mut().skip(1).zip(block) {
        *lane = std::mem::take(lane) + element;
    }
    let parameters = poseidon_parameters();
    let half = parameters.full_rounds / 2;
    let rounds: Vec<&[Fr]> = parameters.ark.chunks(WIDTH).collect();
    let (first, last) = rounds.split_at(half + parameters.partial_rounds);
    let mut boxes = Vec::new();
    for constants in &first[..half] {
        boxes = full(b, state, constants);
        *state = mixed(&boxes);
    }
    let partial = partial();
    let mut over = vec![Lc::one()];
    over.append(&mut boxes);
    for linear in &partial.boxes {
        let power = fifth_power(b, combine(&over, linear));
        over.push(power);
    }
    *state = partial.lanes.iter().map(|linear| combine(&over, linear)).collect();
    for constants in last {
        *state = mixed(&full(b, state, constants));
    }
}

/// The S-boxes of a full round.
fn full(b: &mut Builder, state: &[Lc], constants: &[Fr]) -> Vec<Lc> {
    let lanes = state.iter().zip(constants);
    lanes.map(|(lane, constant)| fifth_power(b, Lc::constant(*constant) + lane)).collect()
}

fn mixed(boxes: &[Lc]) -> Vec<Lc> {
    poseidon_parameters().mds.iter().map(|row| combine(boxes, row)).collect()
}

fn combine(over: &[Lc], linear: &[Fr]) -> Lc {
    let mut sum = Lc::zero();
    for (part, factor) in over.iter().zip(linear).filter(|(_, factor)| **factor != Fr::ZERO) {
        sum.push(part, *factor);
    }
    sum
}

fn fifth_power(b: &mut Builder, value: Lc) -> Lc {
    let square = b.product(value.clone(), value.clone());
    let fourth = b.product(square.clone(), square);
    b.product(fourth, value)
}
