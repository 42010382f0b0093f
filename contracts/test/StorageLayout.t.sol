// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {HeadFlags} from "../src/ConfigRegistry.sol";
import {ArtifactId, Head, LocationKind, Record, Status, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {Governed} from "./kit/Governed.sol";

/// @notice Edges read these slots by storage proof, so slots, offsets and codes never change under a registry.
contract StorageLayoutTest is Governed {
    bytes32 private constant AUTHORITY = bytes32(uint256(0));
    bytes32 private constant HEAD = bytes32(uint256(1));
    bytes32 private constant LAST_ID = bytes32(uint256(2));
    uint256 private constant RECORDS = 3;
    uint256 private constant IDS = 4;
    uint256 private constant VERIFIERS = 5;

    function test_codes() public pure {
        assertEq(HeadFlags.KILL, 1, "KILL");
        assertEq(HeadFlags.ROLLBACK, 2, "ROLLBACK");
        assertEq(HeadFlags.PAUSED, 4, "PAUSED");
        assertEq(uint8(Status.Staged), 1, "staged");
        assertEq(uint8(Status.Promoted), 2, "promoted");
        assertEq(uint8(Status.Revoked), 3, "revoked");
        assertEq(uint8(LocationKind.Log), 1, "log");
        assertEq(uint8(LocationKind.Blob), 2, "blob");
        assertEq(uint8(VerifierStatus.Active), 1, "active");
        assertEq(uint8(VerifierStatus.Stopped), 2, "stopped");
    }

    function test_slot0Authority() public view {
        assertEq(_load(AUTHORITY), uint160(address(manager)), "authority");
    }

    function test_slot1Head() public {
        current(1);
        promote(stage(2), 500);
        guard();
        registry.pause();
        assertEq(_load(HEAD), _head(HeadFlags.PAUSED, 3, 1, 0, 2, 500), "canary, paused");

        promote(ArtifactId.wrap(2), ALL);
        guard();
        registry.rollback(ArtifactId.wrap(1));
        guard();
        registry.kill();
        assertEq(
            _load(HEAD),
            _head(HeadFlags.KILL | HeadFlags.ROLLBACK | HeadFlags.PAUSED, 6, 2, 1, 0, 0),
            "rolled back, killed, paused"
        );
    }

    /// @dev Every value of every field.
    function testFuzz_slot1Head(Head memory expected) public {
        uint256 word = expected.flags | uint256(expected.sequence) << 8 | uint256(ArtifactId.unwrap(expected.current))
            << 72 | uint256(ArtifactId.unwrap(expected.rollbackTo)) << 104
            | uint256(ArtifactId.unwrap(expected.candidate)) << 136 | uint256(expected.canaryBps) << 168
            | uint256(expected.changedAt) << 184;
        vm.store(address(registry), HEAD, bytes32(word));
        assertEq(keccak256(abi.encode(registry.head())), keccak256(abi.encode(expected)), "head");
    }

    function test_slot2LastId() public {
        stage(1);
        stage(2);
        assertEq(_load(LAST_ID), 2, "last id");
    }

    function test_slot3Records() public {
        ArtifactId id = stage(1);
        Record memory record = registry.record(id);
        uint256 slot = uint256(keccak256(abi.encode(id, RECORDS)));
        uint256 meta = uint160(address(verifier)) | uint256(192) << 160 | uint256(2) << 176 | uint256(1) << 184
            | vm.getBlockTimestamp() << 192 | uint256(1) << 232;
        assertEq(_load(bytes32(slot)), uint256(record.digest), "digest");
        assertEq(_load(bytes32(slot + 1)), 0, "commitment");
        assertEq(_load(bytes32(slot + 2)), meta, "meta");
        assertEq(_load(bytes32(slot + 3)), vm.getBlockNumber(), "location");
    }

    function testFuzz_slot3Records(
        ArtifactId id,
        bytes32 digest,
        bytes32 commitment,
        address verifier_,
        uint16 size,
        uint8 rows,
        uint40 stagedAt,
        uint256 location
    ) public {
        // The enumerations take every value that they have.
        Record memory expected = Record({
            digest: digest,
            commitment: commitment,
            verifier: verifier_,
            size: size,
            rows: rows,
            status: Status(rows % 4),
            stagedAt: stagedAt,
            locationKind: LocationKind(size % 3),
            location: location
        });
        uint256 slot = uint256(keccak256(abi.encode(id, RECORDS)));
        uint256 meta = uint160(verifier_) | uint256(size) << 160 | uint256(rows) << 176 | uint256(rows % 4) << 184
            | uint256(stagedAt) << 192 | uint256(size % 3) << 232;
        vm.store(address(registry), bytes32(slot), digest);
        vm.store(address(registry), bytes32(slot + 1), commitment);
        vm.store(address(registry), bytes32(slot + 2), bytes32(meta));
        vm.store(address(registry), bytes32(slot + 3), bytes32(location));
        assertEq(keccak256(abi.encode(registry.record(id))), keccak256(abi.encode(expected)), "record");
    }

    function test_slot4Ids() public {
        stage(1);
        ArtifactId id = stage(2);
        bytes32 digest = registry.record(id).digest;
        assertEq(_load(keccak256(abi.encode(digest, IDS))), 2, "id of the digest");
    }

    function test_slot5Verifiers() public {
        bytes32 slot = keccak256(abi.encode(address(verifier), VERIFIERS));
        assertEq(_load(slot), 1, "active");
        guard();
        registry.stopVerifier(address(verifier));
        assertEq(_load(slot), 2, "stopped");
    }

    function _head(
        uint256 flags,
        uint256 sequence,
        uint256 current_,
        uint256 rollbackTo,
        uint256 candidate,
        uint256 canaryBps
    ) private view returns (uint256) {
        return flags | sequence << 8 | current_ << 72 | rollbackTo << 104 | candidate << 136 | canaryBps << 168
            | vm.getBlockTimestamp() << 184;
    }

    function _load(bytes32 slot) private view returns (uint256) {
        return uint256(vm.load(address(registry), slot));
    }
}
