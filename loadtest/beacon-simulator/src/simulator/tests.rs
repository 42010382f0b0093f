use std::sync::Mutex;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use super::*;
use crate::{ExecutionBlock, Fork, Preset};

/// The JSON-RPC of an execution chain: its blocks by number.
#[derive(Clone)]
struct Execution {
    blocks: Arc<Mutex<Vec<ExecutionBlock>>>,
    url: String,
}

impl Execution {
    async fn start(blocks: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let blocks = Arc::new(Mutex::new((0..blocks).map(ExecutionBlock::synthetic).collect()));
        let execution = Self { blocks, url };
        let serving = execution.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        execution
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut buffer = vec![0; 4_096];
        // Each request is small and comes in one piece, or nearly.
        let mut request = Vec::new();
        loop {
            let Ok(read @ 1..) = stream.read(&mut buffer).await else { return };
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
            let Ok(body) = serde_json::from_str::<Value>(body) else { continue };
            request.clear();
            let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": self.answer(&body) });
            let answer = answer.to_string();
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Value) -> Value {
        match request["method"].as_str().unwrap() {
            "eth_chainId" => json!("0x7a69"),
            "evm_mine" => {
                self.mine(0);
                json!("0x0")
            }
            _ => {
                let blocks = self.blocks.lock().unwrap();
                let number = request["params"][0].as_str().unwrap();
                let block = match number.strip_prefix("0x") {
                    Some(digits) => blocks.get(usize::from_str_radix(digits, 16).unwrap()),
                    None => blocks.last(),
                };
                block.map_or(Value::Null, in_json)
            }
        }
    }

    /// A block of a branch: its hash is other than that of the same number elsewhere.
    fn mine(&self, branch: u8) {
        let mut blocks = self.blocks.lock().unwrap();
        let mut block = ExecutionBlock::synthetic(blocks.len() as u64);
        block.hash[0] ^= branch;
        blocks.push(block);
    }

    fn revert(&self, blocks: usize) {
        let mut all = self.blocks.lock().unwrap();
        let left = all.len() - blocks;
        all.truncate(left);
    }
}

fn in_json(block: &ExecutionBlock) -> Value {
    json!({
        "number": format!("{:#x}", block.number),
        "hash": hex(&block.hash),
        "parentHash": hex(&block.parent_hash),
        "stateRoot": hex(&block.state_root),
        "receiptsRoot": hex(&block.receipts_root),
        "logsBloom": hex(&block.logs_bloom),
        "mixHash": hex(&block.prev_randao),
        "miner": hex(&block.fee_recipient),
        "gasLimit": format!("{:#x}", block.gas_limit),
        "gasUsed": format!("{:#x}", block.gas_used),
        "timestamp": format!("{:#x}", block.timestamp),
        "extraData": hex(&block.extra_data),
        "baseFeePerGas": format!("{:#x}", block.base_fee_per_gas),
        "blobGasUsed": format!("{:#x}", block.blob_gas_used),
        "excessBlobGas": format!("{:#x}", block.excess_blob_gas),
    })
}

/// Slots of 50 ms; `slot` has just begun.
fn spec(slot: u64) -> Spec {
    let mut spec = Spec::local(Preset::Minimal, Fork::Fulu);
    spec.slot_duration = Duration::from_millis(50);
    spec.finality_lag = 4;
    spec.with_slot_at(slot, unix_ms())
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_block_read_by_rpc_is_the_block_that_was_written() {
    let block = ExecutionBlock::synthetic(77);
    assert_eq!(ExecutionBlock::from_rpc(&in_json(&block)).unwrap(), block);
    let mut broken = in_json(&block);
    broken["stateRoot"] = json!("0x00");
    let error = ExecutionBlock::from_rpc(&broken).unwrap_err();
    assert_eq!(format!("{error:#}"), "stateRoot: 1 bytes where 32 are expected");
}

#[tokio::test]
async fn there_is_a_past_at_once() {
    for (slot, blocks) in [(1_000, 1), (1_000, 3), (64 * 20 + 2, 500), (64 * 20 - 1, 500)] {
        let execution = Execution::start(blocks).await;
        let simulator = Simulator::start(spec(slot), &execution.url).await.unwrap();
        let chain = simulator.chain();
        assert_eq!(chain.head().unwrap().execution.number, blocks - 1);
        assert!(chain.attested_slot() + 1 == chain.head_slot());
        let finalized = chain.finalized_root();
        assert_eq!(simulator.checkpoint(), hex(&finalized));
        assert!(chain.bootstrap(finalized).is_some());
        let update = &chain.updates(chain.spec().period_of(chain.finalized_slot()), 1)[0];
        let at = update["data"]["finalized_header"]["beacon"]["slot"].as_str().unwrap();
        let at: u64 = at.parse().unwrap();
        let period = |slot| chain.spec().period_of(slot);
        assert_eq!(period(at), period(chain.finalized_slot()), "slot {slot}");
    }
}

#[tokio::test]
async fn a_slot_without_new_block_is_missed() {
    let execution = Execution::start(10).await;
    let simulator = Simulator::start(spec(1_000), &execution.url).await.unwrap();
    let (head, attested) = (simulator.head_slot(), simulator.attested_slot());
    until("five slots", || simulator.current_slot() > head + 5).await;
    assert_eq!((simulator.head_slot(), simulator.attested_slot()), (head, attested));

    execution.mine(0);
    until("a block", || simulator.head_slot() > head).await;
    // Its parent is signed, over the missed slots; it is not yet itself.
    assert_eq!(simulator.attested_slot(), head);
    assert_eq!(simulator.chain().attested_execution().unwrap().number, 9);
    execution.mine(0);
    until("its signature", || simulator.attested_slot() > head).await;
    assert_eq!(simulator.chain().attested_execution().unwrap().number, 10);
}

#[tokio::test]
async fn idle_slots_can_be_mined_and_all_be_held() {
    let execution = Execution::start(1).await;
    let simulator = Simulator::start(spec(1_000), &execution.url).await.unwrap();
    simulator.when_idle(Idle::Mine);
    let first = simulator.finalized_slot();
    until("finality to move", || simulator.finalized_slot() > first + 5).await;

    simulator.hold();
    sleep(Duration::from_millis(100)).await;
    let head = simulator.head_slot();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(simulator.head_slot(), head);
    simulator.resume();
    until("blocks again", || simulator.head_slot() > head).await;
}

#[tokio::test]
async fn a_block_that_vanished_is_never_final() {
    let execution = Execution::start(40).await;
    let simulator = Simulator::start(spec(1_000), &execution.url).await.unwrap();
    for _ in 0..3 {
        let head = simulator.head_slot();
        execution.mine(1);
        until("a block", || simulator.head_slot() > head).await;
    }
    let dropped = simulator.chain().head().unwrap().execution.clone();
    assert_eq!(dropped.number, 42);

    // The last two go, one comes instead: the chain goes on from the one that is left.
    execution.revert(2);
    execution.mine(2);
    let replaced =
        |number: u64| simulator.chain().head().is_some_and(|head| head.execution.number == number);
    until("the other branch", || replaced(41)).await;
    let chain = simulator.chain();
    let payloads: Vec<_> = chain.newest_first().map(|block| block.execution.hash).collect();
    assert!(!payloads.contains(&dropped.hash));
    assert_eq!(payloads[1], execution.blocks.lock().unwrap()[40].hash);

    simulator.when_idle(Idle::Mine);
    let mut seen = Vec::new();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        seen.extend(simulator.chain().finalized_execution().cloned());
        sleep(Duration::from_millis(20)).await;
    }
    let canonical = execution.blocks.lock().unwrap().clone();
    assert!(seen.last().unwrap().number > 42);
    for block in seen {
        assert_eq!(block, canonical[block.number as usize]);
    }
}

#[tokio::test]
async fn a_revert_to_an_older_block_makes_it_the_head() {
    let execution = Execution::start(40).await;
    let simulator = Simulator::start(spec(1_000), &execution.url).await.unwrap();
    let head = simulator.head_slot();
    execution.revert(1);
    until("the older head", || simulator.head_slot() == head - 1).await;
    let below = simulator.chain().finalized_slot();
    // Beneath what is final.
    execution.revert(35);
    execution.mine(3);
    until("a block on the finalized one", || simulator.head_slot() > head).await;
    let chain = simulator.chain();
    assert_eq!(chain.newest_first().count(), 2);
    assert_eq!(chain.finalized_slot(), below);
}

#[tokio::test]
async fn a_start_that_cannot_be_is_refused() {
    let execution = Execution::start(1).await;
    let why = async |spec: Spec, url: &str| {
        format!("{:#}", Simulator::start(spec, url).await.unwrap_err())
    };
    let mut young = spec(1_000);
    young.genesis_time = unix_ms() / 1_000 + 5;
    assert!(why(young, &execution.url).await.contains("genesis is too late"));
    let mut wide = spec(1_000);
    wide.finality_lag = 61;
    assert!(why(wide, &execution.url).await.contains("less than 61 expected"));
    assert!(why(spec(1_000), "http://127.0.0.1:1").await.contains("eth_chainId"));
}
