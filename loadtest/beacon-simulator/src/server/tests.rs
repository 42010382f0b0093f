use std::time::Instant;

use blst::{
    BLST_ERROR,
    min_pk::{PublicKey, Signature},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;
use crate::{
    ExecutionBlock, Fork, Preset, Spec,
    json::hex,
    keys::signing_root,
    ssz::{Root, Tree, uint64},
};

const LIGHT_CLIENT: &str = "/eth/v1/beacon/light_client";
const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

struct Scene {
    chain: SharedChain,
    endpoint: Endpoint,
    http: reqwest::Client,
}

impl Scene {
    /// Slots 600 to 700: periods 9 and 10.
    async fn new(preset: Preset) -> Self {
        let mut chain = BeaconChain::new(Spec::local(preset, Fork::Fulu));
        for slot in 600..=700 {
            chain.push(slot, ExecutionBlock::synthetic(slot));
        }
        let chain = Arc::new(RwLock::new(chain));
        let endpoint = Endpoint::start(Arc::clone(&chain), 31_337).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5));
        Self { chain, endpoint, http: http.build().unwrap() }
    }

    fn snapshot(&self) -> BeaconChain {
        self.chain.read().unwrap().clone()
    }

    fn push(&self, slot: u64) {
        assert!(self.chain.write().unwrap().push(slot, ExecutionBlock::synthetic(slot)));
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(format!("{}{path}", self.endpoint.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn newest(&self) -> Value {
        self.ok(&format!("{LIGHT_CLIENT}/finality_update")).await
    }

    /// How many seats have signed, and whether they have.
    fn signature(&self, update: &Value, fork_version: [u8; 4]) -> (usize, bool) {
        let chain = self.snapshot();
        let data = &update["data"];
        let root = header_root(&data["attested_header"]["beacon"]);
        let genesis = &chain.spec().genesis_validators_root;
        let signed = signing_root(&root, fork_version, genesis);
        let period = chain.spec().period_of(number(&data["signature_slot"]));
        let bits = bytes(&data["sync_aggregate"]["sync_committee_bits"]);
        let committee = chain.committee(period);
        let keys: Vec<PublicKey> = (0..)
            .zip(committee.public_keys())
            .filter(|(seat, _)| bits[seat / 8] >> (seat % 8) & 1 == 1)
            .map(|(_, key)| PublicKey::from_bytes(key).unwrap())
            .collect();
        let keys: Vec<&PublicKey> = keys.iter().collect();
        let signature = bytes(&data["sync_aggregate"]["sync_committee_signature"]);
        let signature = Signature::sig_validate(&signature, true).unwrap();
        let verified = signature.fast_aggregate_verify(true, &signed, DST, &keys);
        (keys.len(), verified == BLST_ERROR::BLST_SUCCESS)
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    ::hex::decode(&value.as_str().unwrap()[2..]).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

fn header_root(header: &Value) -> Root {
    let root = |name: &str| bytes(&header[name]).try_into().unwrap();
    let leaves = [
        uint64(number(&header["slot"])),
        uint64(number(&header["proposer_index"])),
        root("parent_root"),
        root("state_root"),
        root("body_root"),
    ];
    Tree::new(&leaves).root()
}

#[tokio::test]
async fn an_honest_endpoint_serves_what_the_chain_has() {
    let scene = Scene::new(Preset::Minimal).await;
    let chain = scene.snapshot();
    assert_eq!(scene.newest().await, chain.finality_update().unwrap());
    let optimistic = scene.ok(&format!("{LIGHT_CLIENT}/optimistic_update")).await;
    assert_eq!(optimistic, chain.optimistic_update().unwrap());
    let updates = scene.ok(&format!("{LIGHT_CLIENT}/updates?start_period=9&count=128")).await;
    assert_eq!(updates.as_array().unwrap(), &chain.updates(9, 128));
    let root = hex(&chain.finalized_root());
    let bootstrap = scene.ok(&format!("{LIGHT_CLIENT}/bootstrap/{root}")).await;
    assert_eq!(Some(bootstrap), chain.bootstrap(chain.finalized_root()));
    let finalized = scene.ok("/eth/v1/beacon/blocks/finalized/root").await;
    assert_eq!(finalized["data"]["root"], root.as_str());
    let block = scene.ok("/eth/v2/beacon/blocks/699").await;
    assert_eq!(Some(block), chain.block(699));
    let genesis = scene.ok("/eth/v1/beacon/genesis").await;
    assert_eq!(genesis["data"]["genesis_time"], "1606824023");
    let spec = scene.ok("/eth/v1/config/spec").await;
    assert_eq!(spec["data"]["DEPOSIT_CHAIN_ID"], "31337");
    assert_eq!(spec["data"]["FULU_FORK_VERSION"], "0x06000047");
    assert_eq!(scene.get("/eth/v1/node/health").await.0, 200);
    assert_eq!(scene.endpoint.requests(), 9);
}

#[tokio::test]
async fn what_there_is_not_is_an_error_in_json() {
    let scene = Scene::new(Preset::Minimal).await;
    let none = format!("{LIGHT_CLIENT}/bootstrap/{}", hex(&[1; 32]));
    let no_root = format!("{LIGHT_CLIENT}/bootstrap/0x01");
    let no_count = format!("{LIGHT_CLIENT}/updates?start_period=1");
    for (path, expected) in [
        (none.as_str(), 404),
        (&no_root, 400),
        (&no_count, 400),
        ("/eth/v2/beacon/blocks/701", 404),
        ("/metrics", 404),
    ] {
        let (status, body) = scene.get(path).await;
        let error: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &error["code"]), (expected, &Value::from(expected)), "{path}");
    }
    let empty = Arc::new(RwLock::new(BeaconChain::new(Spec::mainnet())));
    let endpoint = Endpoint::start(empty, 1).await.unwrap();
    let url = format!("{}{LIGHT_CLIENT}/finality_update", endpoint.url);
    assert_eq!(scene.http.get(url).send().await.unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn a_signature_has_the_named_fault_and_no_other() {
    for (preset, short, third) in [(Preset::Mainnet, 341, 170), (Preset::Minimal, 21, 10)] {
        let scene = Scene::new(preset).await;
        let version = scene.snapshot().spec().fork_version;
        let honest = scene.newest().await;
        let (signers, verified) = scene.signature(&honest, version);
        assert!(verified && 3 * signers >= 2 * preset.sync_committee_size());

        scene.endpoint.be(Manner::OneShort);
        assert_eq!(scene.signature(&scene.newest().await, version), (short, true));

        scene.endpoint.be(Manner::WrongForkVersion);
        let wrong = scene.newest().await;
        let all = preset.sync_committee_size();
        assert_eq!(scene.signature(&wrong, version), (all, false));
        assert_eq!(scene.signature(&wrong, version.map(|byte| !byte)), (all, true));

        scene.endpoint.be(Manner::Equivocate);
        let twin = scene.newest().await;
        assert_eq!(scene.signature(&twin, version), (third, true));
        let header = |update: &Value| update["data"]["attested_header"].clone();
        let (twin, honest) = (header(&twin), header(&honest));
        for same in ["slot", "parent_root", "state_root"] {
            assert_eq!(twin["beacon"][same], honest["beacon"][same]);
        }
        assert_ne!(twin["execution"]["state_root"], honest["execution"]["state_root"]);
        assert_eq!(twin["execution_branch"], honest["execution_branch"]);
    }
}

#[tokio::test]
async fn a_forged_branch_differs_in_one_digit() {
    let scene = Scene::new(Preset::Minimal).await;
    let root = hex(&scene.snapshot().finalized_root());
    for (route, node) in [
        (format!("bootstrap/{root}"), "/data/current_sync_committee_branch/0"),
        ("updates?start_period=9&count=1".into(), "/0/data/next_sync_committee_branch/0"),
        ("finality_update".into(), "/data/finality_branch/0"),
        ("optimistic_update".into(), "/data/attested_header/execution_branch/0"),
    ] {
        let path = format!("{LIGHT_CLIENT}/{route}");
        scene.endpoint.be(Manner::Honest);
        let honest = scene.ok(&path).await;
        scene.endpoint.be(Manner::ForgedBranch);
        let mut forged = scene.ok(&path).await;
        assert_ne!(forged, honest, "{route}");
        *forged.pointer_mut(node).unwrap() = honest.pointer(node).unwrap().clone();
        assert_eq!(forged, honest, "{route}");
    }
}

#[tokio::test]
async fn an_endpoint_can_stay_behind() {
    let scene = Scene::new(Preset::Minimal).await;
    let honest = scene.newest().await;
    scene.endpoint.be(Manner::Frozen);
    scene.push(701);
    assert_eq!(scene.newest().await, honest);

    scene.endpoint.be(Manner::OldFinalized);
    let old = scene.newest().await;
    let attested = number(&old["data"]["attested_header"]["beacon"]["slot"]);
    assert_eq!(attested, 616);
    assert!(scene.signature(&old, scene.snapshot().spec().fork_version).1);
    let optimistic = scene.ok(&format!("{LIGHT_CLIENT}/optimistic_update")).await;
    assert_eq!(optimistic["data"]["signature_slot"], "701");

    scene.endpoint.be(Manner::Honest);
    assert_eq!(scene.newest().await["data"]["signature_slot"], "701");
}

#[tokio::test]
async fn answers_can_be_errors_or_none() {
    let scene = Scene::new(Preset::Minimal).await;
    let newest = format!("{LIGHT_CLIENT}/finality_update");
    scene.endpoint.be(Manner::Status(503));
    assert_eq!(scene.get(&newest).await.0, 503);
    scene.endpoint.be(Manner::Garbage);
    assert!(serde_json::from_str::<Value>(&scene.get(&newest).await.1).is_err());
    scene.endpoint.be(Manner::NoUpdates);
    let updates = format!("{LIGHT_CLIENT}/updates?start_period=9&count=1");
    assert_eq!(scene.get(&updates).await.0, 500);
    assert_eq!(scene.get(&newest).await.0, 200);
    scene.endpoint.be(Manner::UnknownFork);
    assert_eq!(scene.newest().await["version"], "gloas");
    scene.endpoint.be(Manner::Slow(Duration::from_millis(200)));
    let start = Instant::now();
    scene.newest().await;
    assert!(start.elapsed() >= Duration::from_millis(200));

    let url = format!("{}{newest}", scene.endpoint.url);
    scene.endpoint.be(Manner::Down);
    assert!(scene.http.get(&url).send().await.is_err());
    for (manner, least) in [(Manner::Endless, 1 << 20), (Manner::Drip, 1)] {
        scene.endpoint.be(manner);
        let mut answer = scene.http.get(&url).send().await.unwrap();
        let mut read = 0;
        while read < least {
            read += answer.chunk().await.unwrap().unwrap().len();
        }
    }
}

#[tokio::test]
async fn requests_are_bounded() {
    let scene = Scene::new(Preset::Minimal).await;
    let address = scene.endpoint.url.strip_prefix("http://").unwrap();
    let exchange = async |request: &[u8]| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may hang up in the midst of it.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    let endless = [b"GET /eth HTTP/1.1\r\n".as_slice(), &[b'a'; 20 << 10]].concat();
    assert_eq!(exchange(&endless).await, "");
    let with_body = b"GET /eth HTTP/1.1\r\ncontent-length: 9\r\n\r\n";
    assert_eq!(exchange(with_body).await, "");
    let post = b"POST /eth HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert!(exchange(post).await.starts_with("HTTP/1.1 405 "));
    let two = b"GET /eth HTTP/1.1\r\n\r\nGET /eth HTTP/1.1\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(two).await.matches("HTTP/1.1 404 ").count(), 2);
}
