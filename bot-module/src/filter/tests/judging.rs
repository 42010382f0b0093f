//! One request at a time, without a server or a socket, and the lines that it leaves in the log.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use greenlight_artifact::{Draft, Feature, Key, Row, Schema};
use http::header;
use pingora_core::modules::http::HttpModules;
use pingora_proxy::Session;
use tokio::io::AsyncWriteExt as _;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

use crate::{BotFilter, ClientInfo, CompiledModel, Verdict};

/// What became of a request.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// The status that it was answered with here; 0 where it passes.
    pub(super) status: u16,
    /// Whether the filter never waited.
    pub(super) at_once: bool,
    session: Session,
}

impl Judged {
    /// What the origin is told under this name.
    pub(super) fn told(&self, name: &str) -> Option<&str> {
        self.session.req_header().headers.get(name)?.to_str().ok()
    }

    /// The cookie that the answer sets.
    pub(super) fn cookie(&self) -> Option<&str> {
        self.session.response_written()?.headers.get(header::SET_COOKIE)?.to_str().ok()
    }
}

pub(super) async fn judge(
    bots: &BotFilter,
    user_agent: &str,
    client: impl Into<ClientInfo>,
) -> Judged {
    // Dropped only at the end: the answer must go somewhere.
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let head = format!("GET / HTTP/1.1\r\nhost: example.com\r\nuser-agent: {user_agent}\r\n\r\n");
    near.write_all(head.as_bytes()).await.unwrap();
    let mut modules = HttpModules::new();
    modules.add_module(bots.module());
    let mut session = Session::new_h1_with_modules(Box::new(far), &modules);
    assert!(session.as_downstream_mut().read_request().await.unwrap());
    let (answered, at_once) = {
        let mut filtering = pin!(bots.request_filter(&mut session, client));
        match filtering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answered) => (answered, true),
            Poll::Pending => (filtering.await, false),
        }
    };
    let verdict = *BotFilter::verdict(&session).unwrap();
    let status = session.response_written().map_or(0, |response| response.status.as_u16());
    assert_eq!((answered.unwrap(), verdict.answered), (status != 0, status != 0));
    Judged { verdict, status, at_once, session }
}

/// A model of rows that each make a request a bot's; without any it is a human's of score 94.
pub(super) fn model(rows: &[(&str, &str)]) -> CompiledModel {
    let row = |(kind, argument): &(&str, &str)| {
        let key = Key::from_text(kind, 0).unwrap();
        Row::of(key, &Feature::parse(kind, argument).unwrap(), 8_000)
    };
    let rows = rows.iter().map(row).collect();
    let draft = Draft { intercept: -3_000, engine: 1, created_at: 0, label: String::new(), rows };
    CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap()
}

type Line = BTreeMap<&'static str, String>;

/// The lines about verdicts that the present thread writes.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Line>>>);

impl Log {
    pub(super) fn open() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(log.clone());
        (log, guard)
    }

    /// Takes the lines so far: of each the fields asked for, "-" for one that it has not.
    pub(super) fn take<const N: usize>(&self, fields: [&str; N]) -> Vec<[String; N]> {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        let field = |line: &Line, name: &str| line.get(name).map_or("-", String::as_str).to_owned();
        lines.iter().map(|line| fields.map(|name| field(line, name))).collect()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "greenlight_bot::verdict"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Fields(Line);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.0.insert(field.name(), format!("{value:?}"));
            }

            fn record_str(&mut self, field: &Field, value: &str) {
                self.0.insert(field.name(), value.to_owned());
            }
        }
        let mut fields = Fields(Line::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
