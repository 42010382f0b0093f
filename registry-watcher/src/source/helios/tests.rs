//! Helios, as far as the source asks it, over a real socket.

#![allow(clippy::arithmetic_side_effects, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy_consensus::Header;
use alloy_primitives::B256;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// Unix seconds of block 0.
const GENESIS: u64 = 1_800_000_000;

/// A stand-in: what it answers, by method and block.
#[derive(Clone, Default)]
struct Fake {
    answers: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Fake {
    async fn start() -> (Self, String) {
        let fake = Self::default();
        fake.says("eth_chainId", json!({ "result": "0x1" }));
        fake.shows("latest", &cut(header(100)));
        fake.shows("finalized", &cut(header(90)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = fake.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 4_096];
                let read = stream.read(&mut request).await.unwrap();
                let text = String::from_utf8_lossy(&request[..read]);
                let body: Value =
                    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
                let key = if body["method"] == "eth_getBlockByNumber" {
                    body["params"][0].as_str()
                } else {
                    body["method"].as_str()
                };
                let answer = serving.answer(key.unwrap());
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    answer.len()
                );
                let _ = stream.write_all((head + &answer).as_bytes()).await;
            }
        });
        (fake, url)
    }

    fn answer(&self, key: &str) -> String {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(key).unwrap_or(&json!({ "result": null })).to_string()
    }

    fn says(&self, key: &str, answer: Value) {
        self.answers.lock().unwrap().insert(key.into(), answer);
    }

    fn shows(&self, key: &str, block: &Value) {
        self.says(key, json!({ "result": block }));
    }

    fn fails(&self, key: &str, message: &str) {
        self.says(key, json!({ "error": { "code": -32_000, "message": message } }));
    }
}

/// The host's clocks, at a moment of the chain.
#[derive(Clone, Debug)]
struct At(Arc<AtomicU64>);

impl Time for At {
    fn unix_ms(&self) -> u64 {
        self.steady_ms()
    }

    fn steady_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn header(number: u64) -> Header {
    Header {
        number,
        timestamp: GENESIS + number * 12,
        state_root: B256::repeat_byte(u8::try_from(number).unwrap()),
        base_fee_per_gas: Some(7),
        withdrawals_root: Some(B256::ZERO),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::repeat_byte(8)),
        requests_hash: Some(B256::repeat_byte(9)),
        ..Header::default()
    }
}

/// As an execution node gives it, and Helios after it.
fn whole(header: &Header) -> Value {
    let mut block = serde_json::to_value(header).unwrap();
    block["hash"] = serde_json::to_value(header.hash_slow()).unwrap();
    block
}

/// As Helios gives a block of the beacon chain.
fn cut(header: Header) -> Value {
    let mut block = whole(&header);
    for key in ["parentBeaconBlockRoot", "requestsHash"] {
        block.as_object_mut().unwrap().remove(key).unwrap();
    }
    for (key, value) in [("totalDifficulty", json!("0x0")), ("transactions", json!([]))] {
        block[key] = value;
    }
    block
}

fn source(url: &str, adoption: Adoption) -> (HeliosSource, Arc<AtomicU64>) {
    let pool = RpcPool::new(&[url.to_owned()], Duration::from_secs(5)).unwrap();
    let clock = Arc::new(AtomicU64::new((GENESIS + 100 * 12 + 20) * 1_000));
    let source = HeliosSource::new(Arc::new(pool), 1, adoption);
    (source.with_time(Box::new(At(Arc::clone(&clock)))), clock)
}

async fn started(adoption: Adoption) -> (Fake, HeliosSource, Arc<AtomicU64>) {
    let (fake, url) = Fake::start().await;
    let (source, clock) = source(&url, adoption);
    (fake, source, clock)
}

async fn reason(source: &mut HeliosSource) -> &'static str {
    source.heads().await.unwrap_err().reason()
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_of_the_beacon_chain_are_taken_though_they_cannot_be_hashed() {
    let (_fake, mut source, _) = started(Adoption::Finalized).await;
    let heads = source.heads().await.unwrap();
    assert_eq!(heads.newest.block().hash, header(100).hash_slow());
    assert_eq!(heads.newest.state_root(), B256::repeat_byte(100));
    assert_eq!((heads.newest.block().number, heads.adoptable.block().number), (100, 90));
    let shown = source.report();
    assert_eq!(shown.newest.unwrap().block, heads.newest.block());
    assert_eq!(shown.finalized.unwrap().state_root, B256::repeat_byte(90));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_header_that_hashes_to_something_else_is_refused() {
    let (fake, mut source, _) = started(Adoption::Finalized).await;
    let mut block = whole(&header(100));
    fake.shows("latest", &block);
    assert_eq!(source.heads().await.unwrap().newest.block().number, 100);
    block["stateRoot"] = json!(B256::repeat_byte(1));
    fake.shows("latest", &block);
    assert_eq!(reason(&mut source).await, "header-hash");
    // Nor does a header from before there were blobs pass for one that was cut.
    block.as_object_mut().unwrap().retain(|key, _| !key.to_lowercase().contains("blob"));
    fake.shows("latest", &block);
    assert_eq!(reason(&mut source).await, "header-hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalized_head_that_is_frozen_grows_old() {
    let (fake, mut source, clock) = started(Adoption::Finalized).await;
    let ages = source.heads().await.unwrap().ages;
    assert_eq!((ages.newest, ages.finalized), (Some(20_000), Some(140_000)));
    clock.fetch_add(24_000, Ordering::SeqCst);
    fake.shows("latest", &cut(header(102)));
    let ages = source.heads().await.unwrap().ages;
    assert_eq!((ages.newest, ages.finalized), (Some(20_000), Some(164_000)));
    // What is shown goes on growing while Helios gives nothing.
    fake.fails("latest", "out of sync: 74 seconds behind");
    clock.fetch_add(60_000, Ordering::SeqCst);
    assert_eq!(reason(&mut source).await, "helios-out-of-sync");
    assert_eq!(source.report().newest.unwrap().age_ms, 80_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_misbehaviour_of_helios_has_its_reason() {
    let (fake, mut source, _) = started(Adoption::Finalized).await;
    fake.fails("finalized", "not in sync yet");
    assert_eq!(reason(&mut source).await, "helios-out-of-sync");
    fake.fails("finalized", "no such block");
    assert_eq!(reason(&mut source).await, "rpc-error");
    fake.says("finalized", json!({ "result": null }));
    assert_eq!(reason(&mut source).await, "rpc-garbage");
    fake.says("eth_chainId", json!({ "result": "0x4268" }));
    assert_eq!(reason(&mut source).await, "chain-id");
    let (mut gone, _) = self::source("http://127.0.0.1:1", Adoption::Finalized);
    assert_eq!(reason(&mut gone).await, "rpc-unreachable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_by_depth_is_the_one_asked_for_or_else_the_finalized_one() {
    let (fake, mut source, _) = started(Adoption::Depth(3)).await;
    let adoptable = async |source: &mut HeliosSource| {
        let heads = source.heads().await.unwrap();
        assert_eq!(heads.newest.block().number, 100, "the newest is not hidden");
        heads.adoptable.block().number
    };
    fake.shows("0x61", &whole(&header(97)));
    assert_eq!(adoptable(&mut source).await, 97);
    for other in [whole(&header(98)), json!(null)] {
        fake.shows("0x61", &other);
        assert_eq!(adoptable(&mut source).await, 90);
    }
    source.adoption = Adoption::Depth(0);
    assert_eq!(adoptable(&mut source).await, 100);
    source.adoption = Adoption::Depth(64);
    assert_eq!(adoptable(&mut source).await, 90, "what is final is deep enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adoptable_head_is_never_newer_than_the_newest() {
    let (fake, mut source, _) = started(Adoption::Finalized).await;
    fake.shows("latest", &cut(header(80)));
    let heads = source.heads().await.unwrap();
    assert_eq!((heads.newest.block().number, heads.adoptable.block().number), (90, 90));
}

#[tokio::test]
async fn a_head_of_a_time_that_has_not_come_is_none() {
    let (fake, mut source, clock) = started(Adoption::Finalized).await;
    let now = clock.load(Ordering::SeqCst) / 1_000;
    let until = |timestamp| cut(Header { timestamp, ..header(100) });
    fake.shows("finalized", &cut(header(90)));
    fake.shows("latest", &until(now + 1));
    assert_eq!(reason(&mut source).await, "head-from-future");
    fake.shows("latest", &until(now));
    source.heads().await.unwrap();
}
