// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IArtifactVerifier, Statement} from "../interfaces/IArtifactVerifier.sol";
import {Format} from "../libraries/Format.sol";
import {Journal, Journals, SourceFormat} from "../libraries/Journals.sol";

/// @title ReceiptVerifier
/// @notice The zkVM route. A receipt proves that the checker program (`guest/`) ran to its end and published this journal:
/// the artifact is the canonical form of that source, and obeys every invariant. What differs between zkVMs is how a
/// receipt is verified, which their own verifier contracts do.
///
/// Evidence is a u16, the size of the journal; the journal (see `Journals`); and the proof. Whoever holds the evidence,
/// which is the calldata of the stage call, can ask `source` which file the artifact was made from.
abstract contract ReceiptVerifier is IArtifactVerifier {
    /// @inheritdoc IArtifactVerifier
    uint32 public immutable engine;
    /// @notice Schema word that artifacts must have been checked by.
    bytes32 public immutable schema;
    /// @notice Cost budget that artifacts must have been checked by.
    uint32 public immutable budget;
    /// @notice Identity of the checker program, in the terms of its zkVM.
    bytes32 public immutable program;

    /// @notice Evidence that ends before its journal does.
    error EvidenceTruncated(uint256 expected, uint256 found);
    /// @notice There is no contract to verify receipts.
    error NotAContract(address found);
    error WrongEngine(uint32 expected, uint32 found);
    error WrongSchema(bytes32 expected, bytes32 found);
    error WrongBudget(uint32 expected, uint32 found);
    /// @notice No artifact has this size and this number of rows.
    error WrongSize(uint16 size, uint8 rows);

    constructor(uint32 engine_, bytes32 schema_, uint32 budget_, bytes32 program_, address receipts) {
        if (receipts.code.length == 0) revert NotAContract(receipts);
        engine = engine_;
        schema = schema_;
        budget = budget_;
        program = program_;
    }

    /// @inheritdoc IArtifactVerifier
    /// @dev The receipt speaks of the artifact by its digest; the bytes are not needed.
    function verify(bytes calldata, bytes calldata evidence) external view returns (Statement memory) {
        Journal memory journal = _verified(evidence);
        return
            Statement({digest: journal.digest, commitment: 0, engine: engine, size: journal.size, rows: journal.rows});
    }

    /// @notice What the artifact is the canonical form of. Reverts unless `verify` would accept the evidence.
    /// @return format What the source was read as.
    /// @return digest SHA-256 of the source file.
    function source(bytes calldata evidence) external view returns (SourceFormat format, bytes32 digest) {
        Journal memory journal = _verified(evidence);
        return (journal.format, journal.source);
    }

    /// @dev The journal, read only once its receipt is known to be good.
    function _verified(bytes calldata evidence) private view returns (Journal memory journal) {
        if (evidence.length < 2) revert EvidenceTruncated(2, evidence.length);
        uint256 proofAt = 2 + uint256(uint16(bytes2(evidence[:2])));
        if (evidence.length < proofAt) revert EvidenceTruncated(proofAt, evidence.length);
        bytes calldata published = evidence[2:proofAt];
        _verifyReceipt(published, evidence[proofAt:]);

        journal = Journals.decode(published);
        if (journal.engine != engine) revert WrongEngine(engine, journal.engine);
        if (journal.schema != schema) revert WrongSchema(schema, journal.schema);
        if (journal.budget != budget) revert WrongBudget(budget, journal.budget);
        if (!Format.isSize(journal.size) || Format.rowsIn(journal.size) != journal.rows) {
            revert WrongSize(journal.size, journal.rows);
        }
    }

    /// @dev Reverts unless `proof` proves that `program` ran to its end and published `journal`.
    function _verifyReceipt(bytes calldata journal, bytes calldata proof) internal view virtual;
}
