//! Finds a ClientHello in the records of a connection and reads the lists in it (RFC 8446, sections 4.1.2 and 5.1; the
//! same in RFC 5246). Everything here is a stranger's bytes.

use bytes::{BufMut, BytesMut, buf::Limit};

/// Most bytes of a connection that are read for its ClientHello. The largest of today, with post-quantum key shares,
/// have 2 KiB; one that is longer than this would be memory for the asking.
pub const MAX_HELLO_BYTES: usize = 16 * 1024 + RECORD_HEADER;

const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const MAX_RECORD: usize = 1 << 14;
/// What a buffer begins with: nearly every hello.
const TYPICAL: usize = 2048;

/// Why bytes are no ClientHello of which a fingerprint can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// The record is not of a handshake: not TLS, most likely.
    #[error("expected a handshake record, of type 22, found type {found}")]
    NotHandshake {
        /// The record's type.
        found: u8,
    },
    /// The record's version is none of TLS.
    #[error("expected a record of version 3.x, found {found}.x")]
    NotTls {
        /// The major version.
        found: u8,
    },
    /// A record that TLS does not allow in a handshake.
    #[error("expected a record of 1 to 16384 bytes, found {found}")]
    RecordLength {
        /// The length that the record gives.
        found: usize,
    },
    /// The handshake begins with another message.
    #[error("expected a ClientHello, of type 1, found type {found}")]
    NotClientHello {
        /// The message's type.
        found: u8,
    },
    /// Longer than is read.
    #[error("expected at most {MAX_HELLO_BYTES} bytes, found {found} or more")]
    TooLong {
        /// The bytes that there are at least.
        found: usize,
    },
    /// The connection ended before its ClientHello did.
    #[error("expected a whole ClientHello, found its end after {found} bytes")]
    Ended {
        /// The bytes that came.
        found: usize,
    },
    /// A field is longer than what holds it.
    #[error("{field}: expected {expected} bytes, found {found}")]
    Truncated {
        /// The field.
        field: &'static str,
        /// The bytes that it must have.
        expected: usize,
        /// The bytes that are left.
        found: usize,
    },
    /// A field is shorter than what holds it, or has half an element.
    #[error("{field}: expected its end, found {found} bytes more")]
    Trailing {
        /// The field.
        field: &'static str,
        /// The bytes left over.
        found: usize,
    },
}

impl HelloError {
    /// Stable name of the cause.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotHandshake { .. } => "not-handshake",
            Self::NotTls { .. } => "not-tls",
            Self::RecordLength { .. } => "record-length",
            Self::NotClientHello { .. } => "not-client-hello",
            Self::TooLong { .. } => "too-long",
            Self::Ended { .. } => "ended",
            Self::Truncated { .. } => "truncated",
            Self::Trailing { .. } => "trailing",
        }
    }
}

/// The first bytes of a connection, as they come.
#[derive(Debug, Default)]
pub(super) struct Hello {
    bytes: BytesMut,
    /// Where the next record begins: each is looked at once, however the bytes are cut.
    next: usize,
    /// The records' contents.
    message: Vec<u8>,
}

impl Hello {
    /// Every byte so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes bytes that are there already.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Where more bytes go to, as many as may still come.
    pub(super) fn space(&mut self) -> Result<Limit<&mut BytesMut>, HelloError> {
        let found = self.bytes.len();
        match MAX_HELLO_BYTES.checked_sub(found) {
            Some(room) if room > 0 => {
                self.bytes.reserve(TYPICAL.min(room));
                Ok((&mut self.bytes).limit(room))
            }
            _ => Err(HelloError::TooLong { found }),
        }
    }

    /// The ClientHello once it is there, without its header of type and length; `None` while more must come.
    pub(super) fn message(&mut self) -> Result<Option<&[u8]>, HelloError> {
        let length = loop {
            if let Some(length) = message_length(&self.message)?
                && self.message.len().saturating_sub(MESSAGE_HEADER) >= length
            {
                break length;
            }
            let rest = self.bytes.get(self.next..).unwrap_or_default();
            let Some(record) = record(rest)? else { return Ok(None) };
            self.message.extend_from_slice(record);
            self.next = self.next.saturating_add(RECORD_HEADER).saturating_add(record.len());
        };
        let end = length.saturating_add(MESSAGE_HEADER);
        Ok(self.message.get(MESSAGE_HEADER..end))
    }
}

/// The content of the first record; `None` while it is not whole.
fn record(bytes: &[u8]) -> Result<Option<&[u8]>, HelloError> {
    // What is no handshake is known by its first byte, and must not be waited for.
    match bytes.first() {
        Some(&HANDSHAKE) | None => {}
        Some(&found) => return Err(HelloError::NotHandshake { found }),
    }
    match bytes.get(1) {
        Some(3) | None => {}
        Some(&found) => return Err(HelloError::NotTls { found }),
    }
    let Some(([_, _, _, high, low], rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length == 0 || length > MAX_RECORD {
        return Err(HelloError::RecordLength { found: length });
    }
    Ok(rest.get(..length))
}

/// The length that a message's header gives; `None` while it is not whole.
fn message_length(message: &[u8]) -> Result<Option<usize>, HelloError> {
    match message.first() {
        Some(&CLIENT_HELLO) | None => {}
        Some(&found) => return Err(HelloError::NotClientHello { found }),
    }
    let Some([_, high, middle, low]) = message.first_chunk() else { return Ok(None) };
    let length = u32::from_be_bytes([0, *high, *middle, *low]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_RECORD {
        return Err(HelloError::TooLong { found: length });
    }
    Ok(Some(length))
}

/// What JA4 asks of a ClientHello. Lists are as sent, without GREASE (RFC 8701).
#[derive(Debug, Default)]
pub(super) struct ClientHello<'a> {
    /// The version field, which TLS 1.3 freezes at 1.2.
    pub(super) legacy_version: u16,
    pub(super) ciphers: Vec<u16>,
    pub(super) extensions: Vec<u16>,
    /// `None` without the extension.
    pub(super) supported_versions: Option<Vec<u16>>,
    /// The first protocol of ALPN.
    pub(super) alpn: Option<&'a [u8]>,
    pub(super) signature_algorithms: Vec<u16>,
}

impl<'a> ClientHello<'a> {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const ALPN: u16 = 16;
    const SIGNATURE_ALGORITHMS: u16 = 13;
    const SUPPORTED_VERSIONS: u16 = 43;

    pub(super) fn parse(message: &'a [u8]) -> Result<Self, HelloError> {
        let mut reader = Reader(message);
        let legacy_version = reader.u16("version")?;
        reader.take("random", 32)?;
        reader.vector_u8("session id")?;
        let ciphers = reader.vector_u16("cipher suites")?.list("cipher suites")?;
        reader.vector_u8("compression methods")?;
        let mut hello = Self { legacy_version, ciphers, ..Self::default() };
        // TLS 1.2 allows a ClientHello to end here (RFC 5246, section 7.4.1.2).
        if !reader.0.is_empty() {
            let mut extensions = reader.vector_u16("extensions")?;
            reader.end("ClientHello")?;
            while !extensions.0.is_empty() {
                let kind = extensions.u16("extension type")?;
                let body = extensions.vector_u16("extension")?;
                hello.extension(kind, body)?;
            }
        }
        Ok(hello)
    }

    fn extension(&mut self, kind: u16, mut body: Reader<'a>) -> Result<(), HelloError> {
        if is_grease(kind) {
            return Ok(());
        }
        self.extensions.push(kind);
        match kind {
            Self::ALPN => {
                let mut names = body.vector_u16("ALPN")?;
                if !names.0.is_empty() {
                    self.alpn = Some(names.vector_u8("ALPN name")?.0);
                }
            }
            Self::SIGNATURE_ALGORITHMS => {
                let list = body.vector_u16("signature algorithms")?;
                self.signature_algorithms = list.list("signature algorithms")?;
            }
            Self::SUPPORTED_VERSIONS => {
                let list = body.vector_u8("supported versions")?;
                self.supported_versions = Some(list.list("supported versions")?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A value that is sent so that peers learn to ignore values unknown to them (RFC 8701).
const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// What is left of a field.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], HelloError> {
        let found = self.0.len();
        let (taken, rest) = self.0.split_at_checked(count).ok_or(HelloError::Truncated {
            field,
            expected: count,
            found,
        })?;
        self.0 = rest;
        Ok(taken)
    }

    fn u16(&mut self, field: &'static str) -> Result<u16, HelloError> {
        let bytes = self.take(field, 2)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes)))
    }

    /// A vector with a length of one byte before it.
    fn vector_u8(&mut self, field: &'static str) -> Result<Self, HelloError> {
        let length = self.take(field, 1)?.first().copied().unwrap_or_default();
        Ok(Self(self.take(field, usize::from(length))?))
    }

    /// A vector with a length of two bytes before it.
    fn vector_u16(&mut self, field: &'static str) -> Result<Self, HelloError> {
        let length = self.u16(field)?;
        Ok(Self(self.take(field, usize::from(length))?))
    }

    /// All that is left as two-byte values, without GREASE.
    fn list(self, field: &'static str) -> Result<Vec<u16>, HelloError> {
        let (pairs, rest) = self.0.as_chunks();
        Reader(rest).end(field)?;
        let values = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
        Ok(values.filter(|value| !is_grease(*value)).collect())
    }

    fn end(&self, field: &'static str) -> Result<(), HelloError> {
        match self.0.len() {
            0 => Ok(()),
            found => Err(HelloError::Trailing { field, found }),
        }
    }
}
