use crate::{
    Key,
    layout::{FORMAT_VERSION, MAGIC, MAX_LEN, MAX_ROWS, MAX_WEIGHT, MIN_LEN},
    schema::{ArgumentClass, KindCode},
};

/// The first invariant that bytes break, in the order of checking.
///
/// [`Defect::code`] and [`Defect::row`] are what the Solidity verifier reverts with for the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The length is no header and whole rows. The bound is what an edge allocates for, and no more.
    #[error("size: expected 64 + 64·n bytes, {MIN_LEN} to {MAX_LEN}; found {found} bytes")]
    Size {
        /// Bytes found.
        found: usize,
    },
    /// Another kind of file.
    #[error("header, magic: expected {MAGIC:02x?} (\"GLFF\"); found {found:02x?}")]
    Magic {
        /// Bytes found.
        found: [u8; 4],
    },
    /// A format version that this build does not read.
    #[error("header, format: expected {FORMAT_VERSION}; found {found}")]
    Format {
        /// Version found.
        found: u16,
    },
    /// No rows, or more than tables are sized for.
    #[error("header, row count: expected 1 to {MAX_ROWS}; found {found}")]
    RowCount {
        /// Count found.
        found: u16,
    },
    /// The header counts other rows than the bytes hold.
    #[error("header, row count: expected {expected}, as the length says; found {found}")]
    RowCountMismatch {
        /// Rows that the length has room for.
        expected: usize,
        /// Count found.
        found: u16,
    },
    /// A reserved header byte is set.
    #[error("header, reserved byte {at}: expected 0; found {found:#04x}")]
    ReservedHeader {
        /// Offset of the byte in the artifact.
        at: usize,
        /// Byte found.
        found: u8,
    },
    /// Made for an engine that is not the one checking.
    #[error("header, engine: expected {expected}; found {found}")]
    Engine {
        /// The newest engine known here.
        expected: u32,
        /// Engine found.
        found: u32,
    },
    /// The label is not zero-padded printable ASCII.
    #[error("header, label, byte {at}: expected printable ASCII, then zeros; found {found:#04x}")]
    Label {
        /// Position in the label.
        at: usize,
        /// Byte found.
        found: u8,
    },
    /// A key does not match the pattern.
    #[error(
        "row {row}, key, byte {at}: expected ^[a-z][a-z0-9_.-]{{0,30}}$, then zeros; found {found:#04x}"
    )]
    KeyPattern {
        /// Row, from 0.
        row: usize,
        /// Position in the key.
        at: usize,
        /// Byte found.
        found: u8,
    },
    /// The same key twice: what doubled the file on 18 November 2025.
    #[error("row {row}, key: expected each key once; found {key} again")]
    KeyDuplicate {
        /// Row, from 0.
        row: usize,
        /// The key that was there before.
        key: Key,
    },
    /// Keys out of order.
    #[error("row {row}, key: expected a key after {previous}; found {found}")]
    KeyOrder {
        /// Row, from 0.
        row: usize,
        /// Key of the row before.
        previous: Key,
        /// Key found.
        found: Key,
    },
    /// A kind that the engine's schema does not know.
    #[error("row {row}, kind: expected a kind of engine {engine}; found {found}")]
    Kind {
        /// Row, from 0.
        row: usize,
        /// The engine whose schema was asked.
        engine: u32,
        /// Kind found.
        found: KindCode,
    },
    /// Flags that the kind's argument class does not have.
    #[error("row {row}, flags: expected at most {max} for {class:?}; found {found}")]
    Flags {
        /// Row, from 0.
        row: usize,
        /// Argument class of the row's kind.
        class: ArgumentClass,
        /// The highest flags that the class has.
        max: u8,
        /// Flags found.
        found: u8,
    },
    /// An argument that is not well-formed for its class.
    #[error("row {row}, argument ({class:?}): {problem}")]
    Argument {
        /// Row, from 0.
        row: usize,
        /// Argument class of the row's kind.
        class: ArgumentClass,
        /// What is wrong with it.
        problem: ArgumentDefect,
    },
    /// A weight that could outvote everything else.
    #[error("row {row}, weight: expected -{MAX_WEIGHT} to {MAX_WEIGHT}; found {found}")]
    Weight {
        /// Row, from 0.
        row: usize,
        /// Weight found.
        found: i16,
    },
    /// The table as a whole is too dear to evaluate for every request.
    #[error("cost: expected at most {budget}; found {found}")]
    Cost {
        /// The engine's budget.
        budget: u32,
        /// Sum over all rows.
        found: u32,
    },
}

/// What is wrong with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentDefect {
    /// A byte that may not stand there.
    #[error("byte {at}: expected {expected}; found {found:#04x}")]
    Byte {
        /// Position in the argument.
        at: usize,
        /// What may stand there.
        expected: &'static str,
        /// Byte found.
        found: u8,
    },
    /// Nothing where something is needed.
    #[error("expected {expected}; found nothing")]
    Empty {
        /// What is needed.
        expected: &'static str,
    },
    /// A prefix length beyond the address.
    #[error("prefix length: expected at most {max}; found {found}")]
    PrefixLength {
        /// Bits of the address family.
        max: u8,
        /// Prefix length found.
        found: u8,
    },
    /// Two spellings of one network would be two encodings of one meaning.
    #[error("byte {at}: expected host bits of a /{prefix} to be zero; found {found:#04x}")]
    HostBits {
        /// Position in the argument.
        at: usize,
        /// The prefix length.
        prefix: u8,
        /// Byte found.
        found: u8,
    },
}

impl Defect {
    /// The code that the contract's `Refused` error carries.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Size { .. } => 1,
            Self::Magic { .. } => 2,
            Self::Format { .. } => 3,
            Self::RowCount { .. } => 4,
            Self::RowCountMismatch { .. } => 5,
            Self::ReservedHeader { .. } => 6,
            Self::Engine { .. } => 7,
            Self::Label { .. } => 8,
            Self::KeyPattern { .. } => 9,
            Self::KeyDuplicate { .. } => 10,
            Self::KeyOrder { .. } => 11,
            Self::Kind { .. } => 12,
            Self::Flags { .. } => 13,
            Self::Argument { .. } => 14,
            Self::Weight { .. } => 15,
            Self::Cost { .. } => 16,
        }
    }

    /// The stable name of a code, as in logs, metrics and evidence; `None` for a code that does not exist.
    #[must_use]
    pub const fn reason_of(code: u8) -> Option<&'static str> {
        Some(match code {
            1 => "size",
            2 => "magic",
            3 => "format",
            4 => "row-count",
            5 => "row-count-mismatch",
            6 => "reserved-header",
            7 => "engine",
            8 => "label",
            9 => "key-pattern",
            10 => "key-duplicate",
            11 => "key-order",
            12 => "kind",
            13 => "flags",
            14 => "argument",
            15 => "weight",
            16 => "cost",
            _ => return None,
        })
    }

    /// The stable name of this defect.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        Self::reason_of(self.code()).unwrap_or_default()
    }

    /// The row that has the defect, from 0; `None` where it is the header's or the whole table's.
    #[must_use]
    pub const fn row(&self) -> Option<usize> {
        match self {
            Self::KeyPattern { row, .. }
            | Self::KeyDuplicate { row, .. }
            | Self::KeyOrder { row, .. }
            | Self::Kind { row, .. }
            | Self::Flags { row, .. }
            | Self::Argument { row, .. }
            | Self::Weight { row, .. } => Some(*row),
            _ => None,
        }
    }
}
