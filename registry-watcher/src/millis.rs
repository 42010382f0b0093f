use std::time::Duration;

use crate::machine::Millis;

/// A duration in the machine's unit.
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
