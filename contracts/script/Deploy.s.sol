// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ConfigRegistry} from "../src/ConfigRegistry.sol";
import {EmergencyStop} from "../src/EmergencyStop.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {Roles} from "../src/Roles.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {vm} from "./Vm.sol";

/// @notice Who holds which role, and how long each of the slow ones waits (seconds).
struct Plan {
    address admin;
    address publisher;
    address promoter;
    address guardian;
    address operations;
    uint32 promoteDelay;
    uint32 operationsDelay;
    uint32 adminDelay;
    uint32 coolingOff;
    uint32 stagingPeriod;
}

struct Deployment {
    AccessManager manager;
    CalldataVerifier verifier;
    ConfigRegistry registry;
    EmergencyStop emergencyStop;
}

/// @title Deploys a registry, its authority and the calldata verifier of engine 1
/// @notice `forge script script/Deploy.s.sol --rpc-url URL --broadcast`; README.md lists the environment it reads. The
/// deployer wires the roles in one transaction whose last act is to give up its own.
contract Deploy {
    /// @notice Without a delay a role would be no timelock at all.
    error MissingDelay(string name);
    /// @notice Delays are 32-bit numbers of seconds.
    error DelayTooLong(string name, uint256 delay);
    /// @notice What is decided after a change of the head must never meet the cooling-off of that change.
    error CoolingOffTooLong(uint32 coolingOff, uint32 shortestDelay);
    /// @notice What is staged must outlive the delay of its promotion.
    error StagingPeriodTooShort(uint32 stagingPeriod, uint32 promoteDelay);
    /// @notice The deployer must end without power.
    error DeployerHoldsRole(address deployer);
    /// @notice A role without a holder can never be used, nor given to anyone.
    error MissingHolder(string name);
    /// @notice Whoever can promote must not also be the one who stops it.
    error GuardianNotIndependent(address guardian);

    function run() external returns (Deployment memory deployment) {
        Plan memory plan = _plan();
        vm.startBroadcast();
        deployment = deploy(plan, msg.sender);
        vm.stopBroadcast();
        vm.createDir("deployments", true);
        string memory path = string.concat("deployments/", vm.toString(block.chainid), ".json");
        _write(deployment, vm.envOr("GREENLIGHT_DEPLOYMENT", path));
    }

    /// @param deployer The account that makes the calls.
    function deploy(Plan memory plan, address deployer) public returns (Deployment memory deployment) {
        _check(plan, deployer);
        deployment.manager = new AccessManager(deployer);
        deployment.verifier = new CalldataVerifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);
        address[] memory verifiers = new address[](1);
        verifiers[0] = address(deployment.verifier);
        deployment.registry =
            new ConfigRegistry(address(deployment.manager), verifiers, plan.coolingOff, plan.stagingPeriod);
        CalldataVerifier[] memory references = new CalldataVerifier[](1);
        references[0] = deployment.verifier;
        deployment.emergencyStop = new EmergencyStop(deployment.registry, references);
        deployment.manager.multicall(_wiring(plan, deployment, deployer));
    }

    // Roles take effect at once here; the grant delays and the target's admin delay only after AccessManager's setback
    // of five days, during which the administrator's own execution delay is what slows a change of roles down.
    function _wiring(Plan memory plan, Deployment memory deployment, address deployer)
        private
        pure
        returns (bytes[] memory calls)
    {
        uint64 admin = 0;
        address registry = address(deployment.registry);
        address stop = address(deployment.emergencyStop);
        calls = new bytes[](24);
        uint256 i = 0;
        calls[i++] = abi.encodeCall(AccessManager.labelRole, (Roles.PUBLISHER, "PUBLISHER"));
        calls[i++] = abi.encodeCall(AccessManager.labelRole, (Roles.PROMOTER, "PROMOTER"));
        calls[i++] = abi.encodeCall(AccessManager.labelRole, (Roles.GUARDIAN, "GUARDIAN"));
        calls[i++] = abi.encodeCall(AccessManager.labelRole, (Roles.OPERATIONS, "OPERATIONS"));
        calls[i++] = abi.encodeCall(AccessManager.labelRole, (Roles.STOPPER, "STOPPER"));

        calls[i++] = _functions(registry, Roles.PUBLISHER, _publisherSelectors());
        calls[i++] = _functions(registry, Roles.PROMOTER, _selectors(ConfigRegistry.promote.selector));
        calls[i++] = _functions(registry, Roles.GUARDIAN, _guardianSelectors());
        calls[i++] = _functions(registry, Roles.OPERATIONS, _operationsSelectors());
        calls[i++] = _functions(registry, Roles.STOPPER, _selectors(ConfigRegistry.stopVerifier.selector));

        // A guardian can cancel what is scheduled.
        calls[i++] = abi.encodeCall(AccessManager.setRoleGuardian, (Roles.PROMOTER, Roles.GUARDIAN));
        calls[i++] = abi.encodeCall(AccessManager.setRoleGuardian, (Roles.OPERATIONS, Roles.GUARDIAN));

        calls[i++] = abi.encodeCall(AccessManager.grantRole, (Roles.PUBLISHER, plan.publisher, 0));
        calls[i++] = abi.encodeCall(AccessManager.grantRole, (Roles.PROMOTER, plan.promoter, plan.promoteDelay));
        calls[i++] = abi.encodeCall(AccessManager.grantRole, (Roles.GUARDIAN, plan.guardian, 0));
        calls[i++] = abi.encodeCall(AccessManager.grantRole, (Roles.STOPPER, plan.guardian, 0));
        calls[i++] = abi.encodeCall(AccessManager.grantRole, (Roles.STOPPER, stop, 0));
        calls[i++] = abi.encodeCall(AccessManager.grantRole, (Roles.OPERATIONS, plan.operations, plan.operationsDelay));
        calls[i++] = abi.encodeCall(AccessManager.grantRole, (admin, plan.admin, plan.adminDelay));

        // A new holder of a slow role must wait as long as the role's own acts do, so that its arrival can be seen.
        calls[i++] = abi.encodeCall(AccessManager.setGrantDelay, (Roles.PROMOTER, plan.promoteDelay));
        calls[i++] = abi.encodeCall(AccessManager.setGrantDelay, (Roles.OPERATIONS, plan.operationsDelay));
        calls[i++] = abi.encodeCall(AccessManager.setGrantDelay, (admin, plan.adminDelay));
        // The same for moving the registry to another authority or its functions to other roles.
        calls[i++] = abi.encodeCall(AccessManager.setTargetAdminDelay, (registry, plan.adminDelay));

        calls[i++] = abi.encodeCall(AccessManager.renounceRole, (admin, deployer));
    }

    function _functions(address registry, uint64 role, bytes4[] memory selectors) private pure returns (bytes memory) {
        return abi.encodeCall(AccessManager.setTargetFunctionRole, (registry, selectors, role));
    }

    function _selectors(bytes4 selector) private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](1);
        selectors[0] = selector;
    }

    function _publisherSelectors() private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](2);
        selectors[0] = ConfigRegistry.stage.selector;
        selectors[1] = ConfigRegistry.stageBlob.selector;
    }

    function _guardianSelectors() private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](4);
        selectors[0] = ConfigRegistry.kill.selector;
        selectors[1] = ConfigRegistry.rollback.selector;
        selectors[2] = ConfigRegistry.pause.selector;
        selectors[3] = ConfigRegistry.revoke.selector;
    }

    function _operationsSelectors() private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](3);
        selectors[0] = ConfigRegistry.revive.selector;
        selectors[1] = ConfigRegistry.resume.selector;
        selectors[2] = ConfigRegistry.addVerifier.selector;
    }

    function _check(Plan memory plan, address deployer) private pure {
        _checkHolder(plan.admin, deployer, "ADMIN");
        _checkHolder(plan.publisher, deployer, "PUBLISHER");
        _checkHolder(plan.promoter, deployer, "PROMOTER");
        _checkHolder(plan.guardian, deployer, "GUARDIAN");
        _checkHolder(plan.operations, deployer, "OPERATIONS");
        if (plan.guardian == plan.publisher || plan.guardian == plan.promoter) {
            revert GuardianNotIndependent(plan.guardian);
        }
        if (plan.promoteDelay == 0) revert MissingDelay("PROMOTE");
        if (plan.operationsDelay == 0) revert MissingDelay("OPERATIONS");
        if (plan.adminDelay == 0) revert MissingDelay("ADMIN");
        uint32 shortest = plan.promoteDelay < plan.operationsDelay ? plan.promoteDelay : plan.operationsDelay;
        if (plan.coolingOff > shortest) revert CoolingOffTooLong(plan.coolingOff, shortest);
        if (plan.stagingPeriod <= plan.promoteDelay) {
            revert StagingPeriodTooShort(plan.stagingPeriod, plan.promoteDelay);
        }
    }

    function _checkHolder(address holder, address deployer, string memory name) private pure {
        if (holder == address(0)) revert MissingHolder(name);
        if (holder == deployer) revert DeployerHoldsRole(deployer);
    }

    function _plan() private view returns (Plan memory plan) {
        plan.admin = vm.envAddress("GREENLIGHT_ADMIN");
        plan.publisher = vm.envAddress("GREENLIGHT_PUBLISHER");
        plan.promoter = vm.envOr("GREENLIGHT_PROMOTER", plan.publisher);
        plan.guardian = vm.envAddress("GREENLIGHT_GUARDIAN");
        plan.operations = vm.envOr("GREENLIGHT_OPERATIONS", plan.admin);
        plan.promoteDelay = _delay("GREENLIGHT_PROMOTE_DELAY");
        plan.operationsDelay = _delay("GREENLIGHT_OPERATIONS_DELAY");
        plan.adminDelay = _delay("GREENLIGHT_ADMIN_DELAY");
        plan.coolingOff = _delay("GREENLIGHT_COOLING_OFF");
        plan.stagingPeriod = _delay("GREENLIGHT_STAGING_PERIOD");
    }

    function _delay(string memory name) private view returns (uint32) {
        uint256 delay = vm.envUint(name);
        if (delay > type(uint32).max) revert DelayTooLong(name, delay);
        // Checked just above.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(delay);
    }

    function _write(Deployment memory deployment, string memory path) private {
        string memory object = "deployment";
        vm.serializeUint(object, "chainId", block.chainid);
        // Where to begin looking for the registry's events: nothing of it is older.
        vm.serializeUint(object, "fromBlock", vm.getBlockNumber());
        vm.serializeAddress(object, "manager", address(deployment.manager));
        vm.serializeAddress(object, "verifier", address(deployment.verifier));
        vm.serializeAddress(object, "emergencyStop", address(deployment.emergencyStop));
        vm.writeJson(vm.serializeAddress(object, "registry", address(deployment.registry)), path);
    }
}
