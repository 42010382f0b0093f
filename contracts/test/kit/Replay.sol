// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm, vm} from "../../script/Vm.sol";
import {ConfigRegistry, HeadFlags} from "../../src/ConfigRegistry.sol";
import {
    ArtifactId,
    Head,
    IConfigRegistry,
    LocationKind,
    Record,
    Status,
    VerifierStatus
} from "../../src/interfaces/IConfigRegistry.sol";
import {Test} from "./Test.sol";

/// @notice A registry rebuilt from its events and the times of their blocks, and from nothing else.
contract Replay is Test {
    address private immutable _registry;
    Head private _head;
    uint32 private _lastId;
    mapping(uint32 id => Record) private _records;
    mapping(bytes32 digest => uint32) private _ids;
    mapping(address verifier => VerifierStatus) public verifiers;

    error UnknownEvent(bytes32 topic);

    constructor(address registry) {
        _registry = registry;
    }

    /// @dev Takes in the logs of one block.
    function follow(Vm.Log[] calldata logs) external {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == _registry) _take(logs[i]);
        }
    }

    function assertEquals(ConfigRegistry registry, uint32 lastId) external view {
        assertEq(keccak256(abi.encode(_head)), keccak256(abi.encode(registry.head())), "replayed head");
        assertEq(_lastId, lastId, "replayed last id");
        for (uint32 id = 1; id <= lastId; ++id) {
            Record memory record = registry.record(ArtifactId.wrap(id));
            assertEq(keccak256(abi.encode(_records[id])), keccak256(abi.encode(record)), "replayed record");
            assertEq(ArtifactId.wrap(_ids[record.digest]), registry.idOf(record.digest), "replayed id");
        }
    }

    function _take(Vm.Log calldata log) private {
        bytes32 topic = log.topics[0];
        if (topic == keccak256("AuthorityUpdated(address)")) return;
        if (topic == IConfigRegistry.ArtifactBytes.selector) return;
        if (topic == IConfigRegistry.VerifierAdded.selector) {
            verifiers[_address(log.topics[1])] = VerifierStatus.Active;
        } else if (topic == IConfigRegistry.VerifierStopped.selector) {
            verifiers[_address(log.topics[1])] = VerifierStatus.Stopped;
        } else if (topic == IConfigRegistry.Staged.selector) {
            _staged(log);
        } else {
            _moved(topic, log);
        }
    }

    function _staged(Vm.Log calldata log) private {
        (, uint16 size, uint8 rows, bytes32 commitment, LocationKind kind, uint256 location) =
            abi.decode(log.data, (uint32, uint16, uint8, bytes32, LocationKind, uint256));
        uint32 id = _id(log.topics[1]);
        _lastId = id;
        _ids[log.topics[2]] = id;
        _records[id] = Record({
            digest: log.topics[2],
            commitment: commitment,
            verifier: _address(log.topics[3]),
            size: size,
            rows: rows,
            status: Status.Staged,
            stagedAt: uint40(vm.getBlockTimestamp()),
            locationKind: kind,
            location: location
        });
    }

    function _moved(bytes32 topic, Vm.Log calldata log) private {
        Head memory next = _head;
        if (topic == IConfigRegistry.Promoted.selector) {
            uint16 canaryBps;
            (canaryBps, next.sequence) = abi.decode(log.data, (uint16, uint64));
            uint32 id = _id(log.topics[1]);
            if (canaryBps == 10_000) {
                _records[id].status = Status.Promoted;
                next.current = ArtifactId.wrap(id);
                next.flags &= ~HeadFlags.ROLLBACK;
                next.rollbackTo = ArtifactId.wrap(0);
                _endCanary(next);
            } else {
                (next.candidate, next.canaryBps) = (ArtifactId.wrap(id), canaryBps);
            }
        } else {
            next.sequence = abi.decode(log.data, (uint64));
            if (topic == IConfigRegistry.Killed.selector) {
                next.flags |= HeadFlags.KILL;
            } else if (topic == IConfigRegistry.Revived.selector) {
                next.flags &= ~HeadFlags.KILL;
            } else if (topic == IConfigRegistry.Paused.selector) {
                next.flags |= HeadFlags.PAUSED;
            } else if (topic == IConfigRegistry.Resumed.selector) {
                next.flags &= ~HeadFlags.PAUSED;
            } else if (topic == IConfigRegistry.RolledBack.selector) {
                next.flags |= HeadFlags.ROLLBACK;
                next.rollbackTo = ArtifactId.wrap(_id(log.topics[2]));
                _endCanary(next);
            } else if (topic == IConfigRegistry.Revoked.selector) {
                _records[_id(log.topics[1])].status = Status.Revoked;
                if (next.candidate == ArtifactId.wrap(_id(log.topics[1]))) _endCanary(next);
            } else {
                revert UnknownEvent(topic);
            }
        }
        next.changedAt = uint40(vm.getBlockTimestamp());
        _head = next;
    }

    function _endCanary(Head memory next) private pure {
        (next.candidate, next.canaryBps) = (ArtifactId.wrap(0), 0);
    }

    function _id(bytes32 topic) private pure returns (uint32) {
        return uint32(uint256(topic));
    }

    function _address(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }
}
