//! Proofs: made and checked here, and staged past the verifier of the circuit.

use std::{fs, sync::OnceLock};

use alloy::{
    primitives::{B256, Bytes, U256, hex},
    sol_types::SolValue,
};
use greenlight_artifact::{Digest, Schema};
use serde_json::{Value, json};

use crate::support::{
    Ended, OPERATIONS, PUBLISHER, TIMELOCK, World, contracts, run, run_with_keys,
};

/// An artifact, and a proof of it.
struct Proven {
    artifact: Vec<u8>,
    proof: Vec<u8>,
    report: Value,
}

/// Proves once for all tests.
fn proven(label: &'static str) -> &'static Proven {
    static ONE: OnceLock<Proven> = OnceLock::new();
    static TWO: OnceLock<Proven> = OnceLock::new();
    let cell = if label == "one" { &ONE } else { &TWO };
    cell.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("source.json"), crate::support::source(label)).unwrap();
        run(&["build", &path("source.json"), "--out", &path("artifact")]).succeeded();
        let proven = run_with_keys(&["prove", &path("artifact"), "--out", &path("proof")]);
        assert!(proven.stderr.contains("DEVELOPMENT KEY"), "{proven:?}");
        Proven {
            report: proven.succeeded(),
            artifact: fs::read(path("artifact")).unwrap(),
            proof: fs::read(path("proof")).unwrap(),
        }
    })
}

impl World {
    pub(crate) fn proven(&self, label: &'static str) -> (String, String) {
        let proven = proven(label);
        (
            self.write(&format!("{label}.glff"), &proven.artifact),
            self.write(&format!("{label}.proof"), &proven.proof),
        )
    }

    /// Puts the circuit's verifier for engine 1 with some budget on chain.
    pub(crate) fn groth16(&self, budget: u32) -> String {
        self.create(
            "Groth16Verifier.sol/Groth16Verifier",
            (1_u32, B256::from(Schema::ENGINE_1.word), budget),
        )
    }

    /// Puts a contract on chain; its address. Anvil signs for its accounts.
    fn create(&self, contract: &str, arguments: impl SolValue) -> String {
        let out = contracts().join(format!("out/{contract}.json"));
        let out: Value = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
        let mut code = hex::decode(out["bytecode"]["object"].as_str().unwrap()).unwrap();
        code.extend(arguments.abi_encode());
        let transaction = json!([{
            "from": OPERATIONS.address, "data": Bytes::from(code), "gas": "0x989680",
        }]);
        let hash = self.anvil.rpc("eth_sendTransaction", transaction);
        let mined = || self.anvil.rpc("eth_getTransactionReceipt", json!([hash]));
        let receipt = (0..500)
            .find_map(|_| {
                Some(mined()).filter(|receipt| !receipt.is_null()).or_else(|| {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    None
                })
            })
            .expect("mined within 10 s");
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt["contractAddress"].as_str().unwrap().to_owned()
    }

    /// Adds a verifier as operations does, past the timelock.
    pub(crate) fn add(&self, verifier: &str) {
        let add = ["add-verifier", verifier];
        self.run(OPERATIONS, &[&add[..], &["--no-wait"]].concat()).succeeded();
        self.anvil.pass(TIMELOCK);
        self.run(OPERATIONS, &add).succeeded();
    }

    fn stage_proof(&self, artifact: &str, proof: &str, more: &[&str]) -> Ended {
        // Anvil checks the proofs of 128 cells before it answers.
        let arguments =
            [&["stage", artifact, "--proof", proof, "--rpc-timeout", "120"], more].concat();
        self.run(PUBLISHER, &arguments)
    }
}

#[test]
fn a_proof_stages_an_artifact_with_its_bytes_or_in_a_blob() {
    let world = World::new();
    let verifier = world.groth16(Schema::ENGINE_1.budget);
    let (one, one_proof) = world.proven("one");
    world.stage_proof(&one, &one_proof, &[]).failed(2, "no-verifier");
    assert_eq!(world.anvil.sent(PUBLISHER), 0, "nothing was sent");
    world.add(&verifier);

    let staged = world.stage_proof(&one, &one_proof, &[]).succeeded();
    assert_eq!(staged["id"], 1);
    assert_eq!(staged["verifier"].as_str().unwrap().to_lowercase(), verifier);
    assert_eq!(staged["digest"], proven("one").report["digest"]);
    assert_eq!(staged["versioned_hash"], Value::Null);

    let (two, two_proof) = world.proven("two");
    let staged = world.stage_proof(&two, &two_proof, &["--blob"]).succeeded();
    assert_eq!(staged["id"], 2);
    let hash = &staged["transaction"]["hash"];
    let transaction = world.anvil.rpc("eth_getTransactionByHash", json!([hash]));
    assert_eq!(transaction["type"], "0x3");
    assert_eq!(transaction["blobVersionedHashes"], json!([staged["versioned_hash"]]));
    let status = world.read(&["status"]).succeeded();
    let locations: Vec<_> =
        status["artifacts"].as_array().unwrap().iter().map(|of| of["location"].clone()).collect();
    assert!(
        locations.contains(&json!({"kind": "blob", "versioned_hash": staged["versioned_hash"]})),
        "{status}"
    );
    // What is in the blob: 31 bytes a field element, the first of which holds the length.
    let blobs = world.anvil.rpc("anvil_getBlobsByTransactionHash", json!([hash]));
    let blob = hex::decode(blobs[0].as_str().unwrap()).unwrap();
    let artifact = &proven("two").artifact;
    let payload: Vec<u8> =
        blob[32..].chunks(32).flat_map(|element| &element[1..]).copied().collect();
    assert_eq!(U256::from_be_slice(&blob[..9]).to::<usize>(), artifact.len());
    assert_eq!(&payload[..artifact.len()], artifact);

    // The same statement, once.
    world.stage_proof(&one, &one_proof, &[]).failed(3, "already-staged");
    world.stage_proof(&two, &two_proof, &["--blob"]).failed(3, "already-staged");
}

/// What a receipt proves its contract judges; here, one that states whatever the evidence says.
#[test]
fn evidence_is_for_the_contract_to_judge() {
    let world = World::new();
    let artifact = world.artifact("one");
    let bytes = fs::read(&artifact).unwrap();
    let digest = B256::from(Digest::of(&bytes).0);
    let evidence = |digest: B256, commitment: B256, rows: u8| {
        let size = u16::try_from(bytes.len()).unwrap();
        let statement = (digest, commitment, 1_u32, size, U256::from(rows));
        world.write("receipt.evidence", statement.abi_encode())
    };
    let stage = |evidence: &str, verifier: &str, more: &[&str]| {
        let stage = ["stage", &artifact, "--evidence", evidence, "--verifier", verifier];
        world.run(PUBLISHER, &[&stage[..], &["--rpc-timeout", "120"], more].concat())
    };
    let good = evidence(digest, B256::ZERO, 2);
    let calldata = world.deployment()["verifier"].as_str().unwrap().to_owned();
    let error = stage(&good, &calldata, &[]).failed(3, "unexpected-evidence");
    assert!(error["message"].as_str().unwrap().contains("160"), "{error}");
    let credulous = world.create("Governed.sol/CredulousVerifier", ());
    stage(&good, &credulous, &["--blob"]).failed(3, "verifier-not-active");
    world.add(&credulous);

    // Whoever sees no bytes cannot know that they are others.
    for (digest, commitment, rows) in
        [(!digest, B256::ZERO, 2), (digest, digest, 2), (digest, B256::ZERO, 3)]
    {
        let other = evidence(digest, commitment, rows);
        stage(&other, &credulous, &["--blob"]).failed(2, "proof-of-another-artifact");
    }
    let good = evidence(digest, B256::ZERO, 2);
    assert_eq!(stage(&good, &credulous, &["--blob"]).succeeded()["id"], 1);
}

#[test]
fn a_proof_is_checked_here_before_anything_is_sent() {
    let world = World::new();
    let verifier = world.groth16(Schema::ENGINE_1.budget);
    world.add(&verifier);
    let ((one, one_proof), (two, two_proof)) = (world.proven("one"), world.proven("two"));
    let refused = |artifact: &str, proof: &str, reason: &str| {
        world.stage_proof(artifact, proof, &[]).failed(2, reason);
        world.stage_proof(artifact, proof, &["--blob"]).failed(2, reason);
        run(&["verify", artifact, "--proof", proof]).failed(2, reason);
    };
    refused(&one, &two_proof, "proof-of-another-artifact");
    refused(&two, &one_proof, "proof-of-another-artifact");
    refused(&one, &one, "proof-file");
    let bytes = &proven("one").proof;
    refused(&one, &world.write("short.proof", &bytes[..bytes.len() - 1]), "proof-file");
    refused(&one, &world.write("long.proof", [bytes, &[0][..]].concat()), "size");
    // A and C in each other's place: points, but no proof.
    let mut swapped = bytes.clone();
    let (a, c) = (bytes.len() - 256, bytes.len() - 64);
    swapped[a..a + 64].copy_from_slice(&bytes[c..]);
    swapped[c..].copy_from_slice(&bytes[a..a + 64]);
    refused(&one, &world.write("swapped.proof", swapped), "proof-refused");

    // A verifier of another budget, and one of another route.
    let other = world.groth16(Schema::ENGINE_1.budget - 1);
    world.stage_proof(&one, &one_proof, &["--verifier", &other]).failed(2, "verifier-differs");
    let calldata = world.deployment()["verifier"].as_str().unwrap().to_owned();
    world.stage_proof(&one, &one_proof, &["--verifier", &calldata]).failed(2, "verifier-differs");
    assert_eq!(world.anvil.sent(PUBLISHER), 0, "nothing was sent");

    // What holds is said to hold, under which key.
    let verified = run(&["verify", &one, "--proof", &one_proof]).succeeded();
    for field in ["digest", "commitment", "rows", "circuit_version", "key_hash", "development"] {
        assert_eq!(verified[field], proven("one").report[field], "{field}");
    }
    assert_eq!(verified["development"], true);
}

#[test]
fn no_proof_without_an_artifact_or_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("source.json"), crate::support::source("keys")).unwrap();
    run(&["build", &path("source.json"), "--out", &path("artifact")]).succeeded();
    let out = path("proof");
    run(&["prove", &path("none"), "--out", &out]).failed(2, "io");
    let prove = |key: &str| {
        run(&["prove", &path("artifact"), "--proving-key", key, "--out", &out])
            .failed(2, "proving-key")
    };
    prove(&path("none"));
    prove(&path("artifact"));
    assert!(!fs::exists(out).unwrap());
}
