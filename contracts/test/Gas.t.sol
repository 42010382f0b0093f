// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {ArtifactId} from "../src/interfaces/IConfigRegistry.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {Governed} from "./kit/Governed.sol";

/// @notice Gas of execution of each call, without the 21 000 and the calldata of its transaction. The figures are in
/// `snapshots/`, and a test fails when one moves; what none may exceed stands here.
contract GasTest is Governed {
    // --------------------------------------------------------------------------------- the check of the bytes by itself

    function test_verifyTokens() public {
        _verify("tokens: 1 row", Artifacts.sample(1, 0), 4_000);
        _verify("tokens: 60 rows", Artifacts.sample(60, 0), 30_000);
        _verify("tokens: 200 rows", Artifacts.sample(200, 0), 86_000);
    }

    function test_verifyMixture() public {
        _verify("mixture: 200 rows", Artifacts.mixed(200), 95_000);
    }

    function test_verifyDearest() public {
        bytes memory artifact = Artifacts.encode(
            Artifacts.uniform(200, Artifacts.HEADER, Artifacts.HEADER_EQUALS, "accept-encoding:gzip,deflate")
        );
        _verify("header values: 200 rows", artifact, 140_000);
    }

    function _verify(string memory name, bytes memory artifact, uint256 limit) private {
        _cool();
        verifier.verify(artifact, "");
        assertLe(vm.snapshotGasLastCall("verify", name), limit, name);
    }

    // ----------------------------------------------------------------------------------------------------- the registry

    function test_stage() public {
        _stage("stage: 1 row", 1);
        _stage("stage: 60 rows", 60);
        _stage("stage: 200 rows", 200);
    }

    function test_promote() public {
        ArtifactId first = stage(1);
        later(PROMOTER, PROMOTE_DELAY, abi.encodeCall(registry.promote, (first, ALL, 0)));
        _cool();
        vm.prank(PROMOTER);
        registry.promote(first, ALL, 0);
        _snapshot("promote: the first");

        ArtifactId second = stage(2);
        later(PROMOTER, PROMOTE_DELAY, abi.encodeCall(registry.promote, (second, 500, 1)));
        _cool();
        vm.prank(PROMOTER);
        registry.promote(second, 500, 1);
        _snapshot("promote: a canary");

        later(PROMOTER, PROMOTE_DELAY, abi.encodeCall(registry.promote, (second, ALL, 2)));
        _cool();
        vm.prank(PROMOTER);
        registry.promote(second, ALL, 2);
        _snapshot("promote: the next");
    }

    function test_guardianAndOperations() public {
        ArtifactId first = current(1);
        current(2);
        _cool();
        guard();
        registry.rollback(first);
        _snapshot("rollback");
        _cool();
        guard();
        registry.kill();
        _snapshot("kill");
        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.revive, (4)));
        _cool();
        vm.prank(OPERATIONS);
        registry.revive(4);
        _snapshot("revive");
        _cool();
        guard();
        registry.pause();
        _snapshot("pause");
        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.resume, (6)));
        _cool();
        vm.prank(OPERATIONS);
        registry.resume(6);
        _snapshot("resume");
        _cool();
        guard();
        registry.revoke(ArtifactId.wrap(2));
        _snapshot("revoke");
    }

    function _stage(string memory name, uint256 rows) private {
        bytes memory artifact = Artifacts.sample(rows, rows);
        _cool();
        vm.prank(PUBLISHER);
        registry.stage(address(verifier), artifact, "");
        _snapshot(name);
    }

    /// @dev As at the start of a transaction, when nothing was touched yet (EIP-2929).
    function _cool() private {
        vm.cool(address(registry));
        vm.cool(address(manager));
        vm.cool(address(verifier));
    }

    function _snapshot(string memory name) private {
        // Not even the dearest comes near a block.
        assertLe(vm.snapshotGasLastCall("registry", name), 500_000, name);
    }
}
