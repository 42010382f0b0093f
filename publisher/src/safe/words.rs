//! What a call of the registry or its AccessManager does, in words that an owner can judge.

use alloy::{
    primitives::{Address, Bytes, hex},
    sol_types::SolInterface,
};
use greenlight_artifact::{Digest, ValidArtifact, guest::Journal};
use greenlight_circuit::proof::Evidence;

use crate::{
    abi::{
        IAccessManager::IAccessManagerCalls as Manager,
        IConfigRegistry::IConfigRegistryCalls as Registry,
    },
    files::SCHEMAS,
    schedule::Action,
};

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The act itself.
    Act(Action),
    /// Begins the act's timelock.
    Schedule { action: Action, data: Bytes },
    /// Takes back what `caller` scheduled.
    Cancel { caller: Address, action: Action, data: Bytes },
}

/// A call, decoded.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) meaning: Meaning,
    /// In one line.
    pub(crate) summary: String,
    /// `registry` or `AccessManager`.
    pub(crate) contract: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) arguments: Vec<Argument>,
}

/// An argument; a call within a call has its own, one step deeper.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub(crate) depth: usize,
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

impl Words {
    /// Decodes a call that a Safe may be asked to make, or says what is wrong with it.
    pub(crate) fn of(
        to: Address,
        data: &Bytes,
        registry: Address,
        manager: Address,
    ) -> Result<Self, String> {
        if to == registry {
            Self::of_registry(data)
        } else if to == manager {
            Self::of_manager(data, registry)
        } else {
            Err(format!("it goes to {to}, which is neither the registry nor its AccessManager"))
        }
    }

    fn of_registry(data: &Bytes) -> Result<Self, String> {
        let call = canonical::<Registry>(data)?;
        if let Registry::stageBlob(call) = &call
            && !call.blobIndex.is_zero()
        {
            let found = call.blobIndex;
            return Err(format!(
                "its transaction has one blob, number 0, and it names blob {found}"
            ));
        }
        let arguments = arguments(&call).ok_or_else(|| unknown(data))?;
        let action = Action::decode(data);
        let summary = match &call {
            Registry::stage(call) => {
                format!("stage {} through {}", artifact(&call.artifact), call.verifier)
            }
            Registry::stageBlob(call) => format!(
                "stage blob {} through {}, with evidence of {}",
                call.versionedHash,
                call.verifier,
                evidence(&call.evidence)
            ),
            _ => action.to_string(),
        };
        Ok(Self {
            meaning: Meaning::Act(action),
            summary,
            contract: "registry",
            signature: Registry::signature_by_selector(call.selector()).unwrap_or_default(),
            arguments,
        })
    }

    fn of_manager(data: &Bytes, registry: Address) -> Result<Self, String> {
        let call = canonical::<Manager>(data)?;
        let argument = |name, value| Argument { depth: 0, name, value };
        let of_registry = |target: Address, data: &Bytes| {
            if target == registry {
                Self::of_registry(data)
            } else {
                Err(format!("it is about a call of {target}, which is not the registry"))
            }
        };
        let (inner, meaning, summary, mut arguments) = match &call {
            Manager::schedule(call) => {
                let inner = of_registry(call.target, &call.data)?;
                let action = Action::decode(&call.data);
                if !call.when.is_zero() {
                    let when = call.when;
                    return Err(format!(
                        "it schedules for time {when}, and not as soon as the delay allows"
                    ));
                }
                let arguments = vec![
                    argument("target", format!("{} (registry)", call.target)),
                    argument("when", "0 (as soon as the delay allows)".into()),
                    argument("data", inner.signature.into()),
                ];
                let meaning = Meaning::Schedule { action, data: call.data.clone() };
                let summary = format!("schedule: {}", inner.summary);
                (inner, meaning, summary, arguments)
            }
            Manager::cancel(call) => {
                let inner = of_registry(call.target, &call.data)?;
                let action = Action::decode(&call.data);
                let arguments = vec![
                    argument("caller", format!("{} (scheduled it)", call.caller)),
                    argument("target", format!("{} (registry)", call.target)),
                    argument("data", inner.signature.into()),
                ];
                let summary = format!("cancel: {}, scheduled by {}", inner.summary, call.caller);
                let (caller, data) = (call.caller, call.data.clone());
                (inner, Meaning::Cancel { caller, action, data }, summary, arguments)
            }
            _ => return Err(unknown(data)),
        };
        let deeper =
            |argument: Argument| Argument { depth: argument.depth.saturating_add(1), ..argument };
        arguments.extend(inner.arguments.into_iter().map(deeper));
        Ok(Self {
            meaning,
            summary,
            contract: "AccessManager",
            signature: Manager::signature_by_selector(call.selector()).unwrap_or_default(),
            arguments,
        })
    }
}

/// Decodes calldata that holds its arguments in the one way in which they are encoded, and nothing else.
fn canonical<C: SolInterface>(data: &Bytes) -> Result<C, String> {
    let call = C::abi_decode(data).map_err(|_| unknown(data))?;
    if call.abi_encode() == **data {
        Ok(call)
    } else {
        Err("it holds other bytes than its arguments encode to".into())
    }
}

fn unknown(data: &Bytes) -> String {
    let selector = data.get(..4).unwrap_or(data);
    format!("no call that is proposed here begins with {}", hex::encode_prefixed(selector))
}

/// `None` for what changes nothing, and so is no act.
fn arguments(call: &Registry) -> Option<Vec<Argument>> {
    let one = |name, value: String| Argument { depth: 0, name, value };
    let id = |id: u32| one("id", id.to_string());
    let sequence =
        |sequence: u64| one("sequence", format!("{sequence} (the head's that this is decided on)"));
    let verifier = |verifier: Address| one("verifier", verifier.to_string());
    Some(match call {
        Registry::stage(call) => vec![
            verifier(call.verifier),
            one("artifact", artifact(&call.artifact)),
            one("evidence", evidence(&call.evidence)),
        ],
        Registry::stageBlob(call) => vec![
            verifier(call.verifier),
            one("evidence", evidence(&call.evidence)),
            one("blobIndex", call.blobIndex.to_string()),
            one("versionedHash", call.versionedHash.to_string()),
        ],
        Registry::promote(call) => {
            let share = match call.canaryBps {
                10_000 => "10000 (every edge)".into(),
                bps => format!("{bps} (a canary on {}.{:02} % of the edges)", bps / 100, bps % 100),
            };
            vec![id(call.id), one("canaryBps", share), sequence(call.sequence)]
        }
        Registry::rollback(call) => vec![id(call.id)],
        Registry::revoke(call) => vec![id(call.id)],
        Registry::kill(_) | Registry::pause(_) => Vec::new(),
        Registry::revive(call) => vec![sequence(call.sequence)],
        Registry::resume(call) => vec![sequence(call.sequence)],
        Registry::addVerifier(call) => vec![verifier(call.verifier)],
        Registry::stopVerifier(call) => vec![verifier(call.verifier)],
        _ => return None,
    })
}

fn artifact(bytes: &Bytes) -> String {
    let digest = Digest::of(bytes);
    match ValidArtifact::check(bytes, SCHEMAS) {
        Ok(artifact) => {
            let (label, rows) = (artifact.header().label, artifact.rows().len());
            format!("{digest} ({label:?}, {rows} rows, {} bytes)", bytes.len())
        }
        Err(defect) => format!("{digest} ({} bytes, NO VALID ARTIFACT: {defect})", bytes.len()),
    }
}

fn evidence(bytes: &Bytes) -> String {
    if bytes.is_empty() {
        "none".into()
    } else {
        let of = claimed(bytes).map_or_else(
            || format!("keccak256 {}", Digest::of(bytes)),
            |(digest, rows)| format!("which says that it is of artifact {digest} with {rows} rows"),
        );
        format!("{} bytes, {of}", bytes.len())
    }
}

/// Which artifact evidence says that it is of, by its layout: digest and rows. What the evidence is worth is the verifier's to
/// say.
fn claimed(evidence: &Bytes) -> Option<(Digest, u8)> {
    if let Ok(proof) = Evidence::from_bytes(evidence) {
        return Some((proof.statement.digest, proof.statement.rows));
    }
    Journal::claimed(evidence)
}
