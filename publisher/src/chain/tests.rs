use serde_json::json;

use super::*;

#[test]
fn revert_data_is_found_where_clients_put_it() {
    let expected = Some(Bytes::from_static(&[0x12, 0x34]));
    assert_eq!(revert_data(&json!("0x1234")), expected);
    assert_eq!(revert_data(&json!("Reverted 0x1234")), expected);
    assert_eq!(revert_data(&json!({ "originalError": { "code": 3, "data": "0x1234" } })), expected);
    assert_eq!(revert_data(&json!({ "code": 3 })), None);
    assert_eq!(revert_data(&json!("nonce too low")), None);
}

#[test]
fn an_url_that_is_none_is_refused() {
    for url in ["", "127.0.0.1:8545", "ftp://127.0.0.1/", "http://", "ws://127.0.0.1:8545"] {
        assert!(
            matches!(Chain::new(url, Duration::from_secs(1)), Err(SetupError::RpcUrl { .. })),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_the_api_key_is_not_shown() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let chain =
        Chain::new(&format!("http://127.0.0.1:{port}/v2/SECRET"), Duration::from_secs(5)).unwrap();
    let error = chain.chain_id().await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        !text.contains("SECRET") && text.contains(&format!("http://127.0.0.1:{port}: eth_chainId")),
        "{text}"
    );
}

#[test]
fn foreign_text_is_cut_and_escaped() {
    let text = excerpt(&format!("\u{1b}[31m{}", "x".repeat(500)));
    assert!(
        text.starts_with("\\u{1b}[31m") && text.ends_with('…') && text.chars().count() < 220,
        "{text}"
    );
}

/// Answers each JSON-RPC request with what `answer` makes of its method and parameters.
fn rpc(answer: impl Fn(&str, &Value) -> Result<Value, Value> + Send + 'static) -> Chain {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let request: Value = serde_json::from_slice(&body).unwrap();
            let mut response = json!({ "jsonrpc": "2.0", "id": request["id"] });
            match answer(request["method"].as_str().unwrap(), &request["params"]) {
                Ok(result) => response["result"] = result,
                Err(error) => response["error"] = error,
            }
            let body = response.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.get_mut().write_all((head + &body).as_bytes()).unwrap();
        }
    });
    Chain::new(&url, Duration::from_secs(5)).unwrap()
}

#[tokio::test]
async fn a_range_that_a_provider_refuses_is_halved_and_nothing_is_lost_or_reordered() {
    let chain = rpc(|_, params| {
        let bound = |name: &str| {
            u64::from_str_radix(params[0][name].as_str().unwrap().trim_start_matches("0x"), 16)
                .unwrap()
        };
        let (from, to) = (bound("fromBlock"), bound("toBlock"));
        if to - from >= 7 {
            return Err(json!({ "code": -32005, "message": "query exceeds 7 blocks" }));
        }
        let log = |block: u64| {
            json!({
                "address": Address::ZERO, "topics": [], "data": "0x", "blockNumber": format!("{block:#x}"),
                "blockHash": B256::ZERO, "transactionHash": B256::ZERO, "transactionIndex": "0x0", "logIndex": "0x0",
                "removed": false,
            })
        };
        Ok((from..=to).map(log).collect())
    });
    let logs = chain.logs(&Filter::new(), 3, 100).await.unwrap();
    let blocks: Vec<_> = logs.iter().map(|log| log.block_number.unwrap()).collect();
    assert_eq!(blocks, (3..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_provider_that_refuses_every_range_ends_in_its_own_words() {
    let chain = rpc(|_, _| Err(json!({ "code": -32601, "message": "no logs here" })));
    let error = chain.logs(&Filter::new(), 0, 1_000_000).await.unwrap_err();
    assert!(error.to_string().ends_with("eth_getLogs: error -32601: no logs here"), "{error}");
}

#[tokio::test]
async fn a_revert_is_a_refusal_with_data_or_without() {
    let chain = rpc(|method, _| match method {
        "eth_call" => {
            Err(json!({ "code": 3, "message": "execution reverted", "data": "0x12345678" }))
        }
        _ => Err(json!({ "code": -32000, "message": "execution reverted" })),
    });
    let error = chain
        .call(TransactionRequest::default(), BlockId::latest(), StateOverride::default(), None)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ChainError::Refused { refusal, .. } if refusal.reason == "unknown-error"),
        "{error:?}"
    );
    let error = chain.chain_id().await.unwrap_err();
    assert!(
        matches!(&error, ChainError::Refused { refusal, .. } if refusal.reason == "revert"),
        "{error:?}"
    );
}
