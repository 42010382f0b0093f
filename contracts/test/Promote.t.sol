// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {ArtifactId, IConfigRegistry, Status, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {HeadFlags} from "../src/ConfigRegistry.sol";
import {Governed} from "./kit/Governed.sol";

contract PromoteTest is Governed {
    function test_promotionInFullMakesCurrent() public {
        ArtifactId id = stage(1);
        later(PROMOTER, PROMOTE_DELAY, abi.encodeCall(registry.promote, (id, ALL, 0)));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Promoted(id, ALL, 1);
        vm.prank(PROMOTER);
        registry.promote(id, ALL, 0);

        assertHead(0, 1, id, NONE, NONE, 0);
        assertEq(registry.effective(), id, "effective");
        assertEq(registry.head().changedAt, vm.getBlockTimestamp(), "changedAt");
        assertStatus(id, Status.Promoted);
    }

    function test_promotionReplacesAndAnOldArtifactMayReturn() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        assertHead(0, 2, second, NONE, NONE, 0);
        promote(first, ALL);
        assertHead(0, 3, first, NONE, NONE, 0);
    }

    function test_canaryLeavesCurrentAlone() public {
        ArtifactId first = current(1);
        ArtifactId second = stage(2);
        promote(second, 500);
        assertHead(0, 2, first, NONE, second, 500);
        assertEq(registry.effective(), first, "effective");
        assertStatus(second, Status.Staged);
    }

    function test_canaryMayBeTheFirst() public {
        ArtifactId id = stage(1);
        promote(id, 1);
        assertHead(0, 1, NONE, NONE, id, 1);
    }

    function test_canaryGrowsAndIsReplaced() public {
        current(1);
        ArtifactId second = stage(2);
        ArtifactId third = stage(3);
        promote(second, 500);
        promote(second, 2500);
        assertHead(0, 3, ArtifactId.wrap(1), NONE, second, 2500);
        promote(third, 9999);
        assertHead(0, 4, ArtifactId.wrap(1), NONE, third, 9999);
    }

    function test_promotionInFullEndsTheCanary() public {
        current(1);
        ArtifactId second = stage(2);
        promote(second, 500);
        promote(second, ALL);
        assertHead(0, 3, second, NONE, NONE, 0);
    }

    function test_promotionInFullEndsARollback() public {
        ArtifactId first = current(1);
        current(2);
        guard();
        registry.rollback(first);
        ArtifactId third = current(3);
        assertHead(0, 4, third, NONE, NONE, 0);
    }

    function test_whatWasRolledBackMayBePromotedAgain() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        guard();
        registry.rollback(first);
        promote(second, ALL);
        assertHead(0, 4, second, NONE, NONE, 0);
    }

    function test_promotionLeavesKillAndPauseAlone() public {
        current(1);
        guard();
        registry.kill();
        guard();
        registry.pause();
        ArtifactId second = current(2);
        assertHead(HeadFlags.KILL | HeadFlags.PAUSED, 4, second, NONE, NONE, 0);
        assertEq(registry.effective(), NONE, "effective");
    }

    // ------------------------------------------------------------------------------------------------------- refusals

    function test_refusesCanaryOfNothingOrMoreThanAll() public {
        ArtifactId id = stage(1);
        promoteReverts(id, 0, abi.encodeWithSelector(IConfigRegistry.InvalidCanary.selector, 0));
        promoteReverts(id, 10_001, abi.encodeWithSelector(IConfigRegistry.InvalidCanary.selector, 10_001));
    }

    function test_refusesUnknown() public {
        stage(1);
        promoteReverts(NONE, ALL, abi.encodeWithSelector(IConfigRegistry.UnknownArtifact.selector, 0));
        promoteReverts(ArtifactId.wrap(2), ALL, abi.encodeWithSelector(IConfigRegistry.UnknownArtifact.selector, 2));
    }

    function test_refusesRevoked() public {
        ArtifactId id = stage(1);
        guard();
        registry.revoke(id);
        promoteReverts(id, ALL, abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, 1));
    }

    function test_refusesWhatAStoppedVerifierVouchedFor() public {
        ArtifactId id = stage(1);
        guard();
        registry.stopVerifier(address(verifier));
        bytes memory reason = abi.encodeWithSelector(
            IConfigRegistry.VerifierNotActive.selector, address(verifier), VerifierStatus.Stopped
        );
        promoteReverts(id, ALL, reason);
        promoteReverts(id, 1, reason);
    }

    function test_refusesCurrent() public {
        ArtifactId id = current(1);
        promoteReverts(id, ALL, abi.encodeWithSelector(IConfigRegistry.AlreadyCurrent.selector, 1));
        promoteReverts(id, 500, abi.encodeWithSelector(IConfigRegistry.AlreadyCurrent.selector, 1));
    }

    function test_refusesTheSameCanaryTwice() public {
        current(1);
        ArtifactId second = stage(2);
        promote(second, 500);
        promoteReverts(second, 500, abi.encodeWithSelector(IConfigRegistry.AlreadyCandidate.selector, 2, 500));
    }

    /// @dev A canary that goes badly can be made smaller.
    function test_theStepsOfACanaryGoBothWays() public {
        current(1);
        ArtifactId second = stage(2);
        uint16[3] memory steps = [uint16(500), 2000, 100];
        for (uint256 i = 0; i < steps.length; ++i) {
            promote(second, steps[i]);
            assertEq(registry.head().canaryBps, steps[i], "step");
        }
    }

    function test_refusesCanaryWhileRolledBack() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        ArtifactId third = stage(3);
        guard();
        registry.rollback(first);
        bytes memory reason = abi.encodeWithSelector(IConfigRegistry.CanaryWhileRolledBack.selector, 1);
        promoteReverts(second, 500, reason);
        promoteReverts(third, 500, reason);
    }
}
