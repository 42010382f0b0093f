//! As much of HTTP/1.1 (RFC 9112) as a load generator and its origin need: heads, and bodies of a given length. What is
//! not understood is an error and never a guess, since the harness judges others by what it reads here.

use std::{fmt, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

/// More than hostile clients of this harness send and the proxy adds.
const MAX_HEAD: usize = 256 << 10;
const MAX_BODY: usize = 64 << 10;

/// The first line of a message and its fields, names in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) first: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Head {
    /// The values of all fields of this name.
    pub(crate) fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.fields.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn get<'h>(&'h self, name: &'h str) -> Option<&'h str> {
        self.all(name).next()
    }

    fn closes(&self) -> bool {
        self.all("connection")
            .any(|value| value.split(',').any(|token| token.trim().eq_ignore_ascii_case("close")))
    }

    fn body_length(&self) -> Result<usize, Broken> {
        if let Some(coding) = self.get("transfer-encoding") {
            return Err(Broken::Malformed(format!("transfer-encoding {coding}")));
        }
        let Some(length) = self.get("content-length") else { return Ok(0) };
        let parsed = length.parse().ok().filter(|length| *length <= MAX_BODY);
        parsed.ok_or_else(|| Broken::Malformed(format!("content-length {length}")))
    }
}

/// How an exchange can end without a whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// No connection.
    Refused(String),
    /// RST, or the like.
    Reset(String),
    /// The connection ended in an orderly way, but not after a whole message.
    EarlyEnd,
    /// No whole response in time.
    Timeout,
    /// Something that is not HTTP, or more of it than this understands.
    Malformed(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "no connection: {why}"),
            Self::Reset(why) => write!(f, "reset: {why}"),
            Self::EarlyEnd => f.write_str("end before a whole message"),
            Self::Timeout => f.write_str("no whole response in time"),
            Self::Malformed(what) => write!(f, "malformed: {what}"),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::EarlyEnd,
            _ => Self::Reset(error.to_string()),
        }
    }
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

/// Reads the next message. `None` where the peer ended the connection between two messages.
pub(crate) async fn read(from: &mut BufReader<TcpStream>) -> Result<Option<Message>, Broken> {
    let Some(head) = read_head(from).await? else { return Ok(None) };
    let mut body = vec![0; head.body_length()?];
    from.read_exact(&mut body).await?;
    Ok(Some(Message { head, body }))
}

async fn read_head(from: &mut BufReader<TcpStream>) -> Result<Option<Head>, Broken> {
    let mut text = Vec::new();
    loop {
        let before = text.len();
        let room = u64::try_from(MAX_HEAD - before).unwrap_or(0);
        let read = (&mut *from).take(room).read_until(b'\n', &mut text).await?;
        if text.is_empty() {
            return Ok(None);
        }
        if read == 0 || !text.ends_with(b"\n") {
            return Err(if text.len() >= MAX_HEAD {
                Broken::Malformed("an endless head".into())
            } else {
                Broken::EarlyEnd
            });
        }
        if &text[before..] == b"\r\n" {
            break;
        }
    }
    parse_head(&text).map(Some)
}

fn parse_head(text: &[u8]) -> Result<Head, Broken> {
    let malformed = |what: &str| Broken::Malformed(what.escape_debug().to_string());
    // Values may hold bytes beyond ASCII that mean nothing (obs-text, RFC 9110, 5.5); nothing here judges by them.
    let text = String::from_utf8_lossy(text);
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let field = |line: &str| {
        let (name, value) = line.split_once(':').ok_or_else(|| malformed(line))?;
        Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Ok(Head { first, fields: lines.map(field).collect::<Result<_, Broken>>()? })
}

/// A response with its status.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

/// A connection to a server, made when needed and kept.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) to: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    within: Duration,
}

impl Client {
    pub(crate) const fn new(to: SocketAddr, within: Duration) -> Self {
        Self { to, connection: None, within }
    }

    /// Sends a request's bytes and reads the response.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Response, Broken> {
        // Whatever goes wrong, this connection carries no further request.
        let kept = self.connection.take();
        let exchange = async {
            let mut connection = match kept {
                Some(connection) => connection,
                None => {
                    let stream = TcpStream::connect(self.to).await;
                    let stream = stream.map_err(|error| Broken::Refused(error.to_string()))?;
                    stream.set_nodelay(true)?;
                    BufReader::new(stream)
                }
            };
            connection.get_mut().write_all(request).await?;
            let message = read(&mut connection).await?.ok_or(Broken::EarlyEnd)?;
            let status = message
                .head
                .first
                .strip_prefix("HTTP/1.1 ")
                .and_then(|rest| rest.get(..3)?.parse().ok());
            let status = status.ok_or_else(|| Broken::Malformed(message.head.first.clone()))?;
            let connection = if message.head.closes() { None } else { Some(connection) };
            let Message { head, body } = message;
            Ok::<_, Broken>((Response { status, head, body }, connection))
        };
        let (response, connection) =
            timeout(self.within, exchange).await.map_err(|_| Broken::Timeout)??;
        self.connection = connection;
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
