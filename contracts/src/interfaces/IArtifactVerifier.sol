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

    /// @notice Checks `evidence`; reverts unless it establishes the statement.
    function verify(bytes calldata evidence) external view returns (Statement memory statement);
}
