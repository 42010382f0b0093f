/// A set of rows, by their index in the artifact: those that a request fired.
///
/// 256 bits hold every row that an artifact can have, so that a set is copied and joined without allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fired([u64; 4]);

impl Fired {
    /// No row.
    pub const NONE: Self = Self([0; 4]);

    /// One row.
    #[must_use]
    pub fn row(row: u8) -> Self {
        let mut words = [0; 4];
        if let Some(word) = words.get_mut(usize::from(row >> 6)) {
            *word = 1 << (row & 63);
        }
        Self(words)
    }

    /// Whether `row` is in the set.
    #[must_use]
    pub fn contains(&self, row: u8) -> bool {
        self.0.get(usize::from(row >> 6)).is_some_and(|word| word >> (row & 63) & 1 == 1)
    }

    /// How many rows are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no row is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Adds the rows of `other`.
    #[inline]
    pub fn insert(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// Takes the rows of `other` out.
    #[inline]
    pub fn remove(&mut self, other: &Self) {
        for (word, less) in self.0.iter_mut().zip(other.0) {
            *word &= !less;
        }
    }

    /// The rows, ascending.
    #[must_use]
    pub const fn rows(&self) -> FiredRows {
        FiredRows(self.0)
    }
}

impl IntoIterator for Fired {
    type Item = u8;
    type IntoIter = FiredRows;

    fn into_iter(self) -> FiredRows {
        self.rows()
    }
}

/// Iterates over the rows of a [`Fired`], ascending.
#[derive(Clone, Debug)]
pub struct FiredRows([u64; 4]);

impl Iterator for FiredRows {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        for (word, base) in self.0.iter_mut().zip([0_u8, 64, 128, 192]) {
            if *word != 0 {
                let bit = word.trailing_zeros();
                // Clears the lowest set bit.
                *word &= word.wrapping_sub(1);
                return Some(base | bit as u8);
            }
        }
        None
    }
}
