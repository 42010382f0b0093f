//! The Solidity interfaces that this program speaks. `tests::` compares them with what the compiler makes of
//! `contracts/src`.

#![allow(clippy::too_many_arguments, reason = "an event has as many as it has fields")]

use alloy::sol;

sol! {
    /// What edges obey, packed into one storage slot.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Head {
        uint8 flags;
        uint64 sequence;
        uint32 current;
        uint32 rollbackTo;
        uint32 candidate;
        uint16 canaryBps;
        uint40 changedAt;
    }

    #[derive(Debug, PartialEq, Eq)]
    enum Status { None, Staged, Promoted, Revoked }

    #[derive(Debug, PartialEq, Eq)]
    enum LocationKind { None, Log, Blob }

    #[derive(Debug, PartialEq, Eq)]
    enum VerifierStatus { None, Active, Stopped }

    #[derive(Debug)]
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

    #[sol(abi)]
    #[derive(Debug)]
    interface IConfigRegistry {
        event ArtifactBytes(uint32 indexed id, bytes32 indexed digest, bytes data);
        event Staged(uint32 indexed id, bytes32 indexed digest, address indexed verifier, uint32 engine, uint16 size, uint8 rows, bytes32 commitment, LocationKind locationKind, uint256 location);
        event Promoted(uint32 indexed id, uint16 canaryBps, uint64 sequence);
        event RolledBack(uint32 indexed from, uint32 indexed to, uint64 sequence);
        event Killed(uint64 sequence);
        event Revived(uint32 indexed effective, uint64 sequence);
        event Paused(uint64 sequence);
        event Resumed(uint64 sequence);
        event Revoked(uint32 indexed id, bytes32 indexed digest, uint64 sequence);
        event VerifierAdded(address indexed verifier);
        event VerifierStopped(address indexed verifier);

        error HeadMoved(uint64 expected, uint64 found);
        error CoolingOff(uint48 until);
        error UnknownArtifact(uint32 id);
        error AlreadyStaged(uint32 id);
        error AlreadyPromoted(uint32 id);
        error ArtifactRevoked(uint32 id);
        error BytesUnavailable(bytes32 digest, bytes32 found);
        error BlobNotCarried(uint256 blobIndex, bytes32 expected, bytes32 found);
        error StagingExpired(uint32 id, uint48 expired);
        error NoStagingPeriod();
        error InvalidCanary(uint16 canaryBps);
        error AlreadyCurrent(uint32 id);
        error AlreadyCandidate(uint32 id, uint16 canaryBps);
        error CanaryWhileRolledBack(uint32 rollbackTo);
        error NeverCurrent(uint32 id);
        error AlreadyEffective(uint32 id);
        error StillEffective(uint32 id);
        error RevivesRevoked(uint32 id);
        error AlreadyKilled();
        error NotKilled();
        error AlreadyPaused();
        error NotPaused();
        error VerifierNotActive(address verifier, VerifierStatus status);
        error VerifierKnown(address verifier, VerifierStatus status);
        error VerifierWithoutCode(address verifier);

        function stage(address verifier, bytes calldata artifact, bytes calldata evidence) external returns (uint32 id);
        function stageBlob(address verifier, bytes calldata evidence, uint256 blobIndex, bytes32 versionedHash) external returns (uint32 id);
        function promote(uint32 id, uint16 canaryBps, uint64 sequence) external;
        function kill() external;
        function rollback(uint32 id) external;
        function pause() external;
        function revoke(uint32 id) external;
        function stopVerifier(address verifier) external;
        function revive(uint64 sequence) external;
        function resume(uint64 sequence) external;
        function addVerifier(address verifier) external;
        function head() external view returns (Head memory);
        function effective() external view returns (uint32);
        function lastId() external view returns (uint32);
        function record(uint32 id) external view returns (Record memory);
        function idOf(bytes32 digest) external view returns (uint32);
        function verifierStatus(address verifier) external view returns (VerifierStatus);
        function coolingOff() external view returns (uint32);
        function stagingPeriod() external view returns (uint32);
    }

    #[sol(abi)]
    #[derive(Debug)]
    struct Statement {
        bytes32 digest;
        bytes32 commitment;
        uint32 engine;
        uint16 size;
        uint8 rows;
    }

    #[sol(abi)]
    #[derive(Debug)]
    interface IArtifactVerifier {
        error Refused(uint8 defect, uint256 row);
        error UnexpectedEvidence(uint256 size);

        function verify(bytes calldata artifact, bytes calldata evidence) external view returns (Statement memory);
    }

    /// The verifier of the circuit's proofs.
    #[sol(abi)]
    #[derive(Debug)]
    interface IGroth16Verifier {
        error DevelopmentKey(uint256 chainId);
        error FingerprintKind(uint256 kind);
        error EvidenceSize(uint256 expected, uint256 found);
        error RowCount(uint256 found);
        error CommitmentNotInField(bytes32 found);
        error ArtifactSize(uint256 expected, uint256 found);
        error ProofRefused();

        function KEY_HASH() external view returns (bytes32);
        function CIRCUIT_VERSION() external view returns (uint32);
        function engine() external view returns (uint32);
        function schema() external view returns (bytes32);
        function budget() external view returns (uint32);
    }

    /// The part of OpenZeppelin's `IAccessManaged` that is needed here.
    #[sol(abi)]
    #[derive(Debug)]
    interface IAccessManaged {
        event AuthorityUpdated(address authority);

        error AccessManagedUnauthorized(address caller);
        error AccessManagedRequiredDelay(address caller, uint32 delay);
        error AccessManagedInvalidAuthority(address authority);

        function authority() external view returns (address);
    }

    /// The part of OpenZeppelin's `IAccessManager` that is needed here.
    #[sol(abi)]
    #[derive(Debug)]
    interface IAccessManager {
        event OperationScheduled(bytes32 indexed operationId, uint32 indexed nonce, uint48 schedule, address caller, address target, bytes data);
        event OperationExecuted(bytes32 indexed operationId, uint32 indexed nonce);
        event OperationCanceled(bytes32 indexed operationId, uint32 indexed nonce);

        event RoleLabel(uint64 indexed roleId, string label);

        error AccessManagerAlreadyScheduled(bytes32 operationId);
        error AccessManagerNotScheduled(bytes32 operationId);
        error AccessManagerNotReady(bytes32 operationId);
        error AccessManagerExpired(bytes32 operationId);
        error AccessManagerLockedRole(uint64 roleId);
        error AccessManagerLockedFunction(bytes4 selector);
        error AccessManagerBadConfirmation();
        error AccessManagerUnauthorizedAccount(address msgsender, uint64 roleId);
        error AccessManagerUnauthorizedCall(address caller, address target, bytes4 selector);
        error AccessManagerUnauthorizedConsume(address target);
        error AccessManagerUnauthorizedCancel(address msgsender, address caller, address target, bytes4 selector);
        error AccessManagerInvalidInitialAdmin(address initialAdmin);

        function canCall(address caller, address target, bytes4 selector) external view returns (bool allowed, uint32 delay);
        function expiration() external view returns (uint32);
        function getTargetFunctionRole(address target, bytes4 selector) external view returns (uint64);
        function getSchedule(bytes32 id) external view returns (uint48);
        function hashOperation(address caller, address target, bytes calldata data) external view returns (bytes32);
        function schedule(address target, bytes calldata data, uint48 when) external returns (bytes32 operationId, uint32 nonce);
        function cancel(address caller, address target, bytes calldata data) external returns (uint32);
    }
}

/// Bits of [`Head::flags`].
pub(crate) mod flags {
    pub(crate) const KILL: u8 = 1;
    pub(crate) const ROLLBACK: u8 = 2;
    pub(crate) const PAUSED: u8 = 4;
}

#[cfg(test)]
mod tests;
