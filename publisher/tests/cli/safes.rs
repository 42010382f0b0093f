//! Safes as publisher and guardian: propose, sign without a chain, execute.

use std::fs;

use alloy::{
    hex,
    primitives::{Address, B256, Bytes, U256, keccak256},
    signers::{SignerSync as _, local::PrivateKeySigner},
    sol,
    sol_types::SolCall as _,
};
use greenlight_artifact::Schema;
use serde_json::{Value, json};

use crate::support::{
    Account, Ended, GUARDIANS, OPERATIONS, PUBLISHERS, RELAYER, TIMELOCK, World, greenlightctl,
};

sol! {
    function getTransactionHash(
        address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice,
        address gasToken, address refundReceiver, uint256 nonce
    ) returns (bytes32);
    function domainSeparator() returns (bytes32);
    function nonce() returns (uint256);
}

/// A world, and what its people do with proposals.
struct Safes {
    world: World,
}

impl Safes {
    fn new() -> Self {
        Self { world: World::with_safes() }
    }

    fn path(&self, name: &str) -> String {
        self.world.path(&format!("{name}.proposal"))
    }

    fn address(&self, holder: &str) -> Address {
        self.world.deployment()["holders"][holder].as_str().unwrap().parse().unwrap()
    }

    /// Proposes an act to a Safe; the file.
    fn proposed(&self, safe: &str, name: &str, act: &[&str]) -> String {
        let file = self.path(name);
        self.propose(safe, &file, act).succeeded();
        file
    }

    fn propose(&self, safe: &str, file: &str, act: &[&str]) -> Ended {
        self.world.read(&[&["propose"], act, &["--safe", safe, "--out", file]].concat())
    }

    /// Signs it, with nothing that could lead to a chain.
    fn sign(&self, owner: Account, file: &str, more: &[&str]) -> Ended {
        let arguments = [&["sign", file], more].concat();
        let output = greenlightctl(&arguments)
            .env("GREENLIGHT_PRIVATE_KEY", owner.key)
            .env("GREENLIGHT_DEPLOYMENT", self.world.path("deployment.json"))
            .output()
            .unwrap();
        Ended::of(output, &arguments)
    }

    fn signed(&self, owners: &[Account], file: &str) {
        for owner in owners {
            self.sign(*owner, file, &[]).succeeded();
        }
    }

    /// Executes it as somebody whom nobody knows.
    fn execute(&self, files: &[&str], more: &[&str]) -> Ended {
        self.world.run(RELAYER, &[&["execute"], files, more].concat())
    }

    /// Proposes, signs twice and executes.
    fn done(&self, safe: &str, name: &str, act: &[&str]) -> Value {
        let file = self.proposed(safe, name, act);
        let owners = if safe == "publisher" { PUBLISHERS } else { GUARDIANS };
        self.signed(&owners[..2], &file);
        self.execute(&[&file], &[]).succeeded()
    }

    fn staged(&self, label: &str) -> String {
        let file = self.world.artifact(label);
        let staged = self.done("publisher", &format!("stage-{label}"), &["stage", &file]);
        staged["id"].to_string()
    }

    /// Promotes, with the chain's clock moved.
    fn promoted(&self, label: &str) -> String {
        let id = self.staged(label);
        let file = self.proposed("publisher", &format!("promote-{label}"), &["promote", &id]);
        self.signed(&PUBLISHERS[..2], &file);
        self.execute(&[&file], &["--no-wait"]).succeeded();
        self.world.anvil.pass(TIMELOCK);
        assert_eq!(self.execute(&[&file], &[]).succeeded()["outcome"], "executed");
        id
    }

    fn read(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    }

    /// A copy of a proposal in which something is different.
    fn changed(&self, file: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut proposal = self.read(file);
        change(&mut proposal);
        self.world.write("changed.proposal", proposal.to_string())
    }

    fn view(&self, to: Address, call: Vec<u8>) -> Bytes {
        let call = json!([{ "to": to, "data": hex::encode_prefixed(call) }, "latest"]);
        self.world.anvil.rpc("eth_call", call).as_str().unwrap().parse().unwrap()
    }

    fn nonce(&self, holder: &str) -> u64 {
        let answer = self.view(self.address(holder), nonceCall {}.abi_encode());
        nonceCall::abi_decode_returns(&answer).unwrap().to()
    }
}

#[test]
fn nobody_but_the_holders_has_power() {
    let said = World::powers_with_safes();
    let lines: Vec<_> = said.lines().map(str::trim).collect();
    let guardian = lines.iter().find(|line| line.starts_with("GUARDIAN")).unwrap();
    assert!(guardian.ends_with("Safe, 2 of 3 owners"), "{said}");
    assert!(
        lines.iter().any(|line| line.starts_with("deployer") && line.ends_with("holds no role")),
        "{said}"
    );
}

#[test]
fn an_artifact_goes_through_two_safes() {
    let safes = Safes::new();
    let file = safes.world.artifact("first");
    let stage = safes.path("stage");
    let proposed = safes.propose("publisher", &stage, &["stage", &file]).succeeded();
    assert_eq!((&proposed["threshold"], &proposed["signed"]), (&json!(2), &json!([])));
    let shown = safes.sign(PUBLISHERS[0], &stage, &["--show"]).succeeded();
    assert_eq!(shown["signed"], json!([]), "nothing is signed by looking");
    safes.signed(&PUBLISHERS[..2], &stage);
    let staged = safes.execute(&[&stage], &[]).succeeded();
    assert_eq!((&staged["id"], &staged["rows"]), (&json!(1), &json!(2)));
    assert_eq!(staged["transaction"]["from"], RELAYER.address.to_lowercase());

    // The one real wait: one file, signed once, is two transactions.
    let promote = safes.proposed("publisher", "promote", &["promote", "1"]);
    safes.signed(&PUBLISHERS[1..], &promote);
    let promoted = safes.execute(&[&promote], &[]).succeeded();
    assert_eq!((&promoted["outcome"], &promoted["sequence"]), (&json!("executed"), &json!(1)));
    assert!(
        promoted["transaction"]["timestamp"].as_u64() >= promoted["operation"]["ready_at"].as_u64()
    );
    assert_eq!(safes.nonce("publisher"), 3);
    let error = safes.execute(&[&promote], &[]).failed(2, "already-executed");
    assert!(error["message"].as_str().unwrap().contains("nonce 2"), "{error}");

    let killed = safes.done("guardian", "kill", &["kill"]);
    assert_eq!(killed["head"]["killed"], true);
    let history = safes.world.read(&["history", "--limit", "1"]).succeeded();
    assert_eq!(history["events"][0]["actor"], json!(safes.address("guardian")));
}

#[test]
fn what_is_signed_is_what_the_safe_itself_hashes() {
    let safes = Safes::new();
    let id = safes.staged("first");
    let file = safes.proposed("publisher", "promote", &["promote", &id, "--canary-bps", "500"]);
    let safe = safes.address("publisher");
    let shown = safes.sign(PUBLISHERS[0], &file, &["--show"]).succeeded();
    let domain = safes.view(safe, domainSeparatorCall {}.abi_encode());
    for (index, transaction) in
        safes.read(&file)["transactions"].as_array().unwrap().iter().enumerate()
    {
        let data: Bytes = transaction["data"].as_str().unwrap().parse().unwrap();
        let call = getTransactionHashCall {
            to: transaction["to"].as_str().unwrap().parse().unwrap(),
            value: U256::ZERO,
            data,
            operation: 0,
            safeTxGas: U256::ZERO,
            baseGas: U256::ZERO,
            gasPrice: U256::ZERO,
            gasToken: Address::ZERO,
            refundReceiver: Address::ZERO,
            nonce: U256::from(transaction["nonce"].as_u64().unwrap()),
        };
        let hash = safes.view(safe, call.abi_encode());
        assert_eq!(transaction["safeTxHash"], hash.to_string());
        let shown = &shown["transactions"][index];
        assert_eq!((&shown["safe_tx_hash"], &shown["domain_hash"]), (&json!(hash), &json!(domain)));
        // EIP-712: 0x1901, the domain's hash, the message's.
        let message: B256 = shown["message_hash"].as_str().unwrap().parse().unwrap();
        let both = [&[0x19, 0x01][..], &domain, &message[..]].concat();
        assert_eq!(keccak256(both).to_string(), hash.to_string());
    }
}

#[test]
fn everything_is_shown_in_words() {
    let safes = Safes::new();
    let id = safes.staged("first");
    let file = safes.proposed("publisher", "promote", &["promote", &id]);
    let command = greenlightctl(&["sign", &file, "--show"]);
    let text = {
        // For people: without --json, which the helper puts first.
        let arguments: Vec<_> = command.get_args().skip(1).map(ToOwned::to_owned).collect();
        let output =
            std::process::Command::new(command.get_program()).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for line in [
        "chain          31337",
        "version 1.5.0, 2 of 3 owners",
        "timelock       3 s from schedule to execution, expires 7 d after that",
        "transaction 1 of 2: schedule: promote 1, decided on sequence 0",
        "transaction 2 of 2: promote 1, decided on sequence 0",
        "  function     schedule(address,bytes,uint48)",
        "    data          promote(uint32,uint16,uint64)",
        "      canaryBps     10000 (every edge)",
        "  operation    0 (CALL), value 0, no refund of gas",
        "signed by      0 of 2 needed",
    ] {
        assert!(text.contains(line), "expected {line:?} in\n{text}");
    }
    let stage = safes.world.artifact("second");
    let file = safes.proposed("publisher", "stage", &["stage", &stage]);
    let meaning = safes.read(&file)["transactions"][0]["meaning"].clone();
    assert!(meaning.as_str().unwrap().contains("(\"second\", 2 rows, 192 bytes)"), "{meaning}");
}

#[test]
fn one_signature_too_few_is_refused_here_and_by_the_safe() {
    let safes = Safes::new();
    let file = safes.proposed("guardian", "kill", &["kill"]);
    let none = safes.execute(&[&file], &[]).failed(2, "signatures");
    assert!(none["message"].as_str().unwrap().contains("expected 2 signatures, found 0"), "{none}");
    safes.signed(&GUARDIANS[..1], &file);
    let one = safes.execute(&[&file], &[]).failed(2, "signatures");
    let message = one["message"].as_str().unwrap();
    assert!(message.contains("expected 2 signatures, found 1"), "{message}");
    assert!(
        message.contains(GUARDIANS[1].address) && !message.contains(GUARDIANS[0].address),
        "{message}"
    );
    assert_eq!(safes.world.anvil.sent(RELAYER), 0);
    let there = safes.execute(&[&file], &["--unchecked"]).failed(3, "safe-signatures");
    assert!(there["message"].as_str().unwrap().contains("GS020"), "{there}");
    assert!(there["transaction"]["hash"].is_string(), "it stands on chain: {there}");
    assert_eq!(safes.nonce("guardian"), 0);
}

#[test]
fn copies_are_put_together() {
    let safes = Safes::new();
    let file = safes.proposed("guardian", "pause", &["pause"]);
    let copies = [safes.path("one"), safes.path("two")];
    for (owner, copy) in [GUARDIANS[2], GUARDIANS[0]].iter().zip(&copies) {
        safes.sign(*owner, &file, &["--out", copy]).succeeded();
    }
    assert_eq!(safes.read(&file)["transactions"][0]["signatures"], json!({}));
    let other = safes.proposed("guardian", "kill", &["kill"]);
    safes.execute(&[&copies[0], &other], &[]).failed(2, "other-proposal");
    let paused = safes.execute(&[&copies[0], &copies[1]], &[]).succeeded();
    assert_eq!(paused["head"]["paused"], true);
}

#[test]
fn signatures_of_other_wallets_are_taken() {
    let safes = Safes::new();
    let id = safes.staged("first");
    let file = safes.proposed("publisher", "promote", &["promote", &id]);
    // A wallet that signs typed data, which here is anvil.
    let typed = safes.sign(PUBLISHERS[0], &file, &["--typed-data"]).succeeded();
    for typed in typed["typed_data"].as_array().unwrap() {
        let signature =
            safes.world.anvil.rpc("eth_signTypedData_v4", json!([PUBLISHERS[0].address, typed]));
        safes.sign(OPERATIONS, &file, &["--signature", signature.as_str().unwrap()]).succeeded();
    }
    // A wallet that signs messages alone: its v is marked, as Safe wants it.
    let signer: PrivateKeySigner = PUBLISHERS[2].key.parse().unwrap();
    let hashes: Vec<B256> = safes.read(&file)["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|transaction| transaction["safeTxHash"].as_str().unwrap().parse().unwrap())
        .collect();
    let messages: Vec<_> = hashes
        .iter()
        .map(|hash| {
            let mut bytes = signer.sign_message_sync(hash.as_slice()).unwrap().as_bytes();
            bytes[64] += 4;
            hex::encode_prefixed(bytes)
        })
        .collect();
    safes
        .sign(OPERATIONS, &file, &["--signature", &messages[0], "--signature", &messages[1]])
        .succeeded();
    safes.execute(&[&file], &["--no-wait"]).succeeded();
    safes.world.anvil.pass(TIMELOCK);
    assert_eq!(safes.execute(&[&file], &[]).succeeded()["outcome"], "executed");

    // What is no owner's, or no signature, is refused.
    let file = safes.proposed("publisher", "again", &["stage", &safes.world.artifact("second")]);
    let add = |signature: &str| safes.sign(OPERATIONS, &file, &["--signature", signature]);
    add(&messages[0]).failed(2, "not-an-owner");
    let hash: B256 =
        safes.read(&file)["transactions"][0]["safeTxHash"].as_str().unwrap().parse().unwrap();
    let stranger: PrivateKeySigner = OPERATIONS.key.parse().unwrap();
    let foreign = stranger.sign_hash_sync(&hash).unwrap().as_bytes();
    add(&hex::encode_prefixed(foreign)).failed(2, "not-an-owner");
    let mut zero = foreign;
    zero[64] = 0;
    add(&hex::encode_prefixed(zero)).failed(2, "signature");
    add(&hex::encode_prefixed(&foreign[..64])).failed(2, "signature");
    safes.sign(OPERATIONS, &file, &[]).failed(2, "not-an-owner");
}

#[test]
fn a_file_that_lies_is_not_signed() {
    let safes = Safes::new();
    let id = safes.staged("first");
    let file = safes.proposed("publisher", "promote", &["promote", &id]);
    let refused = |reason: &str, change: &dyn Fn(&mut Value)| {
        let changed = safes.changed(&file, |proposal| change(proposal));
        let before = fs::read(&changed).unwrap();
        let error = safes.sign(PUBLISHERS[0], &changed, &[]).failed(2, reason);
        assert_eq!(fs::read(&changed).unwrap(), before, "nothing is written");
        if reason != "other-deployment" {
            safes.execute(&[&changed], &[]).failed(2, reason);
        }
        error["message"].as_str().unwrap().to_owned()
    };
    let one = "/transactions/1";
    let set = |proposal: &mut Value, field: &str, value: Value| {
        proposal.pointer_mut(one).unwrap()[field] = value;
    };
    // The text says one artifact, the calldata another.
    let data = safes.read(&file)["transactions"][1]["data"].as_str().unwrap().to_owned();
    let other = data.replacen("0000000000000001", "0000000000000007", 1);
    assert_ne!(data, other);
    let message = refused("meaning", &|proposal| set(proposal, "data", json!(other)));
    assert!(message.contains("promote 1") && message.contains("promote 7"), "{message}");
    refused("meaning", &|proposal| {
        set(proposal, "meaning", json!("promote 2, decided on sequence 0"))
    });
    refused("safe-tx-hash", &|proposal| set(proposal, "safeTxHash", json!(B256::ZERO)));
    refused("safe-tx-hash", &|proposal| set(proposal, "nonce", json!(9)));
    refused("safe-tx-hash", &|proposal| proposal["safe"] = json!(RELAYER.address));
    // Longer than its arguments, another function, another contract.
    refused("unknown-call", &|proposal| set(proposal, "data", json!(format!("{data}00"))));
    refused("unknown-call", &|proposal| set(proposal, "data", json!("0x12345678")));
    refused("unknown-call", &|proposal| set(proposal, "data", json!("0x8f7dcfa3")));
    refused("unknown-call", &|proposal| set(proposal, "to", json!(RELAYER.address)));
    // What no act on the registry needs.
    let message = refused("unusual", &|proposal| set(proposal, "operation", json!(1)));
    assert!(message.contains("DELEGATECALL"), "{message}");
    for field in ["value", "safeTxGas", "baseGas", "gasPrice"] {
        refused("unusual", &|proposal| set(proposal, field, json!("0x1")));
    }
    for field in ["gasToken", "refundReceiver"] {
        refused("unusual", &|proposal| set(proposal, field, json!(RELAYER.address)));
    }
    // Another deployment, or no proposal at all.
    refused("other-deployment", &|proposal| proposal["chainId"] = json!(1));
    refused("other-deployment", &|proposal| proposal["manager"] = json!(RELAYER.address));
    refused("proposal", &|proposal| proposal["version"] = json!("1.3.0"));
    refused("proposal", &|proposal| proposal["colour"] = json!("red"));
    refused("proposal", &|proposal| proposal["transactions"] = json!([]));
    refused("proposal", &|proposal| proposal["transactions"].as_array_mut().unwrap().truncate(1));
    refused("proposal", &|proposal| proposal["transactions"].as_array_mut().unwrap().reverse());
    // A signature under another owner's name.
    safes.signed(&PUBLISHERS[..1], &file);
    refused("signature", &|proposal| {
        let signatures = &mut proposal.pointer_mut(one).unwrap()["signatures"];
        let signature = signatures.as_object().unwrap().values().next().unwrap().clone();
        *signatures = json!({ PUBLISHERS[1].address: signature });
    });
}

#[test]
fn a_nonce_that_was_used_voids_the_signatures() {
    let safes = Safes::new();
    let kill = safes.proposed("guardian", "kill", &["kill"]);
    safes.signed(&GUARDIANS[..2], &kill);
    safes.done("guardian", "pause", &["pause"]);
    let error = safes.execute(&[&kill], &[]).failed(6, "nonce-used");
    assert!(error["message"].as_str().unwrap().contains("propose anew"), "{error}");
    // The Safe says the same of a replay.
    let there = safes.execute(&[&kill], &["--unchecked"]).failed(3, "safe-signatures");
    assert!(there["message"].as_str().unwrap().contains("GS026"), "{there}");

    // Between schedule and execution: the schedule stands, and its execution is proposed anew, alone.
    let id = safes.staged("first");
    let promote = safes.proposed("publisher", "promote", &["promote", &id]);
    safes.signed(&PUBLISHERS[..2], &promote);
    assert_eq!(safes.execute(&[&promote], &["--no-wait"]).succeeded()["outcome"], "scheduled");
    safes.staged("second");
    safes.world.anvil.pass(TIMELOCK);
    safes.execute(&[&promote], &[]).failed(6, "nonce-used");
    let anew = safes.proposed("publisher", "anew", &["promote", &id]);
    assert_eq!(safes.read(&anew)["transactions"].as_array().unwrap().len(), 1);
    safes.signed(&PUBLISHERS[..2], &anew);
    assert_eq!(safes.execute(&[&anew], &[]).succeeded()["outcome"], "executed");
}

#[test]
fn a_kill_can_be_signed_in_advance() {
    let safes = Safes::new();
    let prepared = |nonce: &str| {
        let kill =
            safes.proposed("guardian", &format!("kill-{nonce}"), &["kill", "--nonce", nonce]);
        safes.signed(&GUARDIANS[1..], &kill);
        kill
    };
    let (first, second) = (prepared("0"), prepared("1"));
    safes.execute(&[&second], &[]).failed(2, "nonce");
    safes.done("guardian", "pause", &["pause"]);
    safes.execute(&[&first], &[]).failed(6, "nonce-used");
    assert_eq!(safes.execute(&[&second], &[]).succeeded()["head"]["killed"], true);
    safes.propose("guardian", &first, &["kill", "--nonce", "1"]).failed(2, "nonce");
}

#[test]
fn the_guardian_cancels_what_the_publisher_scheduled() {
    let safes = Safes::new();
    let id = safes.staged("first");
    let promote = safes.proposed("publisher", "promote", &["promote", &id]);
    safes.signed(&PUBLISHERS[..2], &promote);
    let scheduled = safes.execute(&[&promote], &["--no-wait"]).succeeded();
    let cancelled = safes.done("guardian", "cancel", &["cancel", &id]);
    assert_eq!(cancelled["cancelled"][0]["operation"], scheduled["operation"]["id"]);
    safes.world.anvil.pass(TIMELOCK);
    safes.execute(&[&promote], &[]).failed(6, "cancelled");
    let anew = safes.path("anew");
    safes.propose("publisher", &anew, &["promote", &id]).failed(6, "cancelled");
    safes.propose("publisher", &anew, &["promote", &id, "--again"]).succeeded();
    safes.signed(&PUBLISHERS[..2], &anew);
    safes.execute(&[&anew], &["--no-wait"]).succeeded();
    safes.world.anvil.pass(TIMELOCK);
    assert_eq!(safes.execute(&[&anew], &[]).succeeded()["outcome"], "executed");
}

#[test]
fn a_schedule_holds_on_its_own_head_and_for_its_own_time() {
    const TWO_WEEKS: u64 = 14 * 24 * 3600;
    let safes = Safes::new();
    let id = safes.staged("first");
    let promote = safes.proposed("publisher", "promote", &["promote", &id]);
    safes.signed(&PUBLISHERS[..2], &promote);
    safes.execute(&[&promote], &["--no-wait"]).succeeded();
    safes.execute(&[&promote], &["--unchecked"]).failed(3, "not-ready");
    safes.done("guardian", "pause", &["pause"]);
    safes.world.anvil.pass(TIMELOCK);
    safes.execute(&[&promote], &[]).failed(3, "head-moved");

    let anew = safes.proposed("publisher", "anew", &["promote", &id]);
    safes.signed(&PUBLISHERS[..2], &anew);
    safes.execute(&[&anew], &["--no-wait"]).succeeded();
    safes.world.anvil.pass(TWO_WEEKS);
    safes.execute(&[&anew], &[]).failed(6, "expired");
}

#[test]
fn each_safe_has_its_own_acts() {
    let safes = Safes::new();
    let id = safes.promoted("first");
    let file = safes.path("refused");
    for (safe, act) in [
        ("guardian", &["promote", &id][..]),
        ("publisher", &["kill"][..]),
        ("publisher", &["rollback", &id][..]),
        ("guardian", &["revive"][..]),
    ] {
        safes.propose(safe, &file, act).failed(3, "unauthorized");
    }
    assert!(!fs::exists(&file).unwrap());
    // Past the proposer, the registry says so.
    safes.propose("publisher", &file, &["kill", "--unchecked"]).succeeded();
    safes.signed(&PUBLISHERS[..2], &file);
    safes.execute(&[&file], &[]).failed(3, "unauthorized");
    safes.execute(&[&file], &["--unchecked"]).failed(3, "unauthorized");
    // Neither can one of its owners alone.
    safes.world.run(GUARDIANS[0], &["kill"]).failed(3, "unauthorized");
    safes.world.run(PUBLISHERS[0], &["promote", &id]).failed(3, "unauthorized");
}

#[test]
fn the_registrys_refusals_come_through_the_safe() {
    let safes = Safes::new();
    let id = safes.promoted("first");
    let file = safes.path("refused");
    safes.propose("publisher", &file, &["promote", &id]).failed(3, "already-current");
    safes.propose("guardian", &file, &["revoke", &id]).failed(3, "still-effective");
    // Refused only since it was proposed.
    let kill = safes.proposed("guardian", "kill", &["kill", "--nonce", "1"]);
    safes.signed(&GUARDIANS[..2], &kill);
    safes.done("guardian", "first", &["kill"]);
    safes.execute(&[&kill], &[]).failed(3, "already-killed");
    safes.execute(&[&kill], &["--unchecked"]).failed(3, "already-killed");
}

#[test]
fn a_safe_signs_the_blob() {
    let safes = Safes::new();
    let world = &safes.world;
    let verifier = world.groth16(Schema::ENGINE_1.budget);
    world.add(&verifier);
    let ((one, one_proof), (two, _)) = (world.proven("one"), world.proven("two"));
    let file = safes.path("blob");
    let stage = ["stage", &one, "--proof", &one_proof, "--blob", "--rpc-timeout", "120"];
    let proposed = safes.propose("publisher", &file, &stage).succeeded();
    let meaning = proposed["transactions"][0]["meaning"].as_str().unwrap();
    let hash = meaning.split_whitespace().nth(2).unwrap();
    assert!(hash.starts_with("0x01") && hash.len() == 66, "{meaning}");
    let digest = world.read(&["verify", &one, "--proof", &one_proof]).succeeded()["digest"].clone();
    assert!(meaning.contains(digest.as_str().unwrap()), "{meaning}");
    safes.sign(PUBLISHERS[0], &file, &["--show", "--blob", &two]).failed(2, "other-blob");
    safes.sign(PUBLISHERS[0], &file, &["--show", "--blob", &one]).succeeded();
    safes.signed(&PUBLISHERS[..2], &file);

    safes.execute(&[&file], &[]).failed(2, "other-blob");
    let error = safes.execute(&[&file], &["--blob", &two]).failed(2, "other-blob");
    assert!(error["message"].as_str().unwrap().contains(hash), "{error}");
    assert_eq!(safes.nonce("publisher"), 0);
    let staged = safes.execute(&[&file], &["--blob", &one, "--rpc-timeout", "120"]).succeeded();
    assert_eq!((&staged["id"], &staged["versioned_hash"]), (&json!(1), &json!(hash)));
    assert_eq!(staged["transaction"]["from"], RELAYER.address.to_lowercase());
    let transaction = json!([staged["transaction"]["hash"]]);
    let transaction = world.anvil.rpc("eth_getTransactionByHash", transaction);
    assert_eq!(transaction["blobVersionedHashes"], json!([hash]));

    // Another of its blobs than the one that is sent.
    let other = safes.changed(&file, |proposal| {
        let transaction = &mut proposal["transactions"][0];
        let data: Bytes = transaction["data"].as_str().unwrap().parse().unwrap();
        let mut data = data.to_vec();
        data[4 + 3 * 32 - 1] = 1;
        transaction["data"] = json!(Bytes::from(data));
    });
    safes.sign(PUBLISHERS[0], &other, &[]).failed(2, "unknown-call");
    // A blob that nobody asked for.
    let kill = safes.proposed("guardian", "kill", &["kill"]);
    safes.signed(&GUARDIANS[..2], &kill);
    safes.execute(&[&kill], &["--blob", &one]).failed(2, "other-blob");
    // What is done is done, with the artifact at hand or not.
    safes.execute(&[&file], &[]).failed(2, "already-executed");
}

#[test]
fn verifiers_are_stopped_by_a_safe_and_added_by_a_key() {
    let safes = Safes::new();
    let deployment = safes.world.deployment();
    let verifier = deployment["verifier"].as_str().unwrap();
    let stopped = safes.done("guardian", "stop", &["stop-verifier", verifier]);
    assert_eq!(stopped["action"], "stop-verifier");
    safes.world.run(OPERATIONS, &["add-verifier", verifier]).failed(3, "verifier-known");
    let other = deployment["safe"]["singleton"].as_str().unwrap();
    let added = safes.world.run(OPERATIONS, &["add-verifier", other]).succeeded();
    assert_eq!((&added["action"], &added["outcome"]), (&json!("add-verifier"), &json!("executed")));
    let artifact = safes.world.artifact("first");
    let stage = ["stage", &artifact, "--verifier", verifier];
    safes.propose("publisher", &safes.path("refused"), &stage).failed(3, "verifier-not-active");
}

#[test]
fn a_safe_is_told_from_what_is_none() {
    let safes = Safes::new();
    let deployment = safes.world.deployment();
    let file = safes.path("kill");
    for other in [RELAYER.address, deployment["registry"].as_str().unwrap()] {
        safes.propose(other, &file, &["kill"]).failed(2, "not-a-safe");
    }
    safes.propose("treasurer", &file, &["kill"]).failed(2, "unknown-holder");
    safes.propose(&safes.address("guardian").to_string(), &file, &["kill"]).succeeded();
}
