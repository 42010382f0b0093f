//! Shortcuts with proofs. What `greenlightctl` refuses to send is put before the contract by an `eth_call` of the publisher's
//! Safe, and the one lie that a contract cannot see goes all the way to the edge.

use std::fs;

use alloy::{
    primitives::{B256, Bytes},
    sol,
    sol_types::{SolCall as _, SolError as _, SolValue as _},
};
use anyhow::{Context as _, Result, ensure};
use greenlight_artifact::{Schema, ValidArtifact};
use greenlight_circuit::{
    CIRCUIT_VERSION, assign_claiming,
    keys::{cache_directory, cached_development},
    proof::{Evidence, ProofFile, Statement, prove},
    r1cs,
};
use serde_json::{Value, json};

use super::{By, Gate, Outcome, Route};
use crate::{
    artifacts,
    chain::{Blocks, Chain, PUBLISHER, SPARE},
    deploy::{self, PUBLISHER_ROLE},
    edge::Edge,
    scene::{SOON, Scene},
    tools::Tools,
};

sol! {
    function stage(address verifier, bytes artifact, bytes evidence) external returns (uint32 id);
    error BytesUnavailable(bytes32 digest, bytes32 found);
    error ProofRefused();
    error DevelopmentKey(uint256 chainId);
}

pub(super) async fn run(gate: &mut Gate, scene: &Scene, edge: &Edge, route: &Route) -> Result<()> {
    let name = route.name;
    let first = scene.dir.path().join("groth16-first.glff").display().to_string();
    let one = artifacts::labelled(&scene.sample, "one")?;
    let two = artifacts::labelled(&scene.sample, "two")?;
    let (one_file, one_proof) = proven(scene, "one", &one).await?;
    let (_, two_proof) = proven(scene, "two", &two).await?;
    let staging = async |file: &str, proof: &str| {
        scene.ctl.run(PUBLISHER, ["stage", file, "--proof", proof]).await
    };

    let (mut wrong, other) = (read(&one_proof)?, read(&two_proof)?);
    wrong.evidence.proof = other.evidence.proof.clone();
    let file = scene.file("wrong.glpf", &wrong.to_bytes())?.display().to_string();
    let refused = (By::Program, "proof-refused");
    gate.note(name, "stage with a wrong proof", refused, &staging(&one_file, &file).await?);
    let found = at_the_contract(scene, route, &one, &wrong.evidence).await?;
    let attempt = "stage with a wrong proof, sent all the same";
    gate.note(name, attempt, (By::Contract, "proof-refused"), found);

    let refused = (By::Program, "proof-of-another-artifact");
    let ended = staging(&one_file, &two_proof).await?;
    gate.note(name, "stage with a proof of another artifact", refused, &ended);
    let found = at_the_contract(scene, route, &one, &other.evidence).await?;
    let attempt = "stage with a proof of another artifact, sent all the same";
    gate.note(name, attempt, (By::Contract, "bytes-unavailable"), found);

    let proof = first.replace(".glff", ".glpf");
    let refused = (By::Contract, "already-promoted");
    gate.note(name, "stage with a proof again", refused, &staging(&first, &proof).await?);

    lie(gate, scene, edge, route, &one, &two).await.context("a lie about the digest")
}

/// A publisher that proves one artifact and says that it is the digest of another: the proof holds, for the circuit does not
/// hash by Keccak.
async fn lie(
    gate: &mut Gate,
    scene: &Scene,
    edge: &Edge,
    route: &Route,
    said: &ValidArtifact,
    proven: &ValidArtifact,
) -> Result<()> {
    let schema = &Schema::ENGINE_1;
    let key = cached_development(r1cs(), CIRCUIT_VERSION, &cache_directory())?;
    let assignment = assign_claiming(proven, &said.digest(), schema)?;
    let rows = u8::try_from(proven.rows().len())?;
    let statement = Statement { digest: said.digest(), commitment: proven.commitment(), rows };
    let evidence = Evidence { statement, proof: prove(&key, r1cs(), &assignment)? };

    // Our own program makes no such evidence, so that the liar calls the registry without it.
    deploy::grant(scene.rpc(), &scene.deployment, PUBLISHER_ROLE, SPARE.address).await?;
    let data = staging(route, said, &evidence);
    let registry = scene.deployment.registry;
    let call = json!([{ "from": SPARE.address, "to": registry, "data": data, "gas": "0x1e8480" }]);
    let hash = scene.rpc().call("eth_sendTransaction", call).await?;
    ensure!(
        scene.rpc().mined(serde_json::from_value(hash)?).await?,
        "expected the lie to be staged"
    );
    let status = scene.ctl.run(PUBLISHER, ["status", "--limit", "1"]).await?.done()?;
    let id = status["last_id"].as_u64().context("status said no last id")?;
    let ended = scene.ctl.run(PUBLISHER, ["promote", &id.to_string()]).await?;
    gate.note(route.name, "promote a digest that the proof is not of", super::PASSES, &ended);

    let reason = edge.quarantines(&said.digest().to_string(), SOON).await?;
    let found = Outcome { by: By::Edge, reason };
    gate.note(
        route.name,
        "adopt a digest that the proof is not of",
        (By::Edge, "commitment"),
        found,
    );
    Ok(())
}

/// A file with an artifact and one with a proof of it.
async fn proven(scene: &Scene, label: &str, artifact: &ValidArtifact) -> Result<(String, String)> {
    let file = scene.file(&format!("{label}.glff"), artifact.bytes())?.display().to_string();
    let proof = super::prove(scene, &file).await?;
    Ok((file, proof))
}

fn read(proof: &str) -> Result<ProofFile> {
    ProofFile::from_bytes(&fs::read(proof)?).with_context(|| proof.to_owned())
}

fn staging(route: &Route, artifact: &ValidArtifact, evidence: &Evidence) -> Bytes {
    let (artifact, evidence) = (artifact.bytes().to_vec().into(), evidence.to_bytes().into());
    stageCall { verifier: route.verifier, artifact, evidence }.abi_encode().into()
}

/// What the registry says to the publisher's Safe that stages this.
async fn at_the_contract(
    scene: &Scene,
    route: &Route,
    artifact: &ValidArtifact,
    evidence: &Evidence,
) -> Result<Outcome> {
    let safe = scene.deployment.holders.publisher;
    let data = staging(route, artifact, evidence);
    let refusal = scene.rpc().refusal(safe, scene.deployment.registry, data).await?;
    Ok(outcome(refusal.as_ref()))
}

fn outcome(refusal: Option<&Bytes>) -> Outcome {
    let Some(data) = refusal else { return super::PASSES.into() };
    let known = [
        (BytesUnavailable::SELECTOR, "bytes-unavailable"),
        (ProofRefused::SELECTOR, "proof-refused"),
        (DevelopmentKey::SELECTOR, "development-key"),
    ];
    let reason = known.into_iter().find(|(selector, _)| data.starts_with(selector));
    let reason = reason.map_or_else(|| data.to_string(), |(_, reason)| reason.to_owned());
    Outcome { by: By::Contract, reason }
}

/// The verifier of the development key, on a chain that says it is Ethereum.
pub(super) async fn development_key(tools: &Tools, gate: &mut Gate) -> Result<()> {
    let chain = Chain::of(tools, Blocks::ByTransaction, 0, 1).await?;
    let path = tools.contracts().join("out/Groth16Verifier.sol/Groth16Verifier.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let code: Value = serde_json::from_str(&text)?;
    let mut creation: Bytes = serde_json::from_value(code["bytecode"]["object"].clone())?;
    let Schema { engine, word, budget } = Schema::ENGINE_1;
    let arguments = (engine, B256::from(word), budget).abi_encode();
    creation = [creation.to_vec(), arguments].concat().into();
    let refusal = chain.rpc.refused_creation(creation).await?;
    let attempt = "deploy the verifier of the development key on Ethereum";
    gate.note("groth16", attempt, (By::Contract, "development-key"), outcome(refusal.as_ref()));
    chain.end().await
}
