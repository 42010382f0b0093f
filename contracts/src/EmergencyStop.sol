// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IArtifactVerifier} from "./interfaces/IArtifactVerifier.sol";
import {ArtifactId, IConfigRegistry, Record, Status} from "./interfaces/IConfigRegistry.sol";
import {Defect} from "./libraries/Defect.sol";
import {CalldataVerifier} from "./verifiers/CalldataVerifier.sol";

/// @title EmergencyStop
/// @notice Lets anyone stop a verifier that is shown to vouch for what it must not. It has no owner and one power, the
/// registry's `stopVerifier`, which it holds through role STOPPER; what it accepts as proof stands below and cannot change.
///
/// @dev A verifier of the Groth16 route takes the digest from whoever proves and binds the commitment alone. There a publisher
/// that lies about a digest makes the verifier vouch for bytes it never saw, which is proof enough here: such a
/// verifier cannot be told from a broken one without Poseidon on chain, and edges refuse what either lets through. A publisher
/// can thus stop a proof route, which moves no edge and leaves its lie in the events for all to see.
///
/// The engine is what the verifier says. One that hides it escapes here and not from guardians.
contract EmergencyStop {
    /// @notice `verifier` vouched for artifact `id`, whose bytes have this defect.
    event StoppedByDefect(
        address indexed verifier, ArtifactId indexed id, uint8 defect, uint256 row, address indexed caller
    );

    /// @notice `verifier` vouched for two artifacts under one commitment.
    event StoppedByCollision(
        address indexed verifier, ArtifactId indexed a, ArtifactId indexed b, bytes32 commitment, address caller
    );

    /// @notice No artifact has this id.
    error UnknownArtifact(ArtifactId id);
    /// @notice These are other bytes than the artifact's.
    error OtherBytes(bytes32 expected, bytes32 found);
    /// @notice There is nothing to judge the artifacts of this engine by.
    error NoReference(uint32 engine);
    /// @notice An engine is judged by one reference.
    error ReferenceKnown(uint32 engine);
    /// @notice The artifact obeys every invariant.
    error NoDefect(ArtifactId id);
    /// @notice The two do not show a collision: it takes one verifier, one commitment that is not zero, and two digests.
    error NoCollision(ArtifactId a, ArtifactId b);

    /// @notice The registry whose verifiers can be stopped here.
    IConfigRegistry public immutable registry;

    /// @notice By whose readable checker (`diagnose`) artifacts of an engine are judged: its schema and its budget.
    mapping(uint32 engine => CalldataVerifier) public references;

    constructor(IConfigRegistry registry_, CalldataVerifier[] memory references_) {
        registry = registry_;
        for (uint256 i = 0; i < references_.length; ++i) {
            // The deployer's own list.
            // slither-disable-next-line calls-loop
            uint32 engine = references_[i].engine();
            if (address(references[engine]) != address(0)) revert ReferenceKnown(engine);
            references[engine] = references_[i];
        }
    }

    /// @notice Stops the verifier of artifact `id`, whose bytes break an invariant of its engine.
    /// @param artifact The bytes.
    function stopByDefect(ArtifactId id, bytes calldata artifact) external {
        Record memory record = _accepted(id);
        bytes32 found = keccak256(artifact);
        if (found != record.digest) revert OtherBytes(record.digest, found);
        uint32 engine = IArtifactVerifier(record.verifier).engine();
        CalldataVerifier judge = references[engine];
        if (address(judge) == address(0)) revert NoReference(engine);
        (uint8 defect, uint256 row) = judge.diagnose(artifact);
        if (defect == Defect.NONE) revert NoDefect(id);
        emit StoppedByDefect(record.verifier, id, defect, row, msg.sender);
        registry.stopVerifier(record.verifier);
    }

    /// @notice Stops the verifier of two artifacts that differ and have one commitment.
    function stopByCollision(ArtifactId a, ArtifactId b) external {
        (Record memory one, Record memory other) = (_accepted(a), _accepted(b));
        bool collides = one.verifier == other.verifier && one.commitment == other.commitment && one.commitment != 0
            && one.digest != other.digest;
        if (!collides) revert NoCollision(a, b);
        emit StoppedByCollision(one.verifier, a, b, one.commitment, msg.sender);
        registry.stopVerifier(one.verifier);
    }

    /// @dev A revoked artifact was accepted once, too.
    function _accepted(ArtifactId id) private view returns (Record memory record) {
        record = registry.record(id);
        if (record.status == Status.None) revert UnknownArtifact(id);
    }
}
