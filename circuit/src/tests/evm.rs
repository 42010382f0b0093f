//! The contract that checks an artifact's bytes, as compiled for deployment.

use std::sync::LazyLock;

use alloy_primitives::Bytes;
use greenlight_artifact::{Digest, Schema};
use revm_bytecode::Bytecode;
use revm_interpreter::{
    CallInput, InputsImpl, Interpreter, InterpreterAction, InterpreterResult, SharedMemory,
    host::DummyHost,
    instruction_table,
    interpreter::{EthInterpreter, ExtBytecode},
};

/// What creates a `CalldataVerifier`, before the constructor's arguments.
static CREATION: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = "../contracts/out/CalldataVerifier.sol/CalldataVerifier.json";
    let compiled = std::fs::read_to_string(path).expect("make setup compiles the contracts");
    let compiled: serde_json::Value = serde_json::from_str(&compiled).unwrap();
    let code = compiled["bytecode"]["object"].as_str().unwrap();
    hex::decode(code.strip_prefix("0x").unwrap()).unwrap()
});

/// A `CalldataVerifier` for some schema.
pub(super) struct CalldataVerifier(Bytecode);

impl CalldataVerifier {
    pub(super) fn new(schema: &Schema) -> Self {
        let mut code = CREATION.clone();
        code.extend(word(schema.engine.into()));
        code.extend(schema.word);
        code.extend(word(schema.budget.into()));
        let created = run(Bytecode::new_raw(code.into()), Bytes::new());
        assert!(created.is_ok(), "the constructor: {:?}", created.result);
        Self(Bytecode::new_raw(created.output))
    }

    /// Code and row of the defect that `verify` refuses the artifact for; zeros if it takes it.
    pub(super) fn judge(&self, artifact: &[u8]) -> (u8, usize) {
        let padding = artifact.len().next_multiple_of(32) - artifact.len();
        let evidence_at = 96 + artifact.len() + padding;
        let call = [
            &selector("verify(bytes,bytes)")[..],
            &word(64),
            &word(evidence_at as u64),
            &word(artifact.len() as u64),
            artifact,
            &vec![0; padding],
            &word(0),
        ]
        .concat();
        let result = run(self.0.clone(), call.into());
        if result.is_ok() {
            assert_eq!(result.output[..32], Digest::of(artifact).0, "the statement's digest");
            return (0, 0);
        }
        let (error, [defect @ .., code]) = (&result.output[..4], &result.output[4..36]) else {
            panic!("{result:?}")
        };
        assert!(result.is_revert() && error == selector("Refused(uint8,uint256)"), "{result:?}");
        assert!(defect.iter().all(|byte| *byte == 0));
        (*code, usize::from(result.output[67]))
    }
}

fn run(code: Bytecode, input: Bytes) -> InterpreterResult {
    let input = InputsImpl { input: CallInput::Bytes(input), ..InputsImpl::default() };
    let mut interpreter: Interpreter = Interpreter::new(
        SharedMemory::new(),
        ExtBytecode::new(code),
        input,
        true,
        Default::default(),
        u64::MAX,
    );
    let table = instruction_table::<EthInterpreter, DummyHost>();
    match interpreter.run_plain(&table, &mut DummyHost::default()) {
        InterpreterAction::Return(result) => result,
        InterpreterAction::NewFrame(frame) => panic!("the checker calls nobody: {frame:?}"),
    }
}

fn selector(signature: &str) -> [u8; 4] {
    Digest::of(signature.as_bytes()).0[..4].try_into().unwrap()
}

fn word(number: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&number.to_be_bytes());
    word
}
