//! Artifacts, good ones and such as are wrong in one place, from a seed.

use greenlight_artifact::{Schema, ValidArtifact};

use super::row;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Generator(u64);

const NAME: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";
const KEY: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_.-";

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn of(&mut self, set: &[u8]) -> u8 {
        set[self.below(set.len())]
    }

    fn text(&mut self, set: &[u8], least: usize, most: usize) -> Vec<u8> {
        let length = match self.below(6) {
            0 => least,
            1 => most,
            _ => least + self.below(most - least + 1),
        };
        (0..length).map(|_| self.of(set)).collect()
    }

    /// A schema of engine 1: the one that ships, one with a kind of every class, or any at all.
    pub(super) fn schema(&mut self) -> Schema {
        let mut schema = Schema::ENGINE_1;
        match self.below(4) {
            0 => {}
            1 | 2 => {
                for (kind, byte) in (0_u8..).zip(&mut schema.word) {
                    *byte = ((1 + kind % 8) << 4) | (kind % 16);
                }
            }
            _ => schema.word = std::array::from_fn(|_| self.next() as u8),
        }
        schema
    }

    fn argument(&mut self, class: u8, flags: &mut u8) -> Vec<u8> {
        let token: Vec<u8> = (b' '..=b'~').filter(|byte| !byte.is_ascii_uppercase()).collect();
        let visible: Vec<u8> = (b'!'..=b'~').collect();
        match class {
            2 => self.text(&token, 1, 28),
            3 => self.text(&visible, 1, 28),
            4 => {
                *flags = self.below(4) as u8;
                if *flags < 2 {
                    return self.text(NAME, 1, 28);
                }
                let mut pair = self.text(NAME, 1, 26);
                pair.push(b':');
                let most = 28 - pair.len();
                pair.extend(self.text(&token, 1, most));
                pair
            }
            5 | 6 => {
                let bytes = if class == 5 { 4 } else { 16 };
                let bits = 8 * bytes;
                let length = match self.below(4) {
                    0 => [0, 1, bits - 1, bits][self.below(4)],
                    _ => self.below(bits + 1),
                };
                let address = u128::from(self.next()) << 64 | u128::from(self.next());
                let network = address & u128::MAX.checked_shl(128 - length as u32).unwrap_or(0);
                let mut argument = network.to_be_bytes()[..bytes].to_vec();
                argument.push(length as u8);
                argument
            }
            7 => match self.below(4) {
                0 => 1_u64,
                1 => 1 << self.below(64),
                2 => u64::MAX,
                _ => self.next().max(1),
            }
            .to_be_bytes()
            .to_vec(),
            8 => (0..28).map(|_| self.next() as u8 | 1).collect(),
            _ => Vec::new(),
        }
    }

    /// An artifact that obeys every invariant, the budget's possibly not.
    pub(super) fn artifact(&mut self, schema: &Schema, rows: usize) -> Vec<u8> {
        let mut keys = std::collections::BTreeSet::new();
        while keys.len() < rows {
            let mut key = vec![b'a' + self.below(26) as u8];
            key.extend(self.text(KEY, 0, 30));
            // Keys that begin alike are compared far behind.
            if let Some(other) = keys.iter().next().cloned().filter(|_| self.below(3) == 0) {
                let kept = self.below(31).min(Vec::len(&other));
                key = [&other[..kept], &key[kept.min(key.len())..]].concat();
                key.truncate(31);
                if !key.first().is_some_and(u8::is_ascii_lowercase) {
                    continue;
                }
            }
            keys.insert(key);
        }
        let mut bytes = b"GLFF\0\x01".to_vec();
        bytes.extend((rows as u16).to_be_bytes());
        bytes.extend((self.next() as u32).to_be_bytes());
        bytes.extend(schema.engine.to_be_bytes());
        bytes.extend(self.next().to_be_bytes());
        bytes.resize(32, 0);
        let printable: Vec<u8> = (b' '..=b'~').collect();
        bytes.extend(self.text(&printable, 0, 31));
        bytes.resize(64, 0);
        let kinds: Vec<u8> = (0..32).filter(|kind| schema.class(*kind).is_some()).collect();
        for key in keys {
            let kind = if kinds.is_empty() { 0 } else { self.of(&kinds) };
            let class = schema.word[usize::from(kind)] >> 4;
            let mut flags = 0;
            let argument = self.argument(class, &mut flags);
            let weight = match self.below(6) {
                0 => 10_000,
                1 => -10_000,
                2 => 0,
                3 => -1,
                _ => self.below(20_001) as i16 - 10_000,
            };
            bytes.extend(row(key, kind, flags, weight, argument));
        }
        bytes
    }

    /// Makes something wrong, or sometimes only different.
    pub(super) fn spoil(&mut self, bytes: &mut [u8], schema: &mut Schema) {
        let rows = bytes.len() / 64 - 1;
        let row = 64 + 64 * self.below(rows);
        let values = [
            0, 1, b' ', b'!', b'-', b'.', b'/', b'0', b':', b'@', b'A', b'Z', b'[', b'_', b'`',
            b'a', b'z', b'{', b'~', 127, 128, 255,
        ];
        let value = if self.below(2) == 0 { self.of(&values) } else { self.next() as u8 };
        match self.below(18) {
            0 => {
                let at = self.below(64);
                bytes[at] = value;
            }
            1 => bytes[row + self.below(31)] = value,
            2 | 3 => bytes[row + 36 + self.below(28)] = value,
            4 => bytes[row + 32] = self.next() as u8 % 40,
            5 => bytes[row + 33] = self.below(8) as u8,
            6 => {
                let weight = [10_001, -10_001, i16::MAX, i16::MIN, 10_000, -10_000, 18_191, 18_192];
                let weight: i16 = weight[self.below(8)];
                bytes[row + 34..row + 36].copy_from_slice(&weight.to_be_bytes());
            }
            7 if rows > 1 => {
                // Out of order, or twice.
                let (a, b) = (64 * (1 + self.below(rows)), 64 * (1 + self.below(rows)));
                let first = bytes[a..a + 64].to_vec();
                let second = bytes[b..b + 64].to_vec();
                bytes[b..b + 64].copy_from_slice(&first);
                if self.below(2) == 0 {
                    bytes[a..a + 64].copy_from_slice(&second);
                }
            }
            8 => {
                // Keys that differ in their last characters alone.
                if rows > 1 {
                    let key = bytes[64..96].to_vec();
                    bytes[128..160].copy_from_slice(&key);
                    bytes[128 + self.below(31)] = self.of(KEY);
                }
            }
            9 => {
                let cost: u32 = bytes[64..].chunks(64).map(|row| schema.cost(row[32])).sum();
                schema.budget = (cost + 1).saturating_sub(self.below(3) as u32);
            }
            10 => {
                // One bit of an address, a number or a text.
                let at = row + 36 + self.below(17);
                bytes[at] ^= 1 << self.below(8);
            }
            11 => {
                let length = [5, 17][self.below(2)];
                bytes[row + 36 + length - 1] =
                    [0, 1, 31, 32, 33, 34, 35, 127, 128, 129, 130, 255][self.below(12)];
            }
            12 => {
                let from = self.below(28);
                bytes[row + 36 + from..row + 64].fill(0);
            }
            13 => {
                let from = 1 + self.below(30);
                bytes[row + from..row + 31].fill(0);
                if self.below(2) == 0 {
                    bytes[row + 30] = self.of(KEY);
                }
            }
            14 => {
                let count = self.below(256) as u16;
                bytes[6..8].copy_from_slice(&count.to_be_bytes());
            }
            15 => bytes[32 + self.below(32)] = value,
            16 => bytes[row + 36 + self.below(28)] = b':',
            _ => {
                let at = self.below(bytes.len());
                bytes[at] ^= 1 << self.below(8);
            }
        }
    }

    pub(super) fn case(&mut self) -> (Vec<u8>, Schema) {
        let mut schema = self.schema();
        let rows = 1 + self.below(3);
        let mut bytes = self.artifact(&schema, rows);
        if self.below(4) > 0 {
            self.spoil(&mut bytes, &mut schema);
        } else if self.below(8) == 0 {
            assert!(
                ValidArtifact::check(&bytes, &[Schema { budget: u32::MAX, ..schema }]).is_ok()
                    || schema.word.iter().all(|byte| !(1..=8).contains(&(byte >> 4)))
            );
        }
        (bytes, schema)
    }
}
