// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Number of an artifact in the order of staging, from 1. Zero means none.
type ArtifactId is uint32;

using {_equal as ==, _notEqual as !=} for ArtifactId global;

function _equal(ArtifactId a, ArtifactId b) pure returns (bool) {
    return ArtifactId.unwrap(a) == ArtifactId.unwrap(b);
}

// The operator != of the type, for those who import it.
// slither-disable-next-line dead-code
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
    Log,
    Blob
}

/// @notice One artifact, four storage slots: digest, commitment, the packed middle, location.
/// @param digest keccak256 of the bytes.
/// @param commitment Poseidon commitment of the proof routes; zero in the calldata route.
/// @param verifier Who vouched for the invariants.
/// @param size Bytes.
/// @param rows Rows.
/// @param status `Promoted` once it was current; a canary alone leaves it `Staged`. A digest whose staging expired, or whose
/// verifier was stopped, may be staged anew under another id; the record before stays `Staged` and can never be promoted.
/// @param stagedAt Block time of staging, Unix seconds.
/// @param locationKind How to read `location`.
/// @param location For `Log`, the number of the block that holds the `ArtifactBytes` event; for `Blob`, the versioned hash
/// of the blob that holds the bytes (EIP-4844).
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

/// @notice Life of a verifier. A stopped one can never come back: its address is a tombstone. The registry's table of them
/// is the router between the routes.
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
/// What names a sequence still to come stands in the open until then, and guardians can cancel it; so that they have the
/// time, the three also fail until `coolingOff` has passed since the head last changed.
interface IConfigRegistry {
    // ------------------------------------------------------------------------------------------------------- events

    /// @notice The artifact itself. Event data costs 8 gas a byte where storage would cost over 600, and an edge checks
    /// the bytes by their digest whoever serves them.
    event ArtifactBytes(ArtifactId indexed id, bytes32 indexed digest, bytes data);

    /// @notice A verifier vouched for an artifact; it may now be promoted. With the time of its block, this is the record.
    event Staged(
        ArtifactId indexed id,
        bytes32 indexed digest,
        address indexed verifier,
        uint32 engine,
        uint16 size,
        uint8 rows,
        bytes32 commitment,
        LocationKind locationKind,
        uint256 location
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
    /// @notice The head changed a moment ago: this waits until the time `until` (Unix seconds), so that guardians can see
    /// and cancel what was scheduled ahead of their act.
    error CoolingOff(uint48 until);
    /// @notice No artifact has this id.
    error UnknownArtifact(ArtifactId id);
    /// @notice The same bytes wait under this id already, or a canary runs them.
    error AlreadyStaged(ArtifactId id);
    /// @notice The same bytes were current under this id: promote or roll back to that.
    error AlreadyPromoted(ArtifactId id);
    /// @notice The artifact was revoked. That is final.
    error ArtifactRevoked(ArtifactId id);
    /// @notice The verifier vouches for `digest`, and the bytes beside the evidence hash to `found`: no edge could fetch
    /// what was vouched for.
    error BytesUnavailable(bytes32 digest, bytes32 found);
    /// @notice The transaction was to carry the blob `expected` at this index, and carries `found`; zero if none.
    error BlobNotCarried(uint256 blobIndex, bytes32 expected, bytes32 found);
    /// @notice It was staged too long ago to be promoted, at `expired` (Unix seconds) to be exact: stage it anew.
    error StagingExpired(ArtifactId id, uint48 expired);
    /// @notice What is staged must stay promotable for a while.
    error NoStagingPeriod();
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

    /// @notice Lets `verifier` check `artifact` and `evidence`, publishes the bytes as event data and records what it
    /// vouches for. Moves no edge.
    /// @param evidence What the verifier's route asks for beside the bytes; empty in the calldata route.
    function stage(address verifier, bytes calldata artifact, bytes calldata evidence) external returns (ArtifactId id);

    /// @notice The same for an artifact whose bytes are in a blob of this transaction (EIP-4844), which the verifier
    /// cannot see: by a proof route alone. Edges hold what they fetch to the digest and the commitment.
    /// @param blobIndex Which blob of the transaction, from zero.
    /// @param versionedHash Of that blob. The owners of a Safe thus sign the blob, whoever sends their transaction.
    function stageBlob(address verifier, bytes calldata evidence, uint256 blobIndex, bytes32 versionedHash)
        external
        returns (ArtifactId id);

    /// @notice Makes `id` current (`canaryBps` 10 000), which ends a canary and a rollback, or the candidate of a canary.
    /// It says nothing about the kill and pause bits: those stay. A staged artifact must be promoted within `stagingPeriod`;
    /// the same goes for each step of its canary.
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

    /// @notice Bars an artifact and its digest for ever. Ends the canary if it is the candidate.
    /// @param id Of the ids of a digest that was staged anew, any: what is barred is the last one, the only one that could
    /// still be promoted.
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

    /// @notice The id under which `digest` was staged last; zero if it never was.
    function idOf(bytes32 digest) external view returns (ArtifactId);

    /// @notice Whether `verifier` may vouch for artifacts.
    function verifierStatus(address verifier) external view returns (VerifierStatus);

    /// @notice Seconds after a change of the head in which nothing is promoted, revived or resumed.
    function coolingOff() external view returns (uint32);

    /// @notice Seconds for which a staged artifact can be promoted.
    function stagingPeriod() external view returns (uint32);
}
