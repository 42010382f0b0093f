//! How a client opens HTTP/2, in the form of Shuster, Segal et al., "Passive Fingerprinting of HTTP/2 Clients" (Akamai,
//! Black Hat Europe 2017), without its fourth part: see the module above.

use bytes::{Buf, BytesMut};

/// Most bytes of a connection that are looked at before its first HEADERS frame. Browsers send some hundred.
pub const MAX_OPENING_BYTES: usize = 4096;
const MAX_SETTINGS: usize = 32;
const MAX_PRIORITIES: usize = 32;

/// RFC 9113, section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;

/// Why bytes do not open HTTP/2 in a way that has a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// They do not begin with the connection preface.
    #[error("expected the connection preface of HTTP/2, found something else")]
    NotHttp2,
    /// The first frame is no SETTINGS frame (RFC 9113, section 3.4).
    #[error("expected a SETTINGS frame first, found a frame of type {found}")]
    NotSettings {
        /// The frame's type.
        found: u8,
    },
    /// A frame has not the length of its type.
    #[error("expected a frame of type {kind} with its length, found {found} bytes")]
    FrameLength {
        /// The frame's type.
        kind: u8,
        /// The length that it gives.
        found: usize,
    },
    /// More comes before the first request than is looked at.
    #[error(
        "expected at most {MAX_OPENING_BYTES} bytes, {MAX_SETTINGS} settings and {MAX_PRIORITIES} priorities, found more"
    )]
    TooLong,
    /// No request came.
    #[error("expected a HEADERS frame, found the end after {found} bytes")]
    Ended {
        /// The bytes that came.
        found: usize,
    },
}

impl OpeningError {
    /// Stable name of the cause.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotHttp2 => "not-http2",
            Self::NotSettings { .. } => "not-settings",
            Self::FrameLength { .. } => "frame-length",
            Self::TooLong => "too-long",
            Self::Ended { .. } => "ended",
        }
    }
}

/// The fingerprint of a connection that begins with `bytes`, such as
/// `1:65536;2:0;4:6291456;6:262144|15663105|0`: the settings in their order, by how much the connection's window grows
/// (`00`: not at all), and the PRIORITY frames as `stream:exclusive:dependency:weight`, with commas between (`0`: none).
/// Only what comes before the first HEADERS frame counts.
///
/// # Errors
/// [`OpeningError`] where there is no such fingerprint.
pub fn http2_opening(bytes: &[u8]) -> Result<String, OpeningError> {
    Opening::default().read(bytes)?.ok_or(OpeningError::Ended { found: bytes.len() })
}

/// Reads along, however the bytes are cut.
#[derive(Debug, Default)]
pub(super) struct Opening {
    held: BytesMut,
    taken: usize,
    prefaced: bool,
    settings: Option<Vec<(u16, u32)>>,
    window: Option<u32>,
    priorities: Vec<Priority>,
}

#[derive(Debug)]
struct Priority {
    stream: u32,
    exclusive: bool,
    dependency: u32,
    /// 1 to 256.
    weight: u16,
}

impl Opening {
    /// Takes what comes next; the fingerprint once the first request begins.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<String>, OpeningError> {
        let room = MAX_OPENING_BYTES.saturating_sub(self.taken);
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.held.extend_from_slice(taken);
        self.taken = self.taken.saturating_add(taken.len());
        if !self.prefaced && !self.preface()? {
            return Ok(None);
        }
        while let Some(frame) = self.frame()? {
            if frame.kind == HEADERS {
                return Ok(Some(self.fingerprint()));
            }
        }
        if taken.len() < bytes.len() { Err(OpeningError::TooLong) } else { Ok(None) }
    }

    fn preface(&mut self) -> Result<bool, OpeningError> {
        let length = self.held.len().min(PREFACE.len());
        if self.held.get(..length) != PREFACE.get(..length) {
            return Err(OpeningError::NotHttp2);
        }
        self.prefaced = length == PREFACE.len();
        if self.prefaced {
            self.held.advance(length);
        }
        Ok(self.prefaced)
    }

    /// Takes the next frame; `None` while it is not whole. Of HEADERS the header is enough.
    fn frame(&mut self) -> Result<Option<Frame>, OpeningError> {
        let Some((header, rest)) = self.held.split_first_chunk() else { return Ok(None) };
        let frame = Frame::of(header);
        if self.settings.is_none() && (frame.kind != SETTINGS || frame.flags & ACK != 0) {
            return Err(OpeningError::NotSettings { found: frame.kind });
        }
        if frame.kind == HEADERS {
            return Ok(Some(frame));
        }
        if frame.length > MAX_OPENING_BYTES {
            return Err(OpeningError::TooLong);
        }
        let Some(payload) = rest.get(..frame.length) else { return Ok(None) };
        match frame.kind {
            SETTINGS if self.settings.is_none() => self.settings = Some(settings(payload)?),
            WINDOW_UPDATE if frame.stream == 0 && self.window.is_none() => {
                let increment = payload.as_array().ok_or_else(|| frame.wrong())?;
                self.window = Some(u32::from_be_bytes(*increment) & RESERVED);
            }
            PRIORITY if self.priorities.len() == MAX_PRIORITIES => {
                return Err(OpeningError::TooLong);
            }
            PRIORITY => {
                let Some([a, b, c, d, weight]) = payload.as_array() else {
                    return Err(frame.wrong());
                };
                let dependency = u32::from_be_bytes([*a, *b, *c, *d]);
                self.priorities.push(Priority {
                    stream: frame.stream,
                    exclusive: dependency > RESERVED,
                    dependency: dependency & RESERVED,
                    weight: u16::from(*weight).saturating_add(1),
                });
            }
            _ => {}
        }
        self.held.advance(Frame::HEADER.saturating_add(frame.length));
        Ok(Some(frame))
    }

    fn fingerprint(&self) -> String {
        let settings = self.settings.iter().flatten();
        let settings: Vec<_> = settings.map(|(id, value)| format!("{id}:{value}")).collect();
        let window = self.window.map_or_else(|| "00".to_owned(), |window| window.to_string());
        let priorities: Vec<_> = self.priorities.iter().map(ToString::to_string).collect();
        let priorities = if priorities.is_empty() { "0".to_owned() } else { priorities.join(",") };
        format!("{}|{window}|{priorities}", settings.join(";"))
    }
}

impl std::fmt::Display for Priority {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stream, exclusive, dependency, weight } = self;
        write!(out, "{stream}:{}:{dependency}:{weight}", u8::from(*exclusive))
    }
}

/// All but the first bit of a 32-bit field, which HTTP/2 reserves.
const RESERVED: u32 = u32::MAX >> 1;

/// The header of a frame (RFC 9113, section 4.1).
#[derive(Clone, Copy)]
struct Frame {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Frame {
    const HEADER: usize = 9;

    fn of([high, middle, low, kind, flags, a, b, c, d]: &[u8; Self::HEADER]) -> Self {
        let length = u32::from_be_bytes([0, *high, *middle, *low]);
        Self {
            length: usize::try_from(length).unwrap_or(usize::MAX),
            kind: *kind,
            flags: *flags,
            stream: u32::from_be_bytes([*a, *b, *c, *d]) & RESERVED,
        }
    }

    const fn wrong(&self) -> OpeningError {
        OpeningError::FrameLength { kind: self.kind, found: self.length }
    }
}

fn settings(payload: &[u8]) -> Result<Vec<(u16, u32)>, OpeningError> {
    let (entries, rest) = payload.as_chunks::<6>();
    if !rest.is_empty() {
        return Err(OpeningError::FrameLength { kind: SETTINGS, found: payload.len() });
    }
    if entries.len() > MAX_SETTINGS {
        return Err(OpeningError::TooLong);
    }
    let entry = |[a, b, c, d, e, f]: &[u8; 6]| {
        (u16::from_be_bytes([*a, *b]), u32::from_be_bytes([*c, *d, *e, *f]))
    };
    Ok(entries.iter().map(entry).collect())
}
