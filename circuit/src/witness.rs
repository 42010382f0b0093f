//! The values of all variables for given bytes, in the order in which [`crate::constraints`] makes the variables.
//!
//! It is fast because it computes no linear combinations. For bytes that break an invariant it does its best: it gives values
//! to which some constraint objects.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "of field elements, which wrap by definition, and within arrays of the format's sizes"
)]

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup as _, Field as _};
use greenlight_artifact::{
    ArgumentClass, HEADER_LEN, MAX_LABEL_LEN, MAX_ROWS, ROW_LEN, Schema,
    commitment::{elements, sponge_traced},
};
use std::sync::OnceLock;

use crate::{
    alphabet::{ArgumentTree, KeyTree, Mode},
    builder::pow2,
    constraints::{
        CHUNKS, CODE_GAP, CODES, COLONS, CUTS, DIFFERENCE_BITS, DIGIT, DIGITS, LENGTHS, NUMBER,
    },
};

/// The constant 1, the public inputs, of which the caller gives those behind the commitment, and the witness.
pub(crate) fn values(bytes: &[u8], schema: &Schema, inputs: &[Fr], digest: &[u8; 32]) -> Vec<Fr> {
    let mut values = Values(Vec::with_capacity(1 << 17));
    values.push(Fr::ONE);
    values.push(Fr::ZERO);
    values.0.extend_from_slice(inputs);

    for byte in schema.word {
        values.bits(u64::from(byte >> 4), 4);
        values.bits(u64::from(byte & 15), 4);
    }

    let number = |from: usize, to: usize| {
        let bytes = bytes.get(from..to).unwrap_or_default();
        bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    values.bits(number(8, 12), 32);
    values.bits(number(16, 24), 64);
    values.label(bytes.get(32..HEADER_LEN).unwrap_or_default());

    let (rows, _) = bytes.get(HEADER_LEN..).unwrap_or_default().as_chunks::<ROW_LEN>();
    let absent = [0; ROW_LEN];
    let mut counts = [0_u64; 32];
    for number in 0..MAX_ROWS {
        let previous = number.checked_sub(1).map(|at| rows.get(at).unwrap_or(&absent));
        match rows.get(number) {
            // No row of an artifact is all zero.
            Some(row) if *row != absent => {
                values.row(row, previous, schema, true);
                if let Some(count) = counts.get_mut(usize::from(row[32])) {
                    *count += 1;
                }
            }
            _ => values.row(&absent, previous, schema, false),
        }
    }

    for bit in (0..240).rev().map(|bit| digest[bit / 8] >> (7 - bit % 8) & 1) {
        values.small(i64::from(bit));
    }
    let mut cost = 0_u64;
    for (count, kind) in counts.into_iter().zip(0..) {
        let of_kind = count * u64::from(schema.cost(kind));
        values.small(of_kind as i64);
        cost += of_kind;
    }
    values.bits(u64::from(schema.budget).saturating_sub(cost), 32);
    let commitment = sponge_traced(&elements(bytes), |powers| values.0.extend(powers));
    if let Some(input) = values.0.get_mut(1) {
        *input = commitment;
    }
    values.0
}

struct Values(Vec<Fr>);

/// The values that make each character, of each mode.
struct Tables {
    key: [Option<[i64; 5]>; 256],
    arguments: [[Option<[i64; 6]>; 256]; 4],
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables {
        key: std::array::from_fn(|byte| KeyTree::values(byte as u8)),
        arguments: Mode::ALL.map(|mode| {
            let base = if mode == Mode::Digit { 0 } else { ArgumentTree::BASE };
            std::array::from_fn(|byte| ArgumentTree::of(mode).values(byte as i64 - base))
        }),
    })
}

impl Values {
    fn push(&mut self, value: Fr) {
        self.0.push(value);
    }

    fn small(&mut self, value: i64) {
        self.push(Fr::from(value));
    }

    fn flag(&mut self, value: bool) {
        self.push(if value { Fr::ONE } else { Fr::ZERO });
    }

    /// Bits as 0 or 1, the least first.
    fn bits(&mut self, value: u64, count: u32) {
        for bit in 0..count {
            self.flag(value >> bit & 1 == 1);
        }
    }

    /// Bits as 0 or their place, the least first.
    fn places(&mut self, value: i64, count: u32) {
        for bit in 0..count {
            self.small(value & 1 << bit);
        }
    }

    fn label(&mut self, label: &[u8]) {
        let length = label.iter().position(|byte| *byte == 0).unwrap_or(label.len());
        for (at, byte) in label.iter().enumerate().take(MAX_LABEL_LEN) {
            let used = at < length;
            self.flag(used);
            let above = (i64::from(*byte) - 32).clamp(0, 94);
            self.places(if used { if above > 63 { above - 31 } else { above } } else { 0 }, 6);
            self.small(i64::from(*byte));
        }
    }

    fn row(
        &mut self,
        row: &[u8; ROW_LEN],
        previous: Option<&[u8; ROW_LEN]>,
        schema: &Schema,
        present: bool,
    ) {
        self.flag(present);
        let (key, value) = row.split_at(32);
        self.key(key);
        if let Some(previous) = previous {
            self.ascending(key, previous, present);
        }

        let (kind, flags) = (value[0], value[1]);
        let class = schema.class(kind).filter(|_| present);
        for number in 2..8_u8 {
            self.flag(class.is_some_and(|class| class as u8 == number));
        }
        for number in 0..31 {
            self.flag(present && kind == number);
        }
        let pair = class == Some(ArgumentClass::Header) && flags & 2 != 0;
        self.flag(class == Some(ArgumentClass::Header) && flags & 1 != 0);
        self.flag(pair);
        self.weight(u16::from_be_bytes([value[2], value[3]]));
        let mut argument = [0; 28];
        argument.copy_from_slice(&value[4..]);
        self.argument(&argument, class, pair);
    }

    fn key(&mut self, key: &[u8]) {
        let length = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
        let above = (i64::from(key[0]) - 97).clamp(0, 25);
        self.places(if above > 15 { above - 10 } else { above }, 4);
        self.small(i64::from(key[0]));
        for (at, byte) in key.iter().enumerate().take(31).skip(1) {
            let used = at < length;
            self.flag(used);
            let values = tables().key[usize::from(*byte)].filter(|_| used).unwrap_or_default();
            for value in values {
                self.small(value);
            }
            self.small(i64::from(*byte));
        }
    }

    fn ascending(&mut self, key: &[u8], previous: &[u8; ROW_LEN], present: bool) {
        let code = |byte: u8| if byte == 0 { 0 } else { i64::from(byte) - CODE_GAP };
        let chunk = |key: &[u8], chunk: usize| match chunk {
            0 => code(key[0]),
            _ => code(key[2 * chunk - 1]) * CODES + code(key[2 * chunk]),
        };
        let differing = (0..CHUNKS).find(|at| chunk(key, *at) != chunk(previous, *at));
        let at = differing.unwrap_or(CHUNKS - 1);
        let difference = if present { chunk(key, at) - chunk(previous, at) } else { 1 };
        self.bits(u64::try_from(difference - 1).unwrap_or(0), DIFFERENCE_BITS as u32);
        for selector in 0..CHUNKS - 1 {
            self.flag(present && selector == at);
        }
    }

    fn weight(&mut self, weight: u16) {
        let negative = weight > 32_767;
        self.flag(negative);
        let (above, last) =
            if negative { (i64::from(weight) - 55_536, 1_808) } else { (i64::from(weight), 1_809) };
        self.places(if above > 8_191 { above - last } else { above.max(0) }, 13);
        self.small(i64::from(weight));
    }

    fn argument(&mut self, argument: &[u8; 28], class: Option<ArgumentClass>, pair: bool) {
        let colon = argument.iter().position(|byte| *byte == b':').filter(|_| pair);
        for place in 1..COLONS {
            self.flag(colon == Some(place));
        }

        let number = |bytes: usize| {
            argument[..bytes].iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte))
        };
        // How long it is, in bytes or digits; the number that the digits are of, and how many bits its first digit has.
        let (length, digits) = match class {
            None | Some(ArgumentClass::None | ArgumentClass::Fingerprint) => (0, None),
            Some(ArgumentClass::CidrV4) => prefix(number(4), argument[4], 32),
            Some(ArgumentClass::CidrV6) => prefix(number(16), argument[16], 128),
            Some(ArgumentClass::Number) => (NUMBER.0, Some((number(8), NUMBER.1))),
            _ => (argument.iter().position(|byte| *byte == 0).unwrap_or(28), None),
        };
        let cidr = matches!(class, Some(ArgumentClass::CidrV4 | ArgumentClass::CidrV6));
        let first = digits.map_or(0, |(_, first)| first);
        for bit in 1..DIGIT {
            self.flag(cidr && bit < first);
        }

        let mut held = [0_i64; 28];
        for (at, held) in held.iter_mut().enumerate() {
            let used = at < length;
            let (mode, byte) = match (class, digits) {
                (_, Some((number, _))) => {
                    let shift = u32::try_from(DIGIT * length.saturating_sub(at + 1)).unwrap_or(0);
                    (Mode::Digit, if used { (number >> shift & 31) as usize } else { 0 })
                }
                (Some(ArgumentClass::Token), _) => (Mode::Token, usize::from(argument[at])),
                (Some(ArgumentClass::Header), _) => {
                    let in_value = colon.is_some_and(|colon| at > colon);
                    let mode = if in_value { Mode::Token } else { Mode::Name };
                    (mode, usize::from(argument[at]))
                }
                _ => (Mode::Text, usize::from(argument[at])),
            };
            let known = used && colon != Some(at);
            let values = tables().arguments[mode as usize][byte].filter(|_| known);
            for value in values.unwrap_or_default() {
                self.small(value);
            }
            let base = if used && digits.is_none() { ArgumentTree::BASE } else { 0 };
            *held = byte as i64 - base;
            self.small(*held);
        }

        let cut = match class {
            Some(ArgumentClass::CidrV4) if length == CUTS[0].0 => Some(LENGTHS),
            Some(ArgumentClass::CidrV6) if length == CUTS[1].0 => Some(LENGTHS + 1),
            _ => None,
        };
        for selector in 1..LENGTHS + CUTS.len() {
            self.flag(selector == cut.unwrap_or(length));
        }

        let (mut as_text, mut as_digits) = (Fr::ZERO, Fr::ZERO);
        for (at, held) in held.iter().enumerate() {
            let base = if at < length { ArgumentTree::BASE } else { 0 };
            as_text = as_text * Fr::from(256_u64) + Fr::from(held + base);
            if at < DIGITS {
                as_digits = as_digits * Fr::from(32_u64) + Fr::from(*held);
            }
        }
        as_digits *= pow2(224 - (DIGIT * (DIGITS - 1)) as i32);
        self.push(if digits.is_some() { as_text } else { Fr::ZERO });
        self.push(if digits.is_some() { as_digits * pow2(-(first as i32)) } else { Fr::ZERO });
        let bits = (DIGIT * length + first).saturating_sub(DIGIT);
        self.push(match class {
            Some(ArgumentClass::CidrV4) => Fr::from(bits as u64) * pow2(8 * 23),
            Some(ArgumentClass::CidrV6) => Fr::from(bits as u64) * pow2(8 * 11),
            _ => Fr::ZERO,
        });
        let number = class == Some(ArgumentClass::Number);
        self.push(if number { as_digits.inverse().unwrap_or_default() } else { Fr::ZERO });
    }
}

/// Digits of the network of a CIDR block, the network and the bits of the first digit.
fn prefix(address: u128, length: u8, bits: u8) -> (usize, Option<(u128, usize)>) {
    let length = length.min(bits);
    let network = address.checked_shr(u32::from(bits - length)).unwrap_or(0);
    let length = usize::from(length);
    let digits = length.div_ceil(DIGIT);
    let first = if length == 0 { DIGIT } else { length - DIGIT * (digits - 1) };
    (digits, Some((network, first)))
}
