//! Structured logs on stderr. Requests never wait for them: a writer thread drains a bounded queue, and lines that do
//! not fit are dropped and counted.

use std::fmt;
use std::io;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::prelude::*;

use crate::config::{Log, LogFormat};

/// Lines that wait for the writer.
const QUEUE: usize = 16_384;

/// Keeps the writer alive; dropped, it writes what is left.
pub(crate) struct Logging {
    _writer: WorkerGuard,
    pub(crate) dropped: ErrorCounter,
}

/// Installs the process's log.
pub(crate) fn start(log: Log) -> Logging {
    let builder = NonBlockingBuilder::default().buffered_lines_limit(QUEUE).lossy(true);
    let (writer, guard) = builder.finish(io::stderr());
    let dropped = writer.error_counter();
    let filter = targets(log.level).and(NotCausedByClients);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let registry = tracing_subscriber::registry();
    match log.format {
        LogFormat::Json => {
            registry.with(layer.json().flatten_event(true).with_filter(filter)).init()
        }
        LogFormat::Text => registry.with(layer.with_ansi(false).with_filter(filter)).init(),
    }
    Logging { _writer: guard, dropped }
}

/// Our crates at the level asked for; libraries say less.
fn targets(level: tracing::Level) -> Targets {
    let libraries = LevelFilter::from_level(level).min(LevelFilter::WARN);
    Targets::new()
        .with_default(libraries)
        .with_targets(
            ["greenlight", "greenlight_bot", "greenlight_watcher"].map(|ours| (ours, level)),
        )
        // The access log says the same and more.
        .with_target("greenlight_bot::verdict", LevelFilter::OFF)
}

/// What Pingora reports at ERROR though any client can cause it at will: handshakes and requests that are broken off,
/// the former with the client's address. They say nothing about this proxy, and no client address is logged above
/// DEBUG. What such an end means for a request is in the access log.
const CAUSED_BY_CLIENTS: [&str; 3] =
    ["Downstream handshake ", "H2 handshake error ", "Fail to proxy: Downstream "];

struct NotCausedByClients;

impl<S> Filter<S> for NotCausedByClients {
    fn enabled(&self, _metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _context: &Context<'_, S>) -> bool {
        if *event.metadata().level() != tracing::Level::ERROR {
            return true;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        !CAUSED_BY_CLIENTS.iter().any(|caused| message.0.starts_with(caused))
    }

    /// No bound of its own. Without a hint the other filter's would be lost, and every `trace!` of a library be formatted
    /// for nobody, several with each request.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }
}

/// The text of an event.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Text of a client's, with what could forge or garble a log line escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 512;
        for char in self.0.chars().take(LONGEST) {
            write!(f, "{}", char.escape_debug())?;
        }
        if self.0.chars().nth(LONGEST).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
