// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {ConfigRegistry} from "../src/ConfigRegistry.sol";
import {EmergencyStop} from "../src/EmergencyStop.sol";
import {IConfigRegistry, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Deployment, Holders} from "./Deploy.s.sol";
import {Holder, Plan, Plans} from "./Plan.sol";
import {Safes} from "./Safes.sol";
import {Verifiers} from "./Verifiers.sol";
import {EthGetLogs, Vm, vm} from "./Vm.sol";
import {Wiring} from "./Wiring.sol";

/// @title Proves by reading the chain that everybody's power is exactly the plan's, and that the deployer has none
/// @notice `forge script script/Powers.s.sol --sig 'run(string)' networks/NAME.toml --rpc-url URL`. Every contract is
/// compared with what these sources compile to; every role, delay and Safe with the plan; and whoever was ever given a role
/// is looked up, so that what the plan does not know of is found.
contract Powers {
    /// @notice The code there is not what these sources give for the plan.
    error OtherCode(string name, address where);
    /// @notice It was created by something else than these sources, or with other arguments: what it began with is unknown,
    /// whatever its code is now.
    error OtherCreation(string name, address expected, address found);
    /// @notice The manager was there before the block from which its events are read.
    error EventsMissing(uint256 fromBlock);
    /// @notice The Safe is another than the plan's, of which nobody knows what it began with.
    error OtherSafe(string holder, address expected, address found);
    /// @notice The registry obeys another AccessManager.
    error OtherAuthority(address expected, address found);
    /// @notice The deployer kept a role.
    error DeployerHoldsRole(string role, address deployer);
    /// @notice Somebody holds a role, or will, of whom the plan says nothing.
    error UnplannedMember(string role, address account);
    /// @notice Somebody lacks a role that the plan gives.
    error MissingMember(string role, address account);
    /// @notice What a member does waits another time than planned, or will.
    error OtherDelay(string role, address account, uint32 expected, uint32 found);
    /// @notice A new member of the role waits another time than planned.
    error OtherGrantDelay(string role, uint32 expected, uint32 found);
    /// @notice Another role administers this one.
    error OtherRoleAdmin(string role, uint64 found);
    /// @notice Another role than planned can cancel what this one schedules.
    error OtherRoleGuardian(string role, uint64 expected, uint64 found);
    /// @notice Another role than planned may call a function.
    error OtherFunctionRole(address target, bytes4 selector, uint64 expected, uint64 found);
    /// @notice Changes of what a target's functions need wait another time than planned.
    error OtherTargetDelay(address target, uint32 expected, uint32 found);
    /// @notice Nobody can call the target.
    error ClosedTarget(address target);
    /// @notice A verifier is active, or not, against the plan.
    error OtherVerifier(address verifier, VerifierStatus found);
    /// @notice A Safe was expected.
    error NotASafe(string holder, address where);
    /// @notice It runs other code than planned.
    error OtherSingleton(string holder, address expected, address found);
    error OtherFallbackHandler(string holder, address expected, address found);
    error OtherThreshold(string holder, uint256 expected, uint256 found);
    error OtherOwners(string holder, address[] expected, address[] found);
    /// @notice A module acts for a Safe without its owners.
    error SafeHasModule(string holder, address module);
    /// @notice A guard can keep a Safe's owners from acting.
    error SafeHasGuard(string holder, address guard);
    /// @notice An account of one key was expected; there is a contract.
    error HolderIsContract(string holder, address account);

    address private constant CONSOLE = 0x000000000000000000636F6e736F6c652e6c6f67;

    function run(string calldata path) external {
        Plan memory plan = Plans.load(path);
        string memory json = vm.readFile(plan.deployment);
        uint256 from = vm.parseJsonUint(json, ".fromBlock");
        Deployment memory deployment = _read(plan, json);
        if (from > 0 && _codeAt(address(deployment.manager), from - 1).length > 0) revert EventsMissing(from);
        Vm.Log[] memory logs =
            _append(_logs(address(deployment.manager), from), _logs(address(deployment.registry), from));
        verify(plan, deployment, logs);
        _table(plan, deployment, logs);
    }

    /// @param logs All that manager and registry ever logged, in their order.
    function verify(Plan memory plan, Deployment memory deployment, Vm.Log[] memory logs) public {
        address deployer = _deployer(deployment, logs);
        Plans.check(plan, deployer);
        _verifyCode(plan, deployment, deployer);
        _verifyCreation(plan, deployment, deployer);
        Wiring.Role[] memory roles = Wiring.roles(plan, deployment.holders, address(deployment.emergencyStop));
        _verifyRoles(roles, deployment.manager, logs, deployer);
        _verifyFunctions(plan, roles, deployment, logs);
        _verifyVerifiers(deployment, logs);
        _verifyHolders(plan, deployment);
    }

    // ------------------------------------------------------------------------------------------------------ contracts

    // Each contract is made again here, with the arguments of the plan: immutable values are part of the code.
    function _verifyCode(Plan memory plan, Deployment memory deployment, address deployer) private {
        AccessManager manager = deployment.manager;
        _same("AccessManager", address(manager), address(new AccessManager(deployer)));
        CalldataVerifier judge = Verifiers.judge();
        _same("CalldataVerifier", address(deployment.judge), address(judge));
        address[] memory verifiers = Verifiers.resolve(plan.verifiers, judge);
        for (uint256 i = 0; i < verifiers.length; ++i) {
            _same(plan.verifiers[i].kind, deployment.verifiers[i], verifiers[i]);
        }
        IConfigRegistry registry = new ConfigRegistry(address(manager), verifiers, plan.coolingOff, plan.stagingPeriod);
        _same("ConfigRegistry", address(deployment.registry), address(registry));
        CalldataVerifier[] memory references = new CalldataVerifier[](0);
        EmergencyStop stop = new EmergencyStop(deployment.registry, references);
        _same("EmergencyStop", address(deployment.emergencyStop), address(stop));
        address authority = deployment.registry.authority();
        if (authority != address(manager)) revert OtherAuthority(address(manager), authority);
        if (Plans.hasSafes(plan)) Safes.checkContracts(deployment.safe);
    }

    // Who creates a contract chooses its storage, too, and needs no events for it. An address that CREATE2 gave depends on the
    // code that created it, whoever the factory is.
    function _verifyCreation(Plan memory plan, Deployment memory deployment, address deployer) private pure {
        address manager = address(deployment.manager);
        address registry = address(deployment.registry);
        bytes memory arguments = abi.encode(deployer);
        _created(deployment, "AccessManager", manager, bytes.concat(type(AccessManager).creationCode, arguments));
        arguments = abi.encode(manager, deployment.verifiers, plan.coolingOff, plan.stagingPeriod);
        _created(deployment, "ConfigRegistry", registry, bytes.concat(type(ConfigRegistry).creationCode, arguments));
        arguments = abi.encode(registry, Verifiers.references(deployment.judge));
        _created(
            deployment,
            "EmergencyStop",
            address(deployment.emergencyStop),
            bytes.concat(type(EmergencyStop).creationCode, arguments)
        );
    }

    function _created(Deployment memory deployment, string memory name, address where, bytes memory code) private pure {
        address expected = Create2.computeAddress(bytes32(deployment.salt), keccak256(code), deployment.factory);
        if (where != expected) revert OtherCreation(name, expected, where);
    }

    function _codeAt(address where, uint256 number) private returns (bytes memory) {
        bytes memory digits = "0123456789abcdef";
        string memory hex_ = "";
        do {
            hex_ = string.concat(string(abi.encodePacked(digits[number % 16])), hex_);
            number /= 16;
        } while (number > 0);
        return vm.rpc("eth_getCode", string.concat('["', vm.toString(where), '","0x', hex_, '"]'));
    }

    function _same(string memory name, address where, address expected) private view {
        if (where.codehash != expected.codehash) revert OtherCode(name, where);
    }

    function _verifyVerifiers(Deployment memory deployment, Vm.Log[] memory logs) private view {
        for (uint256 i = 0; i < deployment.verifiers.length; ++i) {
            VerifierStatus status = deployment.registry.verifierStatus(deployment.verifiers[i]);
            if (status != VerifierStatus.Active) revert OtherVerifier(deployment.verifiers[i], status);
        }
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IConfigRegistry.VerifierAdded.selector) continue;
            address added = _address(logs[i].topics[1]);
            if (_includes(deployment.verifiers, added)) continue;
            VerifierStatus status = deployment.registry.verifierStatus(added);
            if (status == VerifierStatus.Active) revert OtherVerifier(added, status);
        }
    }

    // ----------------------------------------------------------------------------------------------------------- roles

    function _verifyRoles(Wiring.Role[] memory roles, AccessManager manager, Vm.Log[] memory logs, address deployer)
        private
        view
    {
        for (uint256 i = 0; i < roles.length; ++i) {
            Wiring.Role memory role = roles[i];
            for (uint256 j = 0; j < role.members.length; ++j) {
                _verifyMember(manager, role, role.members[j]);
            }
            if (manager.getRoleAdmin(role.id) != Wiring.ADMIN) {
                revert OtherRoleAdmin(role.label, manager.getRoleAdmin(role.id));
            }
            uint64 guardian = manager.getRoleGuardian(role.id);
            if (guardian != role.guardian) revert OtherRoleGuardian(role.label, role.guardian, guardian);
            uint32 delay = _grantDelay(logs, role.id);
            if (delay != role.delay) revert OtherGrantDelay(role.label, role.delay, delay);
        }
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IAccessManager.RoleGranted.selector) continue;
            uint64 id = _role(logs[i].topics[1]);
            address account = _address(logs[i].topics[2]);
            (uint48 since,,,) = manager.getAccess(id, account);
            if (since == 0 || _isMember(roles, id, account)) continue;
            if (account == deployer) revert DeployerHoldsRole(_label(roles, id), account);
            revert UnplannedMember(_label(roles, id), account);
        }
    }

    function _verifyMember(AccessManager manager, Wiring.Role memory role, address account) private view {
        (uint48 since, uint32 delay, uint32 pending, uint48 effect) = manager.getAccess(role.id, account);
        if (since == 0 || since > vm.getBlockTimestamp()) revert MissingMember(role.label, account);
        if (delay != role.delay) revert OtherDelay(role.label, account, role.delay, delay);
        if (effect != 0 && pending != role.delay) revert OtherDelay(role.label, account, role.delay, pending);
    }

    // Grant delays come into force after AccessManager's setback, so it is the last event that counts.
    function _grantDelay(Vm.Log[] memory logs, uint64 id) private pure returns (uint32 delay) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IAccessManager.RoleGrantDelayChanged.selector) continue;
            if (_role(logs[i].topics[1]) == id) (delay,) = abi.decode(logs[i].data, (uint32, uint48));
        }
    }

    function _verifyFunctions(
        Plan memory plan,
        Wiring.Role[] memory roles,
        Deployment memory deployment,
        Vm.Log[] memory logs
    ) private view {
        AccessManager manager = deployment.manager;
        address registry = address(deployment.registry);
        for (uint256 i = 0; i < roles.length; ++i) {
            for (uint256 j = 0; j < roles[i].selectors.length; ++j) {
                bytes4 selector = roles[i].selectors[j];
                uint64 found = manager.getTargetFunctionRole(registry, selector);
                if (found != roles[i].id) revert OtherFunctionRole(registry, selector, roles[i].id, found);
            }
        }
        uint32 delay = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IAccessManager.TargetFunctionRoleUpdated.selector) {
                address target = _address(logs[i].topics[1]);
                bytes4 selector = abi.decode(logs[i].data, (bytes4));
                uint64 expected = target == registry ? _roleOf(roles, selector) : Wiring.ADMIN;
                uint64 found = manager.getTargetFunctionRole(target, selector);
                if (found != expected) revert OtherFunctionRole(target, selector, expected, found);
            } else if (topic == IAccessManager.TargetAdminDelayUpdated.selector) {
                if (_address(logs[i].topics[1]) == registry) (delay,) = abi.decode(logs[i].data, (uint32, uint48));
            }
        }
        if (delay != plan.adminDelay) revert OtherTargetDelay(registry, plan.adminDelay, delay);
        if (manager.isTargetClosed(registry)) revert ClosedTarget(registry);
        if (manager.isTargetClosed(address(manager))) revert ClosedTarget(address(manager));
    }

    // ----------------------------------------------------------------------------------------------------------- Safes

    function _verifyHolders(Plan memory plan, Deployment memory deployment) private view {
        Holders memory holders = deployment.holders;
        _verifyHolder(plan.admin, deployment, holders.admin, "admin");
        _verifyHolder(plan.publisher, deployment, holders.publisher, "publisher");
        _verifyHolder(Plans.promoter(plan), deployment, holders.promoter, "promoter");
        _verifyHolder(plan.guardian, deployment, holders.guardian, "guardian");
        _verifyHolder(Plans.operations(plan), deployment, holders.operations, "operations");
    }

    function _verifyHolder(Holder memory planned, Deployment memory deployment, address account, string memory name)
        private
        view
    {
        bool isGiven = planned.account != address(0);
        if (isGiven && planned.account != account) revert MissingMember(name, planned.account);
        if (planned.owners.length == 0) {
            if (account.code.length > 0) revert HolderIsContract(name, account);
            return;
        }
        if (!Safes.isProxy(account)) revert NotASafe(name, account);
        if (!isGiven) {
            address expected = Safes.predict(deployment.safe, planned.owners, planned.threshold, planned.salt);
            if (account != expected) revert OtherSafe(name, expected, account);
        }
        address found = _slot(account, Safes.SINGLETON_SLOT);
        if (found != deployment.safe.singleton) revert OtherSingleton(name, deployment.safe.singleton, found);
        found = _slot(account, Safes.FALLBACK_HANDLER_SLOT);
        if (found != deployment.safe.fallbackHandler) {
            revert OtherFallbackHandler(name, deployment.safe.fallbackHandler, found);
        }
        found = _slot(account, Safes.GUARD_SLOT);
        if (found != address(0)) revert SafeHasGuard(name, found);
        found = _slot(account, Safes.MODULE_GUARD_SLOT);
        if (found != address(0)) revert SafeHasGuard(name, found);
        ISafe safe = ISafe(payable(account));
        (address[] memory modules,) = safe.getModulesPaginated(Safes.SENTINEL, 1);
        if (modules.length > 0) revert SafeHasModule(name, modules[0]);
        if (safe.getThreshold() != planned.threshold) {
            revert OtherThreshold(name, planned.threshold, safe.getThreshold());
        }
        address[] memory owners = safe.getOwners();
        if (!_sameSet(owners, planned.owners)) revert OtherOwners(name, planned.owners, owners);
    }

    function _slot(address account, bytes32 slot) private view returns (address) {
        return _address(vm.load(account, slot));
    }

    // Neither names anyone twice: the plan was checked, and a Safe's list is a chain.
    function _sameSet(address[] memory one, address[] memory other) private pure returns (bool) {
        if (one.length != other.length) return false;
        for (uint256 i = 0; i < one.length; ++i) {
            if (!_includes(other, one[i])) return false;
        }
        return true;
    }

    function _includes(address[] memory list, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return true;
        }
        return false;
    }

    // ----------------------------------------------------------------------------------------------------------- logs

    /// @dev Whom the manager's constructor made its first administrator.
    function _deployer(Deployment memory deployment, Vm.Log[] memory logs) private pure returns (address) {
        for (uint256 i = 0; i < logs.length; ++i) {
            bool isGrant = logs[i].topics[0] == IAccessManager.RoleGranted.selector;
            if (isGrant && logs[i].emitter == address(deployment.manager)) return _address(logs[i].topics[2]);
        }
        revert MissingMember("ADMIN", address(0));
    }

    function _logs(address target, uint256 from) private returns (Vm.Log[] memory logs) {
        return _logsBetween(target, from, vm.getBlockNumber());
    }

    // Providers bound the range that they search at once, each at another number: a refused range is halved.
    function _logsBetween(address target, uint256 from, uint256 to) private returns (Vm.Log[] memory logs) {
        try vm.eth_getLogs(from, to, target, new bytes32[](0)) returns (EthGetLogs[] memory found) {
            logs = new Vm.Log[](found.length);
            for (uint256 i = 0; i < found.length; ++i) {
                logs[i] = Vm.Log(found[i].topics, found[i].data, found[i].emitter);
            }
        } catch (bytes memory reason) {
            if (from >= to) {
                assembly ("memory-safe") {
                    revert(add(reason, 0x20), mload(reason))
                }
            }
            uint256 middle = (from + to) / 2;
            logs = _append(_logsBetween(target, from, middle), _logsBetween(target, middle + 1, to));
        }
    }

    function _append(Vm.Log[] memory one, Vm.Log[] memory other) private pure returns (Vm.Log[] memory both) {
        both = new Vm.Log[](one.length + other.length);
        for (uint256 i = 0; i < one.length; ++i) {
            both[i] = one[i];
        }
        for (uint256 i = 0; i < other.length; ++i) {
            both[one.length + i] = other[i];
        }
    }

    function _read(Plan memory plan, string memory json) private view returns (Deployment memory deployment) {
        deployment.manager = AccessManager(vm.parseJsonAddress(json, ".manager"));
        deployment.registry = ConfigRegistry(vm.parseJsonAddress(json, ".registry"));
        deployment.emergencyStop = EmergencyStop(vm.parseJsonAddress(json, ".emergencyStop"));
        deployment.judge = deployment.emergencyStop.references(1);
        deployment.verifiers = new address[](plan.verifiers.length);
        for (uint256 i = 0; i < plan.verifiers.length; ++i) {
            deployment.verifiers[i] = vm.parseJsonAddress(json, string.concat(".verifiers.", plan.verifiers[i].kind));
        }
        deployment.factory = vm.parseJsonAddress(json, ".factory");
        deployment.salt = vm.parseJsonUint(json, ".salt");
        deployment.safe = plan.safe;
        if (plan.safe.singleton == address(0)) {
            deployment.safe.singleton = vm.parseJsonAddress(json, ".safe.singleton");
            deployment.safe.proxyFactory = vm.parseJsonAddress(json, ".safe.proxyFactory");
            deployment.safe.fallbackHandler = vm.parseJsonAddress(json, ".safe.fallbackHandler");
        }
        deployment.holders.admin = vm.parseJsonAddress(json, ".holders.admin");
        deployment.holders.publisher = vm.parseJsonAddress(json, ".holders.publisher");
        deployment.holders.promoter = vm.parseJsonAddress(json, ".holders.promoter");
        deployment.holders.guardian = vm.parseJsonAddress(json, ".holders.guardian");
        deployment.holders.operations = vm.parseJsonAddress(json, ".holders.operations");
    }

    function _role(bytes32 topic) private pure returns (uint64) {
        // A role in a topic is 64 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(uint256(topic));
    }

    function _address(bytes32 word) private pure returns (address) {
        return address(uint160(uint256(word)));
    }

    function _isMember(Wiring.Role[] memory roles, uint64 id, address account) private pure returns (bool) {
        for (uint256 i = 0; i < roles.length; ++i) {
            if (roles[i].id == id && _includes(roles[i].members, account)) return true;
        }
        return false;
    }

    function _roleOf(Wiring.Role[] memory roles, bytes4 selector) private pure returns (uint64) {
        for (uint256 i = 0; i < roles.length; ++i) {
            for (uint256 j = 0; j < roles[i].selectors.length; ++j) {
                if (roles[i].selectors[j] == selector) return roles[i].id;
            }
        }
        return Wiring.ADMIN;
    }

    function _label(Wiring.Role[] memory roles, uint64 id) private pure returns (string memory) {
        for (uint256 i = 0; i < roles.length; ++i) {
            if (roles[i].id == id) return roles[i].label;
        }
        return vm.toString(uint256(id));
    }

    // ---------------------------------------------------------------------------------------------------------- table

    function _table(Plan memory plan, Deployment memory deployment, Vm.Log[] memory logs) private view {
        _say(
            string.concat(
                "registry ", vm.toString(address(deployment.registry)), " on chain ", vm.toString(block.chainid)
            )
        );
        _say(string.concat("deployer ", vm.toString(_deployer(deployment, logs)), " holds no role"));
        Wiring.Role[] memory roles = Wiring.roles(plan, deployment.holders, address(deployment.emergencyStop));
        for (uint256 i = 0; i < roles.length; ++i) {
            for (uint256 j = 0; j < roles[i].members.length; ++j) {
                address member = roles[i].members[j];
                _say(
                    string.concat(
                        _padded(roles[i].label),
                        vm.toString(member),
                        "  delay ",
                        vm.toString(uint256(roles[i].delay)),
                        " s  ",
                        _kind(deployment, member)
                    )
                );
            }
        }
        _say(
            "no module and no guard in any Safe; nobody else holds a role; every contract is what these sources compile to"
        );
    }

    function _kind(Deployment memory deployment, address member) private view returns (string memory) {
        if (member == address(deployment.emergencyStop)) return "contract, acts for whoever shows a defect";
        if (member.code.length == 0) return "account of one key";
        ISafe safe = ISafe(payable(member));
        return string.concat(
            "Safe, ", vm.toString(safe.getThreshold()), " of ", vm.toString(safe.getOwners().length), " owners"
        );
    }

    function _padded(string memory label) private pure returns (string memory) {
        bytes memory padded = "            ";
        for (uint256 i = 0; i < bytes(label).length; ++i) {
            padded[i] = bytes(label)[i];
        }
        return string(padded);
    }

    function _say(string memory line) private view {
        (bool ok,) = CONSOLE.staticcall(abi.encodeWithSignature("log(string)", line));
        ok;
    }
}
