//! A look over a real socket: an RPC that proves at once what is newest, and never what is adoptable.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::TrieAccount;
use async_trait::async_trait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use super::*;
use crate::{
    machine::Ages,
    registry::{AccountProof, HEAD_SLOT, StorageProof},
    rpc::RpcPool,
    source::{SourceError, VerifiedHead},
    trie::{path, trie},
};

const REGISTRY: Address = Address::repeat_byte(0x11);
/// Sequence 7, and the kill bit.
const KILLED: u64 = 7 << 8 | 1;

/// A trie of one entry: its root, and the path to that.
fn leaf(key: B256, value: Vec<u8>) -> (B256, Vec<Bytes>) {
    let (root, mut paths) = trie(&BTreeMap::from([(key, value)]), &[key]);
    (root, paths.remove(0))
}

/// A state of the registry alone, whose head word is this.
fn state(word: u64) -> (B256, AccountProof) {
    let value = U256::from(word);
    let (storage_hash, proof) = leaf(path(HEAD_SLOT), alloy_rlp::encode(value));
    let code_hash = keccak256("code");
    let account = TrieAccount::new(1, U256::ZERO, storage_hash, code_hash);
    let (root, account_proof) = leaf(keccak256(REGISTRY), alloy_rlp::encode(account));
    let storage_proof = vec![StorageProof { key: HEAD_SLOT, value, proof }];
    let (balance, nonce) = (U256::ZERO, U256::from(1));
    let address = REGISTRY;
    let proof = AccountProof {
        address,
        balance,
        code_hash,
        nonce,
        storage_hash,
        account_proof,
        storage_proof,
    };
    (root, proof)
}

/// Proves what `newest` says at once, and is silent about all else.
async fn rpc(newest: B256, proof: AccountProof) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "result": proof }).to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = body.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 4_096];
                let mut read = 0;
                while !String::from_utf8_lossy(&request[..read]).contains("blockHash") {
                    read = read.saturating_add(stream.read(&mut request[read..]).await.unwrap());
                }
                if String::from_utf8_lossy(&request[..read]).contains(&newest.to_string()) {
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                } else {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    url
}

/// Two heads that stay.
struct Still(Heads);

#[async_trait]
impl HeadSource for Still {
    fn kind(&self) -> &'static str {
        "still"
    }

    async fn heads(&mut self) -> Result<Heads, SourceError> {
        Ok(self.0.clone())
    }

    fn report(&self) -> SourceReport {
        SourceReport::default()
    }
}

#[tokio::test]
async fn a_kill_does_not_wait_for_the_adoptable_head() {
    let (root, proof) = state(KILLED);
    let head = |number: u8, state_root| {
        let hash = B256::repeat_byte(number);
        let block = BlockRef { number: number.into(), hash, timestamp: 0 };
        VerifiedHead::of(block, state_root)
    };
    let (newest, adoptable) = (head(9, root), head(8, B256::ZERO));
    let url = rpc(newest.block().hash, proof).await;
    let rpcs = RpcPool::new(&[url], Duration::from_secs(60)).unwrap();
    let reader = RegistryReader::new(Arc::new(rpcs), REGISTRY);
    let mut source = Still(Heads { newest, adoptable, ages: Ages::default() });
    let (reports, mut inbox) = mpsc::channel(4);
    let mut orders = Some(Head::default());

    let looking = look(&mut source, &reader, &mut orders, &reports);
    let first = tokio::select! {
        _ = looking => panic!("expected the look to wait for the adoptable head"),
        first = inbox.recv() => first.unwrap(),
    };
    let Report::Did(Event::SeenNewest(seen, _)) = first else { panic!("expected orders") };
    assert!(seen.head.kill && seen.head.sequence == 7);
}
