// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IArtifactVerifier, Statement} from "../interfaces/IArtifactVerifier.sol";
import {Defect} from "../libraries/Defect.sol";
import {Diagnosis} from "../libraries/Diagnosis.sol";
import {Format} from "../libraries/Format.sol";
import {Screening} from "../libraries/Screening.sol";

/// @title CalldataVerifier
/// @notice Checks every invariant of artifact format 1 over the bytes themselves; there is no other evidence. One instance
/// serves one engine, whose schema and cost budget are data: a new kind of feature is a new instance, not new code.
contract CalldataVerifier is IArtifactVerifier {
    /// @inheritdoc IArtifactVerifier
    uint32 public immutable engine;
    /// @notice Byte k, from the most significant: argument class (high nibble) and cost (low nibble) of kind k.
    bytes32 public immutable schema;
    /// @notice Bound on the summed cost of the rows.
    uint32 public immutable budget;

    /// @notice The two checkers judge an artifact differently. No input is known to do that; if one is found, the artifact
    /// stays out.
    error CheckersDisagree();

    constructor(uint32 engine_, bytes32 schema_, uint32 budget_) {
        engine = engine_;
        schema = schema_;
        budget = budget_;
    }

    /// @inheritdoc IArtifactVerifier
    function verify(bytes calldata artifact, bytes calldata evidence) external view returns (Statement memory) {
        if (evidence.length != 0) revert UnexpectedEvidence(evidence.length);
        if (!Screening.passes(artifact, engine, schema, budget)) {
            (uint8 defect, uint256 row) = diagnose(artifact);
            if (defect == Defect.NONE) revert CheckersDisagree();
            revert Refused(defect, row);
        }
        return Statement({
            digest: keccak256(artifact),
            commitment: 0,
            engine: engine,
            // Both fit: the length is at most `Format.MAX_SIZE`.
            size: uint16(artifact.length),
            rows: uint8(Format.rowsIn(artifact.length))
        });
    }

    /// @notice Names the first defect of `artifact` in the order of checking; for people and tools that ask off chain.
    /// @return defect Code of the `Defect` library, zero if there is none.
    /// @return row Row of the defect, zero for one of the header or of the whole.
    function diagnose(bytes calldata artifact) public view returns (uint8 defect, uint256 row) {
        return Diagnosis.firstDefect(artifact, engine, schema, budget);
    }
}
