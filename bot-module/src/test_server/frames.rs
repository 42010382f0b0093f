//! HTTP/2 as raw frames, for clients that say exactly what a test wants (RFC 9113).

use std::io::ErrorKind;

use tokio::io::{AsyncRead, AsyncReadExt};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// `GET`, `POST`, `/` and `http` as fields, by their places in the static table (RFC 7541, appendix A).
pub(crate) const GET: u8 = 0x82;
pub(crate) const POST: u8 = 0x83;
pub(crate) const ROOT: u8 = 0x84;
pub(crate) const OVER_HTTP: u8 = 0x86;

/// A frame (RFC 9113, 4.1).
pub(crate) fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A field as an HPACK literal without indexing (RFC 7541, 6.2.2).
pub(crate) fn literal(name: &str, value: &[u8]) -> Vec<u8> {
    // A longer length takes a byte more (RFC 7541, 5.1).
    let length =
        |bytes: &[u8]| u8::try_from(bytes.len()).ok().filter(|length| *length < 127).unwrap();
    [&[0, length(name.as_bytes())], name.as_bytes(), &[length(value)], value].concat()
}

/// A frame that was read.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u8,
    pub(crate) payload: Vec<u8>,
}

/// Reads a frame; none where the connection has ended, as it should, between two.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let top = match stream.read_u8().await {
        Ok(top) => top,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return None,
        Err(error) => panic!("{error}"),
    };
    let mut head = [0; 8];
    stream.read_exact(&mut head).await.unwrap();
    let [high, low, kind, flags, .., id] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, top, high, low]) as usize];
    stream.read_exact(&mut payload).await.unwrap();
    Some(Frame { kind, flags, stream: id, payload })
}
