// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ConfigRegistry} from "../src/ConfigRegistry.sol";
import {EmergencyStop} from "../src/EmergencyStop.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Holder, Plan, Plans} from "./Plan.sol";
import {SafeContracts, Safes} from "./Safes.sol";
import {Verifiers} from "./Verifiers.sol";
import {vm} from "./Vm.sol";
import {Wiring} from "./Wiring.sol";

/// @notice The accounts that hold the roles.
struct Holders {
    address admin;
    address publisher;
    address promoter;
    address guardian;
    address operations;
}

/// @param judge By whose checker the emergency stop judges.
/// @param verifiers In the order of the plan.
/// @param factory Creates manager, registry and emergency stop by CREATE2, with `salt`, so that their addresses tell what they
/// began with.
struct Deployment {
    AccessManager manager;
    ConfigRegistry registry;
    EmergencyStop emergencyStop;
    CalldataVerifier judge;
    address[] verifiers;
    SafeContracts safe;
    Holders holders;
    address factory;
    uint256 salt;
}

/// @title Deploys what a plan names: Safes, verifiers, the registry with its authority, the emergency stop
/// @notice `forge script script/Deploy.s.sol --sig 'run(string)' networks/NAME.toml --rpc-url URL --broadcast`. The roles
/// are wired in one transaction whose last act is that the deployer gives up its own.
contract Deploy {
    /// @notice The plan takes this holder for an account of one key, and there is a contract: name its owners.
    error HolderIsContract(string name, address account);

    function run(string calldata path) external returns (Deployment memory deployment) {
        Plan memory plan = Plans.load(path);
        vm.startBroadcast();
        deployment = deploy(plan, msg.sender);
        vm.stopBroadcast();
        vm.createDir("deployments", true);
        _write(plan, deployment);
    }

    /// @param deployer The account that makes the calls.
    function deploy(Plan memory plan, address deployer) public returns (Deployment memory deployment) {
        Plans.check(plan, deployer);
        deployment.safe = _safe(plan);
        deployment.holders = _holders(plan, deployment.safe);
        // Forge sends what is broadcast through the factory that most chains have at this address.
        deployment.factory = deployer == msg.sender ? 0x4e59b44847b379578588920cA78FbF26c0B4956C : deployer;
        deployment.salt = vm.getNonce(deployer);
        bytes32 salt = bytes32(deployment.salt);
        deployment.manager = new AccessManager{salt: salt}(deployer);
        deployment.judge = Verifiers.judge();
        deployment.verifiers = Verifiers.resolve(plan.verifiers, deployment.judge);
        deployment.registry = new ConfigRegistry{salt: salt}(
            address(deployment.manager), deployment.verifiers, plan.coolingOff, plan.stagingPeriod
        );
        deployment.emergencyStop =
            new EmergencyStop{salt: salt}(deployment.registry, Verifiers.references(deployment.judge));
        deployment.manager.multicall(_wiring(plan, deployment, deployer));
    }

    function _safe(Plan memory plan) private returns (SafeContracts memory) {
        if (!Plans.hasSafes(plan)) return plan.safe;
        if (plan.safe.singleton == address(0)) return Safes.deployContracts();
        Safes.checkContracts(plan.safe);
        return plan.safe;
    }

    function _holders(Plan memory plan, SafeContracts memory safe) private returns (Holders memory holders) {
        holders.admin = _holder(plan.admin, safe, "admin");
        holders.publisher = _holder(plan.publisher, safe, "publisher");
        holders.promoter = _holder(Plans.promoter(plan), safe, "promoter");
        holders.guardian = _holder(plan.guardian, safe, "guardian");
        holders.operations = _holder(Plans.operations(plan), safe, "operations");
    }

    function _holder(Holder memory holder, SafeContracts memory safe, string memory name) private returns (address) {
        if (holder.account == address(0)) return Safes.create(safe, holder.owners, holder.threshold, holder.salt);
        bool isSafe = holder.owners.length > 0;
        if (isSafe && !Safes.isProxy(holder.account)) revert Safes.NotOfSafe("SafeProxy", holder.account);
        if (!isSafe && holder.account.code.length > 0) revert HolderIsContract(name, holder.account);
        return holder.account;
    }

    // Roles take effect at once here; the grant delays and the target's admin delay only after AccessManager's setback
    // of five days, during which the administrator's own execution delay is what slows a change of roles down.
    function _wiring(Plan memory plan, Deployment memory deployment, address deployer)
        private
        pure
        returns (bytes[] memory calls)
    {
        Wiring.Role[] memory roles = Wiring.roles(plan, deployment.holders, address(deployment.emergencyStop));
        address registry = address(deployment.registry);
        calls = new bytes[](64);
        uint256 count = 0;
        for (uint256 i = 0; i < roles.length; ++i) {
            Wiring.Role memory role = roles[i];
            if (role.id != Wiring.ADMIN) {
                calls[count++] = abi.encodeCall(AccessManager.labelRole, (role.id, role.label));
                calls[count++] =
                    abi.encodeCall(AccessManager.setTargetFunctionRole, (registry, role.selectors, role.id));
            }
            for (uint256 j = 0; j < role.members.length; ++j) {
                calls[count++] = abi.encodeCall(AccessManager.grantRole, (role.id, role.members[j], role.delay));
            }
            // A guardian can cancel what is scheduled.
            if (role.guardian != Wiring.ADMIN) {
                calls[count++] = abi.encodeCall(AccessManager.setRoleGuardian, (role.id, role.guardian));
            }
            // A new holder of a slow role must wait as long as the role's own acts do, so that its arrival can be seen.
            if (role.delay > 0) calls[count++] = abi.encodeCall(AccessManager.setGrantDelay, (role.id, role.delay));
        }
        // The same for moving the registry to another authority or its functions to other roles.
        calls[count++] = abi.encodeCall(AccessManager.setTargetAdminDelay, (registry, plan.adminDelay));
        calls[count++] = abi.encodeCall(AccessManager.renounceRole, (Wiring.ADMIN, deployer));
        assembly ("memory-safe") {
            mstore(calls, count)
        }
    }

    function _write(Plan memory plan, Deployment memory deployment) private {
        string memory verifiers;
        for (uint256 i = 0; i < plan.verifiers.length; ++i) {
            verifiers = vm.serializeAddress("verifiers", plan.verifiers[i].kind, deployment.verifiers[i]);
        }
        vm.serializeAddress("safe", "singleton", deployment.safe.singleton);
        vm.serializeAddress("safe", "proxyFactory", deployment.safe.proxyFactory);
        string memory safe = vm.serializeAddress("safe", "fallbackHandler", deployment.safe.fallbackHandler);
        string memory object = "deployment";
        vm.serializeUint(object, "chainId", block.chainid);
        // Where to begin looking for the events: nothing of it is older.
        vm.serializeUint(object, "fromBlock", vm.getBlockNumber());
        vm.serializeAddress(object, "manager", address(deployment.manager));
        vm.serializeAddress(object, "registry", address(deployment.registry));
        vm.serializeAddress(object, "emergencyStop", address(deployment.emergencyStop));
        vm.serializeAddress(object, "factory", deployment.factory);
        vm.serializeUint(object, "salt", deployment.salt);
        // The one that `greenlightctl stage` takes unless told otherwise.
        vm.serializeAddress(object, "verifier", deployment.verifiers[0]);
        vm.serializeString(object, "verifiers", verifiers);
        vm.serializeString(object, "safe", safe);
        vm.writeJson(vm.serializeString(object, "holders", _written(deployment.holders)), plan.deployment);
    }

    function _written(Holders memory holders) private returns (string memory) {
        vm.serializeAddress("holders", "admin", holders.admin);
        vm.serializeAddress("holders", "publisher", holders.publisher);
        vm.serializeAddress("holders", "promoter", holders.promoter);
        vm.serializeAddress("holders", "guardian", holders.guardian);
        return vm.serializeAddress("holders", "operations", holders.operations);
    }
}
