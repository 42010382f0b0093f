// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {ConfigRegistry, HeadFlags} from "../src/ConfigRegistry.sol";
import {ArtifactId, IConfigRegistry, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {CredulousVerifier, Governed} from "./kit/Governed.sol";

/// @notice Risk is slow.
contract OperationsTest is Governed {
    function test_reviveRunsTheTargetAgain() public {
        ArtifactId id = current(1);
        guard();
        registry.kill();
        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.revive, (2)));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Revived(id, 3);
        vm.prank(OPERATIONS);
        registry.revive(2);
        assertHead(0, 3, id, NONE, NONE, 0);
        assertEq(registry.effective(), id, "effective");
    }

    function test_reviveKeepsARollback() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        guard();
        registry.rollback(first);
        guard();
        registry.kill();
        revive();
        assertHead(HeadFlags.ROLLBACK, 5, second, first, NONE, 0);
    }

    function test_reviveWorksWhereNothingEverRan() public {
        guard();
        registry.kill();
        revive();
        assertEq(registry.effective(), NONE, "effective");
    }

    function test_reviveRefusedWhileNotKilled() public {
        _operationReverts(
            abi.encodeCall(registry.revive, (0)), abi.encodeWithSelector(IConfigRegistry.NotKilled.selector)
        );
    }

    function test_reviveRefusedWhileTheTargetIsRevoked() public {
        ArtifactId first = current(1);
        ArtifactId second = current(2);
        guard();
        registry.kill();
        guard();
        registry.revoke(second);
        _operationReverts(
            abi.encodeCall(registry.revive, (4)), abi.encodeWithSelector(IConfigRegistry.RevivesRevoked.selector, 2)
        );
        // The way out is a rollback, or a promotion.
        guard();
        registry.rollback(first);
        revive();
        assertEq(registry.effective(), first, "effective");
    }

    function test_resumeClearsTheBit() public {
        guard();
        registry.pause();
        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.resume, (1)));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Resumed(2);
        vm.prank(OPERATIONS);
        registry.resume(1);
        assertHead(0, 2, NONE, NONE, NONE, 0);
    }

    function test_resumeRefusedWhileNotPaused() public {
        _operationReverts(
            abi.encodeCall(registry.resume, (0)), abi.encodeWithSelector(IConfigRegistry.NotPaused.selector)
        );
    }

    function test_addVerifierLetsItVouch() public {
        CredulousVerifier other = new CredulousVerifier();
        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.addVerifier, (address(other))));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.VerifierAdded(address(other));
        vm.prank(OPERATIONS);
        registry.addVerifier(address(other));
        assertEq(uint8(registry.verifierStatus(address(other))), uint8(VerifierStatus.Active), "status");
    }

    function test_addVerifierRefusesKnown() public {
        _operationReverts(
            abi.encodeCall(registry.addVerifier, (address(verifier))),
            abi.encodeWithSelector(IConfigRegistry.VerifierKnown.selector, address(verifier), VerifierStatus.Active)
        );
    }

    function test_addVerifierRefusesAnAddressWithoutCode() public {
        _operationReverts(
            abi.encodeCall(registry.addVerifier, (STRANGER)),
            abi.encodeWithSelector(IConfigRegistry.VerifierWithoutCode.selector, STRANGER)
        );
    }

    function test_constructorHoldsVerifiersToTheSameRules() public {
        address[] memory verifiers = new address[](2);
        (verifiers[0], verifiers[1]) = (address(verifier), address(verifier));
        vm.expectRevert(
            abi.encodeWithSelector(IConfigRegistry.VerifierKnown.selector, address(verifier), VerifierStatus.Active)
        );
        new ConfigRegistry(address(manager), verifiers, COOLING_OFF, STAGING_PERIOD);
    }

    function _operationReverts(bytes memory call, bytes memory reason) private {
        later(OPERATIONS, OPERATIONS_DELAY, call);
        vm.prank(OPERATIONS);
        vm.expectRevert(reason);
        (bool ok,) = address(registry).call(call);
        // With an expected revert, `ok` says that it came as expected.
        assertTrue(ok, "reverts as expected");
    }
}
