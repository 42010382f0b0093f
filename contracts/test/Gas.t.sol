// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {vm} from "../script/Vm.sol";
import {ArtifactId} from "../src/interfaces/IConfigRegistry.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {CredulousVerifier} from "./kit/Governed.sol";
import {Measured} from "./kit/Measured.sol";

/// @notice What each call costs. The figures are in `snapshots/`, and a test fails when one moves; what none may exceed
/// stands here.
contract GasTest is Measured {
    // --------------------------------------------------------------------------------- the check of the bytes by itself

    function test_verifyTokens() public {
        _verify("tokens: 1 row", Artifacts.sample(1, 0), 4_000);
        _verify("tokens: 60 rows", Artifacts.sample(60, 0), 30_000);
        _verify("tokens: 200 rows", Artifacts.sample(200, 0), 86_000);
    }

    function test_verifyMixture() public {
        _verify("mixture: 200 rows", Artifacts.mixed(200), 90_000);
    }

    function test_verifyDearest() public {
        bytes memory artifact = Artifacts.encode(
            Artifacts.uniform(200, Artifacts.HEADER, Artifacts.HEADER_EQUALS, "accept-encoding:gzip,deflate")
        );
        _verify("header values: 200 rows", artifact, 140_000);
    }

    function _verify(string memory name, bytes memory artifact, uint256 limit) private {
        cool();
        verifier.verify(artifact, "");
        assertLe(vm.snapshotGasLastCall("verify", name), limit, name);
    }

    // ----------------------------------------------------------------------------------------------------- the registry

    function test_stage() public {
        // The very first also pays for the counter of ids.
        stage(0);
        uint8[3] memory counts = [1, 60, 200];
        for (uint256 i = 0; i < counts.length; ++i) {
            bytes memory call =
                abi.encodeCall(registry.stage, (address(verifier), Artifacts.sample(counts[i], counts[i]), ""));
            measure(staged("calldata", counts[i]), PUBLISHER, address(registry), call, 650_000);
        }
    }

    /// @dev Beside what the verifier of the route takes: this one takes next to nothing.
    function test_stageBlob() public {
        CredulousVerifier free = new CredulousVerifier();
        addVerifier(address(free));
        bytes32 blob = keccak256("blob");
        carryBlob(blob);
        bytes memory evidence = statement(Artifacts.sample(200, 1), bytes32(uint256(1)));
        bytes memory call = abi.encodeCall(registry.stageBlob, (address(free), evidence, 0, blob));
        measure("stageBlob, without its proof", PUBLISHER, address(registry), call, 220_000);
    }

    function test_promote() public {
        ArtifactId first = stage(1);
        ArtifactId second = stage(2);
        bytes memory call = abi.encodeCall(registry.promote, (first, ALL, 0));
        bytes memory schedule = abi.encodeCall(manager.schedule, (address(registry), call, 0));
        measure("schedule a promotion", PROMOTER, address(manager), schedule, 90_000);
        vm.warp(vm.getBlockTimestamp() + PROMOTE_DELAY);
        measure("promote, the first", PROMOTER, address(registry), call, 90_000);
        _slow("canary", PROMOTER, PROMOTE_DELAY, abi.encodeCall(registry.promote, (second, 500, 1)));
        _slow("promote, the next", PROMOTER, PROMOTE_DELAY, abi.encodeCall(registry.promote, (second, ALL, 2)));
    }

    function test_guardianAndOperations() public {
        ArtifactId first = current(1);
        current(2);
        _fast("rollback", abi.encodeCall(registry.rollback, (first)));
        measure("kill", GUARDIAN, address(registry), abi.encodeCall(registry.kill, ()), 45_000);
        _slow("revive", OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.revive, (4)));
        _fast("pause", abi.encodeCall(registry.pause, ()));
        _slow("resume", OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.resume, (6)));
        _fast("revoke", abi.encodeCall(registry.revoke, (ArtifactId.wrap(2))));
        address added = address(new CredulousVerifier());
        _slow("addVerifier", OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.addVerifier, (added)));
        _fast("stopVerifier", abi.encodeCall(registry.stopVerifier, (added)));
    }

    function _fast(string memory name, bytes memory call) private {
        measure(name, GUARDIAN, address(registry), call, 51_000);
    }

    function _slow(string memory name, address caller, uint32 delay, bytes memory call) private {
        later(caller, delay, call);
        measure(name, caller, address(registry), call, 75_000);
    }

    // ------------------------------------------------------------------------------------------------- emergency stop

    function test_stopByDefect() public {
        CredulousVerifier wrong = new CredulousVerifier();
        addVerifier(address(wrong));
        bytes memory artifact = Artifacts.sample(200, 1);
        // The very last row.
        artifact[artifact.length - 64] = "-";
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stage(address(wrong), artifact, statement(artifact, 0));
        bytes memory call = abi.encodeCall(emergencyStop.stopByDefect, (id, artifact));
        measure("stopByDefect, 200 rows", STRANGER, address(emergencyStop), call, 6_000_000);
    }

    function test_stopByCollision() public {
        CredulousVerifier wrong = new CredulousVerifier();
        addVerifier(address(wrong));
        ArtifactId[2] memory ids;
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory artifact = Artifacts.sample(1, i);
            vm.prank(PUBLISHER);
            ids[i] = registry.stage(address(wrong), artifact, statement(artifact, bytes32(uint256(1))));
        }
        bytes memory call = abi.encodeCall(emergencyStop.stopByCollision, (ids[0], ids[1]));
        measure("stopByCollision", STRANGER, address(emergencyStop), call, 90_000);
    }

    // ------------------------------------------------------------------------------------------------- to compare with

    /// @dev A call of nothing through OpenZeppelin's TimelockController.
    function test_timelockController() public {
        address[] memory everyone = new address[](1);
        everyone[0] = PROMOTER;
        TimelockController timelock = new TimelockController(PROMOTE_DELAY, everyone, everyone, address(0));
        bytes memory call =
            abi.encodeCall(timelock.schedule, (STRANGER, 0, "", bytes32(0), bytes32(uint256(1)), PROMOTE_DELAY));
        measure("TimelockController: schedule", PROMOTER, address(timelock), call, 90_000);
        vm.warp(vm.getBlockTimestamp() + PROMOTE_DELAY);
        call = abi.encodeCall(timelock.execute, (STRANGER, 0, "", bytes32(0), bytes32(uint256(1))));
        measure("TimelockController: execute", PROMOTER, address(timelock), call, 90_000);
    }
}
