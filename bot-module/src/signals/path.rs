//! How deep a path is, and how random it looks.

/// The path's bytes that entropy is measured over: a long one costs no more, and the first kilobyte tells.
const ENTROPY_MOST: usize = 1_024;
/// The fewest bytes that say anything about randomness.
const ENTROPY_FEWEST: usize = 8;

/// How many segments a path has, empty ones not counted: 2 for `/news/2026/` and for `//news//2026`.
pub(crate) fn depth(path: &[u8]) -> u64 {
    path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()).count() as u64
}

/// The Shannon entropy ("A Mathematical Theory of Communication", 1948) of a path's first 1 024 bytes, in hundredths
/// of a bit a byte, rounded to the nearest, half up: 0 where all bytes are the same, 800 at most. `None` for a path of
/// less than 8 bytes.
///
/// In fixed point, so that every machine says the same. Readable paths lie between 300 and 420, a long token in
/// hexadecimal below 400, one in base64 or of many kinds of characters between 450 and 600.
pub(crate) fn entropy(path: &[u8]) -> Option<u64> {
    let path = path.get(..ENTROPY_MOST).unwrap_or(path);
    if path.len() < ENTROPY_FEWEST {
        return None;
    }
    let mut counts = [0_u16; 256];
    // H = log2 n - (Σ c·log2 c) / n, where each of the n bytes raises one c by one.
    let mut sum = 0_u64;
    for byte in path {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            let before = weighted(usize::from(*count));
            *count = count.saturating_add(1);
            sum = sum.saturating_add(weighted(usize::from(*count)).saturating_sub(before));
        }
    }
    let bits = u128::from(weighted(path.len()).saturating_sub(sum).saturating_add(MOST_ERROR));
    let length = (path.len() as u128) << FRACTION;
    // Half of the divisor first, which rounds to the nearest.
    let rounded = bits.saturating_mul(100).saturating_add(length / 2).checked_div(length);
    rounded.and_then(|hundredths| u64::try_from(hundredths).ok())
}

/// `count · log2 count` in units of 2^-40, rounded down.
fn weighted(count: usize) -> u64 {
    WEIGHTED.get(count).copied().unwrap_or(0)
}

const FRACTION: u32 = 40;
/// What 256 counts and their sum lose by rounding down, so that an exact half is never rounded down for it.
const MOST_ERROR: u64 = 257;

static WEIGHTED: [u64; ENTROPY_MOST + 1] = weights();

#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "evaluated by the compiler"
)]
const fn weights() -> [u64; ENTROPY_MOST + 1] {
    let mut table = [0; ENTROPY_MOST + 1];
    let mut count = 1;
    while count <= ENTROPY_MOST {
        // With 20 bits more than are kept, so that the product with the count has all of its own right.
        table[count] = ((count as u128 * log2(count as u128, FRACTION + 20)) >> 20) as u64;
        count += 1;
    }
    table
}

/// The binary logarithm, bit by bit: squaring a number between 1 and 2 doubles its logarithm, and where the square
/// reaches 2 the next bit is 1.
#[allow(clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn log2(number: u128, fraction: u32) -> u128 {
    const ONE: u32 = 62;
    let whole = number.ilog2();
    let mut mantissa = number << (ONE - whole);
    let mut result = whole as u128;
    let mut bit = 0;
    while bit < fraction {
        mantissa = (mantissa * mantissa) >> ONE;
        result <<= 1;
        if mantissa >> (ONE + 1) != 0 {
            mantissa >>= 1;
            result |= 1;
        }
        bit += 1;
    }
    result
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "a test")]

    use super::{depth, entropy, weighted};

    #[test]
    fn a_depth_counts_what_stands_between_slashes() {
        for (path, expected) in
            [("", 0), ("/", 0), ("*", 1), ("/a", 1), ("/a/", 1), ("/a/b", 2), ("//a///b//", 2)]
        {
            assert_eq!(depth(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn an_entropy_is_in_hundredths_of_a_bit() {
        for (path, expected) in [
            ("/aaaaaa", None),
            ("aaaaaaaa", Some(0)),
            ("abababab", Some(100)),
            ("aabbccdd", Some(200)),
            ("abcdefgh", Some(300)),
            // 1/2, 1/4, 1/8 and twice 1/16: 1.875 bits.
            ("aaaaaaaabbbbccde", Some(188)),
            // The same, in counts whose logarithms are rounded.
            ("aaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbccccccdddeee", Some(188)),
            // 3 of 9, three times: log2 3.
            ("abcabcabc", Some(158)),
        ] {
            assert_eq!(entropy(path.as_bytes()), expected, "{path}");
        }
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(entropy(&all), Some(800));
        // What lies behind the first kilobyte is not looked at.
        assert_eq!(entropy(&[vec![b'a'; 1_024], all].concat()), Some(0));
    }

    #[test]
    fn the_table_is_the_logarithm() {
        for count in 1..=1_024_usize {
            let exact = count as f64 * (count as f64).log2();
            let found = weighted(count) as f64 / (1_u64 << 40) as f64;
            assert!((exact - found).abs() < 1e-9, "{count}: {exact}, {found}");
        }
        assert_eq!((weighted(0), weighted(1), weighted(1_024)), (0, 0, 10_240 << 40));
    }
}
