//! The circuit of artifact format 1 and the values that satisfy it.

use std::sync::OnceLock;

use ark_bn254::Fr;
use greenlight_artifact::{ArgumentClass, Digest, KindCode, Schema, ValidArtifact};

use crate::{
    builder::Built,
    constraints,
    proof::{Statement, inputs_behind},
    r1cs::R1cs,
    witness,
};

/// The version of the constraints; keys are for one version.
pub const CIRCUIT_VERSION: u32 = 1;

/// Why an artifact is not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// The circuit knows argument classes 1 to 7 alone.
    #[error(
        "row {row}: expected a kind whose argument class this circuit knows; found kind {kind}, class {class:?}"
    )]
    Class {
        /// Row, from 0.
        row: usize,
        /// Its kind.
        kind: KindCode,
        /// The kind's class.
        class: ArgumentClass,
    },
    /// The artifact was checked against another engine's schema.
    #[error("schema: expected that of engine {expected}; found that of engine {found}")]
    Engine {
        /// The engine that the artifact names.
        expected: u32,
        /// The engine that the schema is of.
        found: u32,
    },
}

pub(crate) fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(constraints::build)
}

/// The constraints, made once.
#[must_use]
pub fn r1cs() -> &'static R1cs {
    &built().r1cs
}

/// What a proof of an artifact says.
#[must_use]
pub fn statement(artifact: &ValidArtifact) -> Statement {
    Statement { digest: artifact.digest(), commitment: artifact.commitment(), rows: rows(artifact) }
}

/// The values of all variables for an artifact under the schema that it was checked against.
///
/// # Errors
///
/// [`AssignError`] where the circuit has no values for it.
pub fn assign(artifact: &ValidArtifact, schema: &Schema) -> Result<Vec<Fr>, AssignError> {
    assign_claiming(artifact, &artifact.digest(), schema)
}

/// As [`assign`], of a statement that claims this digest: the circuit binds a proof to a digest and does not compute it, so
/// that a false one can be proven, too. For drills.
///
/// # Errors
///
/// As for [`assign`].
pub fn assign_claiming(
    artifact: &ValidArtifact,
    digest: &Digest,
    schema: &Schema,
) -> Result<Vec<Fr>, AssignError> {
    let (expected, found) = (artifact.header().engine, schema.engine);
    if expected != found {
        return Err(AssignError::Engine { expected, found });
    }
    for (row, kind) in artifact.rows().map(|row| row.kind).enumerate() {
        if let Some(class @ ArgumentClass::Fingerprint) = schema.class(kind) {
            return Err(AssignError::Class { row, kind, class });
        }
    }
    let inputs = inputs_behind(digest, rows(artifact), schema);
    Ok(witness::values(artifact.bytes(), schema, &inputs, &digest.0))
}

fn rows(artifact: &ValidArtifact) -> u8 {
    u8::try_from(artifact.rows().len()).unwrap_or(u8::MAX)
}
