use super::*;

#[test]
fn each_forgery_changes_its_method_alone() {
    let honest = json!({ "stateRoot": "0xab", "storageProof": [{ "value": "0x7", "proof": ["0xf0", "0xf8"] }] });
    let forged = |manner: Manner, method: &str| {
        let mut result = honest.clone();
        forge(&manner, method, &mut result);
        result
    };
    assert_eq!(forged(Manner::ForgedValue, "eth_getProof")["storageProof"][0]["value"], "0x1");
    assert_eq!(
        forged(Manner::ForgedProof, "eth_getProof")["storageProof"][0]["proof"],
        json!(["0xf1", "0xf0"])
    );
    assert_eq!(forged(Manner::ForgedHeader, "eth_getBlockByNumber")["stateRoot"], "0xa0");
    for manner in
        [Manner::ForgedValue, Manner::ForgedProof, Manner::ForgedHeader, Manner::ForgedBytes]
    {
        assert_eq!(forged(manner, "eth_chainId"), honest);
    }
    let mut logs = json!([{ "data": format!("0x{}", "a".repeat(400)) }]);
    forge(&Manner::ForgedBytes, "eth_getLogs", &mut logs);
    assert_eq!(logs[0]["data"].as_str().unwrap().find('0').unwrap(), 0);
    assert_eq!(logs[0]["data"].as_str().unwrap().rfind('0').unwrap(), 2 + 64 * 4);
}
