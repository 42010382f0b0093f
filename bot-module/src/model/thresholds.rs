//! Rows that compare a number with theirs.

use std::collections::BTreeMap;

use crate::fired::Fired;

/// Rows that fire above a number.
#[derive(Debug)]
pub(super) struct Over(
    /// Ascending; each with the rows of itself and of all lower numbers.
    Box<[(u64, Fired)]>,
);

/// Rows that fire below a number.
#[derive(Debug)]
pub(super) struct Under(
    /// Ascending; each with the rows of itself and of all higher numbers.
    Box<[(u64, Fired)]>,
);

impl Over {
    pub(super) fn new(mut rows: BTreeMap<u64, Fired>) -> Self {
        gather(rows.values_mut());
        Self(rows.into_iter().collect())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(super) fn look_up(&self, number: u64, fired: &mut Fired) {
        let reached = self.0.partition_point(|(over, _)| *over < number);
        if let Some((_, rows)) = reached.checked_sub(1).and_then(|last| self.0.get(last)) {
            fired.insert(rows);
        }
    }
}

impl Under {
    pub(super) fn new(mut rows: BTreeMap<u64, Fired>) -> Self {
        gather(rows.values_mut().rev());
        Self(rows.into_iter().collect())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(super) fn look_up(&self, number: u64, fired: &mut Fired) {
        let reached = self.0.partition_point(|(under, _)| *under <= number);
        if let Some((_, rows)) = self.0.get(reached) {
            fired.insert(rows);
        }
    }
}

/// Gives each set the rows of those before it.
fn gather<'a>(sets: impl Iterator<Item = &'a mut Fired>) {
    let mut before = Fired::NONE;
    for fired in sets {
        before.insert(fired);
        *fired = before;
    }
}
