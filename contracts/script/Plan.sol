// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeContracts} from "./Safes.sol";
import {vm} from "./Vm.sol";

/// @notice Who holds a role.
/// @param account The account that does; zero for a Safe that the deployment creates.
/// @param owners Of the Safe; none where the account is no Safe.
/// @param threshold How many of them sign.
/// @param salt Tells Safes of the same owners apart.
struct Holder {
    address account;
    address[] owners;
    uint256 threshold;
    uint256 salt;
}

/// @notice A verifier that the registry begins with.
struct VerifierPlan {
    string kind;
    uint32 engine;
}

/// @notice Everything that a deployment decides, from `networks/<name>.toml`. Times are in seconds.
/// @param safe Safe's contracts on this chain; all zero where the deployment brings its own.
/// @param promoter The publisher, if it names nobody.
/// @param operations The administrator, if it names nobody.
/// @param deployment Where the addresses are written.
struct Plan {
    uint256 chainId;
    SafeContracts safe;
    Holder admin;
    Holder publisher;
    Holder promoter;
    Holder guardian;
    Holder operations;
    uint32 promoteDelay;
    uint32 operationsDelay;
    uint32 adminDelay;
    uint32 coolingOff;
    uint32 stagingPeriod;
    VerifierPlan[] verifiers;
    string deployment;
}

/// @title Reads plans, and refuses those that give somebody too much
library Plans {
    /// @notice The file has a key that means nothing.
    error UnknownKey(string key);
    /// @notice The file lacks a key.
    error MissingKey(string key);
    /// @notice The plan is for another chain.
    error OtherChain(uint256 expected, uint256 found);
    /// @notice Without a delay a role would be no timelock at all.
    error MissingDelay(string name);
    /// @notice Delays are 32-bit numbers of seconds.
    error DelayTooLong(string name, uint256 delay);
    /// @notice Who hands out roles can hand out one without its delay, so that the administrator's own is the timelock's bound.
    error AdminDelayTooShort(uint32 adminDelay, uint32 longestDelay);
    /// @notice What is decided after a change of the head must never meet the cooling-off of that change.
    error CoolingOffTooLong(uint32 coolingOff, uint32 shortestDelay);
    /// @notice What is staged must outlive the delay of its promotion.
    error StagingPeriodTooShort(uint32 stagingPeriod, uint32 promoteDelay);
    /// @notice The deployer must end without power.
    error DeployerHoldsRole(address deployer);
    /// @notice A role without a holder can never be used, nor given to anyone.
    error MissingHolder(string name);
    /// @notice An owner is zero, a Safe's sentinel, or named twice.
    error BadOwner(string name, address owner);
    /// @notice A Safe's threshold is 1 to the number of its owners.
    error BadThreshold(string name, uint256 threshold, uint256 owners);
    /// @notice So many are on both sides that they reach a threshold: whoever can promote must not also be the one who
    /// stops it, nor be able to keep it from being stopped.
    error GuardianNotIndependent(string other, uint256 shared, uint256 othersThreshold, uint256 guardiansThreshold);
    /// @notice Nothing could be staged.
    error MissingVerifier();

    /// @notice Reads `networks/<name>.toml`; its format is that of the samples there.
    function load(string memory path) internal view returns (Plan memory plan) {
        string memory toml = vm.readFile(path);
        _onlyKeys(toml, "$", "chain_id,deployment,safe,holders,delays,verifiers");
        plan.chainId = _uint(toml, ".chain_id");
        plan.deployment = string.concat("deployments/", vm.toString(plan.chainId), ".json");
        if (vm.keyExistsToml(toml, ".deployment")) plan.deployment = vm.parseTomlString(toml, ".deployment");
        if (vm.keyExistsToml(toml, ".safe")) {
            _onlyKeys(toml, ".safe", "singleton,proxy_factory,fallback_handler");
            plan.safe.singleton = _address(toml, ".safe.singleton");
            plan.safe.proxyFactory = _address(toml, ".safe.proxy_factory");
            plan.safe.fallbackHandler = _address(toml, ".safe.fallback_handler");
        }
        _loadHolders(plan, toml);
        _onlyKeys(toml, ".delays", "promote,operations,admin,cooling_off,staging_period");
        plan.promoteDelay = _delay(toml, "promote");
        plan.operationsDelay = _delay(toml, "operations");
        plan.adminDelay = _delay(toml, "admin");
        plan.coolingOff = _delay(toml, "cooling_off");
        plan.stagingPeriod = _delay(toml, "staging_period");
        string[] memory kinds =
            vm.keyExistsToml(toml, ".verifiers") ? vm.parseTomlKeys(toml, ".verifiers") : new string[](0);
        plan.verifiers = new VerifierPlan[](kinds.length);
        for (uint256 i = 0; i < kinds.length; ++i) {
            string memory key = string.concat(".verifiers.", kinds[i]);
            _onlyKeys(toml, key, "engine");
            plan.verifiers[i] = VerifierPlan(kinds[i], _uint32(key, _uint(toml, string.concat(key, ".engine"))));
        }
    }

    /// @notice Refuses a plan for another chain, without a timelock, or that gives the deployer or one group too much.
    function check(Plan memory plan, address deployer) internal view {
        if (plan.chainId != block.chainid) revert OtherChain(plan.chainId, block.chainid);
        _checkHolder(plan.admin, deployer, "admin");
        _checkHolder(plan.publisher, deployer, "publisher");
        _checkHolder(promoter(plan), deployer, "promoter");
        _checkHolder(plan.guardian, deployer, "guardian");
        _checkHolder(operations(plan), deployer, "operations");
        _checkIndependence(plan.publisher, plan.guardian, "publisher");
        _checkIndependence(promoter(plan), plan.guardian, "promoter");
        if (plan.promoteDelay == 0) revert MissingDelay("promote");
        if (plan.operationsDelay == 0) revert MissingDelay("operations");
        if (plan.adminDelay == 0) revert MissingDelay("admin");
        // Drills on a local chain act at once; elsewhere guardians need the time.
        bool isLocal = block.chainid == 31337 || block.chainid == 1337;
        if (plan.coolingOff == 0 && !isLocal) revert MissingDelay("cooling_off");
        uint32 longest = plan.promoteDelay < plan.operationsDelay ? plan.operationsDelay : plan.promoteDelay;
        if (plan.adminDelay < longest) revert AdminDelayTooShort(plan.adminDelay, longest);
        uint32 shortest = plan.promoteDelay < plan.operationsDelay ? plan.promoteDelay : plan.operationsDelay;
        if (plan.coolingOff > shortest) revert CoolingOffTooLong(plan.coolingOff, shortest);
        if (plan.stagingPeriod <= plan.promoteDelay) {
            revert StagingPeriodTooShort(plan.stagingPeriod, plan.promoteDelay);
        }
        if (plan.verifiers.length == 0) revert MissingVerifier();
    }

    /// @notice Who promotes: the publisher, if the plan names nobody.
    function promoter(Plan memory plan) internal pure returns (Holder memory) {
        return isNobody(plan.promoter) ? plan.publisher : plan.promoter;
    }

    /// @notice Who operates: the administrator, if the plan names nobody.
    function operations(Plan memory plan) internal pure returns (Holder memory) {
        return isNobody(plan.operations) ? plan.admin : plan.operations;
    }

    /// @notice Whether a holder was left out.
    function isNobody(Holder memory holder) internal pure returns (bool) {
        return holder.account == address(0) && holder.owners.length == 0;
    }

    /// @notice Whether any holder is a Safe.
    function hasSafes(Plan memory plan) internal pure returns (bool) {
        return plan.admin.owners.length + plan.publisher.owners.length + plan.promoter.owners.length
                + plan.guardian.owners.length + plan.operations.owners.length > 0;
    }

    function _loadHolders(Plan memory plan, string memory toml) private view {
        _onlyKeys(toml, ".holders", "admin,publisher,promoter,guardian,operations");
        plan.admin = _holder(toml, "admin");
        plan.publisher = _holder(toml, "publisher");
        plan.promoter = _holder(toml, "promoter");
        plan.guardian = _holder(toml, "guardian");
        plan.operations = _holder(toml, "operations");
    }

    function _holder(string memory toml, string memory name) private view returns (Holder memory holder) {
        string memory key = string.concat(".holders.", name);
        if (!vm.keyExistsToml(toml, key)) return holder;
        _onlyKeys(toml, key, "address,owners,threshold,salt");
        string memory address_ = string.concat(key, ".address");
        if (vm.keyExistsToml(toml, address_)) {
            holder.account = vm.parseTomlAddress(toml, address_);
            if (holder.account == address(0)) revert MissingHolder(name);
        }
        if (vm.keyExistsToml(toml, string.concat(key, ".owners"))) {
            holder.owners = vm.parseTomlAddressArray(toml, string.concat(key, ".owners"));
            holder.threshold = _uint(toml, string.concat(key, ".threshold"));
            if (holder.account == address(0)) holder.salt = _uint(toml, string.concat(key, ".salt"));
        }
        if (isNobody(holder)) revert MissingHolder(name);
    }

    function _checkHolder(Holder memory holder, address deployer, string memory name) private pure {
        if (isNobody(holder)) revert MissingHolder(name);
        if (holder.account == deployer) revert DeployerHoldsRole(deployer);
        uint256 owners = holder.owners.length;
        if (owners == 0) return;
        if (holder.threshold == 0 || holder.threshold > owners) revert BadThreshold(name, holder.threshold, owners);
        for (uint256 i = 0; i < owners; ++i) {
            address owner = holder.owners[i];
            if (owner == deployer) revert DeployerHoldsRole(deployer);
            if (uint160(owner) <= 1) revert BadOwner(name, owner);
            for (uint256 j = 0; j < i; ++j) {
                if (holder.owners[j] == owner) revert BadOwner(name, owner);
            }
        }
    }

    function _checkIndependence(Holder memory other, Holder memory guardian, string memory name) private pure {
        (address[] memory one, uint256 needed) = _signers(other);
        (address[] memory two, uint256 guardians) = _signers(guardian);
        uint256 shared = 0;
        for (uint256 i = 0; i < one.length; ++i) {
            for (uint256 j = 0; j < two.length; ++j) {
                if (one[i] == two[j]) ++shared;
            }
        }
        bool isSame = other.account != address(0) && other.account == guardian.account;
        // Those on both sides may neither be enough for one of them, nor leave too few others for the guardian to act.
        if (isSame || shared >= needed || shared >= guardians || two.length - shared < guardians) {
            revert GuardianNotIndependent(name, shared, needed, guardians);
        }
    }

    function _signers(Holder memory holder) private pure returns (address[] memory signers, uint256 needed) {
        if (holder.owners.length > 0) return (holder.owners, holder.threshold);
        signers = new address[](1);
        signers[0] = holder.account;
        return (signers, 1);
    }

    function _delay(string memory toml, string memory name) private view returns (uint32) {
        return _uint32(name, _uint(toml, string.concat(".delays.", name)));
    }

    function _uint32(string memory name, uint256 value) private pure returns (uint32) {
        if (value > type(uint32).max) revert DelayTooLong(name, value);
        // Checked just above.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(value);
    }

    function _uint(string memory toml, string memory key) private view returns (uint256) {
        if (!vm.keyExistsToml(toml, key)) revert MissingKey(key);
        return vm.parseTomlUint(toml, key);
    }

    function _address(string memory toml, string memory key) private view returns (address) {
        if (!vm.keyExistsToml(toml, key)) revert MissingKey(key);
        return vm.parseTomlAddress(toml, key);
    }

    /// @param known The keys that are known there, with commas between.
    function _onlyKeys(string memory toml, string memory table, string memory known) private view {
        if (!vm.keyExistsToml(toml, table)) revert MissingKey(table);
        string[] memory keys = vm.parseTomlKeys(toml, table);
        for (uint256 i = 0; i < keys.length; ++i) {
            if (!_isListed(bytes(keys[i]), bytes(known))) revert UnknownKey(keys[i]);
        }
    }

    function _isListed(bytes memory key, bytes memory list) private pure returns (bool) {
        uint256 start = 0;
        for (uint256 end = 0; end <= list.length; ++end) {
            if (end < list.length && list[end] != ",") continue;
            bool isSame = end - start == key.length;
            for (uint256 i = 0; isSame && i < key.length; ++i) {
                isSame = key[i] == list[start + i];
            }
            if (isSame) return true;
            start = end + 1;
        }
        return false;
    }
}
