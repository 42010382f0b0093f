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
