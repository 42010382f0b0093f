// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {vm} from "../script/Vm.sol";
import {ConfigRegistry} from "../src/ConfigRegistry.sol";
import {ArtifactId} from "../src/interfaces/IConfigRegistry.sol";
import {Roles} from "../src/Roles.sol";
import {Governed} from "./kit/Governed.sol";

/// @notice Who may do what and when, on a registry as the deployment script leaves it.
contract RolesTest is Governed {
    uint64 private constant ADMIN_ROLE = 0;

    // --------------------------------------------------------------------------------------------------- who and when

    function test_eachFunctionHasOneRoleAndNobodyElseMayCallIt() public view {
        _only(PUBLISHER, 0, ConfigRegistry.stage.selector);
        _only(PUBLISHER, 0, ConfigRegistry.stageBlob.selector);
        _only(PROMOTER, PROMOTE_DELAY, ConfigRegistry.promote.selector);
        _only(GUARDIAN, 0, ConfigRegistry.kill.selector);
        _only(GUARDIAN, 0, ConfigRegistry.rollback.selector);
        _only(GUARDIAN, 0, ConfigRegistry.pause.selector);
        _only(GUARDIAN, 0, ConfigRegistry.revoke.selector);
        _only(GUARDIAN, 0, ConfigRegistry.stopVerifier.selector);
        (bool immediate,) =
            manager.canCall(address(emergencyStop), address(registry), ConfigRegistry.stopVerifier.selector);
        assertEq(immediate, true, "the emergency stop");
        _only(OPERATIONS, OPERATIONS_DELAY, ConfigRegistry.revive.selector);
        _only(OPERATIONS, OPERATIONS_DELAY, ConfigRegistry.resume.selector);
        _only(OPERATIONS, OPERATIONS_DELAY, ConfigRegistry.addVerifier.selector);
    }

    function test_strangersAreRefusedByTheRegistryItself() public {
        ArtifactId id = stage(1);
        _refused(abi.encodeCall(registry.stage, (address(verifier), "", "")));
        _refused(abi.encodeCall(registry.stageBlob, (address(verifier), "", 0, 0)));
        _refused(abi.encodeCall(registry.promote, (id, ALL, 0)));
        _refused(abi.encodeCall(registry.kill, ()));
        _refused(abi.encodeCall(registry.rollback, (id)));
        _refused(abi.encodeCall(registry.pause, ()));
        _refused(abi.encodeCall(registry.revoke, (id)));
        _refused(abi.encodeCall(registry.stopVerifier, (address(verifier))));
        _refused(abi.encodeCall(registry.revive, (0)));
        _refused(abi.encodeCall(registry.resume, (0)));
        _refused(abi.encodeCall(registry.addVerifier, (address(verifier))));
        _refused(abi.encodeCall(registry.setAuthority, (address(script))));
    }

    // ------------------------------------------------------------------------------------------------------- timelock

    function test_promotionWithoutASchedule() public {
        ArtifactId id = stage(1);
        vm.expectRevert(_operation(IAccessManager.AccessManagerNotScheduled.selector, _promotion(id)));
        vm.prank(PROMOTER);
        registry.promote(id, ALL, 0);
    }

    function test_promotionBeforeItsTime() public {
        ArtifactId id = stage(1);
        later(PROMOTER, PROMOTE_DELAY - 1, _promotion(id));
        vm.expectRevert(_operation(IAccessManager.AccessManagerNotReady.selector, _promotion(id)));
        vm.prank(PROMOTER);
        registry.promote(id, ALL, 0);
        vm.warp(vm.getBlockTimestamp() + 1);
        vm.prank(PROMOTER);
        registry.promote(id, ALL, 0);
        assertEq(registry.effective(), id, "effective");
    }

    function test_promotionThroughTheManager() public {
        ArtifactId id = stage(1);
        later(PROMOTER, PROMOTE_DELAY, _promotion(id));
        vm.prank(PROMOTER);
        manager.execute(address(registry), _promotion(id));
        assertEq(registry.effective(), id, "effective");
    }

    function test_promotionExpires() public {
        ArtifactId id = stage(1);
        later(PROMOTER, PROMOTE_DELAY + 1 weeks, _promotion(id));
        vm.expectRevert(_operation(IAccessManager.AccessManagerExpired.selector, _promotion(id)));
        vm.prank(PROMOTER);
        registry.promote(id, ALL, 0);
    }

    function test_promotionInTheLastSecondOfItsSchedule() public {
        ArtifactId id = stage(1);
        later(PROMOTER, PROMOTE_DELAY + 1 weeks - 1, _promotion(id));
        vm.prank(PROMOTER);
        registry.promote(id, ALL, 0);
        assertEq(registry.effective(), id, "effective");
    }

    /// @dev Cancelled and scheduled anew, the same call is another operation of its own and waits in full.
    function test_whatWasCancelledWaitsAnew() public {
        ArtifactId id = stage(1);
        later(PROMOTER, PROMOTE_DELAY, _promotion(id));
        guard();
        uint32 cancelled = manager.cancel(PROMOTER, address(registry), _promotion(id));
        vm.prank(PROMOTER);
        (bytes32 operation, uint32 nonce) = manager.schedule(address(registry), _promotion(id), 0);
        assertEq(nonce, cancelled + 1, "nonce");
        vm.warp(vm.getBlockTimestamp() + PROMOTE_DELAY - 1);
        vm.prank(PROMOTER);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, operation));
        registry.promote(id, ALL, 0);
        vm.warp(vm.getBlockTimestamp() + 1);
        vm.prank(PROMOTER);
        registry.promote(id, ALL, 0);
        assertEq(registry.effective(), id, "effective");
    }

    function test_promotionHappensOncePerSchedule() public {
        ArtifactId first = current(1);
        current(2);
        promote(first, ALL);
        bytes memory call = abi.encodeCall(registry.promote, (first, ALL, 2));
        vm.expectRevert(_operation(IAccessManager.AccessManagerNotScheduled.selector, call));
        vm.prank(PROMOTER);
        registry.promote(first, ALL, 2);
    }

    /// @dev What was scheduled is what may run: not another artifact, not another share of the edges, not
    /// on another head.
    function test_scheduleIsForTheseArgumentsAlone() public {
        ArtifactId first = stage(1);
        ArtifactId second = stage(2);
        later(PROMOTER, PROMOTE_DELAY, _promotion(first));
        vm.expectRevert(_operation(IAccessManager.AccessManagerNotScheduled.selector, _promotion(second)));
        vm.prank(PROMOTER);
        registry.promote(second, ALL, 0);
        bytes memory canary = abi.encodeCall(registry.promote, (first, 500, 0));
        vm.expectRevert(_operation(IAccessManager.AccessManagerNotScheduled.selector, canary));
        vm.prank(PROMOTER);
        registry.promote(first, 500, 0);
        bytes memory elsewhere = abi.encodeCall(registry.promote, (first, ALL, 1));
        vm.expectRevert(_operation(IAccessManager.AccessManagerNotScheduled.selector, elsewhere));
        vm.prank(PROMOTER);
        registry.promote(first, ALL, 1);
    }

    function test_guardianCancelsAPromotion() public {
        ArtifactId id = stage(1);
        later(PROMOTER, PROMOTE_DELAY, _promotion(id));
        guard();
        manager.cancel(PROMOTER, address(registry), _promotion(id));
        vm.expectRevert(_operation(IAccessManager.AccessManagerNotScheduled.selector, _promotion(id)));
        vm.prank(PROMOTER);
        registry.promote(id, ALL, 0);
    }

    function test_guardianCancelsOperations() public {
        guard();
        registry.kill();
        bytes memory call = abi.encodeCall(registry.revive, (1));
        later(OPERATIONS, OPERATIONS_DELAY, call);
        guard();
        manager.cancel(OPERATIONS, address(registry), call);
        vm.prank(OPERATIONS);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
        registry.revive(1);
    }

    function test_publisherCannotCancelAPromotion() public {
        ArtifactId id = stage(1);
        later(PROMOTER, PROMOTE_DELAY, _promotion(id));
        vm.prank(PUBLISHER);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessManager.AccessManagerUnauthorizedCancel.selector,
                PUBLISHER,
                PROMOTER,
                address(registry),
                ConfigRegistry.promote.selector
            )
        );
        manager.cancel(PROMOTER, address(registry), _promotion(id));
    }

    // ------------------------------------------------------------------------------------------------- administration

    function test_deployerEndsWithoutPower() public view {
        for (uint64 role = ADMIN_ROLE; role <= Roles.STOPPER; ++role) {
            (bool isMember,) = manager.hasRole(role, address(script));
            assertEq(isMember, false, "deployer");
        }
    }

    function test_administratorMustWait() public {
        bytes memory grant = abi.encodeCall(AccessManager.grantRole, (Roles.GUARDIAN, STRANGER, 0));
        vm.prank(ADMIN);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
        manager.grantRole(Roles.GUARDIAN, STRANGER, 0);

        vm.prank(ADMIN);
        manager.schedule(address(manager), grant, 0);
        vm.warp(vm.getBlockTimestamp() + ADMIN_DELAY);
        vm.prank(ADMIN);
        manager.grantRole(Roles.GUARDIAN, STRANGER, 0);
        vm.prank(STRANGER);
        registry.kill();
    }

    /// @dev Five days after the deployment, when the grant delays are in force: a new promoter waits before its role
    /// counts, and then its promotions wait too.
    function test_newPromoterIsSeenComing() public {
        vm.warp(vm.getBlockTimestamp() + 5 days);
        assertEq(manager.getRoleGrantDelay(Roles.PROMOTER), PROMOTE_DELAY, "promoter");
        assertEq(manager.getRoleGrantDelay(Roles.OPERATIONS), OPERATIONS_DELAY, "operations");
        assertEq(manager.getRoleGrantDelay(ADMIN_ROLE), ADMIN_DELAY, "admin");
        assertEq(manager.getTargetAdminDelay(address(registry)), ADMIN_DELAY, "target");

        vm.prank(ADMIN);
        manager.schedule(
            address(manager), abi.encodeCall(AccessManager.grantRole, (Roles.PROMOTER, STRANGER, PROMOTE_DELAY)), 0
        );
        vm.warp(vm.getBlockTimestamp() + ADMIN_DELAY);
        vm.prank(ADMIN);
        manager.grantRole(Roles.PROMOTER, STRANGER, PROMOTE_DELAY);
        (bool isMember,) = manager.hasRole(Roles.PROMOTER, STRANGER);
        assertEq(isMember, false, "not yet");
        vm.warp(vm.getBlockTimestamp() + PROMOTE_DELAY);
        uint32 delay;
        (isMember, delay) = manager.hasRole(Roles.PROMOTER, STRANGER);
        assertEq(isMember, true, "now");
        assertEq(delay, PROMOTE_DELAY, "delay");
    }

    function test_administratorCannotMoveTheHead() public view {
        (bool immediate, uint32 delay) = manager.canCall(ADMIN, address(registry), ConfigRegistry.promote.selector);
        assertTrue(!immediate && delay == 0, "promote");
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    function _only(address holder, uint32 expectedDelay, bytes4 selector) private view {
        address[6] memory everyone = [ADMIN, PUBLISHER, PROMOTER, GUARDIAN, OPERATIONS, STRANGER];
        for (uint256 i = 0; i < everyone.length; ++i) {
            (bool immediate, uint32 delay) = manager.canCall(everyone[i], address(registry), selector);
            bool holds = everyone[i] == holder;
            assertEq(immediate, holds && expectedDelay == 0, "at once");
            assertEq(delay, holds ? expectedDelay : 0, "delay");
        }
    }

    function _refused(bytes memory call) private {
        vm.prank(STRANGER);
        (bool ok, bytes memory reason) = address(registry).call(call);
        assertEq(ok, false, "refused");
        bytes memory expected = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, STRANGER);
        assertEq(keccak256(reason), keccak256(expected), "for want of the role");
    }

    /// @dev On the head of a new deployment.
    function _promotion(ArtifactId id) private view returns (bytes memory) {
        return abi.encodeCall(registry.promote, (id, ALL, 0));
    }

    function _operation(bytes4 selector, bytes memory call) private view returns (bytes memory) {
        return abi.encodeWithSelector(selector, manager.hashOperation(PROMOTER, address(registry), call));
    }
}
