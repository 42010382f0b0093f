//! The requests of a measurement, the origin that answers them, and the CPU time that a process used for them.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Pid;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::load::Requests;

/// Bytes of a response's body: a small page, so that little hides what a proxy does for each request.
const BODY: usize = 1024;
/// Paths that the requests go to.
const PATHS: usize = 64;
/// A slice takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that answers everything the same. It ends with the runtime.
pub(super) async fn origin() -> Result<SocketAddr> {
    let listener =
        TcpListener::bind("127.0.0.1:0").await.context("cannot listen for the origin")?;
    let address = listener.local_addr()?;
    let answer: Arc<[u8]> = format!(
        "HTTP/1.1 200 OK\r\nDate: Fri, 27 Nov 2026 08:00:00 GMT\r\nServer: origin\r\n\
         Content-Type: text/html; charset=utf-8\r\nCache-Control: max-age=60\r\nContent-Length: {BODY}\r\n\r\n{}",
        "x".repeat(BODY)
    )
    .into_bytes()
    .into();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&answer)));
        }
    });
    Ok(address)
}

async fn serve(mut stream: TcpStream, answer: Arc<[u8]>) {
    let _ = stream.set_nodelay(true);
    let mut head = Vec::with_capacity(4096);
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
                return;
            }
        }
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// A real browser's requests, over connections that are made anew for each slice, each from an address of its own.
pub(super) struct Work {
    requests: Arc<[Vec<u8>]>,
    connections: u8,
    slice: u8,
}

impl Work {
    pub(super) fn new(requests: &Requests, connections: u8) -> Self {
        let requests =
            (0..PATHS).map(|page| requests.direct(&format!("/news/2026/11/page-{page}")));
        Self { requests: requests.collect(), connections, slice: 0 }
    }

    /// Sends `count` requests and reads the answers, each of which must be the origin's.
    pub(super) async fn send(&mut self, to: SocketAddr, count: u32) -> Result<()> {
        // Another address each time, so that no client is remembered as one that asks without end.
        self.slice = self.slice % 250 + 1;
        let mut running = JoinSet::new();
        let connections = u32::from(self.connections);
        for number in 0..self.connections {
            let share = count / connections + u32::from(u32::from(number) < count % connections);
            let from = SocketAddr::from(([127, 7, self.slice, number + 1], 0));
            running.spawn(client(from, to, Arc::clone(&self.requests), share));
        }
        let all = async {
            while let Some(ended) = running.join_next().await {
                ended??;
            }
            anyhow::Ok(())
        };
        timeout(PATIENCE, all).await.with_context(|| format!("not answered in {PATIENCE:?}"))?
    }
}

async fn client(
    from: SocketAddr,
    to: SocketAddr,
    requests: Arc<[Vec<u8>]>,
    count: u32,
) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(from)?;
    let mut stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    let mut answer = Vec::with_capacity(8192);
    for request in requests.iter().cycle().take(usize::try_from(count)?) {
        stream.write_all(request).await?;
        answer.clear();
        while !is_whole(&answer) {
            ensure!(stream.read_buf(&mut answer).await? > 0, "an answer that ends early");
        }
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            bail!(
                "expected 200; found {}",
                String::from_utf8_lossy(&answer[..answer.len().min(400)])
            );
        }
    }
    Ok(())
}

/// Whether an answer has its whole body. One that is not the origin's counts as whole with its head.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    answer.len() >= head + 4 + BODY || !answer.starts_with(b"HTTP/1.1 200 ")
}

/// User and system time of a process's threads so far. It is what `/proc/PID/stat` says, where that counts in hundredths of
/// a second and `schedstat` (Documentation/scheduler/sched-stats.rst) in nanoseconds. No thread of a proxy ends meanwhile.
pub(super) fn cpu(pid: Pid) -> Result<Duration> {
    let folder = format!("/proc/{}/task", pid.as_raw_nonzero());
    let mut nanos = 0;
    for thread in fs::read_dir(&folder).context(folder)? {
        let path = thread?.path().join("schedstat");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let first = text.split(' ').next().unwrap_or_default();
        nanos += first.parse::<u64>().with_context(|| format!("{}: {text}", path.display()))?;
    }
    Ok(Duration::from_nanos(nanos))
}
