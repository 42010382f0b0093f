// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Number of an artifact in the order of staging, from 1. Zero means none.
type ArtifactId is uint32;

using {_equal as ==, _notEqual as !=} for ArtifactId global;

function _equal(ArtifactId a, ArtifactId b) pure returns (bool) {
    return ArtifactId.unwrap(a) == ArtifactId.unwrap(b);
}

function _notEqual(ArtifactId a, ArtifactId b) pure returns (bool) {
    return ArtifactId.unwrap(a) != ArtifactId.unwrap(b);
}

/// @notice What every edge obeys. One storage slot, so that one storage proof reads it; fields from the least
/// significant bit, in this order.
/// @param flags Bits of `HeadFlags`: 1 KILL, 2 ROLLBACK, 4 PAUSED.
/// @param sequence Rises by one at every change of the head: an edge never goes back to a lower one.
/// @param current The artifact promoted last in full.
/// @param rollbackTo What runs instead of `current` while ROLLBACK is set; zero otherwise.
/// @param candidate What the canary slice of the edges runs instead of `current`; zero when there is no canary.
/// @param canaryBps Size of the canary slice in basis points, 1 to 9 999; zero when there is no canary.
/// @param changedAt Block time of the last change, Unix seconds.
struct Head {
    uint8 flags;
    uint64 sequence;
    ArtifactId current;
    ArtifactId rollbackTo;
    ArtifactId candidate;
    uint16 canaryBps;
    uint40 changedAt;
}

/// @notice Life of an artifact. It only moves to the right; revoked is for ever.
enum Status {
    None,
    Staged,
    Promoted,
    Revoked
}

/// @notice Where an artifact's bytes can be fetched. Wherever they come from, the digest decides.
enum LocationKind {
    None,
    Log
}

/// @notice One artifact, four storage slots: digest, commitment, the packed middle, location.
/// @param digest keccak256 of the bytes.
/// @param commitment Poseidon commitment of the proof routes; zero in the calldata route.
/// @param verifier Who vouched for the invariants.
/// @param size Bytes.
/// @param rows Rows.
/// @param status `Promoted` once it was current; a canary alone leaves it `Staged`.
/// @param stagedAt Block time of staging, Unix seconds.
/// @param locationKind How to read `location`.
/// @param location For `Log`, the number of the block that holds the `ArtifactBytes` event.
struct Record {
    bytes32 digest;
    bytes32 commitment;
    address verifier;
    uint16 size;
    uint8 rows;
    Status status;
    uint40 stagedAt;
    LocationKind locationKind;
    uint256 location;
}

/// @notice Life of a verifier. A stopped one can never come back: its address is a tombstone.
enum VerifierStatus {
    None,
    Active,
    Stopped
}

/// @title The registry that green-lights feature files
/// @notice No edge runs an artifact unless this contract says so. Who may call what, and after which delay, is the
/// business of the AccessManager that is this contract's authority: publishers stage, promoters promote after the
/// timelock, guardians make things safer at once, operations undo that after a delay.
///
/// An AccessManager's schedule stands for a week after its delay. A promotion, a revival or a resumption that was scheduled
/// before a guardian acted could thus undo that act at once, with no delay left. Hence `promote`, `revive` and `resume` name
/// the sequence of the head that they were decided on and fail unless it is the head's sequence still, a compare-and-swap:
/// any change of the head voids what was scheduled before it, and it must be scheduled, and waited for, anew.
/// What names a sequence still to come stands in the open until then, and guardians can cancel it.
interface IConfigRegistry {
    // ------------------------------------------------------------------------------------------------------- events

    /// @notice The artifact itself. Event data costs 8 gas a byte where storage would cost over 600, and an edge checks
    /// the bytes by their digest whoever serves them.
    event ArtifactBytes(ArtifactId indexed id, bytes32 indexed digest, bytes data);

    /// @notice A verifier vouched for an artifact; it may now be promoted.
    event Staged(
        ArtifactId indexed id, bytes32 indexed digest, address indexed verifier, uint32 engine, uint16 size, uint8 rows
    );

    /// @notice `id` became current (`canaryBps` is 10 000) or the candidate (less).
    event Promoted(ArtifactId indexed id, uint16 canaryBps, uint64 sequence);

    /// @notice Every edge runs `to` in place of `from` (zero if nothing ran).
    event RolledBack(ArtifactId indexed from, ArtifactId indexed to, uint64 sequence);

    /// @notice Every edge allows everything.
    event Killed(uint64 sequence);

    /// @notice Edges score again, with `effective` (zero: nothing was ever promoted).
    event Revived(ArtifactId indexed effective, uint64 sequence);

    /// @notice Edges keep what they run and adopt nothing.
    event Paused(uint64 sequence);

    /// @notice Edges adopt again.
    event Resumed(uint64 sequence);

    /// @notice `id` will never run again; its digest can never be staged again.
    event Revoked(ArtifactId indexed id, bytes32 indexed digest, uint64 sequence);

    /// @notice `verifier` may vouch for artifacts.
    event VerifierAdded(address indexed verifier);

    /// @notice `verifier` may vouch for nothing more, and what it vouched for can no longer be promoted.
    event VerifierStopped(address indexed verifier);

    // ------------------------------------------------------------------------------------------------------- errors

    /// @notice The call was decided on the head of sequence `expected`, and the head's sequence is `found`: decide, and
    /// schedule, anew.
    error HeadMoved(uint64 expected, uint64 found);
    /// @notice No artifact has this id.
    error UnknownArtifact(ArtifactId id);
    /// @notice The same bytes wait under this id already.
    error AlreadyStaged(ArtifactId id);
    /// @notice The same bytes were current under this id: promote or roll back to that.
    error AlreadyPromoted(ArtifactId id);
    /// @notice The artifact was revoked. That is final.
    error ArtifactRevoked(ArtifactId id);
    /// @notice The evidence vouches for bytes that it does not contain, so no edge could fetch them.
    error BytesUnavailable(bytes32 digest, bytes32 evidenceHash);
    /// @notice A canary takes 1 to 9 999 basis points of the edges, a promotion in full 10 000.
    error InvalidCanary(uint16 canaryBps);
    /// @notice Every edge runs it already.
    error AlreadyCurrent(ArtifactId id);
    /// @notice The canary runs it already on as many edges.
    error AlreadyCandidate(ArtifactId id, uint16 canaryBps);
    /// @notice A canary is measured against `current`, which does not run while rolled back: promote in full first.
    error CanaryWhileRolledBack(ArtifactId rollbackTo);
    /// @notice Only an artifact that was current is known well enough to go back to.
    error NeverCurrent(ArtifactId id);
    /// @notice Edges run it (or would once revived), so there is nothing to roll back.
    error AlreadyEffective(ArtifactId id);
    /// @notice Edges run it: kill or roll back before revoking it.
    error StillEffective(ArtifactId id);
    /// @notice What edges would run once revived is revoked: roll back or promote first.
    error RevivesRevoked(ArtifactId id);
    /// @notice The kill bit is set already.
    error AlreadyKilled();
    /// @notice The kill bit is not set.
    error NotKilled();
    /// @notice The pause bit is set already.
    error AlreadyPaused();
    /// @notice The pause bit is not set.
    error NotPaused();
    /// @notice The verifier was never added, or was stopped.
    error VerifierNotActive(address verifier, VerifierStatus status);
    /// @notice The verifier is active already, or was stopped once and can never return.
    error VerifierKnown(address verifier, VerifierStatus status);
    /// @notice There is no contract at this address.
    error VerifierWithoutCode(address verifier);

    // ---------------------------------------------------------------------------------------- publisher and promoter

    /// @notice Lets `verifier` check `evidence` and records what it vouches for. Moves no edge.
    /// @param evidence In the calldata route, the artifact's bytes.
    function stage(address verifier, bytes calldata evidence) external returns (ArtifactId id);

    /// @notice Makes `id` current (`canaryBps` 10 000), which ends a canary and a rollback, or the candidate of a canary.
    /// It says nothing about the kill and pause bits: those stay.
    /// @param sequence The head's, on which this was decided. It is checked before anything else, so that a promotion
    /// scheduled before a rollback, a kill or a pause ends none of them.
    function promote(ArtifactId id, uint16 canaryBps, uint64 sequence) external;

    // ------------------------------------------------------------------------------------ guardian: safety is fast

    /// @notice Every edge allows everything, until `revive`.
    function kill() external;

    /// @notice Every edge runs `id`, which was current once, until the next promotion in full. Ends a canary.
    function rollback(ArtifactId id) external;

    /// @notice Edges keep what they run and adopt nothing, until `resume`. Kill and rollback still work.
    function pause() external;

    /// @notice Bars `id` and its digest for ever. Ends the canary if it is the candidate.
    function revoke(ArtifactId id) external;

    /// @notice Bars a verifier for ever. What it vouched for keeps running where it runs but cannot be promoted.
    function stopVerifier(address verifier) external;

    // ------------------------------------------------------------------------------------- operations: risk is slow

    /// @notice Takes the kill back.
    /// @param sequence The head's, on which this was decided; checked first. A revival scheduled for an earlier kill thus
    /// leaves a later one alone.
    function revive(uint64 sequence) external;

    /// @notice Takes the pause back.
    /// @param sequence The head's, on which this was decided; checked first.
    function resume(uint64 sequence) external;

    /// @notice Lets `verifier` vouch for artifacts.
    function addVerifier(address verifier) external;

    // -------------------------------------------------------------------------------------------------------- views

    /// @notice The head as edges read it.
    function head() external view returns (Head memory);

    /// @notice What an edge outside the canary slice runs; zero for allow-all.
    function effective() external view returns (ArtifactId);

    /// @notice Id given last; the ids are 1 to this.
    function lastId() external view returns (ArtifactId);

    /// @notice The record of `id`; all zero if there is none.
    function record(ArtifactId id) external view returns (Record memory);

    /// @notice The id under which `digest` was staged; zero if it never was.
    function idOf(bytes32 digest) external view returns (ArtifactId);

    /// @notice Whether `verifier` may vouch for artifacts.
    function verifierStatus(address verifier) external view returns (VerifierStatus);
}
