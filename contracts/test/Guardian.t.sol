// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {HeadFlags} from "../src/ConfigRegistry.sol";
import {ArtifactId, IConfigRegistry, Status, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {Governed} from "./kit/Governed.sol";

/// @notice Safety is fast.
contract GuardianTest is Governed {
    // ----------------------------------------------------------------------------------------------------------- kill

    function test_killAllowsEverythingAtOnce() public {
        ArtifactId id = current(1);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Killed(2);
        guard();
        registry.kill();
        assertHead(HeadFlags.KILL, 2, id, NONE, NONE, 0);
        assertEq(registry.effective(), NONE, "effective");
        assertEq(registry.head().changedAt, vm.getBlockTimestamp(), "changedAt");
    }

    function test_killWorksBeforeAnythingRuns() public {
        guard();
        registry.kill();
        assertHead(HeadFlags.KILL, 1, NONE, NONE, NONE, 0);
    }

    function test_killRefusedWhileKilled() public {
        guard();
        registry.kill();
        guard();
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.AlreadyKilled.selector));
        registry.kill();
    }

    // ------------------------------------------------------------------------------------------------------- rollback

    function test_rollbackRunsAnEarlierOne() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.RolledBack(second, first, 3);
        guard();
        registry.rollback(first);
        assertHead(HeadFlags.ROLLBACK, 3, second, first, NONE, 0);
        assertEq(registry.effective(), first, "effective");
    }

    function test_rollbackAgainAndBack() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        ArtifactId third = current(3);
        guard();
        registry.rollback(second);
        guard();
        registry.rollback(first);
        assertHead(HeadFlags.ROLLBACK, 5, third, first, NONE, 0);
        guard();
        registry.rollback(third);
        assertHead(HeadFlags.ROLLBACK, 6, third, third, NONE, 0);
        assertEq(registry.effective(), third, "effective");
    }

    function test_rollbackEndsTheCanary() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        promote(stage(3), 500);
        guard();
        registry.rollback(first);
        assertHead(HeadFlags.ROLLBACK, 4, second, first, NONE, 0);
    }

    function test_rollbackWorksWhileKilledAndPaused() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        guard();
        registry.kill();
        guard();
        registry.pause();
        guard();
        registry.rollback(first);
        assertHead(HeadFlags.KILL | HeadFlags.ROLLBACK | HeadFlags.PAUSED, 5, second, first, NONE, 0);
    }

    /// @dev What ran once and did well may run again even if its verifier would not be trusted with anything new.
    function test_rollbackDoesNotAskTheVerifier() public {
        ArtifactId first = current(1);
        current(2);
        guard();
        registry.stopVerifier(address(verifier));
        guard();
        registry.rollback(first);
        assertEq(registry.effective(), first, "effective");
    }

    function test_rollbackRefusesUnknown() public {
        current(1);
        _rollbackReverts(NONE, abi.encodeWithSelector(IConfigRegistry.UnknownArtifact.selector, 0));
        _rollbackReverts(ArtifactId.wrap(9), abi.encodeWithSelector(IConfigRegistry.UnknownArtifact.selector, 9));
    }

    function test_rollbackRefusesWhatNeverWasCurrent() public {
        current(1);
        ArtifactId second = stage(2);
        _rollbackReverts(second, abi.encodeWithSelector(IConfigRegistry.NeverCurrent.selector, 2));
        promote(second, 9999);
        _rollbackReverts(second, abi.encodeWithSelector(IConfigRegistry.NeverCurrent.selector, 2));
    }

    function test_rollbackRefusesRevoked() public {
        ArtifactId first = current(1);
        current(2);
        guard();
        registry.revoke(first);
        _rollbackReverts(first, abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, 1));
    }

    function test_rollbackRefusesWhatRunsAlready() public {
        ArtifactId first = current(1);
        _rollbackReverts(first, abi.encodeWithSelector(IConfigRegistry.AlreadyEffective.selector, 1));
        current(2);
        guard();
        registry.rollback(first);
        _rollbackReverts(first, abi.encodeWithSelector(IConfigRegistry.AlreadyEffective.selector, 1));
    }

    // ---------------------------------------------------------------------------------------------------------- pause

    function test_pauseSetsTheBit() public {
        ArtifactId id = current(1);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Paused(2);
        guard();
        registry.pause();
        assertHead(HeadFlags.PAUSED, 2, id, NONE, NONE, 0);
        assertEq(registry.effective(), id, "effective");
    }

    function test_pauseRefusedWhilePaused() public {
        guard();
        registry.pause();
        guard();
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.AlreadyPaused.selector));
        registry.pause();
    }

    // --------------------------------------------------------------------------------------------------------- revoke

    function test_revokeBarsAStagedOne() public {
        ArtifactId id = stage(1);
        bytes32 digest = registry.record(id).digest;
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Revoked(id, digest, 1);
        guard();
        registry.revoke(id);
        assertStatus(id, Status.Revoked);
        assertHead(0, 1, NONE, NONE, NONE, 0);
        assertEq(registry.idOf(digest), id, "the digest stays known");
    }

    function test_revokeEndsTheCanaryOfThatArtifactAlone() public {
        ArtifactId first = current(1);
        ArtifactId second = stage(2);
        ArtifactId third = stage(3);
        promote(second, 500);
        guard();
        registry.revoke(third);
        assertHead(0, 3, first, NONE, second, 500);
        guard();
        registry.revoke(second);
        assertHead(0, 4, first, NONE, NONE, 0);
    }

    function test_revokeRefusesWhatRuns() public {
        ArtifactId first = current(1);
        _revokeReverts(first, abi.encodeWithSelector(IConfigRegistry.StillEffective.selector, 1));
        ArtifactId second = current(2);
        guard();
        registry.rollback(first);
        _revokeReverts(first, abi.encodeWithSelector(IConfigRegistry.StillEffective.selector, 1));
        guard();
        registry.revoke(second);
        assertStatus(second, Status.Revoked);
    }

    function test_revokeOfCurrentWorksWhileKilled() public {
        ArtifactId first = current(1);
        guard();
        registry.kill();
        guard();
        registry.revoke(first);
        assertStatus(first, Status.Revoked);
    }

    function test_revokeRefusesUnknownAndRevoked() public {
        ArtifactId id = stage(1);
        _revokeReverts(NONE, abi.encodeWithSelector(IConfigRegistry.UnknownArtifact.selector, 0));
        guard();
        registry.revoke(id);
        _revokeReverts(id, abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, 1));
    }

    // --------------------------------------------------------------------------------------------------- stopVerifier

    function test_stopVerifierIsATombstone() public {
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.VerifierStopped(address(verifier));
        guard();
        registry.stopVerifier(address(verifier));
        assertEq(uint8(registry.verifierStatus(address(verifier))), uint8(VerifierStatus.Stopped), "status");

        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.addVerifier, (address(verifier))));
        vm.prank(OPERATIONS);
        vm.expectRevert(
            abi.encodeWithSelector(IConfigRegistry.VerifierKnown.selector, address(verifier), VerifierStatus.Stopped)
        );
        registry.addVerifier(address(verifier));
    }

    function test_stopVerifierLeavesWhatRuns() public {
        ArtifactId id = current(1);
        guard();
        registry.stopVerifier(address(verifier));
        assertEq(registry.effective(), id, "effective");
    }

    function test_stopVerifierRefusesUnknownAndStopped() public {
        guard();
        vm.expectRevert(
            abi.encodeWithSelector(IConfigRegistry.VerifierNotActive.selector, STRANGER, VerifierStatus.None)
        );
        registry.stopVerifier(STRANGER);
        guard();
        registry.stopVerifier(address(verifier));
        guard();
        vm.expectRevert(
            abi.encodeWithSelector(
                IConfigRegistry.VerifierNotActive.selector, address(verifier), VerifierStatus.Stopped
            )
        );
        registry.stopVerifier(address(verifier));
    }

    function _rollbackReverts(ArtifactId id, bytes memory reason) private {
        guard();
        vm.expectRevert(reason);
        registry.rollback(id);
    }

    function _revokeReverts(ArtifactId id, bytes memory reason) private {
        guard();
        vm.expectRevert(reason);
        registry.revoke(id);
    }
}
