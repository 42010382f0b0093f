//! Most of these go through a real Pingora server, with a raw client on one side and an origin that echoes on the other.
#![allow(clippy::arithmetic_side_effects, reason = "a test")]

mod answer;
mod challenge;
mod crawlers;
mod forged;
mod hostile;
mod judging;
mod limit;
mod logged;
mod order;
mod policy;
mod told_client;

use std::time::Duration;

use greenlight_artifact::{Draft, Feature, Key, Row, Schema};

use super::{BotFilter, BotFilterBuilder};
use crate::{
    CompiledModel, Engine, EngineLimits, Policy, Route,
    test_server::{Edge, Setup},
};

const HUMAN: &str = "GET /page?q=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0\r\n";
const BOT: &str = "GET /page HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8.0\r\n";

/// Blocks curl and the network 203.0.113.0/24; all else is a human of score 94.
fn model() -> CompiledModel {
    let row = |key, kind, argument| {
        Row::of(Key::from_text(key, 0).unwrap(), &Feature::parse(kind, argument).unwrap(), 8_000)
    };
    let rows = vec![
        row("net.bad", "client-cidr-v4", "203.0.113.0/24"),
        row("ua.curl", "ua-contains", "curl/"),
    ];
    let draft = Draft { intercept: -3_000, engine: 1, created_at: 0, label: String::new(), rows };
    CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap()
}

/// A route that blocks bots.
fn blocking() -> Route {
    Route::new().tag_below(70).block_below(30)
}

/// A filter of one route that asks the model above.
fn filter(route: Route) -> BotFilterBuilder {
    // However long a busy machine takes.
    let limits = EngineLimits::default().with_max_scoring(Duration::from_secs(60));
    let engine = Engine::new(limits);
    engine.install(model());
    BotFilter::builder(engine, Policy::new(vec![route])).block_body("no bots\n")
}

fn edge(filter: BotFilterBuilder) -> Edge {
    Edge::start(Setup::of(filter.build()))
}
