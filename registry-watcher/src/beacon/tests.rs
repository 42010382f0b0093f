//! Answers of the simulator, wrapped anew.

use std::sync::Arc;

use greenlight_beacon_simulator::{BeaconChain, ExecutionBlock, Fork, Preset as Sizes, Spec};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// The API of a node that answers everything in one way.
async fn api(answer: &Value) -> BeaconApi {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body: Arc<str> = answer.to_string().into();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    BeaconApi::new(&[url], Preset::Minimal, Duration::from_secs(5)).unwrap()
}

/// Three periods' updates.
fn updates() -> Vec<Value> {
    let mut chain = BeaconChain::new(Spec::local(Sizes::Minimal, Fork::Electra));
    for slot in 1..=180 {
        chain.push(slot, ExecutionBlock::synthetic(slot));
    }
    chain.updates(0, 3)
}

async fn ask(answer: &[Value], count: u64) -> Result<usize, &'static str> {
    let api = api(&json!(answer)).await;
    let turn = api.in_turn().remove(0);
    let updates = api.updates(&turn, 0, count).await;
    updates.map(|updates| updates.len()).map_err(|error| error.reason())
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_before_one_that_cannot_be_read_are_of_use() {
    let mut answer = updates();
    assert_eq!(answer.len(), 3);
    assert_eq!(ask(&answer, 3).await, Ok(3));
    assert_eq!(ask(&answer, 2).await, Ok(2), "no more than were asked for");
    answer[2]["version"] = json!("gloas");
    assert_eq!(ask(&answer, 3).await, Ok(2));
    answer[1]["data"]["signature_slot"] = json!("x");
    assert_eq!(ask(&answer, 3).await, Ok(1));
    assert_eq!(ask(&answer[1..], 2).await, Err("beacon-garbage"));
    assert_eq!(ask(&answer[2..], 1).await, Err("unknown-fork"));
    assert_eq!(ask(&[], 1).await, Ok(0));
    assert_eq!(ask(&[json!({ "data": {} })], 1).await, Err("beacon-garbage"));
}

#[test]
fn who_may_be_honest_is_not_called_a_liar() {
    let ahead = LightClientError::UpdatePeriod { store: 4, latest: 5, found: 6 };
    let behind = LightClientError::UpdatePeriod { store: 4, latest: 5, found: 3 };
    let future = LightClientError::SignatureSlotFuture { expected: 1, found: 2 };
    let root = LightClientError::CheckpointRoot { expected: B256::ZERO, found: B256::ZERO };
    let blames = [ahead, behind, future, root].map(|error| error.blame());
    assert_eq!(blames, [Blame::Beyond, Blame::Behind, Blame::Beyond, Blame::Lied]);
}
