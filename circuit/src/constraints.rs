//! The constraints: what [`ValidArtifact::check`](greenlight_artifact::ValidArtifact::check) asks, of the elements that the
//! commitment is computed from.
//!
//! Every variable is named where it is made, and [`crate::witness`] gives their values in the same order.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes are the circuit's own; it is the same for all inputs and built in every test"
)]

use ark_bn254::Fr;
use greenlight_artifact::{
    FORMAT_VERSION, MAGIC, MAX_LABEL_LEN, MAX_ROWS,
    commitment::{COMMITMENT_ELEMENTS, POSEIDON_RATE},
};

use crate::{
    alphabet::{ArgumentTree, KeyTree, Mode},
    builder::{Builder, Built, Lc, pow2},
    poseidon,
    proof::PUBLIC_INPUTS,
};

/// The argument's length stands in one of these selectors: 0 to 28, then those of CIDR blocks whose last digit is cut.
pub(crate) const LENGTHS: usize = 29;
/// Digits of the longest prefix of an IPv4 and an IPv6 address, and how many bits the last one of them has.
pub(crate) const CUTS: [(usize, usize); 2] = [(7, 2), (26, 3)];
/// Digits of a number, and the bits of the first one.
pub(crate) const NUMBER: (usize, usize) = (13, 4);
/// Bits of a digit.
pub(crate) const DIGIT: usize = 5;
/// Places that can have a digit.
pub(crate) const DIGITS: usize = 26;
/// The last place that a colon between name and value can have; the first is 1.
pub(crate) const COLONS: usize = 26;
/// Chunks of keys that are compared: the first character, then pairs.
pub(crate) const CHUNKS: usize = 16;
/// Bits of the difference of two chunks, less 1.
pub(crate) const DIFFERENCE_BITS: i32 = 13;
/// Codes of a key's characters in a chunk, which skip the gap below `-`.
pub(crate) const CODES: i64 = 79;
/// What is subtracted from a character for its code.
pub(crate) const CODE_GAP: i64 = 44;

/// The constraints and where each part of the circuit begins.
pub(crate) fn build() -> Built {
    let mut b = Builder::new(PUBLIC_INPUTS.saturating_add(1));
    let [commitment, context, word_high, word_low, engine, budget] =
        [1, 2, 3, 4, 5, 6].map(Lc::var);

    b.section("schema");
    let kinds = schema(&mut b, word_high, word_low);

    b.section("header");
    let intercept = b.bits(32);
    let created_at = b.bits(64);
    let label = label(&mut b);

    let mut rows: Vec<Row> = Vec::with_capacity(MAX_ROWS);
    for number in 0..MAX_ROWS {
        b.section(if number == 0 { "first row" } else { "row" });
        let row = row(&mut b, rows.last(), &kinds);
        rows.push(row);
    }

    b.section("sums");
    let count: Lc = rows.iter().map(|row| row.present.clone()).sum();
    let digest = b.bits(240);
    b.equal(digest * pow2(8) + &count, context);
    let cost: Lc = kinds
        .iter()
        .enumerate()
        .map(|(kind, (_, cost))| {
            let times = rows.iter().map(|row| row.kinds[kind].clone()).sum();
            b.product(times, cost.clone())
        })
        .sum();
    let rest = b.bits(32);
    b.equal(cost + rest, budget);

    b.section("commitment");
    let magic = Fr::from(u32::from_be_bytes(MAGIC));
    let fixed = magic * pow2(96) + Fr::from(FORMAT_VERSION) * pow2(80);
    let mut elements = vec![
        Lc::constant(fixed) + count * pow2(64) + intercept * pow2(32) + engine,
        created_at * pow2(64),
    ];
    elements.extend(label);
    elements.extend(rows.into_iter().flat_map(|row| [row.key_element, row.value_element]));
    elements.resize(COMMITMENT_ELEMENTS, Lc::zero());
    let mut state = poseidon::initial();
    for block in elements.chunks(POSEIDON_RATE) {
        poseidon::absorb(&mut b, &mut state, block);
    }
    b.equal(state.swap_remove(0), commitment);
    b.finish()
}

/// Class and cost of each kind, from the bits of the schema's word.
fn schema(b: &mut Builder, high: Lc, low: Lc) -> Vec<(Lc, Lc)> {
    let mut kinds = Vec::new();
    for half in [high, low] {
        let mut sum = Lc::zero();
        for kind in 0..16_i32 {
            let [class, cost] = [4, 0].map(|nibble| {
                let bits = b.bits(4);
                sum.push(&bits, pow2((15 - kind) * 8 + nibble));
                bits
            });
            kinds.push((class, cost));
        }
        b.equal(sum, half);
    }
    kinds
}

/// The label as two elements.
fn label(b: &mut Builder) -> [Lc; 2] {
    let mut halves = [Lc::zero(), Lc::zero()];
    let mut used = Lc::one();
    for at in 0..MAX_LABEL_LEN {
        used = b.part(&used);
        let low = (0..6).map(|bit| b.part(&(&used * pow2(bit)))).sum::<Lc>() + &used * 32_i64;
        let character = b.choose(&low, &(low.clone() + &used * 31_i64));
        halves[at / 16].push(&character, pow2(8 * (15 - at % 16) as i32));
    }
    halves
}

/// What later rows and the sums need of a row.
#[derive(Debug)]
struct Row {
    /// 1 or 0.
    present: Lc,
    /// Characters, and codes for comparing.
    characters: Vec<(Lc, Lc)>,
    /// Selectors of the 32 kinds.
    kinds: Vec<Lc>,
    key_element: Lc,
    value_element: Lc,
}

fn row(b: &mut Builder, previous: Option<&Row>, schema: &[(Lc, Lc)]) -> Row {
    let present = match previous {
        Some(previous) => b.part(&previous.present),
        None => {
            let present = b.alloc();
            b.equal(present.clone(), Lc::one());
            present
        }
    };
    let characters = key(b, &present);
    if let Some(previous) = previous {
        ascending(b, &present, &characters, &previous.characters);
    }
    let mut key_element = Lc::zero();
    for (at, (character, _)) in characters.iter().enumerate() {
        key_element.push(character, pow2(8 * (30 - at as i32)));
    }

    // Classes 2 to 7, of which one or none is 1; class 1 is what is left.
    let mut classes: Vec<Lc> = (2..8).map(|_| b.boolean()).collect();
    let none = classes.iter().fold(present.clone(), |rest, class| rest - class);
    b.is_boolean(&none);
    classes.insert(0, none);
    let class: Lc = classes.iter().zip(1_i64..).map(|(class, number)| class * number).sum();

    let mut kinds: Vec<Lc> = (0..31).map(|_| b.alloc()).collect();
    kinds.push(kinds.iter().fold(present.clone(), |rest, kind| rest - kind));
    for (kind, (of_kind, _)) in kinds.iter().zip(schema) {
        b.select(kind, class.clone() - of_kind);
    }
    let kind: Lc = kinds.iter().zip(0_i64..).map(|(kind, number)| kind * number).sum();

    let header = classes[3].clone();
    let flags = [b.part(&header), b.part(&header)];
    let weight = weight(b, &present);
    let argument = argument(b, &classes, &flags[1]);

    let value_element = kind * pow2(248)
        + &flags[0] * pow2(240)
        + &flags[1] * pow2(241)
        + weight * pow2(224)
        + argument;
    Row { present, characters, kinds, key_element, value_element }
}

/// The 31 characters of a key, all zero where there is no row.
fn key(b: &mut Builder, present: &Lc) -> Vec<(Lc, Lc)> {
    let low = (0..4).map(|bit| b.part(&(present * pow2(bit)))).sum::<Lc>() + present * 97_i64;
    let first = b.choose(&low, &(low.clone() + present * 10_i64));
    let mut characters = vec![(first.clone(), first - present * CODE_GAP)];
    let mut used = present.clone();
    for _ in 1..31 {
        used = b.part(&used);
        let root = b.part(&used);
        let of = |(plain, with_root): (i64, i64)| &used * plain + &root * with_root;
        let source = b.part(&of(KeyTree::SOURCE));
        let mut low = of(KeyTree::BASE) + &source;
        for part in KeyTree::PARTS {
            low = low + b.part(&of(part));
        }
        let character = b.choose(&low, &(low.clone() + of(KeyTree::LAST) + source));
        characters.push((character.clone(), character - &used * CODE_GAP));
    }
    characters
}

/// That a key comes after the one before: at the first chunk that differs it is greater.
fn ascending(b: &mut Builder, present: &Lc, key: &[(Lc, Lc)], previous: &[(Lc, Lc)]) {
    let difference = b.bits(DIFFERENCE_BITS) + Lc::one();
    let mut selectors: Vec<Lc> = (1..CHUNKS).map(|_| b.alloc()).collect();
    selectors.push(selectors.iter().fold(present.clone(), |rest, selector| rest - selector));
    // What precedes the chunk, as an integer in balanced base 256: it is zero only if all differences are.
    let mut before = Lc::zero();
    for (chunk, selector) in selectors.iter().enumerate() {
        let places = if chunk == 0 { 0..1 } else { 2 * chunk - 1..2 * chunk + 1 };
        let mut greater = -difference.clone();
        let mut through = before.clone();
        for (at, factor) in places.clone().zip(if chunk == 0 { [1, 1] } else { [CODES, 1] }) {
            greater = greater + (key[at].1.clone() - &previous[at].1) * factor;
            through = through * 256_i64 + &key[at].0 - &previous[at].0;
        }
        b.select(selector, greater + before * pow2(15));
        before = through;
    }
}

/// A weight as the unsigned number of its 16 bits: 0 to 10 000, or 55 536 to 65 535.
fn weight(b: &mut Builder, present: &Lc) -> Lc {
    let negative = b.part(present);
    let low =
        (0..13).map(|bit| b.part(&(present * pow2(bit)))).sum::<Lc>() + &negative * 55_536_i64;
    b.choose(&low, &(low.clone() + present * 1_809_i64 - negative))
}

/// The argument's 224 bits.
fn argument(b: &mut Builder, classes: &[Lc], pair: &Lc) -> Lc {
    let [_, token, text, header, v4, v6, number] = [0, 1, 2, 3, 4, 5, 6].map(|at| &classes[at]);
    let cidr = v4.clone() + v6;
    let digits = cidr.clone() + number;

    // Where the colon of a pair of name and value stands.
    let mut colons: Vec<Lc> = (1..COLONS).map(|_| b.boolean()).collect();
    let last = colons.iter().fold(pair.clone(), |rest, colon| rest - colon);
    b.is_boolean(&last);
    colons.push(last);

    // Which bits the first digit has: bit k if the k-th of these is 1.
    let mut bits = vec![digits.clone()];
    let mut bit = cidr.clone();
    for at in 1..DIGIT {
        bit = b.part(&bit);
        bits.push(if at < NUMBER.1 { bit.clone() + number } else { bit.clone() });
    }

    let mut bytes = Vec::new();
    let mut name = header.clone();
    let mut value = token.clone();
    for at in 0..28_usize {
        let colon = at.checked_sub(1).and_then(|at| colons.get(at)).cloned().unwrap_or_default();
        name = name - &colon;
        let modes = [&value, &name, text];
        bytes.push(byte(
            b,
            modes,
            &colon,
            (at < DIGITS).then_some(&digits),
            (at == 0).then_some(&bits),
        ));
        value = value + colon;
    }

    let lengths = lengths(b, classes, &bits, &colons, &bytes);
    let (mut as_text, mut as_digits, mut used) = (Lc::zero(), Lc::zero(), Lc::zero());
    for (at, byte) in bytes.iter().enumerate().rev() {
        // Places before the length are used; their bytes are held without the base.
        used = used + &lengths[at + 1];
        for (cut, _) in CUTS {
            if cut == at + 1 {
                used = used + &lengths[if cut == CUTS[0].0 { LENGTHS } else { LENGTHS + 1 }];
            }
        }
        let place = pow2(8 * (27 - at as i32));
        as_text.push(byte, place);
        as_text.push(&used, place * Fr::from(ArgumentTree::BASE));
        if at < DIGITS {
            as_digits.push(byte, pow2(224 - 5 * at as i32));
        }
    }
    // Digits and the first one's bits say how long a prefix is.
    let mut prefix = (digits.clone() * -(DIGIT as i64)).clone();
    for (length, selector) in lengths.iter().enumerate() {
        let length = length.checked_sub(LENGTHS).map_or(length, |cut| CUTS[cut].0);
        prefix.push(selector, Fr::from((DIGIT * length) as u64));
    }
    // Two to the minus how many bits the first digit has.
    let mut shift = Lc::zero();
    for (bit, at) in bits.iter().zip(1_i32..) {
        prefix = prefix + bit;
        shift.push(bit, if at == 1 { pow2(-1) } else { pow2(-at) - pow2(1 - at) });
    }

    let not_text = b.product(digits, as_text.clone());
    let shifted = b.product(as_digits.clone(), shift);
    let prefix = b.product(prefix, v4 * pow2(8 * 23) + v6 * pow2(8 * 11));
    // A number is not zero.
    b.not_zero(as_digits, number.clone());
    as_text - not_text + shifted + prefix
}

/// A byte less [`ArgumentTree::BASE`], or a digit; zero behind the argument's end.
fn byte(
    b: &mut Builder,
    [token, name, text]: [&Lc; 3],
    colon: &Lc,
    digits: Option<&Lc>,
    first: Option<&Vec<Lc>>,
) -> Lc {
    let [tokens, names, texts, in_digits] = Mode::ALL.map(ArgumentTree::of);
    let digit = |bit: usize| match first {
        Some(bits) => bits[bit].clone(),
        None => digits.cloned().unwrap_or_default(),
    };
    let weight =
        |of: fn(&ArgumentTree) -> i64| token * of(&tokens) + name * of(&names) + text * of(&texts);
    let root = b.part(&weight(|tree| tree.root));
    let source = b.part(&(weight(|tree| tree.source) + &root * ArgumentTree::ROOT_TO_SOURCE));
    let of_part: [fn(&ArgumentTree) -> i64; 4] =
        [|tree| tree.parts[0], |tree| tree.parts[1], |tree| tree.parts[2], |tree| tree.parts[3]];
    let mut low = &root * ArgumentTree::ROOT + &source + colon * (58 - ArgumentTree::BASE);
    for (bit, of) in of_part.into_iter().enumerate() {
        let with_root = &root * ArgumentTree::ROOT_TO_PARTS[bit];
        low = low + b.part(&(weight(of) + digit(bit) * in_digits.parts[bit] + with_root));
    }
    let last = weight(|tree| tree.last)
        + digit(4) * in_digits.last
        + &root * ArgumentTree::ROOT_TO_LAST
        + source;
    b.choose(&low, &(low.clone() + last))
}

/// Selectors of the argument's length; what stands behind it is zero, and the class may have it.
fn lengths(b: &mut Builder, classes: &[Lc], bits: &[Lc], colons: &[Lc], bytes: &[Lc]) -> Vec<Lc> {
    let [_, token, text, header, v4, v6, number] = [0, 1, 2, 3, 4, 5, 6].map(|at| &classes[at]);
    let with_argument: Lc = classes.iter().skip(1).cloned().sum();
    let selectors: Vec<Lc> = (1..LENGTHS + CUTS.len()).map(|_| b.alloc()).collect();
    let zero = selectors.iter().fold(Lc::one(), |rest, selector| rest - selector);
    let lengths: Vec<Lc> = std::iter::once(zero).chain(selectors).collect();
    for (at, selector) in lengths.iter().enumerate() {
        let cut = at.checked_sub(LENGTHS).map(|cut| CUTS[cut]);
        let length = cut.map_or(at, |(length, _)| length);
        // A sum of what must be zero, each 0 or 1.
        let mut excess = Lc::zero();
        if length == 0 {
            // Texts are not empty; of a prefix of no bits it is said that the first digit has all.
            excess = excess + token + text + header + (v4.clone() + v6) - &bits[DIGIT - 1];
        } else {
            excess = excess + Lc::one() - &with_argument;
        }
        if length != NUMBER.0 {
            excess = excess + number;
        }
        for ((longest, last), class) in CUTS.into_iter().zip([v4, v6]) {
            match cut {
                Some((length, _)) if length == longest => excess = excess + &bits[last],
                None if length < longest => {}
                _ if length < longest => {}
                _ => excess = excess + class,
            }
        }
        // A colon is followed by a byte of the value at least.
        let colons = colons.iter().zip(1..).filter(|(_, place)| place + 2 > length);
        for (colon, _) in colons {
            excess = excess + colon;
        }
        // Behind it, as an integer in balanced base 256: zero only if all bytes are.
        for (at, byte) in bytes.iter().enumerate().skip(length) {
            excess.push(byte, pow2(8 * (27 - at as i32) + 6));
        }
        b.select(selector, excess);
    }
    lengths
}

/// How many constraints each part of the circuit has, and how many times there is such a part.
#[must_use]
pub fn parts() -> Vec<(&'static str, usize, usize)> {
    let Built { r1cs, sections, .. } = crate::statement::built();
    let ends = sections.iter().skip(1).map(|(_, start)| *start).chain([r1cs.num_constraints()]);
    let mut parts: Vec<(&'static str, usize, usize)> = Vec::new();
    for ((name, start), end) in sections.iter().zip(ends) {
        match parts.last_mut() {
            Some((last, _, times)) if last == name => *times += 1,
            _ => parts.push((name, end - start, 1)),
        }
    }
    parts
}
