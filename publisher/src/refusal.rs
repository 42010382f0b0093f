//! What a contract says when it refuses, in words.

use alloy::{
    primitives::{Bytes, FixedBytes, hex},
    sol_types::{Panic, Revert, SolError as _, SolInterface as _},
};
use greenlight_artifact::Defect;

use crate::{
    abi::{
        IAccessManaged::IAccessManagedErrors as Managed,
        IAccessManager::IAccessManagerErrors as Manager,
        IArtifactVerifier::IArtifactVerifierErrors as Verifier,
        IConfigRegistry::IConfigRegistryErrors as Registry,
        IGroth16Verifier::IGroth16VerifierErrors as Groth16, VerifierStatus,
    },
    report::time,
};

/// Reason of a Safe that says only that what it was asked to do failed.
pub(crate) const INNER_CALL_FAILED: &str = "safe-inner-call";

/// A contract's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Stable name of what is wrong; for a defect of an artifact the same word as at the edge.
    pub(crate) reason: &'static str,
    /// For people.
    pub(crate) message: String,
    /// Code of the artifact's first defect.
    pub(crate) defect: Option<u8>,
    /// Row of the defect, from 0; absent where it is the header's or the whole table's.
    pub(crate) row: Option<u64>,
    /// The artifact that the registry speaks of.
    pub(crate) artifact: Option<u32>,
    /// The revert data as it came.
    pub(crate) data: Bytes,
}

impl Refusal {
    /// Puts revert data into words.
    pub(crate) fn decode(data: &Bytes) -> Self {
        let mut artifact = None;
        let (reason, message) = if let Ok(error) = Verifier::abi_decode(data) {
            match error {
                Verifier::Refused(e) => {
                    return Self::of_defect(e.defect, e.row.saturating_to(), data);
                }
                Verifier::UnexpectedEvidence(e) => (
                    "unexpected-evidence",
                    format!(
                        "the verifier takes the artifact's bytes alone: expected no evidence; found {} bytes",
                        e.size
                    ),
                ),
            }
        } else if let Ok(error) = Registry::abi_decode(data) {
            artifact = artifact_of(&error);
            registry(&error)
        } else if let Ok(error) = Groth16::abi_decode(data) {
            groth16(&error)
        } else if let Ok(error) = Managed::abi_decode(data) {
            managed(&error)
        } else if let Ok(error) = Manager::abi_decode(data) {
            manager(&error)
        } else {
            foreign(data)
        };
        Self { reason, message, defect: None, row: None, artifact, data: data.clone() }
    }

    /// A mined transaction failed, and the same call on the state after it does not.
    pub(crate) fn unexplained() -> Self {
        let message = "the transaction failed, though the same call succeeds on the state that its block left".into();
        Self {
            reason: "revert",
            message,
            defect: None,
            row: None,
            artifact: None,
            data: Bytes::new(),
        }
    }

    fn of_defect(defect: u8, row: u64, data: &Bytes) -> Self {
        let reason = Defect::reason_of(defect).unwrap_or("unknown-defect");
        // Header defects and the cost are of no row; the contract says 0 for them.
        let row = (9..=15).contains(&defect).then_some(row);
        let place = row.map_or_else(String::new, |row| format!(", row {row}"));
        let message =
            format!("the verifier refuses the artifact: {reason} (defect {defect}{place})");
        Self { reason, message, defect: Some(defect), row, artifact: None, data: data.clone() }
    }
}

fn registry(error: &Registry) -> (&'static str, String) {
    match error {
        Registry::HeadMoved(e) => (
            "head-moved",
            format!(
                "the head moved since this was decided: expected sequence {}; found {}",
                e.expected, e.found
            ),
        ),
        Registry::CoolingOff(e) => (
            "cooling-off",
            format!("the head changed too short a while ago: possible from {}", time(e.until.to())),
        ),
        Registry::UnknownArtifact(e) => {
            ("unknown-artifact", format!("no artifact has id {}", e.id))
        }
        Registry::AlreadyStaged(e) => {
            ("already-staged", format!("the same bytes are staged already, as id {}", e.id))
        }
        Registry::AlreadyPromoted(e) => (
            "already-promoted",
            format!(
                "the same bytes were current under id {}: promote that, or roll back to it",
                e.id
            ),
        ),
        Registry::ArtifactRevoked(e) => {
            ("artifact-revoked", format!("artifact {} was revoked, which is final", e.id))
        }
        Registry::BytesUnavailable(e) => (
            "bytes-unavailable",
            format!(
                "the verifier vouches for {}; the bytes given hash to {}: no edge could fetch it",
                e.digest, e.found
            ),
        ),
        Registry::BlobNotCarried(e) => (
            "blob-not-carried",
            if e.found.is_zero() {
                format!(
                    "blob {}: expected {}; the transaction carries none",
                    e.blobIndex, e.expected
                )
            } else {
                format!("blob {}: expected {}; found {}", e.blobIndex, e.expected, e.found)
            },
        ),
        Registry::StagingExpired(e) => (
            "staging-expired",
            format!(
                "artifact {} could be promoted until {}: stage its bytes anew",
                e.id,
                time(e.expired.to())
            ),
        ),
        Registry::NoStagingPeriod(_) => {
            ("no-staging-period", "the staging period: expected at least 1 s; found 0".into())
        }
        Registry::InvalidCanary(e) => (
            "invalid-canary",
            format!("canary: expected 1 to 10000 basis points; found {}", e.canaryBps),
        ),
        Registry::AlreadyCurrent(e) => {
            ("already-current", format!("every edge runs artifact {} already", e.id))
        }
        Registry::AlreadyCandidate(e) => (
            "already-candidate",
            format!("artifact {} is the candidate already, at {} basis points", e.id, e.canaryBps),
        ),
        Registry::CanaryWhileRolledBack(e) => (
            "canary-while-rolled-back",
            format!(
                "no canary while rolled back to {}: promote in full, which ends the rollback",
                e.rollbackTo
            ),
        ),
        Registry::NeverCurrent(e) => (
            "never-current",
            format!("artifact {} was never current: only what was can be gone back to", e.id),
        ),
        Registry::AlreadyEffective(e) => {
            ("already-effective", format!("edges run artifact {} (or would, once revived)", e.id))
        }
        Registry::StillEffective(e) => (
            "still-effective",
            format!("edges run artifact {}: kill or roll back before revoking it", e.id),
        ),
        Registry::RevivesRevoked(e) => (
            "revives-revoked",
            format!(
                "edges would run artifact {}, which is revoked: roll back or promote first",
                e.id
            ),
        ),
        Registry::AlreadyKilled(_) => ("already-killed", "the kill bit is set already".into()),
        Registry::NotKilled(_) => ("not-killed", "the kill bit is not set".into()),
        Registry::AlreadyPaused(_) => ("already-paused", "the pause bit is set already".into()),
        Registry::NotPaused(_) => ("not-paused", "the pause bit is not set".into()),
        Registry::VerifierNotActive(e) => (
            "verifier-not-active",
            format!(
                "verifier {}: expected an active one; found {}",
                e.verifier,
                verifier_status(e.status)
            ),
        ),
        Registry::VerifierKnown(e) => (
            "verifier-known",
            format!(
                "verifier {}: expected an unknown one; found {}",
                e.verifier,
                verifier_status(e.status)
            ),
        ),
        Registry::VerifierWithoutCode(e) => {
            ("verifier-without-code", format!("verifier {}: there is no contract", e.verifier))
        }
    }
}

fn groth16(error: &Groth16) -> (&'static str, String) {
    match error {
        Groth16::DevelopmentKey(e) => (
            "development-key",
            format!(
                "anyone can forge proofs under the development key: expected chain 31337 or 1337; found {}",
                e.chainId
            ),
        ),
        Groth16::FingerprintKind(e) => (
            "fingerprint-kind",
            format!("the circuit does not judge fingerprints, which kind {} takes", e.kind),
        ),
        Groth16::EvidenceSize(e) => {
            ("evidence-size", format!("evidence: expected {} bytes; found {}", e.expected, e.found))
        }
        Groth16::RowCount(e) => {
            ("row-count", format!("evidence: expected 1 to 200 rows; found {}", e.found))
        }
        Groth16::CommitmentNotInField(e) => (
            "commitment-not-in-field",
            format!(
                "evidence: expected a commitment below the order of BN254's scalar field; found {}",
                e.found
            ),
        ),
        Groth16::ArtifactSize(e) => (
            "artifact-size",
            format!("artifact: the proof is of {} bytes; found {}", e.expected, e.found),
        ),
        Groth16::ProofRefused(_) => (
            "proof-refused",
            "the verifier refuses the proof: it does not hold for this statement".into(),
        ),
    }
}

const fn artifact_of(error: &Registry) -> Option<u32> {
    Some(match error {
        Registry::UnknownArtifact(e) => e.id,
        Registry::AlreadyStaged(e) => e.id,
        Registry::AlreadyPromoted(e) => e.id,
        Registry::ArtifactRevoked(e) => e.id,
        Registry::AlreadyCurrent(e) => e.id,
        Registry::AlreadyCandidate(e) => e.id,
        Registry::CanaryWhileRolledBack(e) => e.rollbackTo,
        Registry::NeverCurrent(e) => e.id,
        Registry::AlreadyEffective(e) => e.id,
        Registry::StillEffective(e) => e.id,
        Registry::RevivesRevoked(e) => e.id,
        Registry::StagingExpired(e) => e.id,
        _ => return None,
    })
}

fn managed(error: &Managed) -> (&'static str, String) {
    match error {
        Managed::AccessManagedUnauthorized(e) => {
            ("unauthorized", format!("{} does not hold the role that this call needs:", e.caller))
        }
        Managed::AccessManagedRequiredDelay(e) => {
            ("required-delay", format!("{} must schedule this call {} s ahead", e.caller, e.delay))
        }
        Managed::AccessManagedInvalidAuthority(e) => (
            "invalid-authority",
            format!("{} cannot be an authority: there is no contract", e.authority),
        ),
    }
}

fn manager(error: &Manager) -> (&'static str, String) {
    match error {
        Manager::AccessManagerAlreadyScheduled(e) => {
            ("already-scheduled", format!("operation {} is scheduled already", e.operationId))
        }
        Manager::AccessManagerNotScheduled(e) => (
            "not-scheduled",
            format!(
                "operation {} is not scheduled: never was, was cancelled, or was executed",
                e.operationId
            ),
        ),
        Manager::AccessManagerNotReady(e) => (
            "not-ready",
            format!("operation {} is scheduled, but its timelock has not passed", e.operationId),
        ),
        Manager::AccessManagerExpired(e) => (
            "expired",
            format!("operation {} was not executed in time and has expired", e.operationId),
        ),
        Manager::AccessManagerLockedRole(e) => {
            ("locked-role", format!("role {} cannot be changed", e.roleId))
        }
        Manager::AccessManagerLockedFunction(e) => {
            ("locked-function", format!("the role of function {} cannot be changed", e.selector))
        }
        Manager::AccessManagerBadConfirmation(_) => {
            ("bad-confirmation", "a role is renounced by naming one's own account".into())
        }
        Manager::AccessManagerUnauthorizedAccount(e) => {
            ("unauthorized", format!("{} does not hold role {}", e.msgsender, e.roleId))
        }
        Manager::AccessManagerUnauthorizedCall(e) => (
            "unauthorized",
            format!("{} may not call {} of {}, or not that early", e.caller, e.selector, e.target),
        ),
        Manager::AccessManagerUnauthorizedConsume(e) => {
            ("unauthorized", format!("{} may not consume a scheduled operation", e.target))
        }
        Manager::AccessManagerUnauthorizedCancel(e) => (
            "unauthorized",
            format!(
                "{} may not cancel what {} scheduled: it is neither that account nor a guardian of the role",
                e.msgsender, e.caller
            ),
        ),
        Manager::AccessManagerInvalidInitialAdmin(e) => (
            "invalid-initial-admin",
            format!("{} cannot be the first administrator", e.initialAdmin),
        ),
    }
}

/// What a Safe means by its codes (`docs/error_codes.md` of Safe).
fn safe(code: &str) -> Option<(&'static str, String)> {
    let (reason, message) = match code {
        "GS010" => ("safe-gas", "not enough gas for what it was asked to do"),
        "GS013" => (INNER_CALL_FAILED, "what it was asked to do failed"),
        "GS020" => ("safe-signatures", "fewer signatures than its threshold"),
        "GS021" | "GS022" | "GS023" | "GS024" => {
            ("safe-signatures", "a contract's signature that is none")
        }
        "GS025" => ("safe-signatures", "a hash that its owner did not approve"),
        "GS026" => (
            "safe-signatures",
            "a signature of no owner, not in the owners' order, or for another transaction or nonce",
        ),
        "GS030" | "GS031" => ("safe-caller", "a call that is for its owners, or for itself, alone"),
        _ => return None,
    };
    Some((reason, format!("the Safe refuses: {message} ({code})")))
}

/// Reverts that none of the project's contracts defines.
fn foreign(data: &Bytes) -> (&'static str, String) {
    if let Ok(revert) = Revert::abi_decode(data) {
        if let Some(refused) = safe(&revert.reason) {
            return refused;
        }
        return ("revert", format!("the contract reverts: {}", revert.reason.escape_debug()));
    }
    if let Ok(panic) = Panic::abi_decode(data) {
        return ("panic", format!("the contract fails: {panic}"));
    }
    match data.first_chunk::<4>() {
        None => ("revert", "the contract reverts and says no reason".into()),
        Some(selector) => (
            "unknown-error",
            format!(
                "the contract reverts with error {}, unknown here, and {}",
                FixedBytes::from(selector),
                hex::encode_prefixed(data.get(4..).unwrap_or_default())
            ),
        ),
    }
}

const fn verifier_status(status: VerifierStatus) -> &'static str {
    match status {
        VerifierStatus::None => "one that was never added",
        VerifierStatus::Active => "an active one",
        VerifierStatus::Stopped => "a stopped one",
        VerifierStatus::__Invalid => "a status unknown here",
    }
}

#[cfg(test)]
mod tests;
