//! Endpoints that are behind, over real sockets.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// An endpoint of an honest chain, as long as the number says.
async fn endpoint() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let length = Arc::new(AtomicU64::new(0));
    let newest = Arc::clone(&length);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4_096];
            let read = stream.read(&mut request).await.unwrap();
            let answer = if String::from_utf8_lossy(&request[..read]).contains("eth_chainId") {
                "\"0x1\"".to_owned()
            } else {
                let header = Header { number: newest.load(Ordering::SeqCst), ..Header::default() };
                let mut block = serde_json::to_value(&header).unwrap();
                block["hash"] = serde_json::to_value(header.hash_slow()).unwrap();
                block.to_string()
            };
            let body = format!("{{\"result\":{answer}}}");
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    (url, length)
}

struct Two {
    first: Arc<AtomicU64>,
    second: Arc<AtomicU64>,
    source: RpcSource,
}

impl Two {
    async fn at(first: u64, second: u64) -> Self {
        let (urls, lengths): (Vec<_>, Vec<_>) =
            [endpoint().await, endpoint().await].into_iter().unzip();
        let rpcs = Arc::new(RpcPool::new(&urls, Duration::from_secs(5)).unwrap());
        let [one, two] = lengths.try_into().unwrap();
        one.store(first, Ordering::SeqCst);
        two.store(second, Ordering::SeqCst);
        Self { first: one, second: two, source: RpcSource::new(rpcs, 1, 0) }
    }

    async fn newest(&mut self) -> u64 {
        let heads = self.source.heads().await.unwrap();
        self.source.held(&heads);
        heads.newest.block().number
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_falls_behind_gives_way_to_the_next() {
    let mut two = Two::at(9, 8).await;
    assert_eq!(two.newest().await, 9);
    two.first.store(5, Ordering::SeqCst);
    two.second.store(10, Ordering::SeqCst);
    assert_eq!(two.newest().await, 10);
    // With both behind, what is said is passed on, to be refused by its number and recorded.
    two.second.store(6, Ordering::SeqCst);
    assert!(two.newest().await < 10);
    assert_eq!(two.source.highest, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_stands_still_gives_way_to_one_that_is_ahead() {
    let mut two = Two::at(7, 9).await;
    assert_eq!([two.newest().await, two.newest().await], [7, 7], "the first in order");
    two.source.patience = Duration::ZERO;
    assert_eq!([two.newest().await, two.newest().await], [9, 9]);
    two.first.store(12, Ordering::SeqCst);
    let begun = Instant::now();
    while two.newest().await != 12 {
        assert!(begun.elapsed() < Duration::from_secs(10), "one that goes on is asked again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_an_endpoint_below_the_floor_is_not_preferred() {
    let mut two = Two::at(7, 9).await;
    two.source = two.source.not_below(8);
    assert_eq!(two.newest().await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_counts_only_once_storage_was_proven_at_it() {
    let mut two = Two::at(u64::MAX, 9).await;
    assert_eq!(two.source.heads().await.unwrap().newest.block().number, u64::MAX);
    assert_eq!(two.source.highest, 0, "any number can be written into a header");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_asked_for_by_block_hash_and_an_rpc_without_the_block_is_no_liar() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let block = BlockRef { number: 7, hash: B256::repeat_byte(0xab), timestamp: 0 };
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4_096];
        let read = stream.read(&mut request).await.unwrap();
        let body = r#"{"error":{"code":-32001,"message":"Resource not found"}}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let rpcs = Arc::new(RpcPool::new(&[url], Duration::from_secs(5)).unwrap());
    let reader = crate::registry::RegistryReader::new(rpcs, alloy_primitives::Address::ZERO);
    let head = VerifiedHead { block, state_root: B256::ZERO };
    assert_eq!(reader.head(&head).await.unwrap_err().reason(), "rpc-error");
    let asked = asked.await.unwrap();
    assert!(asked.contains(&format!(r#"{{"blockHash":"{}"}}"#, block.hash)), "{asked}");
}
