// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IArtifactVerifier, Statement} from "./interfaces/IArtifactVerifier.sol";
import {
    ArtifactId,
    Head,
    IConfigRegistry,
    LocationKind,
    Record,
    Status,
    VerifierStatus
} from "./interfaces/IConfigRegistry.sol";

/// @notice Bits of `Head.flags`.
library HeadFlags {
    uint8 internal constant KILL = 1;
    uint8 internal constant ROLLBACK = 2;
    uint8 internal constant PAUSED = 4;
}

/// @title ConfigRegistry
/// @notice See `IConfigRegistry`. Edges read the storage below by proof (EIP-1186), so its layout is part of the
/// interface: slots and offsets are pinned by `test/StorageLayout.t.sol`.
contract ConfigRegistry is IConfigRegistry, AccessManaged {
    ArtifactId private constant NONE = ArtifactId.wrap(0);
    uint16 private constant ALL_EDGES = 10_000;

    // Slot 0 is AccessManaged's: the authority.
    /// @dev Slot 1.
    Head private _head;
    /// @dev Slot 2.
    ArtifactId private _lastId;
    /// @dev Slot 3.
    mapping(ArtifactId id => Record) private _records;
    /// @dev Slot 4.
    mapping(bytes32 digest => ArtifactId) private _ids;
    /// @dev Slot 5.
    mapping(address verifier => VerifierStatus) private _verifiers;

    /// @inheritdoc IConfigRegistry
    uint32 public immutable coolingOff;
    /// @inheritdoc IConfigRegistry
    uint32 public immutable stagingPeriod;

    /// @param authority The AccessManager that decides who may call what, and when.
    /// @param verifiers Active from the start; later ones go through `addVerifier`.
    /// @param coolingOff_ Seconds, no more than the delays of the slow roles: whoever schedules after a change of the head
    /// then never meets it.
    /// @param stagingPeriod_ Seconds, more than the delay of promotions.
    constructor(address authority, address[] memory verifiers, uint32 coolingOff_, uint32 stagingPeriod_)
        AccessManaged(authority)
    {
        if (stagingPeriod_ == 0) revert NoStagingPeriod();
        (coolingOff, stagingPeriod) = (coolingOff_, stagingPeriod_);
        for (uint256 i = 0; i < verifiers.length; ++i) {
            _addVerifier(verifiers[i]);
        }
    }

    // ---------------------------------------------------------------------------------------- publisher and promoter

    /// @inheritdoc IConfigRegistry
    function stage(address verifier, bytes calldata artifact, bytes calldata evidence)
        external
        restricted
        returns (ArtifactId id)
    {
        Statement memory statement = _verified(verifier, artifact, evidence);
        bytes32 found = keccak256(artifact);
        if (found != statement.digest) revert BytesUnavailable(statement.digest, found);
        id = _stage(verifier, statement, LocationKind.Log, block.number);
        emit ArtifactBytes(id, found, artifact);
    }

    /// @inheritdoc IConfigRegistry
    function stageBlob(address verifier, bytes calldata evidence, uint256 blobIndex, bytes32 versionedHash)
        external
        restricted
        returns (ArtifactId id)
    {
        bytes32 found = blobhash(blobIndex);
        if (found == 0 || found != versionedHash) revert BlobNotCarried(blobIndex, versionedHash, found);
        Statement memory statement = _verified(verifier, evidence[:0], evidence);
        id = _stage(verifier, statement, LocationKind.Blob, uint256(versionedHash));
    }

    /// @inheritdoc IConfigRegistry
    function promote(ArtifactId id, uint16 canaryBps, uint64 sequence) external restricted {
        Head memory next = _headAt(sequence);
        if (canaryBps == 0 || canaryBps > ALL_EDGES) revert InvalidCanary(canaryBps);
        Record storage artifact = _usable(id);
        _requireActive(artifact.verifier);
        if (artifact.status == Status.Staged) {
            uint48 expired = _expiry(artifact);
            if (block.timestamp >= expired) revert StagingExpired(id, expired);
        }

        bool rolledBack = _isSet(next, HeadFlags.ROLLBACK);
        if (id == next.current && !rolledBack) revert AlreadyCurrent(id);

        if (canaryBps == ALL_EDGES) {
            artifact.status = Status.Promoted;
            next.current = id;
            next.flags &= ~HeadFlags.ROLLBACK;
            next.rollbackTo = NONE;
            _endCanary(next);
        } else {
            if (rolledBack) revert CanaryWhileRolledBack(next.rollbackTo);
            // Equal to what was stored, no balance or time that others could move.
            // slither-disable-next-line incorrect-equality
            if (id == next.candidate && canaryBps == next.canaryBps) revert AlreadyCandidate(id, canaryBps);
            next.candidate = id;
            next.canaryBps = canaryBps;
        }
        emit Promoted(id, canaryBps, _advance(next));
    }

    // ------------------------------------------------------------------------------------ guardian: safety is fast

    /// @inheritdoc IConfigRegistry
    function kill() external restricted {
        Head memory next = _head;
        if (_isSet(next, HeadFlags.KILL)) revert AlreadyKilled();
        next.flags |= HeadFlags.KILL;
        emit Killed(_advance(next));
    }

    /// @inheritdoc IConfigRegistry
    function rollback(ArtifactId id) external restricted {
        if (_usable(id).status != Status.Promoted) revert NeverCurrent(id);
        Head memory next = _head;
        ArtifactId from = _target(next);
        if (id == from) revert AlreadyEffective(id);
        next.flags |= HeadFlags.ROLLBACK;
        next.rollbackTo = id;
        // Rolled back means every edge, the canary slice included.
        _endCanary(next);
        emit RolledBack(from, id, _advance(next));
    }

    /// @inheritdoc IConfigRegistry
    function pause() external restricted {
        Head memory next = _head;
        if (_isSet(next, HeadFlags.PAUSED)) revert AlreadyPaused();
        next.flags |= HeadFlags.PAUSED;
        emit Paused(_advance(next));
    }

    /// @inheritdoc IConfigRegistry
    function revoke(ArtifactId id) external restricted {
        // Staged anew, a digest is barred under its last id: no earlier one can be promoted any more.
        id = _ids[_usable(id).digest];
        Record storage artifact = _usable(id);
        Head memory next = _head;
        // Revoking must not leave edges without a successor that someone chose: allow-all or another artifact.
        if (id == _target(next) && !_isSet(next, HeadFlags.KILL)) revert StillEffective(id);
        artifact.status = Status.Revoked;
        if (id == next.candidate) _endCanary(next);
        emit Revoked(id, artifact.digest, _advance(next));
    }

    /// @inheritdoc IConfigRegistry
    function stopVerifier(address verifier) external restricted {
        _requireActive(verifier);
        _verifiers[verifier] = VerifierStatus.Stopped;
        emit VerifierStopped(verifier);
    }

    // ------------------------------------------------------------------------------------- operations: risk is slow

    /// @inheritdoc IConfigRegistry
    function revive(uint64 sequence) external restricted {
        Head memory next = _headAt(sequence);
        if (!_isSet(next, HeadFlags.KILL)) revert NotKilled();
        ArtifactId target = _target(next);
        if (_records[target].status == Status.Revoked) revert RevivesRevoked(target);
        next.flags &= ~HeadFlags.KILL;
        emit Revived(target, _advance(next));
    }

    /// @inheritdoc IConfigRegistry
    function resume(uint64 sequence) external restricted {
        Head memory next = _headAt(sequence);
        if (!_isSet(next, HeadFlags.PAUSED)) revert NotPaused();
        next.flags &= ~HeadFlags.PAUSED;
        emit Resumed(_advance(next));
    }

    /// @inheritdoc IConfigRegistry
    function addVerifier(address verifier) external restricted {
        _addVerifier(verifier);
    }

    // -------------------------------------------------------------------------------------------------------- views

    /// @inheritdoc IConfigRegistry
    function head() external view returns (Head memory) {
        return _head;
    }

    /// @inheritdoc IConfigRegistry
    function effective() external view returns (ArtifactId) {
        Head memory now_ = _head;
        return _isSet(now_, HeadFlags.KILL) ? NONE : _target(now_);
    }

    /// @inheritdoc IConfigRegistry
    function lastId() external view returns (ArtifactId) {
        return _lastId;
    }

    /// @inheritdoc IConfigRegistry
    function record(ArtifactId id) external view returns (Record memory) {
        return _records[id];
    }

    /// @inheritdoc IConfigRegistry
    function idOf(bytes32 digest) external view returns (ArtifactId) {
        return _ids[digest];
    }

    /// @inheritdoc IConfigRegistry
    function verifierStatus(address verifier) external view returns (VerifierStatus) {
        return _verifiers[verifier];
    }

    // ------------------------------------------------------------------------------------------------------- inside

    /// @dev The only place that writes the head, so no change can forget the sequence.
    function _advance(Head memory next) private returns (uint64 sequence) {
        sequence = next.sequence + 1;
        next.sequence = sequence;
        next.changedAt = uint40(block.timestamp);
        _head = next;
    }

    /// @dev The head, if it is the one that the caller decided on and has stood for long enough.
    function _headAt(uint64 sequence) private view returns (Head memory found) {
        found = _head;
        if (found.sequence != sequence) revert HeadMoved(sequence, found.sequence);
        uint48 until = uint48(found.changedAt) + coolingOff;
        if (block.timestamp < until) revert CoolingOff(until);
    }

    /// @dev What an active verifier vouches for. `verify` is a view, hence a STATICCALL: a verifier cannot call back in a
    /// way that changes anything here.
    function _verified(address verifier, bytes calldata artifact, bytes calldata evidence)
        private
        view
        returns (Statement memory)
    {
        _requireActive(verifier);
        return IArtifactVerifier(verifier).verify(artifact, evidence);
    }

    function _stage(address verifier, Statement memory statement, LocationKind locationKind, uint256 location)
        private
        returns (ArtifactId id)
    {
        _requireStageable(statement.digest);
        id = ArtifactId.wrap(ArtifactId.unwrap(_lastId) + 1);
        _lastId = id;
        _ids[statement.digest] = id;
        _records[id] = Record({
            digest: statement.digest,
            commitment: statement.commitment,
            verifier: verifier,
            size: statement.size,
            rows: statement.rows,
            status: Status.Staged,
            stagedAt: uint40(block.timestamp),
            locationKind: locationKind,
            location: location
        });
        emit Staged(
            id,
            statement.digest,
            verifier,
            statement.engine,
            statement.size,
            statement.rows,
            statement.commitment,
            locationKind,
            location
        );
    }

    function _addVerifier(address verifier) private {
        VerifierStatus status = _verifiers[verifier];
        if (status != VerifierStatus.None) revert VerifierKnown(verifier, status);
        if (verifier.code.length == 0) revert VerifierWithoutCode(verifier);
        _verifiers[verifier] = VerifierStatus.Active;
        emit VerifierAdded(verifier);
    }

    function _endCanary(Head memory next) private pure {
        next.candidate = NONE;
        next.canaryBps = 0;
    }

    /// @dev What runs outside the canary slice, or would if KILL were not set.
    function _target(Head memory from) private pure returns (ArtifactId) {
        return _isSet(from, HeadFlags.ROLLBACK) ? from.rollbackTo : from.current;
    }

    function _isSet(Head memory from, uint8 flag) private pure returns (bool) {
        return from.flags & flag != 0;
    }

    function _usable(ArtifactId id) private view returns (Record storage artifact) {
        artifact = _records[id];
        Status status = artifact.status;
        if (status == Status.None) revert UnknownArtifact(id);
        if (status == Status.Revoked) revert ArtifactRevoked(id);
    }

    function _requireActive(address verifier) private view {
        VerifierStatus status = _verifiers[verifier];
        if (status != VerifierStatus.Active) revert VerifierNotActive(verifier, status);
    }

    /// @dev A digest is staged anew only where the staging before counts no more, whatever happens, and no edge runs it.
    function _requireStageable(bytes32 digest) private view {
        ArtifactId known = _ids[digest];
        if (known == NONE) return;
        Record storage artifact = _records[known];
        if (artifact.status == Status.Revoked) revert ArtifactRevoked(known);
        if (artifact.status == Status.Promoted) revert AlreadyPromoted(known);
        bool counts = block.timestamp < _expiry(artifact) && _verifiers[artifact.verifier] == VerifierStatus.Active;
        if (counts || known == _head.candidate) revert AlreadyStaged(known);
    }

    /// @dev From when on a staged artifact cannot be promoted.
    function _expiry(Record storage artifact) private view returns (uint48) {
        return uint48(artifact.stagedAt) + stagingPeriod;
    }
}
