// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {HeadFlags} from "../src/ConfigRegistry.sol";
import {ArtifactId, IConfigRegistry} from "../src/interfaces/IConfigRegistry.sol";
import {CredulousVerifier} from "./kit/Governed.sol";
import {Succession} from "./kit/Succession.sol";

/// @notice Slow acts are bound to the head that they were decided on: nothing scheduled before a guardian acted undoes it.
contract HeadMovedTest is Succession {
    // ------------------------------------------------------------------------------------------------------ promotion

    function test_promotionScheduledBeforeARollbackCannotEndIt() public {
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, 2));
        guard();
        registry.rollback(first);
        _refusedAsLongAsItStands(PROMOTER, _promotion(third, ALL, 2), 2, 3);
        assertHead(HeadFlags.ROLLBACK, 3, second, first, NONE, 0);
        assertEq(registry.effective(), first, "effective");
    }

    function test_promotionScheduledBeforeAKillChangesNothingUnderIt() public {
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, 2));
        guard();
        registry.kill();
        _refusedAsLongAsItStands(PROMOTER, _promotion(third, ALL, 2), 2, 3);
        assertHead(HeadFlags.KILL, 3, second, NONE, NONE, 0);
    }

    function test_promotionScheduledBeforeAPauseChangesNothingUnderIt() public {
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, 2));
        guard();
        registry.pause();
        _refusedAsLongAsItStands(PROMOTER, _promotion(third, ALL, 2), 2, 3);
        assertHead(HeadFlags.PAUSED, 3, second, NONE, NONE, 0);
    }

    /// @dev A canary that a rollback ended would otherwise come back in full.
    function test_promotionInFullScheduledBeforeARollbackOfItsCanary() public {
        promote(third, 500);
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, 3));
        guard();
        registry.rollback(first);
        _refusedAsLongAsItStands(PROMOTER, _promotion(third, ALL, 3), 3, 4);
        assertEq(registry.effective(), first, "effective");
    }

    /// @dev Of two promotions decided on one head, the first that is executed voids the other.
    function test_promotionScheduledBesideAnother() public {
        ArtifactId fourth = stage(4);
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, 2));
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(fourth, ALL, 2));
        vm.warp(vm.getBlockTimestamp() + PROMOTE_DELAY);
        vm.prank(PROMOTER);
        registry.promote(fourth, ALL, 2);
        _refused(PROMOTER, _promotion(third, ALL, 2), 2, 3);
        assertEq(registry.effective(), fourth, "effective");
    }

    // ------------------------------------------------------------------------------------------------------ revival

    function test_revivalScheduledBeforeTheKillCannotUndoIt() public {
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(2));
        guard();
        registry.kill();
        _refusedAsLongAsItStands(OPERATIONS, _revival(2), 2, 3);
        assertEq(registry.effective(), NONE, "effective");
    }

    /// @dev The kill stands for what edges would then run: they must not start with something that nobody waited for.
    function test_revivalScheduledBeforeARollbackOrAPauseIsVoid() public {
        guard();
        registry.kill();
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(3));
        guard();
        registry.rollback(first);
        _refusedAsLongAsItStands(OPERATIONS, _revival(3), 3, 4);

        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(4));
        guard();
        registry.pause();
        _refusedAsLongAsItStands(OPERATIONS, _revival(4), 4, 5);
        assertHead(HeadFlags.KILL | HeadFlags.ROLLBACK | HeadFlags.PAUSED, 5, second, first, NONE, 0);
    }

    /// @dev Killed, revived and killed again: a second schedule made for the first kill does not end the second kill.
    function test_revivalScheduledForAnEarlierKillCannotUndoALaterOne() public {
        guard();
        registry.kill();
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(3));
        vm.warp(vm.getBlockTimestamp() + OPERATIONS_DELAY);
        vm.prank(OPERATIONS);
        registry.revive(3);
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(3));
        guard();
        registry.kill();
        _refusedAsLongAsItStands(OPERATIONS, _revival(3), 3, 5);
        assertEq(registry.effective(), NONE, "effective");
    }

    // --------------------------------------------------------------------------------------------------- resumption

    function test_resumptionScheduledBeforeThePauseCannotUndoIt() public {
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _resumption(2));
        guard();
        registry.pause();
        _refusedAsLongAsItStands(OPERATIONS, _resumption(2), 2, 3);
        assertHead(HeadFlags.PAUSED, 3, second, NONE, NONE, 0);
    }

    function test_resumptionScheduledBeforeAKillOrARollbackIsVoid() public {
        guard();
        registry.pause();
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _resumption(3));
        guard();
        registry.kill();
        _refusedAsLongAsItStands(OPERATIONS, _resumption(3), 3, 4);

        _scheduled(OPERATIONS, OPERATIONS_DELAY, _resumption(4));
        guard();
        registry.rollback(first);
        _refusedAsLongAsItStands(OPERATIONS, _resumption(4), 4, 5);
        assertHead(HeadFlags.KILL | HeadFlags.ROLLBACK | HeadFlags.PAUSED, 5, second, first, NONE, 0);
    }

    // ---------------------------------------------------------------------------------------- what the rule is about

    function test_scheduleSurvivesWhereTheHeadDidNotMove() public {
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, 2));
        // None of these changes the head.
        ArtifactId fourth = stage(4);
        CredulousVerifier other = new CredulousVerifier();
        addVerifier(address(other));
        guard();
        registry.stopVerifier(address(other));
        assertEq(sequence(), 2, "sequence");
        // addVerifier took longer than the promotion's delay.
        vm.prank(PROMOTER);
        registry.promote(third, ALL, 2);
        assertHead(0, 3, third, NONE, NONE, 0);

        guard();
        registry.kill();
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(4));
        vm.warp(vm.getBlockTimestamp() + OPERATIONS_DELAY + 6 days);
        vm.prank(OPERATIONS);
        registry.revive(4);
        guard();
        registry.pause();
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _resumption(6));
        vm.warp(vm.getBlockTimestamp() + OPERATIONS_DELAY + 6 days);
        vm.prank(OPERATIONS);
        registry.resume(6);
        assertHead(0, 7, third, NONE, NONE, 0);

        promote(fourth, ALL);
        assertEq(registry.effective(), fourth, "effective");
    }

    function test_scheduledAnewItWaitsAnew() public {
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, 2));
        vm.warp(vm.getBlockTimestamp() + PROMOTE_DELAY);
        guard();
        registry.rollback(first);
        // The void schedule neither helps nor stands in the way.
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, 3));
        vm.warp(vm.getBlockTimestamp() + PROMOTE_DELAY - 1);
        vm.prank(PROMOTER);
        (bool ok,) = address(registry).call(_promotion(third, ALL, 3));
        assertEq(ok, false, "before its time");
        vm.warp(vm.getBlockTimestamp() + 1);
        vm.prank(PROMOTER);
        registry.promote(third, ALL, 3);
        assertHead(0, 4, third, NONE, NONE, 0);
    }

    /// @dev The next sequence is no secret. Who schedules for it ahead of the guardian's act does so in the open, and the
    /// guardian, who acts without delay, can cancel.
    function test_guardianCancelsWhatWasScheduledForAHeadToCome() public {
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(3));
        vm.warp(vm.getBlockTimestamp() + OPERATIONS_DELAY);
        _refused(OPERATIONS, _revival(3), 3, 2);
        guard();
        manager.cancel(OPERATIONS, address(registry), _revival(3));
        guard();
        registry.kill();
        vm.prank(OPERATIONS);
        (bool ok,) = address(registry).call(_revival(3));
        assertEq(ok, false, "cancelled");
        assertEq(registry.effective(), NONE, "effective");
    }

    function test_headMovedNamesBothSequences(uint64 expected) public {
        if (expected == 2) expected = 3;
        _scheduled(PROMOTER, PROMOTE_DELAY, _promotion(third, ALL, expected));
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(expected));
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _resumption(expected));
        vm.warp(vm.getBlockTimestamp() + OPERATIONS_DELAY);
        _refused(PROMOTER, _promotion(third, ALL, expected), expected, 2);
        _refused(OPERATIONS, _revival(expected), expected, 2);
        _refused(OPERATIONS, _resumption(expected), expected, 2);
    }

    /// @dev Each of these would be refused for another reason, which on a head that moved says nothing.
    function test_headMovedComesBeforeEveryOtherRefusal() public {
        bytes[5] memory promotions = [
            _promotion(third, 0, 1),
            _promotion(third, 10_001, 1),
            _promotion(NONE, ALL, 1),
            _promotion(ArtifactId.wrap(9), ALL, 1),
            _promotion(second, ALL, 1)
        ];
        for (uint256 i = 0; i < promotions.length; ++i) {
            _scheduled(PROMOTER, PROMOTE_DELAY, promotions[i]);
        }
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _revival(1));
        _scheduled(OPERATIONS, OPERATIONS_DELAY, _resumption(1));
        vm.warp(vm.getBlockTimestamp() + OPERATIONS_DELAY);
        for (uint256 i = 0; i < promotions.length; ++i) {
            _refused(PROMOTER, promotions[i], 1, 2);
        }
        _refused(OPERATIONS, _revival(1), 1, 2);
        _refused(OPERATIONS, _resumption(1), 1, 2);
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    function _scheduled(address caller, uint32 delay, bytes memory call) private {
        vm.prank(caller);
        manager.schedule(address(registry), call, uint48(vm.getBlockTimestamp() + delay));
    }

    /// @dev As soon as its delay is over, and at the last moment before the schedule expires.
    function _refusedAsLongAsItStands(address caller, bytes memory call, uint64 expected, uint64 found) private {
        uint256 due = manager.getSchedule(manager.hashOperation(caller, address(registry), call));
        assertTrue(due > vm.getBlockTimestamp(), "scheduled");
        vm.warp(due);
        _refused(caller, call, expected, found);
        vm.warp(due + 1 weeks - 1);
        _refused(caller, call, expected, found);
    }

    /// @dev Refused by the registry, for its head: called directly and through the manager.
    function _refused(address caller, bytes memory call, uint64 expected, uint64 found) private {
        bytes memory reason = abi.encodeWithSelector(IConfigRegistry.HeadMoved.selector, expected, found);
        vm.prank(caller);
        (bool ok, bytes memory actual) = address(registry).call(call);
        assertEq(ok, false, "refused");
        assertEq(keccak256(actual), keccak256(reason), "because the head moved");
        vm.prank(caller);
        vm.expectRevert(reason);
        manager.execute(address(registry), call);
    }

    function _promotion(ArtifactId id, uint16 canaryBps, uint64 decidedOn) private view returns (bytes memory) {
        return abi.encodeCall(registry.promote, (id, canaryBps, decidedOn));
    }

    function _revival(uint64 decidedOn) private view returns (bytes memory) {
        return abi.encodeCall(registry.revive, (decidedOn));
    }

    function _resumption(uint64 decidedOn) private view returns (bytes memory) {
        return abi.encodeCall(registry.resume, (decidedOn));
    }
}
