// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a verifier vouches for: these bytes, and no others, obey every invariant of artifact format 1.
/// @param digest keccak256 of the artifact's bytes, its identity.
/// @param commitment Poseidon commitment of the proof routes; zero where the bytes themselves were checked.
/// @param engine Engine (schema version) whose schema and budget the artifact obeys.
/// @param size Length of the artifact in bytes, 128 to 12 864.
/// @param rows Number of rows, 1 to 200.
struct Statement {
    bytes32 digest;
    bytes32 commitment;
    uint32 engine;
    uint16 size;
    uint8 rows;
}

/// @title The invariants of a feature file, decided on chain
/// @notice One instance per engine and route, stateless and without an owner: to change a rule is to deploy another.
interface IArtifactVerifier {
    /// @notice The artifact breaks the format.
    /// @param defect Code of the first defect in the order of checking (see the `Defect` library).
    /// @param row Row of the defect, counted from zero; zero for a defect of the header.
    error Refused(uint8 defect, uint256 row);

    /// @notice The route judges the artifact's bytes alone and takes nothing beside them.
    /// @param size Bytes of evidence that came.
    error UnexpectedEvidence(uint256 size);

    /// @notice Engine (schema version) whose rules this instance checks.
    function engine() external view returns (uint32);

    /// @notice Reverts unless `artifact` and `evidence` establish the statement.
    /// @param artifact The artifact's bytes. A proof route may be given none, where they travel in a blob; whoever gives
    /// it bytes must compare their keccak256 with the statement's digest.
    /// @param evidence What proves the statement: empty in the calldata route, where the bytes do; the statement's fields
    /// and the proof in the proof routes.
    function verify(bytes calldata artifact, bytes calldata evidence) external view returns (Statement memory statement);
}
