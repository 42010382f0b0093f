//! What a row's kind may carry, as data.

use core::fmt;

/// The number of a feature kind. Kinds of 32 and above can never exist: a schema word has room for 32.
pub type KindCode = u8;

/// What an argument is, and which flags its row may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ArgumentClass {
    /// No argument: all zero.
    None = 1,
    /// 1 to 28 bytes of printable ASCII without `A-Z`, matched without regard to ASCII case.
    Token = 2,
    /// 1 to 28 bytes of visible ASCII, matched exactly.
    Text = 3,
    /// A field name (flags 0 present, 1 absent), or `name:value` (flags 2 equals, 3 contains).
    Header = 4,
    /// 4 address bytes and a prefix length of at most 32; host bits zero.
    CidrV4 = 5,
    /// 16 address bytes and a prefix length of at most 128; host bits zero.
    CidrV6 = 6,
    /// A `u64` of at least 1.
    Number = 7,
    /// 28 bytes, not all zero.
    Fingerprint = 8,
}

impl ArgumentClass {
    const fn from_nibble(nibble: u8) -> Option<Self> {
        Some(match nibble {
            1 => Self::None,
            2 => Self::Token,
            3 => Self::Text,
            4 => Self::Header,
            5 => Self::CidrV4,
            6 => Self::CidrV6,
            7 => Self::Number,
            8 => Self::Fingerprint,
            _ => return None,
        })
    }
}

/// One engine version: which kinds exist, their argument class and cost, and how much a whole table may cost.
///
/// Byte `k` of [`Schema::word`] describes kind `k`, counted from the most significant byte as the EVM's `BYTE`
/// counts: the high nibble is the [`ArgumentClass`] (0: no such kind), the low nibble the cost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// The engine version that an artifact's header names.
    pub engine: u32,
    /// Class and cost of the 32 kinds.
    pub word: [u8; 32],
    /// The most that the costs of all rows may sum to.
    pub budget: u32,
}

impl Schema {
    /// Engine 1. [`crate::Feature`] is the typed view of its kinds.
    ///
    /// 200 substring or header rows cost 800 and fit; 200 rate rows cost 1 600 and do not.
    pub const ENGINE_1: Self = Self {
        engine: 1,
        word: [
            0x00, 0x24, 0x11, 0x44, 0x31, 0x33, 0x34, 0x52, 0x62, 0x78, 0x71, 0x71, 0x71, 0x11,
            0x11, 0x12, 0x71, 0x71, 0x71, 0x12, 0x24, 0x12, 0x11, 0x72, 0x73, 0x12, 0x78, 0x78,
            0x78, 0x34, 0x34, 0x00,
        ],
        budget: 1_000,
    };

    /// The class of `kind`, or `None` where this engine knows no such kind.
    #[must_use]
    pub fn class(&self, kind: KindCode) -> Option<ArgumentClass> {
        self.word.get(usize::from(kind)).and_then(|byte| ArgumentClass::from_nibble(byte >> 4))
    }

    /// The evaluation cost of `kind`; 0 for a kind that this engine does not know.
    #[must_use]
    pub fn cost(&self, kind: KindCode) -> u32 {
        self.word.get(usize::from(kind)).map_or(0, |byte| u32::from(byte & 0x0f))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Schema {{ engine: {}, word: 0x{}, budget: {} }}",
            self.engine,
            hex::encode(self.word),
            self.budget
        )
    }
}
