use ark_bn254::Fr;
use greenlight_artifact::{Schema, ValidArtifact};

use super::generate::Generator;
use crate::{
    CIRCUIT_VERSION, assign, keys,
    proof::{Evidence, EvidenceError, ProveError, prove, verify},
    r1cs, statement,
};

/// A setup of the whole circuit, a proof, and what the proof is no proof of.
#[test]
fn a_proof_holds_for_its_statement_alone() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp");
    let key = keys::cached_development(r1cs(), CIRCUIT_VERSION, &directory).unwrap();
    let schema = Schema { budget: 3_000, ..Schema::ENGINE_1 };
    let bytes = Generator::new(7).artifact(&schema, 200);
    let artifact = ValidArtifact::check(&bytes, &[schema]).unwrap();
    let mut values = assign(&artifact, &schema).unwrap();
    let proof = prove(&key, r1cs(), &values).unwrap();
    let evidence = Evidence { statement: statement(&artifact), proof };
    let verifying = key.verifying_key();
    evidence.verify(&verifying, &schema).unwrap();

    let inputs = evidence.statement.public_inputs(&schema).unwrap();
    for at in 0..inputs.len() {
        let mut others = inputs;
        others[at] += Fr::from(1_u64);
        let refused = verify(&verifying, &others, &evidence.proof);
        assert_eq!(refused, Err(EvidenceError::Refused), "input {at}");
    }
    assert_eq!(evidence.verify(&verifying, &Schema::ENGINE_1), Err(EvidenceError::Refused));

    values[1] += Fr::from(1_u64);
    assert!(matches!(prove(&key, r1cs(), &values), Err(ProveError::Unsatisfied { .. })));
}
