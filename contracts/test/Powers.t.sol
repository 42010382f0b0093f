// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Deployment} from "../script/Deploy.s.sol";
import {Plan, VerifierPlan} from "../script/Plan.sol";
import {Powers} from "../script/Powers.s.sol";
import {ISafeProxyFactory, SafeContracts, Safes} from "../script/Safes.sol";
import {vm} from "../script/Vm.sol";
import {ConfigRegistry} from "../src/ConfigRegistry.sol";
import {EmergencyStop} from "../src/EmergencyStop.sol";
import {VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {Roles} from "../src/Roles.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {CredulousVerifier} from "./kit/Governed.sol";
import {Safeguarded} from "./kit/Safeguarded.sol";

/// @dev Leaves other code than its own behind, and something in storage of which that code never told.
contract Preloaded {
    constructor(bytes memory code, bytes32 slot, bytes32 value) {
        assembly ("memory-safe") {
            sstore(slot, value)
            return(add(code, 0x20), mload(code))
        }
    }
}

/// @dev Called by a Safe that sets itself up: a module that is in no list.
contract HiddenModule {
    function enable(address module) external {
        bytes32 slot = keccak256(abi.encode(module, uint256(1)));
        assembly ("memory-safe") {
            sstore(slot, 1)
        }
    }
}

/// @notice The proof of who has which power: it holds after a deployment, and names whatever differs from the plan.
contract PowersTest is Safeguarded {
    uint64 private constant ADMIN_ROLE = 0;

    Powers private powers = new Powers();

    function test_holdsAfterADeployment() public {
        powers.verify(plan(), deployment, logs());
    }

    function test_holdsForAccountsOfOneKeyToo() public {
        Plan memory keys = plan();
        keys.promoter = account(PROMOTER);
        keys.operations = account(OPERATIONS);
        deployment = script.deploy(keys, address(script));
        (manager, registry) = (deployment.manager, deployment.registry);
        powers.verify(keys, deployment, logs());
        vm.etch(OPERATIONS, hex"00");
        _fails(keys, abi.encodeWithSelector(Powers.HolderIsContract.selector, "operations", OPERATIONS));
    }

    function test_holdsForVerifiersOfEachKind() public {
        Plan memory both = plan();
        both.verifiers = new VerifierPlan[](2);
        both.verifiers[0] = VerifierPlan("groth16", 1);
        both.verifiers[1] = VerifierPlan("calldata", 1);
        deployment = script.deploy(both, address(script));
        (manager, registry) = (deployment.manager, deployment.registry);
        assertEq(deployment.verifiers[1], address(deployment.judge), "calldata");
        powers.verify(both, deployment, logs());
        both.verifiers[0] = VerifierPlan("calldata", 1);
        _fails(both, abi.encodeWithSelector(Powers.OtherCode.selector, "calldata", deployment.verifiers[0]));
    }

    function test_holdsAfterWhatHoldersMayDo() public {
        vm.prank(deployment.holders.guardian);
        registry.kill();
        powers.verify(plan(), deployment, logs());
    }

    // ---------------------------------------------------------------------------------------------------------- roles

    function test_aDeployerThatKeepsARole() public {
        administer(abi.encodeCall(AccessManager.grantRole, (ADMIN_ROLE, address(script), 0)));
        _fails(abi.encodeWithSelector(Powers.DeployerHoldsRole.selector, "ADMIN", address(script)));
    }

    /// @dev A deployment that forgot its last step.
    function test_aDeployerThatNeverRenounced() public {
        AccessManager own = new AccessManager(address(script));
        Deployment memory bad = deployment;
        bad.manager = own;
        bad.registry = new ConfigRegistry(address(own), bad.verifiers, COOLING_OFF, STAGING_PERIOD);
        (manager, registry) = (bad.manager, bad.registry);
        vm.expectPartialRevert(Powers.OtherCode.selector);
        powers.verify(plan(), bad, logs());
    }

    function test_aRoleThatThePlanDoesNotGive() public {
        administer(abi.encodeCall(AccessManager.grantRole, (Roles.GUARDIAN, STRANGER, 0)));
        _fails(abi.encodeWithSelector(Powers.UnplannedMember.selector, "GUARDIAN", STRANGER));
    }

    /// @dev Granted, and not yet in force: a member all the same.
    function test_aRoleThatIsYetToCome() public {
        vm.warp(vm.getBlockTimestamp() + 5 days);
        administer(abi.encodeCall(AccessManager.grantRole, (Roles.PROMOTER, STRANGER, PROMOTE_DELAY)));
        (bool isMember,) = manager.hasRole(Roles.PROMOTER, STRANGER);
        assertEq(isMember, false, "not yet");
        _fails(abi.encodeWithSelector(Powers.UnplannedMember.selector, "PROMOTER", STRANGER));
    }

    function test_aRoleThatNobodyPlanned() public {
        administer(abi.encodeCall(AccessManager.grantRole, (77, STRANGER, 0)));
        _fails(abi.encodeWithSelector(Powers.UnplannedMember.selector, "77", STRANGER));
    }

    function test_aMemberThatIsGone() public {
        administer(abi.encodeCall(AccessManager.revokeRole, (Roles.GUARDIAN, deployment.holders.guardian)));
        _fails(abi.encodeWithSelector(Powers.MissingMember.selector, "GUARDIAN", deployment.holders.guardian));
    }

    function test_aRoleGivenAndTakenBack() public {
        administer(abi.encodeCall(AccessManager.grantRole, (Roles.GUARDIAN, STRANGER, 0)));
        administer(abi.encodeCall(AccessManager.revokeRole, (Roles.GUARDIAN, STRANGER)));
        powers.verify(plan(), deployment, logs());
    }

    // --------------------------------------------------------------------------------------------------------- delays

    /// @dev Shorter delays come into force after as long as they are shorter: both before and after, it is seen.
    function test_aShorterDelay() public {
        address promoter = deployment.holders.promoter;
        administer(abi.encodeCall(AccessManager.grantRole, (Roles.PROMOTER, promoter, 1 hours)));
        bytes memory reason =
            abi.encodeWithSelector(Powers.OtherDelay.selector, "PROMOTER", promoter, PROMOTE_DELAY, uint32(1 hours));
        _fails(reason);
        vm.warp(vm.getBlockTimestamp() + 5 days);
        _fails(reason);
    }

    function test_aShorterGrantDelay() public {
        administer(abi.encodeCall(AccessManager.setGrantDelay, (Roles.PROMOTER, 1 hours)));
        _fails(abi.encodeWithSelector(Powers.OtherGrantDelay.selector, "PROMOTER", PROMOTE_DELAY, uint32(1 hours)));
    }

    function test_aShorterDelayOfTheRegistry() public {
        administer(abi.encodeCall(AccessManager.setTargetAdminDelay, (address(registry), 1 hours)));
        _fails(
            abi.encodeWithSelector(Powers.OtherTargetDelay.selector, address(registry), ADMIN_DELAY, uint32(1 hours))
        );
    }

    function test_anotherCoolingOffThanPlanned() public {
        Plan memory other = plan();
        other.coolingOff = 1 hours;
        _fails(other, abi.encodeWithSelector(Powers.OtherCode.selector, "ConfigRegistry", address(registry)));
        other = plan();
        other.stagingPeriod = 59 days;
        _fails(other, abi.encodeWithSelector(Powers.OtherCode.selector, "ConfigRegistry", address(registry)));
    }

    // --------------------------------------------------------------------------------------------- functions and roles

    function test_aFunctionOfAnotherRole() public {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = ConfigRegistry.promote.selector;
        administer(abi.encodeCall(AccessManager.setTargetFunctionRole, (address(registry), selectors, Roles.GUARDIAN)));
        _fails(
            abi.encodeWithSelector(
                Powers.OtherFunctionRole.selector, address(registry), selectors[0], Roles.PROMOTER, Roles.GUARDIAN
            )
        );
    }

    function test_aFunctionThatIsNobodysInThePlan() public {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = manager.grantRole.selector;
        administer(abi.encodeCall(AccessManager.setTargetFunctionRole, (address(powers), selectors, Roles.GUARDIAN)));
        _fails(
            abi.encodeWithSelector(
                Powers.OtherFunctionRole.selector, address(powers), selectors[0], ADMIN_ROLE, Roles.GUARDIAN
            )
        );
    }

    function test_anotherGuardianOfARole() public {
        administer(abi.encodeCall(AccessManager.setRoleGuardian, (Roles.PROMOTER, Roles.PUBLISHER)));
        _fails(abi.encodeWithSelector(Powers.OtherRoleGuardian.selector, "PROMOTER", Roles.GUARDIAN, Roles.PUBLISHER));
    }

    function test_anotherAdministratorOfARole() public {
        administer(abi.encodeCall(AccessManager.setRoleAdmin, (Roles.GUARDIAN, Roles.PUBLISHER)));
        _fails(abi.encodeWithSelector(Powers.OtherRoleAdmin.selector, "GUARDIAN", Roles.PUBLISHER));
    }

    function test_aClosedRegistry() public {
        administer(abi.encodeCall(AccessManager.setTargetClosed, (address(registry), true)));
        _fails(abi.encodeWithSelector(Powers.ClosedTarget.selector, address(registry)));
    }

    function test_anotherAuthority() public {
        AccessManager other = new AccessManager(STRANGER);
        administer(abi.encodeCall(AccessManager.updateAuthority, (address(registry), address(other))));
        _fails(abi.encodeWithSelector(Powers.OtherAuthority.selector, address(manager), address(other)));
    }

    // ------------------------------------------------------------------------------------------------ verifiers, code

    function test_averifierThatWasAdded() public {
        address added = address(new CredulousVerifier());
        later(deployment.holders.operations, OPERATIONS_DELAY, abi.encodeCall(registry.addVerifier, (added)));
        vm.prank(deployment.holders.operations);
        registry.addVerifier(added);
        _fails(abi.encodeWithSelector(Powers.OtherVerifier.selector, added, VerifierStatus.Active));
    }

    function test_aVerifierThatWasStopped() public {
        vm.prank(deployment.holders.guardian);
        registry.stopVerifier(address(verifier));
        _fails(abi.encodeWithSelector(Powers.OtherVerifier.selector, address(verifier), VerifierStatus.Stopped));
    }

    function test_otherCodeThanTheSources() public {
        vm.etch(address(emergencyStop), hex"00");
        _fails(abi.encodeWithSelector(Powers.OtherCode.selector, "EmergencyStop", address(emergencyStop)));
        vm.etch(address(verifier), hex"00");
        _fails(abi.encodeWithSelector(Powers.OtherCode.selector, "CalldataVerifier", address(verifier)));
        vm.etch(address(manager), hex"00");
        _fails(abi.encodeWithSelector(Powers.OtherCode.selector, "AccessManager", address(manager)));
    }

    /// @dev An administrator, a verifier or a judge that no event tells of.
    function test_storageThatNoEventTellsOf() public {
        bytes32 hidden = keccak256(abi.encode(STRANGER, keccak256(abi.encode(uint256(0), uint256(1)))));
        AccessManager preloaded =
            AccessManager(address(new Preloaded(address(manager).code, hidden, bytes32(uint256(1)))));
        (bool isAdmin, uint32 delay) = preloaded.hasRole(ADMIN_ROLE, STRANGER);
        assertTrue(isAdmin && delay == 0, "the honest code's administrator");
        bytes memory code = address(deployment.emergencyStop).code;
        address created = address(deployment.emergencyStop);
        address stop = address(new Preloaded(code, 0, bytes32(uint256(1))));
        deployment.emergencyStop = EmergencyStop(stop);
        _fails(abi.encodeWithSelector(Powers.OtherCreation.selector, "EmergencyStop", created, stop));

        created = address(registry);
        address other = address(new Preloaded(created.code, 0, bytes32(uint256(uint160(address(manager))))));
        CalldataVerifier[] memory references = new CalldataVerifier[](1);
        references[0] = deployment.judge;
        deployment.registry = ConfigRegistry(other);
        deployment.emergencyStop = new EmergencyStop(deployment.registry, references);
        _fails(abi.encodeWithSelector(Powers.OtherCreation.selector, "ConfigRegistry", created, other));

        ++deployment.salt;
        (bool ok, bytes memory reason) =
            address(powers).call(abi.encodeCall(powers.verify, (plan(), deployment, logs())));
        assertTrue(!ok && bytes4(reason) == Powers.OtherCreation.selector, "nor the manager under another salt");
    }

    // ---------------------------------------------------------------------------------------------------------- Safes

    /// @dev Of the right owners, threshold and code; its list of modules is empty.
    function test_aSafeThatBeganOtherwise() public {
        address planned = deployment.holders.guardian;
        address[] memory owners = plan().guardian.owners;
        SafeContracts memory safes = deployment.safe;
        bytes memory hide = abi.encodeCall(HiddenModule.enable, (STRANGER));
        bytes memory initializer = abi.encodeCall(
            ISafe.setup,
            (owners, 2, address(new HiddenModule()), hide, safes.fallbackHandler, address(0), 0, payable(address(0)))
        );
        address found = ISafeProxyFactory(safes.proxyFactory).createProxyWithNonce(safes.singleton, initializer, 1);
        assertTrue(ISafe(payable(found)).isModuleEnabled(STRANGER), "acts for it");
        administer(abi.encodeCall(AccessManager.revokeRole, (Roles.GUARDIAN, planned)));
        administer(abi.encodeCall(AccessManager.revokeRole, (Roles.STOPPER, planned)));
        administer(abi.encodeCall(AccessManager.grantRole, (Roles.GUARDIAN, found, 0)));
        administer(abi.encodeCall(AccessManager.grantRole, (Roles.STOPPER, found, 0)));
        deployment.holders.guardian = found;
        _fails(abi.encodeWithSelector(Powers.OtherSafe.selector, "guardian", planned, found));
    }

    function test_aSafeWithAModule() public {
        address guardian = deployment.holders.guardian;
        vm.prank(guardian);
        ISafe(payable(guardian)).enableModule(STRANGER);
        _fails(abi.encodeWithSelector(Powers.SafeHasModule.selector, "guardian", STRANGER));
    }

    function test_aSafeWithAGuard() public {
        vm.store(deployment.holders.guardian, Safes.GUARD_SLOT, bytes32(uint256(uint160(STRANGER))));
        _fails(abi.encodeWithSelector(Powers.SafeHasGuard.selector, "guardian", STRANGER));
        vm.store(deployment.holders.guardian, Safes.GUARD_SLOT, 0);
        vm.store(deployment.holders.guardian, Safes.MODULE_GUARD_SLOT, bytes32(uint256(uint160(STRANGER))));
        _fails(abi.encodeWithSelector(Powers.SafeHasGuard.selector, "guardian", STRANGER));
    }

    function test_aSafeWithAnotherThreshold() public {
        address publisher = deployment.holders.publisher;
        vm.prank(publisher);
        ISafe(payable(publisher)).changeThreshold(1);
        _fails(abi.encodeWithSelector(Powers.OtherThreshold.selector, "publisher", 2, 1));
    }

    function test_aSafeWithOtherOwners() public {
        address admin = deployment.holders.admin;
        address[] memory planned = plan().admin.owners;
        vm.prank(admin);
        ISafe(payable(admin)).swapOwner(Safes.SENTINEL, planned[0], STRANGER);
        _fails(abi.encodeWithSelector(Powers.OtherOwners.selector, "admin", planned, ISafe(payable(admin)).getOwners()));
    }

    function test_aSafeOfOtherCode() public {
        address operations = deployment.holders.operations;
        vm.store(operations, Safes.SINGLETON_SLOT, bytes32(uint256(uint160(STRANGER))));
        _fails(
            abi.encodeWithSelector(Powers.OtherSingleton.selector, "operations", deployment.safe.singleton, STRANGER)
        );
        vm.etch(operations, hex"00");
        _fails(abi.encodeWithSelector(Powers.NotASafe.selector, "operations", operations));
    }

    function test_aSafeWithAnotherFallbackHandler() public {
        address operations = deployment.holders.operations;
        vm.prank(operations);
        ISafe(payable(operations)).setFallbackHandler(STRANGER);
        _fails(
            abi.encodeWithSelector(
                Powers.OtherFallbackHandler.selector, "operations", deployment.safe.fallbackHandler, STRANGER
            )
        );
    }

    function test_anotherAccountThanThePlans() public {
        Plan memory other = plan();
        other.operations = account(OPERATIONS);
        _fails(other, abi.encodeWithSelector(Powers.MissingMember.selector, "operations", OPERATIONS));
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    function _fails(bytes memory reason) private {
        _fails(plan(), reason);
    }

    function _fails(Plan memory planned, bytes memory reason) private {
        (bool ok, bytes memory found) =
            address(powers).call(abi.encodeCall(powers.verify, (planned, deployment, logs())));
        assertEq(ok, false, "fails");
        assertEq(keccak256(found), keccak256(reason), "for this reason");
    }
}
