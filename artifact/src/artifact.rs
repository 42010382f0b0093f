use alloc::boxed::Box;
use core::fmt;

use crate::{
    defect::{ArgumentDefect, Defect},
    digest::Digest,
    layout::{
        ARGUMENT_LEN, FORMAT_VERSION, HEADER_LEN, Key, MAGIC, MAX_LEN, MAX_ROWS, MAX_WEIGHT,
        MIN_LEN, ROW_LEN, array, padded_text, text_of,
    },
    schema::{ArgumentClass, KindCode, Schema},
};

/// Bytes that obey every invariant of the format.
///
/// The original bytes are kept and read in place: what is stored, hashed and compiled is one and the same.
#[derive(Clone, PartialEq, Eq)]
pub struct ValidArtifact {
    bytes: Box<[u8]>,
    digest: Digest,
}

impl ValidArtifact {
    /// Checks `bytes` against the schema, among `schemas`, of the engine that their header names.
    ///
    /// # Errors
    /// The first [`Defect`], in the order in which its variants are numbered: the header's first, then row by row,
    /// then the table's cost.
    pub fn check(bytes: &[u8], schemas: &[Schema]) -> Result<Self, Defect> {
        let schema = check_header(bytes, schemas)?;
        check_rows(bytes, schema)?;
        Ok(Self { bytes: bytes.into(), digest: Digest::of(bytes) })
    }

    /// The bytes that were checked.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their Keccak-256.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The header's fields.
    #[must_use]
    pub fn header(&self) -> Header<'_> {
        Header {
            intercept: i32::from_be_bytes(array(&self.bytes, 8)),
            engine: u32::from_be_bytes(array(&self.bytes, 12)),
            created_at: u64::from_be_bytes(array(&self.bytes, 16)),
            label: text_of(self.bytes.get(32..HEADER_LEN).unwrap_or_default()),
        }
    }

    /// The rows, in ascending order of their keys.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row> + '_ {
        let (rows, _) = self.bytes.get(HEADER_LEN..).unwrap_or_default().as_chunks::<ROW_LEN>();
        rows.iter().map(|row| Row {
            key: Key::of_checked_word(array(row, 0)),
            kind: u8::from_be_bytes(array(row, 32)),
            flags: u8::from_be_bytes(array(row, 33)),
            weight: i16::from_be_bytes(array(row, 34)),
            argument: array(row, 36),
        })
    }
}

impl fmt::Debug for ValidArtifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValidArtifact({}, {} rows)", self.digest, self.rows().len())
    }
}

/// The fields of a header that vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The logit of a request for which no row fires, in milli-logits; positive leans to bot.
    pub intercept: i32,
    /// The engine version whose schema the rows obey.
    pub engine: u32,
    /// When the artifact was made, in Unix seconds, by its maker's word.
    pub created_at: u64,
    /// A name for people.
    pub label: &'a str,
}

/// One row: a feature and what it adds to the logit when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row's name.
    pub key: Key,
    /// What kind of feature it is.
    pub kind: KindCode,
    /// The kind's variant.
    pub flags: u8,
    /// Milli-logits added when it fires; positive is evidence of a bot.
    pub weight: i16,
    /// The kind's argument.
    pub argument: [u8; ARGUMENT_LEN],
}

fn check_header<'s>(bytes: &[u8], schemas: &'s [Schema]) -> Result<&'s Schema, Defect> {
    let found = bytes.len();
    if !(MIN_LEN..=MAX_LEN).contains(&found) || !found.is_multiple_of(ROW_LEN) {
        return Err(Defect::Size { found });
    }
    let magic = array(bytes, 0);
    if magic != MAGIC {
        return Err(Defect::Magic { found: magic });
    }
    let format = u16::from_be_bytes(array(bytes, 4));
    if format != FORMAT_VERSION {
        return Err(Defect::Format { found: format });
    }
    let count = u16::from_be_bytes(array(bytes, 6));
    if !(1..=MAX_ROWS).contains(&usize::from(count)) {
        return Err(Defect::RowCount { found: count });
    }
    let expected = bytes.get(HEADER_LEN..).unwrap_or_default().len() / ROW_LEN;
    if usize::from(count) != expected {
        return Err(Defect::RowCountMismatch { expected, found: count });
    }
    if let Some((at, found)) = (24..32).zip(array::<8>(bytes, 24)).find(|(_, byte)| *byte != 0) {
        return Err(Defect::ReservedHeader { at, found });
    }
    let engine = u32::from_be_bytes(array(bytes, 12));
    let Some(schema) = schemas.iter().find(|schema| schema.engine == engine) else {
        let newest = schemas.iter().map(|schema| schema.engine).max().unwrap_or(0);
        return Err(Defect::Engine { expected: newest, found: engine });
    };
    let label: [u8; 32] = array(bytes, 32);
    padded_text(&label, |at, byte| at < 31 && matches!(byte, 0x20..=0x7e))
        .map_err(|(at, found)| Defect::Label { at, found })?;
    Ok(schema)
}

fn check_rows(bytes: &[u8], schema: &Schema) -> Result<(), Defect> {
    let mut previous: Option<Key> = None;
    let mut cost = 0_u32;
    let (rows, _) = bytes.get(HEADER_LEN..).unwrap_or_default().as_chunks::<ROW_LEN>();
    for (row, words) in rows.iter().enumerate() {
        let key = Key::from_word(array(words, 0), row)?;
        match previous {
            Some(previous) if previous == key => return Err(Defect::KeyDuplicate { row, key }),
            Some(previous) if previous > key => {
                return Err(Defect::KeyOrder { row, previous, found: key });
            }
            _ => previous = Some(key),
        }
        let [kind, flags] = array(words, 32);
        let class =
            schema.class(kind).ok_or(Defect::Kind { row, engine: schema.engine, found: kind })?;
        let max = class.max_flags();
        if flags > max {
            return Err(Defect::Flags { row, class, max, found: flags });
        }
        check_argument(class, flags, &array(words, 36)).map_err(|problem| Defect::Argument {
            row,
            class,
            problem,
        })?;
        let weight = i16::from_be_bytes(array(words, 34));
        if !(-MAX_WEIGHT..=MAX_WEIGHT).contains(&weight) {
            return Err(Defect::Weight { row, found: weight });
        }
        cost = cost.saturating_add(schema.cost(kind));
    }
    if cost > schema.budget {
        return Err(Defect::Cost { budget: schema.budget, found: cost });
    }
    Ok(())
}

impl ArgumentClass {
    /// The highest flags that a row of this class may have.
    #[must_use]
    pub const fn max_flags(self) -> u8 {
        match self {
            Self::Header => 3,
            _ => 0,
        }
    }
}

fn check_argument(
    class: ArgumentClass,
    flags: u8,
    argument: &[u8; ARGUMENT_LEN],
) -> Result<(), ArgumentDefect> {
    match class {
        ArgumentClass::None => zeros_from(argument, 0),
        ArgumentClass::Token => {
            text(argument, "printable ASCII without A-Z, then zeros", is_folded)
        }
        ArgumentClass::Text => {
            text(argument, "visible ASCII, then zeros", |byte| matches!(byte, 0x21..=0x7e))
        }
        ArgumentClass::Header if flags < 2 => {
            text(argument, "a field name of a-z, 0-9 and -, then zeros", is_name)
        }
        ArgumentClass::Header => header_pair(argument),
        ArgumentClass::CidrV4 => cidr::<4>(argument),
        ArgumentClass::CidrV6 => cidr::<16>(argument),
        ArgumentClass::Number => {
            zeros_from(argument, 8)?;
            if array::<8>(argument, 0) == [0; 8] {
                return Err(ArgumentDefect::Empty { expected: "a number of at least 1" });
            }
            Ok(())
        }
        ArgumentClass::Fingerprint => {
            if *argument == [0; ARGUMENT_LEN] {
                return Err(ArgumentDefect::Empty { expected: "28 bytes, not all zero" });
            }
            Ok(())
        }
    }
}

/// Printable ASCII in its one case: matching folds case, so a capital would be a second encoding of one meaning.
const fn is_folded(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && !byte.is_ascii_uppercase()
}

const fn is_name(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')
}

fn text(
    argument: &[u8; ARGUMENT_LEN],
    expected: &'static str,
    allowed: impl Fn(u8) -> bool,
) -> Result<(), ArgumentDefect> {
    match padded_text(argument, |_, byte| allowed(byte)) {
        Ok(0) => Err(ArgumentDefect::Empty { expected }),
        Ok(_) => Ok(()),
        Err((at, found)) => Err(ArgumentDefect::Byte { at, expected, found }),
    }
}

/// `name:value`, both non-empty; the first colon parts them.
fn header_pair(argument: &[u8; ARGUMENT_LEN]) -> Result<(), ArgumentDefect> {
    const NAME: &str = "a field name of a-z, 0-9 and -, then ':'";
    const VALUE: &str = "a field value of printable ASCII without A-Z, then zeros";
    let Some(colon) = argument.iter().position(|byte| *byte == b':') else {
        return Err(ArgumentDefect::Empty { expected: "':' between a field name and its value" });
    };
    if colon == 0 {
        return Err(ArgumentDefect::Empty { expected: NAME });
    }
    match padded_text(argument, |at, byte| match at {
        _ if at < colon => is_name(byte),
        _ if at == colon => true,
        _ => is_folded(byte),
    }) {
        Ok(length) if length > colon.saturating_add(1) => Ok(()),
        Ok(_) => Err(ArgumentDefect::Empty { expected: VALUE }),
        Err((at, found)) => {
            Err(ArgumentDefect::Byte { at, expected: if at < colon { NAME } else { VALUE }, found })
        }
    }
}

/// `N` address bytes, a prefix length, zeros.
fn cidr<const N: usize>(argument: &[u8; ARGUMENT_LEN]) -> Result<(), ArgumentDefect> {
    zeros_from(argument, N.saturating_add(1))?;
    let [prefix] = array(argument, N);
    let max = u8::try_from(N.saturating_mul(8)).unwrap_or(u8::MAX);
    if prefix > max {
        return Err(ArgumentDefect::PrefixLength { max, found: prefix });
    }
    for (at, found) in array::<N>(argument, 0).into_iter().enumerate() {
        // How many bits of this byte belong to the network.
        let network_bits = usize::from(prefix).saturating_sub(at.saturating_mul(8)).min(8);
        let host_mask = 0xff_u16.checked_shr(u32::try_from(network_bits).unwrap_or(8)).unwrap_or(0);
        if u16::from(found) & host_mask != 0 {
            return Err(ArgumentDefect::HostBits { at, prefix, found });
        }
    }
    Ok(())
}

fn zeros_from(argument: &[u8; ARGUMENT_LEN], from: usize) -> Result<(), ArgumentDefect> {
    match argument.iter().copied().enumerate().skip(from).find(|(_, byte)| *byte != 0) {
        Some((at, found)) => Err(ArgumentDefect::Byte { at, expected: "zero", found }),
        None => Ok(()),
    }
}
