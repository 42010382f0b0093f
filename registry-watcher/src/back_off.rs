use crate::machine::Millis;

/// The longest wait, unless the first is longer.
const MOST: Millis = 60_000;

/// The wait after `failures` in a row: `first`, doubled for each after the first, up to a minute; of which `jitter`
/// (0 to 255) takes away up to half, so that edges that failed together do not come back together.
#[must_use]
pub(crate) fn back_off(first: Millis, failures: u32, jitter: u8) -> Millis {
    let doubled =
        first.saturating_mul(1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX));
    let most = doubled.min(MOST.max(first));
    most.saturating_sub((most / 2).saturating_mul(u64::from(jitter)) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_jitter_takes_at_most_half() {
        assert_eq!(
            [1, 2, 3, 4].map(|failures| back_off(500, failures, 0)),
            [500, 1_000, 2_000, 4_000]
        );
        assert_eq!([20, 64, 65, u32::MAX].map(|failures| back_off(500, failures, 0)), [60_000; 4]);
        assert_eq!(back_off(500, 2, 255), 500);
        assert_eq!(back_off(120_000, 9, 0), 120_000);
    }
}
