//! Sets of characters as sums of a few weights, each taken or not.
//!
//! A variable that must be one of two linear forms costs one constraint, `(v − a) · (v − b) = 0`, and later forms may be of
//! earlier variables. With n such choices, the last of which is the character itself, a set of up to 2ⁿ characters costs n
//! constraints, if weights are found whose sums are the characters of the set and no others. Those here were found by search;
//! the tests enumerate all sums.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "numbers of characters, and choices of seven bits"
)]

/// Weights of the characters of a key after its first: `[a-z0-9_.-]`.
///
/// ```text
/// root   is 0 or 1
/// source is 0 or 3 − 2·root
/// part₁  is 0 or 1 + root
/// part₂  is 0 or 3 + root
/// part₃  is 0 or 52 − 47·root
/// the character is 50 + 60·root + source + parts, or that − 5 − 10·root + source
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyTree;

impl KeyTree {
    pub(crate) const BASE: (i64, i64) = (50, 60);
    pub(crate) const SOURCE: (i64, i64) = (3, -2);
    pub(crate) const PARTS: [(i64, i64); 3] = [(1, 1), (3, 1), (52, -47)];
    pub(crate) const LAST: (i64, i64) = (-5, -10);

    /// The values of root, source and parts for a character of a key.
    pub(crate) fn values(character: u8) -> Option<[i64; 5]> {
        (0..64_u8).find_map(|choices| {
            let (values, sum) = Self::leaf(choices);
            (sum == i64::from(character)).then_some(values)
        })
    }

    /// Values and character for a choice at each variable.
    pub(crate) fn leaf(choices: u8) -> ([i64; 5], i64) {
        let bit = |at: u8| i64::from(choices >> at & 1);
        let root = bit(0);
        let of = |(plain, with_root): (i64, i64)| plain + with_root * root;
        let source = bit(1) * of(Self::SOURCE);
        let [one, two, three] = Self::PARTS;
        let parts = [bit(2) * of(one), bit(3) * of(two), bit(4) * of(three)];
        let sum = of(Self::BASE) + source + parts.iter().sum::<i64>();
        let last = bit(5) * (of(Self::LAST) + source);
        ([root, source, parts[0], parts[1], parts[2]], sum + last)
    }
}

/// What a byte of an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Printable ASCII without `A-Z`.
    Token,
    /// `a-z`, `0-9` and `-`.
    Name,
    /// Visible ASCII.
    Text,
    /// A digit of a number in base 32, without [`ArgumentTree::BASE`].
    Digit,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Token, Self::Name, Self::Text, Self::Digit];
}

/// Weights of the bytes of an argument, one set for each [`Mode`].
///
/// ```text
/// root   is 0 or its weight
/// source is 0 or its weight − 5·root
/// partₖ  is 0 or its weight + ROOT_TO_PARTₖ·root
/// the byte, less BASE, is −27·root + source + parts, or that + its weight + 3·root + source
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArgumentTree {
    pub(crate) root: i64,
    pub(crate) source: i64,
    pub(crate) parts: [i64; 4],
    pub(crate) last: i64,
}

impl ArgumentTree {
    /// The character whose parts are all zero.
    pub(crate) const BASE: i64 = 104;
    pub(crate) const ROOT: i64 = -27;
    pub(crate) const ROOT_TO_SOURCE: i64 = -5;
    pub(crate) const ROOT_TO_PARTS: [i64; 4] = [-1, -1, 1, 0];
    pub(crate) const ROOT_TO_LAST: i64 = 3;

    pub(crate) const fn of(mode: Mode) -> Self {
        match mode {
            Mode::Token => Self { root: 2, source: 7, parts: [-13, 4, 2, 1], last: 1 },
            Mode::Name => Self { root: 2, source: 8, parts: [2, 2, 1, 4], last: -7 },
            Mode::Text => Self { root: 1, source: 13, parts: [2, -1, 7, -4], last: -41 },
            Mode::Digit => Self { root: 0, source: 0, parts: [1, 2, 4, 8], last: 16 },
        }
    }

    /// The values of root, source and parts for a byte less [`Self::BASE`], or a digit.
    pub(crate) fn values(&self, byte: i64) -> Option<[i64; 6]> {
        (0..128_u8).find_map(|choices| {
            let (values, sum) = self.leaf(choices);
            (sum == byte).then_some(values)
        })
    }

    /// Values and sum for a choice at each variable.
    pub(crate) fn leaf(&self, choices: u8) -> ([i64; 6], i64) {
        let bit = |at: usize| i64::from(choices >> at & 1);
        let root = bit(0) * self.root;
        let source = bit(1) * (self.source + Self::ROOT_TO_SOURCE * root);
        let mut values = [root, source, 0, 0, 0, 0];
        let weights = self.parts.iter().zip(Self::ROOT_TO_PARTS);
        for (at, (value, (weight, with_root))) in values.iter_mut().skip(2).zip(weights).enumerate()
        {
            *value = bit(at + 2) * (weight + with_root * root);
        }
        let last = bit(6) * (self.last + Self::ROOT_TO_LAST * root + source);
        let sum = values.iter().skip(1).sum::<i64>() + Self::ROOT * root;
        (values, sum + last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_key_s_sums_are_its_characters() {
        let sums: BTreeSet<i64> = (0..64).map(|choices| KeyTree::leaf(choices).1).collect();
        let set = (0..=255_u8)
            .filter(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
        assert_eq!(sums, set.map(i64::from).collect());
    }

    #[test]
    fn an_argument_s_sums_are_its_characters() {
        for mode in Mode::ALL {
            let tree = ArgumentTree::of(mode);
            let base = if mode == Mode::Digit { 0 } else { ArgumentTree::BASE };
            let sums: BTreeSet<i64> = (0..128).map(|choices| tree.leaf(choices).1 + base).collect();
            let set = (0..=255_u8).filter(|byte| match mode {
                Mode::Token => matches!(byte, b' '..=b'~') && !byte.is_ascii_uppercase(),
                Mode::Name => matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'),
                Mode::Text => matches!(byte, b'!'..=b'~'),
                Mode::Digit => *byte < 32,
            });
            assert_eq!(sums, set.map(i64::from).collect(), "{mode:?}");
            // All zero is one of them: what a place behind the text is.
            assert_eq!(tree.leaf(0), ([0; 6], 0));
        }
    }
}
