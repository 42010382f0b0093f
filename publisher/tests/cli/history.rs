//! What the events add up to, held against storage: on the chain as it is, and through an RPC that leaves events out.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use alloy::{
    primitives::{Address, Bytes, aliases::U48},
    sol,
    sol_types::SolCall as _,
};
use serde_json::{Value, json};

use crate::support::{Account, Anvil, Ended, GUARDIAN, OPERATIONS, PROMOTER, TIMELOCK, World};

sol! {
    function schedule(address target, bytes data, uint48 when) external;
    function execute(address target, bytes data) external;
    function addVerifier(address verifier) external;
    function stopVerifier(address verifier) external;
}

/// What becomes of the logs of an answer.
type Edit = Box<dyn Fn(&mut Vec<Value>) + Send>;

/// An RPC in front of anvil that gives other logs.
struct Doctored {
    url: String,
    edit: Arc<Mutex<Edit>>,
}

impl Doctored {
    fn start(anvil: &Anvil) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let edit: Arc<Mutex<Edit>> = Arc::new(Mutex::new(Box::new(|_| {})));
        let (chain, doctor) = (anvil.url.clone(), Arc::clone(&edit));
        // Ends with the process: nobody connects any more.
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &chain, &doctor);
            }
        });
        Self { url, edit }
    }

    fn with(&self, edit: impl Fn(&mut Vec<Value>) + Send + 'static) {
        *self.edit.lock().unwrap() = Box::new(edit);
    }

    fn history(&self, world: &World) -> Ended {
        let arguments = ["history"];
        let output = world.command(&arguments).env("GREENLIGHT_RPC", &self.url).output().unwrap();
        Ended::of(output, &arguments)
    }
}

/// One request of a connection, which is then closed.
fn answer(stream: TcpStream, chain: &str, edit: &Mutex<Edit>) {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap() == 0 {
            return;
        }
        if let Some((_, value)) =
            line.to_ascii_lowercase().split_once(':').filter(|(name, _)| *name == "content-length")
        {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let mut answer = Anvil::forward(chain, &String::from_utf8(body).unwrap());
    // Logs of the registry's own, which is asked first; those of its manager have other topics.
    if let Some(logs) = answer["result"].as_array_mut().filter(|all| is_logs(all)) {
        edit.lock().unwrap()(logs);
    }
    let answer = answer.to_string();
    write!(
        stream.get_mut(),
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    )
    .unwrap();
}

fn is_logs(all: &[Value]) -> bool {
    all.iter().any(|one| one["topics"].is_array() && one["logIndex"].is_string())
}

/// Sends a call from an account that anvil signs for.
fn act(world: &World, from: Account, to: &Value, data: Vec<u8>) {
    let call = json!([{ "from": from.address, "to": to, "data": Bytes::from(data) }]);
    let hash = world.anvil.rpc("eth_sendTransaction", call);
    let start = Instant::now();
    let mined = || world.anvil.rpc("eth_getTransactionReceipt", json!([hash]));
    while mined().is_null() {
        assert!(start.elapsed() < Duration::from_secs(30), "{hash} is not mined");
        thread::sleep(Duration::from_millis(20));
    }
    let receipt = mined();
    assert_eq!(receipt["status"], "0x1", "{receipt}");
}

/// A chain on which everything that a registry can tell of has happened.
fn eventful() -> World {
    let world = World::new();
    let deployment = world.deployment();
    let (registry, manager) = (&deployment["registry"], &deployment["manager"]);
    let target: Address = serde_json::from_value(registry.clone()).unwrap();
    // One that nothing is ever staged through. Any contract will do.
    let verifier: Address = serde_json::from_value(manager.clone()).unwrap();
    let data = Bytes::from(addVerifierCall { verifier }.abi_encode());
    let schedule = scheduleCall { target, data: data.clone(), when: U48::ZERO };
    act(&world, OPERATIONS, manager, schedule.abi_encode());
    world.anvil.pass(TIMELOCK);
    act(&world, OPERATIONS, manager, executeCall { target, data }.abi_encode());

    world.promoted("first");
    world.promoted("second");
    let third = world.staged("third").to_string();
    let canary = ["promote", &third, "--canary-bps", "500", "--no-wait"];
    world.run(PROMOTER, &canary).succeeded();
    world.anvil.pass(TIMELOCK);
    world.run(PROMOTER, &canary).succeeded();
    world.run(GUARDIAN, &["rollback", "1"]).succeeded();
    for (stop, go) in [("kill", "revive"), ("pause", "resume")] {
        world.run(GUARDIAN, &[stop]).succeeded();
        world.run(OPERATIONS, &[go, "--no-wait"]).succeeded();
        world.anvil.pass(TIMELOCK);
        world.run(OPERATIONS, &[go]).succeeded();
    }
    world.run(GUARDIAN, &["revoke", &third]).succeeded();
    world.run(GUARDIAN, &["kill"]).succeeded();
    let stopped: Address = serde_json::from_value(deployment["verifier"].clone()).unwrap();
    act(&world, GUARDIAN, registry, stopVerifierCall { verifier: stopped }.abi_encode());
    world
}

#[test]
fn the_events_alone_add_up_to_storage_and_one_that_is_left_out_is_missed() {
    let world = eventful();
    let rpc = Doctored::start(&world.anvil);
    let history = rpc.history(&world).succeeded();
    let block = world.anvil.rpc("eth_blockNumber", json!([]));
    assert_eq!(format!("{:#x}", history["agrees_at_block"].as_u64().unwrap()), block);
    let registry = world.deployment()["registry"].clone();

    // Of the registry, in their order: what its constructor said, then all of the above.
    let own = history["events"].as_array().unwrap().iter().map(|event| &event["event"]);
    let own: Vec<&str> = own
        .map(|event| event.as_str().unwrap())
        .filter(|event| !matches!(*event, "scheduled" | "executed" | "cancelled"))
        .collect();
    let deployed = |name: &str| world.deployment()[name].as_str().unwrap().to_lowercase();
    let (verifier, manager) = (deployed("verifier"), deployed("manager"));
    let mut messages = Vec::new();
    for (hidden, event) in own.iter().enumerate() {
        let first = registry.clone();
        rpc.with(move |logs| {
            if logs[0]["address"].as_str().unwrap().eq_ignore_ascii_case(first.as_str().unwrap()) {
                logs.remove(hidden);
            }
        });
        let ended = rpc.history(&world);
        let reason = ended.json["error"]["reason"].as_str().unwrap_or_default().to_owned();
        let error = ended.failed(1, &reason);
        messages.push(format!("{event} {reason} {}", error["message"].as_str().unwrap()));
    }
    let expected = |event: &str, text: &str| {
        let text = text.to_lowercase();
        let found = messages
            .iter()
            .any(|message| message.starts_with(event) && message.to_lowercase().contains(&text));
        assert!(found, "{event}: expected {text:?}; found {messages:#?}");
    };
    expected("authority-updated history-differs", "authority: expected 0x0000");
    let what = format!("verifier {verifier} to be Active before; found None");
    expected("verifier-added history-gap", &what);
    // No artifact is of the other verifier; it was scheduled to be added.
    let what = format!("verifier {manager}: expected None, as the events say; storage");
    expected("verifier-added history-differs", &what);
    expected("staged history-gap", "expected id 1; found 2: an event before it is missing");
    expected("promoted history-gap", "expected sequence 1; found 2");
    expected("killed history-gap", "event revived of block");
    expected("killed history-differs", "head, flags: expected 2, as the events say; storage");
    let what = format!("verifier {verifier}: expected Active, as the events say; storage");
    expected("verifier-stopped history-differs", &what);

    // One that is altered: the last digit of the digest that the first artifact has.
    rpc.with(|logs| {
        let staged = logs.iter_mut().find(|log| log["topics"].as_array().unwrap().len() == 4);
        if let Some(staged) = staged {
            let digest = &mut staged["topics"][2];
            let text = digest.as_str().unwrap();
            let last = if text.ends_with('0') { "1" } else { "0" };
            *digest = format!("{}{last}", &text[..text.len() - 1]).into();
        }
    });
    let error = rpc.history(&world).failed(1, "history-differs");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("record 1, digest: expected 0x"), "{message}");
}
