//! As much of HTTP/1.1 (RFC 9112) as clients of the Beacon API use: GET without a body, kept connections.

use std::{
    sync::{PoisonError, atomic::Ordering},
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::sleep,
};

use super::{
    Manner, Served,
    answer::{Answer, answer},
};

/// Of a request's line and fields; nobody who asks for light-client data needs more.
const MAX_HEAD: u64 = 16 << 10;

pub(super) async fn serve(stream: TcpStream, served: &Served) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        if served.manner() == Manner::Down {
            return Ok(());
        }
        let Some(request) = read(&mut stream).await? else { return Ok(()) };
        served.requests.fetch_add(1, Ordering::Relaxed);
        // The manner may have changed while the connection was idle.
        let manner = served.manner();
        let to = stream.get_mut();
        match manner {
            Manner::Down => return Ok(()),
            Manner::Endless => return endless(to).await,
            Manner::Drip => return drip(to).await,
            Manner::Slow(delay) => sleep(delay).await,
            _ => {}
        }
        let answer = match (manner, &request) {
            (Manner::Garbage, _) => Answer::text("<html><body>502 Bad Gateway</body></html>"),
            (Manner::Status(status), _) => Answer::error(status, "as told"),
            (_, Request { target: Some(target), .. }) => answer(served, target),
            (_, Request { target: None, .. }) => Answer::error(405, "GET only"),
        };
        write(to, &answer).await?;
        if request.closes {
            return Ok(());
        }
    }
}

impl Served {
    fn manner(&self) -> Manner {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner).manner
    }
}

struct Request {
    /// Of a GET.
    target: Option<String>,
    closes: bool,
}

/// `None` where the client ended the connection between two requests.
async fn read(from: &mut BufReader<TcpStream>) -> Result<Option<Request>> {
    let mut head = Vec::new();
    let mut from = from.take(MAX_HEAD);
    loop {
        let before = head.len();
        from.read_until(b'\n', &mut head).await?;
        if head.is_empty() {
            return Ok(None);
        }
        match &head[before..] {
            b"\r\n" => break,
            [.., b'\n'] => {}
            _ => bail!("no whole head within {MAX_HEAD} bytes"),
        }
    }
    let head = String::from_utf8(head)?;
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target, version) = (first.next(), first.next(), first.next());
    if version != Some("HTTP/1.1") {
        bail!("not HTTP/1.1");
    }
    let mut closes = false;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "connection" => closes |= value.eq_ignore_ascii_case("close"),
            "content-length" if value == "0" => {}
            "content-length" | "transfer-encoding" => bail!("a request with a body"),
            _ => {}
        }
    }
    let target = target.filter(|_| method == Some("GET")).map(ToOwned::to_owned);
    Ok(Some(Request { target, closes }))
}

async fn write(to: &mut TcpStream, answer: &Answer) -> Result<()> {
    let version = answer.version.as_ref();
    let version =
        version.map(|version| format!("Eth-Consensus-Version: {version}\r\n")).unwrap_or_default();
    let message = format!(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{version}Content-Length: {}\r\n\r\n{}",
        answer.status,
        if answer.status == 200 { "OK" } else { "Error" },
        answer.content_type,
        answer.body.len(),
        answer.body,
    );
    to.write_all(message.as_bytes()).await?;
    Ok(())
}

/// The start of an answer, and a name in it that goes on until the client hangs up.
async fn endless(to: &mut TcpStream) -> Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    to.write_all(head.as_bytes()).await?;
    let mut chunk = "{\"version\":\"fulu\",\"data\":{\"".to_owned();
    loop {
        to.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await?;
        chunk = "a".repeat(1 << 16);
    }
}

async fn drip(to: &mut TcpStream) -> Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 65536\r\n\r\n";
    to.write_all(head.as_bytes()).await?;
    loop {
        to.write_all(b" ").await?;
        sleep(Duration::from_secs(1)).await;
    }
}
