//! The program against a real chain: anvil, with the registry as the deployment script puts it there.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Output, Stdio},
    time::{Duration, Instant},
};

use crate::support::{
    Anvil, Ended, GUARDIAN, OPERATIONS, PROMOTER, PUBLISHER, TIMELOCK, World, run,
};
use serde_json::{Value, json};

/// The fields of an object that are wanted, for one comparison.
fn fields(object: &Value, names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| ((*name).to_owned(), object[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn the_whole_life_of_an_artifact() {
    let world = World::new();
    let status = world.read(&["status"]).succeeded();
    assert_eq!(
        fields(&status, &["mode", "last_id", "effective"]),
        json!({"mode": "allow-all", "last_id": 0, "effective": null})
    );

    let file = world.artifact("first");
    let digest = run(&["lint", &file]).succeeded()["digest"].clone();
    let staged = world.run(PUBLISHER, &["stage", &file]).succeeded();
    assert_eq!(
        fields(&staged, &["id", "digest", "rows", "size", "engine"]),
        json!({"id": 1, "digest": digest, "rows": 2, "size": 192, "engine": 1})
    );
    assert_eq!(staged["transaction"]["from"], PUBLISHER.address.to_lowercase());
    assert!(staged["transaction"]["gas_used"].as_u64().unwrap() > 21_000);

    // The one real wait; elsewhere the chain's clock is moved.
    let start = Instant::now();
    let promoted = world.run(PROMOTER, &["promote", "1"]).succeeded();
    assert!(
        start.elapsed() >= Duration::from_secs(TIMELOCK - 1),
        "a timelock took {:?}",
        start.elapsed()
    );
    assert_eq!(
        fields(
            &promoted,
            &["outcome", "id", "canary_bps", "digest", "expected_sequence", "sequence"]
        ),
        json!({
            "outcome": "executed", "id": 1, "canary_bps": 10_000, "digest": digest,
            "expected_sequence": 0, "sequence": 1
        })
    );
    let (operation, transaction) = (&promoted["operation"], &promoted["transaction"]);
    assert!(transaction["timestamp"].as_u64() >= operation["ready_at"].as_u64(), "{promoted}");
    assert_eq!(
        operation["ready_at"].as_u64(),
        operation["schedule_transaction"]["timestamp"].as_u64().map(|time| time + TIMELOCK)
    );

    // By digest, too.
    let second = world.promoted("second");
    let rolled_back = world.run(GUARDIAN, &["rollback", digest.as_str().unwrap()]).succeeded();
    assert_eq!(
        fields(&rolled_back, &["id", "sequence", "digest"]),
        json!({"id": 1, "sequence": 3, "digest": digest})
    );
    let status = world.read(&["status"]).succeeded();
    assert_eq!(status["effective"]["digest"], digest);
    assert_eq!(
        fields(&status["head"], &["current", "rollback_to", "rolled_back"]),
        json!({"current": second, "rollback_to": 1, "rolled_back": true})
    );

    let killed = world.run(GUARDIAN, &["kill"]).succeeded();
    assert_eq!(
        fields(&killed["head"], &["killed", "sequence"]),
        json!({"killed": true, "sequence": 4})
    );
    assert_eq!(world.read(&["status"]).succeeded()["mode"], "allow-all");
    world.run(GUARDIAN, &["kill"]).failed(3, "already-killed");

    let scheduled = world.run(OPERATIONS, &["revive", "--no-wait"]).succeeded();
    assert_eq!(scheduled["outcome"], "scheduled");
    let pending = world.read(&["status"]).succeeded()["pending"].clone();
    assert_eq!(
        fields(&pending[0], &["action", "expected_sequence", "ready", "void", "operation"]),
        json!({
            "action": "revive", "expected_sequence": 4, "ready": false, "void": false,
            "operation": scheduled["operation"]["id"]
        })
    );
    world.anvil.pass(TIMELOCK);
    assert_eq!(world.read(&["status"]).succeeded()["pending"][0]["ready"], true);
    assert_eq!(world.run(OPERATIONS, &["revive"]).succeeded()["head"]["killed"], false);

    assert_eq!(world.run(GUARDIAN, &["pause"]).succeeded()["head"]["paused"], true);
    world.run(OPERATIONS, &["resume", "--no-wait"]).succeeded();
    world.anvil.pass(TIMELOCK);
    assert_eq!(world.run(OPERATIONS, &["resume"]).succeeded()["head"]["paused"], false);

    world.run(GUARDIAN, &["revoke", "1"]).failed(3, "still-effective");
    world.run(GUARDIAN, &["rollback", "2"]).succeeded();
    assert_eq!(world.run(GUARDIAN, &["revoke", "1"]).succeeded()["digest"], digest);
    world.run(GUARDIAN, &["rollback", "1"]).failed(3, "artifact-revoked");
    world.run(PUBLISHER, &["stage", &file]).failed(3, "artifact-revoked");

    let history = world.read(&["history"]).succeeded();
    let events: Vec<_> = history["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "authority-updated",
            "verifier-added",
            "staged",
            "scheduled",
            "executed",
            "promoted",
            "staged",
            "scheduled",
            "executed",
            "promoted",
            "rolled-back",
            "killed",
            "scheduled",
            "executed",
            "revived",
            "paused",
            "scheduled",
            "executed",
            "resumed",
            "rolled-back",
            "revoked",
        ]
    );
    let killed_event = &history["events"][11];
    assert_eq!(killed_event["actor"], GUARDIAN.address.to_lowercase());
    assert_eq!(killed_event["transaction"], killed["transaction"]["hash"]);
    assert_eq!(killed_event["timestamp"], killed["transaction"]["timestamp"]);
    let newest = world.read(&["history", "--limit", "2"]).succeeded();
    assert_eq!(newest["agrees_at_block"], history["agrees_at_block"]);
    assert_eq!(
        (newest["skipped"].as_u64(), newest["events"].as_array().unwrap().len()),
        (Some(19), 2)
    );
}

#[test]
fn a_canary_is_a_promotion_of_its_own() {
    let world = World::new();
    world.promoted("first");
    let id = world.staged("second").to_string();
    world.run(PROMOTER, &["promote", &id, "--canary-bps", "500", "--no-wait"]).succeeded();
    world.run(PROMOTER, &["promote", &id, "--no-wait"]).succeeded();
    world.anvil.pass(TIMELOCK);
    let canary = world.run(PROMOTER, &["promote", &id, "--canary-bps", "500"]).succeeded();
    assert_eq!(
        fields(&canary["head"], &["current", "candidate", "canary_bps"]),
        json!({"current": 1, "candidate": 2, "canary_bps": 500})
    );
    // The whole promotion was decided on the head before the canary.
    let pending = world.read(&["status"]).succeeded()["pending"].clone();
    assert_eq!(
        fields(&pending[0], &["canary_bps", "expected_sequence", "ready", "void"]),
        json!({"canary_bps": 10_000, "expected_sequence": 1, "ready": false, "void": true})
    );
    let whole = world.run(PROMOTER, &["promote", &id]).succeeded();
    assert_eq!(
        fields(&whole["head"], &["current", "candidate", "canary_bps"]),
        json!({"current": 2, "candidate": 0, "canary_bps": 0})
    );
}

#[test]
fn a_bad_artifact_is_refused_here_and_past_here_by_the_contract() {
    let world = World::new();
    let mut bytes = fs::read(world.artifact("good")).unwrap();
    let (first, second) = bytes[64..].split_at_mut(64);
    second.copy_from_slice(first);
    let file = world.write("doubled.glff", &bytes);

    let here = world.run(PUBLISHER, &["stage", &file]).failed(2, "key-duplicate");
    assert_eq!(
        fields(&here, &["defect", "row", "transaction"]),
        json!({"defect": 10, "row": 1, "transaction": null})
    );
    assert_eq!(world.anvil.sent(PUBLISHER), 0, "nothing was sent");

    let there = world.run(PUBLISHER, &["stage", "--unchecked", &file]).failed(3, "key-duplicate");
    assert_eq!(fields(&there, &["defect", "row"]), json!({"defect": 10, "row": 1}));
    let receipt =
        world.anvil.rpc("eth_getTransactionReceipt", json!([there["transaction"]["hash"]]));
    assert_eq!(receipt["status"], "0x0", "the refusal stands on chain");

    for (name, bytes, reason) in [
        ("empty", &[][..], "size"),
        ("truncated", &bytes[..100], "size"),
        ("random", &[0x5a; 192][..], "magic"),
    ] {
        let file = world.write(name, bytes);
        assert_ne!(world.run(PUBLISHER, &["stage", &file]).code, 0);
        world.run(PUBLISHER, &["stage", "--unchecked", &file]).failed(3, reason);
    }
    assert_eq!(world.read(&["status"]).succeeded()["last_id"], 0);
}

#[test]
fn two_hundred_rows_fit_and_twice_as_many_do_not() {
    let world = World::new();
    let rows: String =
        (0..200).map(|row| format!("row.{row:03},ua-contains,agent-{row:03}/,{row}\n")).collect();
    let csv = format!(
        "# label: full\n# created_at: 1763700000\n# intercept: 0\nkey,kind,arg,weight\n{rows}"
    );
    let file = world.path("full.glff");
    run(&["build", &world.write("full.csv", csv), "--out", &file]).succeeded();
    let bytes = fs::read(&file).unwrap();
    let doubled = world.write("doubled.glff", [&bytes[..], &bytes[64..]].concat());
    world.run(PUBLISHER, &["stage", "--unchecked", &doubled]).failed(3, "size");
    let staged = world.run(PUBLISHER, &["stage", &file]).succeeded();
    assert_eq!(fields(&staged, &["rows", "size"]), json!({"rows": 200, "size": 12_864}));
}

#[test]
fn the_same_bytes_are_staged_once() {
    let world = World::new();
    let file = world.artifact("first");
    world.run(PUBLISHER, &["stage", &file]).succeeded();
    let error = world.run(PUBLISHER, &["stage", &file]).failed(3, "already-staged");
    assert_eq!(error["id"], 1, "a script can go on with what is there");
    assert_eq!(world.anvil.sent(PUBLISHER), 1);
}

#[test]
fn without_the_role_everything_is_refused_and_nothing_sent() {
    let world = World::new();
    let id = world.promoted("first").to_string();
    let file = world.artifact("second");
    let before =
        (world.anvil.sent(GUARDIAN), world.anvil.sent(OPERATIONS), world.anvil.sent(PUBLISHER));
    for (account, arguments, role) in [
        (GUARDIAN, vec!["stage", &file], "PUBLISHER"),
        (GUARDIAN, vec!["promote", &id], "PROMOTER"),
        (OPERATIONS, vec!["kill"], "GUARDIAN"),
        (OPERATIONS, vec!["pause"], "GUARDIAN"),
        (PUBLISHER, vec!["rollback", &id], "GUARDIAN"),
        (PUBLISHER, vec!["revoke", &id], "GUARDIAN"),
        (GUARDIAN, vec!["revive"], "OPERATIONS"),
        (GUARDIAN, vec!["resume"], "OPERATIONS"),
    ] {
        let error = world.run(account, &arguments).failed(3, "unauthorized");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(account.address) && message.contains(role), "{message}");
    }
    assert_eq!(
        before,
        (world.anvil.sent(GUARDIAN), world.anvil.sent(OPERATIONS), world.anvil.sent(PUBLISHER))
    );
}

#[test]
fn the_timelock_cannot_be_jumped() {
    let world = World::new();
    world.anvil.slow();
    let id = world.staged("first").to_string();
    let never = world.run(PROMOTER, &["promote", &id, "--unchecked"]).failed(3, "not-scheduled");
    assert!(never["transaction"]["hash"].is_string(), "{never}");
    world.run(PROMOTER, &["promote", &id, "--no-wait"]).succeeded();
    world.run(PROMOTER, &["promote", &id, "--unchecked"]).failed(3, "not-ready");
    assert_eq!(world.read(&["status"]).succeeded()["head"]["sequence"], 0);
}

#[test]
fn what_would_be_refused_after_the_timelock_is_refused_before_it() {
    let world = World::new();
    world.run(PROMOTER, &["promote", "7"]).failed(3, "unknown-artifact");
    world.run(OPERATIONS, &["revive"]).failed(3, "not-killed");
    assert_eq!((world.anvil.sent(PROMOTER), world.anvil.sent(OPERATIONS)), (0, 0));
    world.run(GUARDIAN, &["rollback", "0"]).failed(3, "unknown-artifact");
    world.staged("first");
    world.run(GUARDIAN, &["rollback", "1"]).failed(3, "never-current");
    let digest = format!("0x{}", "ab".repeat(32));
    world.run(PROMOTER, &["promote", &digest]).failed(2, "unknown-digest");
}

#[test]
fn a_cancelled_promotion_is_said_so_and_scheduled_anew_only_when_asked() {
    let world = World::new();
    let id = world.staged("first").to_string();
    world.run(GUARDIAN, &["cancel", &id]).failed(2, "nothing-scheduled");
    world.run(PROMOTER, &["promote", &id, "--no-wait"]).succeeded();
    world.run(OPERATIONS, &["cancel", &id]).failed(3, "unauthorized");
    let cancelled = world.run(GUARDIAN, &["cancel", &id]).succeeded();
    let error = world.run(PROMOTER, &["promote", &id]).failed(6, "cancelled");
    let hash = cancelled["cancelled"][0]["transaction"]["hash"].as_str().unwrap();
    assert!(error["message"].as_str().unwrap().contains(hash), "{error}");
    assert_eq!(
        world.run(PROMOTER, &["promote", &id, "--again", "--no-wait"]).succeeded()["outcome"],
        "scheduled"
    );

    // By operation, and by whoever scheduled it.
    let pending = world.read(&["status"]).succeeded()["pending"].clone();
    world.run(PROMOTER, &["cancel", pending[0]["operation"].as_str().unwrap()]).succeeded();
    assert_eq!(world.read(&["status"]).succeeded()["pending"], json!([]));
}

#[test]
fn a_promotion_cancelled_while_it_is_waited_for_ends_the_wait() {
    let world = World::new();
    world.anvil.slow();
    let id = world.staged("first").to_string();
    world.run(PROMOTER, &["promote", &id, "--no-wait"]).succeeded();
    let arguments = ["promote", id.as_str()];
    let mut waiting = Waiting::start(&world, &arguments);
    waiting.until("waiting for the timelock");
    world.run(GUARDIAN, &["cancel", &id]).succeeded();
    waiting.end().failed(6, "cancelled");
    assert_eq!(world.read(&["status"]).succeeded()["head"]["current"], 0);
}

#[test]
fn a_promotion_scheduled_before_a_rollback_cannot_undo_it() {
    let world = World::new();
    world.promoted("first");
    world.promoted("second");
    let id = world.staged("third").to_string();
    let promote = ["promote", id.as_str(), "--no-wait"];
    let stale = world.run(PROMOTER, &promote).succeeded();
    assert_eq!(stale["expected_sequence"], 2);
    let data = scheduled_data(&world);
    world.run(GUARDIAN, &["rollback", "1"]).succeeded();
    world.anvil.pass(TIMELOCK);

    // Whoever sends the ripe call past this program is refused by the contract.
    let registry = world.deployment()["registry"].clone();
    let call = json!({"from": PROMOTER.address, "to": registry, "data": data});
    let refused = world.anvil.refusal("eth_call", json!([call, "latest"]));
    assert_eq!(refused["data"], head_moved(2, 3), "{refused}");
    world.anvil.rpc("anvil_impersonateAccount", json!([PROMOTER.address]));
    let call = json!({"from": PROMOTER.address, "to": registry, "data": data, "gas": "0x7a120"});
    let hash = world.anvil.rpc("eth_sendTransaction", json!([call]));
    assert_eq!(receipt(&world, &hash)["status"], "0x0");

    let status = world.read(&["status"]).succeeded();
    assert_eq!(
        fields(&status["head"], &["sequence", "current", "rollback_to", "rolled_back"]),
        json!({"sequence": 3, "current": 2, "rollback_to": 1, "rolled_back": true})
    );
    assert_eq!(
        fields(&status["pending"][0], &["operation", "expected_sequence", "ready", "void"]),
        json!({"operation": stale["operation"]["id"], "expected_sequence": 2, "ready": false, "void": true})
    );

    // What is void is no veto: the same command schedules anew, and its timelock begins anew.
    let anew = world.run(PROMOTER, &promote);
    assert!(anew.stderr.contains("is void: it was decided on sequence 2"), "{}", anew.stderr);
    let anew = anew.succeeded();
    assert_eq!(
        fields(&anew, &["outcome", "expected_sequence"]),
        json!({"outcome": "scheduled", "expected_sequence": 3})
    );
    assert_ne!(anew["operation"]["id"], stale["operation"]["id"]);
    let pending = world.read(&["status"]).succeeded()["pending"].clone();
    let void: Vec<_> = pending.as_array().unwrap().iter().map(|one| one["void"].clone()).collect();
    assert_eq!(void, [true, false]);
    world.anvil.pass(TIMELOCK);
    let promoted = world.run(PROMOTER, &promote).succeeded();
    assert_eq!(
        fields(&promoted["head"], &["current", "rolled_back"]),
        json!({"current": 3, "rolled_back": false})
    );
}

#[test]
fn a_revival_scheduled_before_a_kill_is_refused() {
    let world = World::new();
    let id = world.promoted("first");
    world.run(GUARDIAN, &["kill"]).succeeded();
    world.run(OPERATIONS, &["revive", "--no-wait"]).succeeded();
    let data = scheduled_data(&world);
    // Revived and killed again: the old schedule stands, and must not end the new kill.
    world.run(GUARDIAN, &["pause"]).succeeded();
    world.run(OPERATIONS, &["revive"]).succeeded();
    world.run(GUARDIAN, &["kill"]).succeeded();
    world.anvil.pass(TIMELOCK);
    let registry = world.deployment()["registry"].clone();
    let call = json!({"from": OPERATIONS.address, "to": registry, "data": data});
    let refused = world.anvil.refusal("eth_call", json!([call, "latest"]));
    assert_eq!(refused["data"], head_moved(2, 5), "{refused}");

    let anew = world.run(OPERATIONS, &["revive", "--no-wait"]).succeeded();
    assert_eq!(anew["outcome"], "scheduled", "{anew}");
    assert_eq!(world.read(&["status"]).succeeded()["mode"], "allow-all");
    world.anvil.pass(TIMELOCK);
    let revived = world.run(OPERATIONS, &["revive", "--no-wait"]).succeeded();
    assert_eq!(
        fields(&revived["head"], &["killed", "current"]),
        json!({"killed": false, "current": id})
    );
}

#[test]
fn a_head_that_moves_ends_the_wait() {
    let world = World::new();
    world.anvil.slow();
    let id = world.staged("first").to_string();
    world.run(PROMOTER, &["promote", &id, "--no-wait"]).succeeded();
    let mut waiting = Waiting::start(&world, &["promote", id.as_str()]);
    waiting.until("waiting for the timelock");
    world.run(GUARDIAN, &["pause"]).succeeded();
    let error = waiting.end().failed(6, "head-moved");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("expected sequence 0; found 1"), "{message}");
    assert_eq!(world.read(&["status"]).succeeded()["head"]["current"], 0);
}

#[test]
fn a_cancellation_is_a_veto_on_the_next_head_too() {
    let world = World::new();
    let id = world.staged("first").to_string();
    world.run(PROMOTER, &["promote", &id, "--no-wait"]).succeeded();
    world.run(GUARDIAN, &["cancel", &id]).succeeded();
    world.run(GUARDIAN, &["kill"]).succeeded();
    world.run(PROMOTER, &["promote", &id, "--no-wait"]).failed(6, "cancelled");
    let again = world.run(PROMOTER, &["promote", &id, "--no-wait", "--again"]).succeeded();
    assert_eq!(again["outcome"], "scheduled");
}

#[test]
fn an_rpc_that_is_away_for_a_while_does_not_end_the_wait() {
    let world = World::new();
    world.anvil.slow();
    let id = world.staged("first").to_string();
    let mut waiting = Waiting::start(&world, &["promote", &id, "--rpc-timeout", "1"]);
    waiting.until("waiting for the timelock");
    world.anvil.hang(true);
    waiting.until("still waiting: http://127.0.0.1:");
    world.anvil.hang(false);
    world.anvil.rpc("anvil_mine", json!([TIMELOCK]));
    assert_eq!(waiting.end().succeeded()["outcome"], "executed");
}

#[test]
fn an_expired_promotion_is_said_so_and_scheduled_anew_only_when_asked() {
    const TWO_WEEKS: u64 = 14 * 24 * 3600;
    let world = World::new();
    let id = world.staged("first").to_string();
    world.run(PROMOTER, &["promote", &id, "--no-wait"]).succeeded();
    world.anvil.pass(TWO_WEEKS);
    assert_eq!(world.read(&["status"]).succeeded()["pending"], json!([]));
    world.run(PROMOTER, &["promote", &id]).failed(6, "expired");
    let promoted = world.run(PROMOTER, &["promote", &id, "--again"]).succeeded();
    assert_eq!(promoted["outcome"], "executed");
}

#[test]
fn an_artifact_can_be_promoted_again_without_being_asked_twice() {
    let world = World::new();
    world.promoted("first");
    world.promoted("second");
    let again = world.run(PROMOTER, &["promote", "1"]).succeeded();
    assert_eq!(
        fields(&again, &["outcome", "sequence"]),
        json!({"outcome": "executed", "sequence": 3})
    );
}

#[test]
fn waits_have_an_end() {
    let world = World::new();
    let id = world.staged("first").to_string();
    world.run(PROMOTER, &["promote", &id, "--max-wait", "1"]).failed(5, "timelock");
    world.anvil.rpc("evm_setAutomine", json!([false]));
    let error = world.run(GUARDIAN, &["kill", "--tx-timeout", "1"]).failed(5, "not-mined");
    world.anvil.rpc("evm_mine", json!([]));
    world.anvil.rpc("evm_setAutomine", json!([true]));
    assert!(error["message"].as_str().unwrap().contains("it may still be"));
    world.run(GUARDIAN, &["kill"]).failed(3, "already-killed");
}

#[test]
fn blocks_at_an_interval_are_waited_for() {
    let world = World::new();
    world.anvil.rpc("evm_setIntervalMining", json!([1]));
    world.staged("first");
    let promoted = world.run(PROMOTER, &["promote", "1"]).succeeded();
    assert_eq!(promoted["head"]["current"], 1);
}

#[test]
fn the_active_verifier_is_found_without_a_deployment_file() {
    let world = World::new();
    let file = world.artifact("first");
    let deployment = world.deployment();
    let registry = deployment["registry"].as_str().unwrap();
    let staged = world
        .command(&["stage", &file, "--registry", registry])
        .env_remove("GREENLIGHT_DEPLOYMENT")
        .env("GREENLIGHT_PRIVATE_KEY", PUBLISHER.key)
        .output()
        .unwrap();
    let staged = Ended::of(staged, &["stage"]).succeeded();
    assert_eq!(staged["verifier"], deployment["verifier"].as_str().unwrap().to_lowercase());
    let foreign = "0x00000000000000000000000000000000000000aa";
    world.run(PUBLISHER, &["stage", &file, "--verifier", foreign]).failed(3, "verifier-not-active");
}

#[test]
fn a_wrong_chain_or_registry_is_told_before_anything_is_sent() {
    let world = World::new();
    let mut deployment = world.deployment();
    deployment["chainId"] = json!(1);
    let file = world.write("mainnet.json", deployment.to_string());
    world.run(GUARDIAN, &["kill", "--deployment", &file]).failed(2, "chain-id");
    let nobody = "0x00000000000000000000000000000000000000aa";
    world.run(GUARDIAN, &["kill", "--registry", nobody]).failed(2, "no-contract");
    let other = deployment["verifier"].as_str().unwrap();
    world.run(GUARDIAN, &["kill", "--registry", other]).failed(3, "revert");
    for (name, content) in [("broken.json", "{"), ("empty.json", "{}"), ("list.json", "[]")] {
        let file = world.write(name, content);
        world.run(GUARDIAN, &["kill", "--deployment", &file]).failed(2, "deployment");
    }
    assert_eq!(world.anvil.sent(GUARDIAN), 0);
}

#[test]
fn an_unreachable_chain_has_its_own_exit_code() {
    let mut world = World::new();
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hanging.local_addr().unwrap());
    let error = world
        .run(GUARDIAN, &["kill", "--rpc", &url, "--rpc-timeout", "1"])
        .failed(4, "unreachable");
    assert!(error["message"].as_str().unwrap().contains("timed out"), "{error}");
    world.anvil.stop();
    world.run(GUARDIAN, &["kill"]).failed(4, "unreachable");
    world.read(&["status"]).failed(4, "unreachable");
}

#[test]
fn what_is_no_rpc_is_told_from_one_that_is_down() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
            );
        }
    });
    let registry = "0x00000000000000000000000000000000000000aa";
    let error = run(&["status", "--rpc", &url, "--registry", registry]).failed(4, "rpc-answer");
    assert!(error["message"].as_str().unwrap().contains("hello"), "{error}");
}

#[test]
fn a_keystore_signs() {
    let world = World::new();
    let keystore = world.write("guardian.json", KEYSTORE);
    let password = world.write("password", "correct horse\n");
    let kill = ["kill", "--keystore", &keystore];
    world.read(&kill).failed(2, "no-password");
    let wrong = world
        .command(&kill)
        .env("GREENLIGHT_KEYSTORE_PASSWORD", "battery staple")
        .output()
        .unwrap();
    Ended::of(wrong, &kill).failed(2, "keystore");
    let killed = world.read(&[&kill[..], &["--password-file", &password]].concat()).succeeded();
    assert_eq!(killed["transaction"]["from"], GUARDIAN.address.to_lowercase());
}

#[test]
fn a_missing_or_bad_key_is_told() {
    let world = World::new();
    world.read(&["kill"]).failed(2, "no-key");
    let bad = world.command(&["kill"]).env("GREENLIGHT_PRIVATE_KEY", "0x1234").output().unwrap();
    Ended::of(bad, &["kill"]).failed(2, "private-key");
    world.read(&["kill", "--keystore", &world.path("none.json")]).failed(2, "no-password");
}

#[test]
fn an_account_without_funds_is_told() {
    let world = World::new();
    world.anvil.rpc("anvil_setBalance", json!([GUARDIAN.address, "0x0"]));
    world.run(GUARDIAN, &["kill"]).failed(1, "rpc-error");
}

#[test]
fn anvil_ends_with_its_handle() {
    let mut anvil = Anvil::start(&[]);
    anvil.stop();
    assert!(std::net::TcpStream::connect(anvil.url.strip_prefix("http://").unwrap()).is_err());
}

/// The receipt of a transaction, which anvil mines a little after it took it.
fn receipt(world: &World, hash: &Value) -> Value {
    let start = Instant::now();
    loop {
        let receipt = world.anvil.rpc("eth_getTransactionReceipt", json!([hash]));
        if !receipt.is_null() {
            return receipt;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{hash} was not mined");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The call that was scheduled last, as the AccessManager's event holds it.
fn scheduled_data(world: &World) -> String {
    let manager = world.deployment()["manager"].clone();
    let filter = json!({"address": manager, "fromBlock": "0x0"});
    let logs = world.anvil.rpc("eth_getLogs", json!([filter]));
    let last = logs.as_array().unwrap().last().unwrap();
    // schedule, caller, target, offset of the data, then its length and itself.
    let words = last["data"].as_str().unwrap().trim_start_matches("0x");
    let length = usize::from_str_radix(&words[4 * 64..5 * 64], 16).unwrap();
    format!("0x{}", &words[5 * 64..5 * 64 + 2 * length])
}

/// Revert data of `HeadMoved(uint64 expected, uint64 found)`.
fn head_moved(expected: u64, found: u64) -> String {
    let selector = &alloy::primitives::keccak256("HeadMoved(uint64,uint64)").to_string()[..10];
    format!("{selector}{expected:064x}{found:064x}")
}

/// A run of the program as the promoter that has not ended yet.
struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
    arguments: Vec<String>,
}

impl Waiting {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = world
            .command(arguments)
            .env("GREENLIGHT_PRIVATE_KEY", PROMOTER.key)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { child, stderr, said: String::new(), arguments }
    }

    fn until(&mut self, text: &str) {
        while !self.said.contains(text) {
            assert_ne!(self.stderr.read_line(&mut self.said).unwrap(), 0, "{}", self.said);
        }
    }

    fn end(mut self) -> Ended {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        self.stderr.read_to_end(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        Ended::of(Output { status, stdout, stderr }, &arguments)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The guardian's key under the password "correct horse", as `cast wallet import` writes it.
const KEYSTORE: &str = include_str!("keystore.json");
