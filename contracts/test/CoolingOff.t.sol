// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {HeadFlags} from "../src/ConfigRegistry.sol";
import {IConfigRegistry} from "../src/interfaces/IConfigRegistry.sol";
import {Succession} from "./kit/Succession.sol";

/// @notice What was scheduled for a head to come waits until guardians had the time to see it.
contract CoolingOffTest is Succession {
    /// @dev The head's change is long ago.
    function setUp() public override {
        super.setUp();
        vm.warp(vm.getBlockTimestamp() + COOLING_OFF);
    }

    function test_revivalScheduledAheadOfTheKillWaits() public {
        bytes memory call = abi.encodeCall(registry.revive, (3));
        later(OPERATIONS, OPERATIONS_DELAY, call);
        guard();
        registry.kill();
        _waits(OPERATIONS, call);
        assertHead(0, 4, second, NONE, NONE, 0);
    }

    function test_resumptionScheduledAheadOfThePauseWaits() public {
        bytes memory call = abi.encodeCall(registry.resume, (3));
        later(OPERATIONS, OPERATIONS_DELAY, call);
        guard();
        registry.pause();
        _waits(OPERATIONS, call);
        assertHead(0, 4, second, NONE, NONE, 0);
    }

    function test_promotionScheduledAheadOfTheRollbackWaits() public {
        bytes memory call = abi.encodeCall(registry.promote, (third, ALL, 3));
        later(PROMOTER, PROMOTE_DELAY, call);
        guard();
        registry.rollback(first);
        _waits(PROMOTER, call);
        assertHead(0, 4, third, NONE, NONE, 0);
    }

    /// @dev In which a guardian can cancel.
    function test_guardianCancelsMeanwhile() public {
        bytes memory call = abi.encodeCall(registry.revive, (3));
        later(OPERATIONS, OPERATIONS_DELAY, call);
        guard();
        registry.kill();
        guard();
        manager.cancel(OPERATIONS, address(registry), call);
        vm.warp(vm.getBlockTimestamp() + COOLING_OFF);
        vm.prank(OPERATIONS);
        (bool ok,) = address(registry).call(call);
        assertEq(ok, false, "cancelled");
        assertEq(registry.effective(), NONE, "effective");
    }

    /// @dev Each step of a canary is a change, too.
    function test_theNextStepOfACanaryWaits() public {
        bytes memory call = abi.encodeCall(registry.promote, (third, 2_500, 3));
        later(PROMOTER, PROMOTE_DELAY, call);
        promote(third, 500);
        _waits(PROMOTER, call);
        assertHead(0, 4, second, NONE, third, 2_500);
    }

    function test_guardiansNeverWait() public {
        guard();
        registry.pause();
        guard();
        registry.rollback(first);
        guard();
        registry.kill();
        guard();
        registry.revoke(second);
        assertHead(HeadFlags.KILL | HeadFlags.ROLLBACK | HeadFlags.PAUSED, 6, second, first, NONE, 0);
    }

    /// @dev Every change of the head begins another.
    function test_aSecondChangeBeginsItAnew() public {
        guard();
        registry.kill();
        vm.warp(vm.getBlockTimestamp() + COOLING_OFF - 1);
        bytes memory call = abi.encodeCall(registry.revive, (4));
        later(OPERATIONS, OPERATIONS_DELAY, call);
        guard();
        registry.pause();
        _waits(OPERATIONS, call);
    }

    /// @dev The delays are no shorter, so it stands in nobody's way who schedules after the change.
    function testFuzz_whatIsScheduledAfterwardsMeetsNone(uint256 random) public {
        guard();
        registry.kill();
        vm.warp(vm.getBlockTimestamp() + random % 10 days);
        revive();
        assertEq(registry.effective(), second, "effective");
        promote(third, ALL);
        assertEq(registry.effective(), third, "effective");
    }

    function testFuzz_untilItIsOver(uint256 random) public {
        bytes memory call = abi.encodeCall(registry.revive, (3));
        later(OPERATIONS, OPERATIONS_DELAY, call);
        guard();
        registry.kill();
        uint256 passed = random % (2 * COOLING_OFF);
        vm.warp(vm.getBlockTimestamp() + passed);
        vm.prank(OPERATIONS);
        (bool ok,) = address(registry).call(call);
        assertEq(ok, passed >= COOLING_OFF, "revived");
    }

    /// @dev Refused until the very second, and then done.
    function _waits(address caller, bytes memory call) private {
        uint48 until = uint48(registry.head().changedAt + COOLING_OFF);
        bytes memory reason = abi.encodeWithSelector(IConfigRegistry.CoolingOff.selector, until);
        vm.prank(caller);
        vm.expectRevert(reason);
        manager.execute(address(registry), call);
        vm.warp(until - 1);
        vm.prank(caller);
        vm.expectRevert(reason);
        manager.execute(address(registry), call);
        vm.warp(until);
        vm.prank(caller);
        manager.execute(address(registry), call);
    }
}
