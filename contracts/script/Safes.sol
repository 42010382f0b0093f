// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {vm} from "./Vm.sol";

/// @notice The part of Safe's proxy factory that deployments need.
interface ISafeProxyFactory {
    function proxyCreationCode() external pure returns (bytes memory);
    function createProxyWithNonce(address singleton, bytes memory initializer, uint256 saltNonce)
        external
        returns (address proxy);
}

/// @notice The contracts that every Safe of a chain shares.
struct SafeContracts {
    address singleton;
    address proxyFactory;
    address fallbackHandler;
}

/// @title Safe 1.5.0, from the bytecode that its authors publish on npm
/// @notice Compiling it again would give another one: these bytes, and no others, are at the canonical addresses.
library Safes {
    /// @notice There is no Safe 1.5.0 contract of this name there.
    error NotOfSafe(string name, address where);

    /// @dev The singleton of a proxy is its slot 0.
    bytes32 internal constant SINGLETON_SLOT = 0;
    /// @dev keccak256("guard_manager.guard.address").
    bytes32 internal constant GUARD_SLOT = 0x4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8;
    /// @dev keccak256("module_manager.module_guard.address").
    bytes32 internal constant MODULE_GUARD_SLOT = 0xb104e0b93118902c651344349b610029d694cfdec91c589c91ebafbcd0289947;
    /// @dev keccak256("fallback_manager.handler.address").
    bytes32 internal constant FALLBACK_HANDLER_SLOT =
        0x6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5;
    /// @dev Head and end of a Safe's lists.
    address internal constant SENTINEL = address(1);

    string private constant ARTIFACTS = "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/";

    /// @notice Puts the shared contracts on a chain that has none.
    function deployContracts() internal returns (SafeContracts memory contracts) {
        contracts.singleton = _create(vm.getCode(_artifact("Safe")));
        contracts.proxyFactory = _create(vm.getCode(_artifact("SafeProxyFactory")));
        contracts.fallbackHandler = _create(vm.getCode(_artifact("CompatibilityFallbackHandler")));
    }

    /// @notice Refuses other contracts than those that the authors published.
    function checkContracts(SafeContracts memory contracts) internal view {
        _expect("Safe", contracts.singleton);
        _expect("SafeProxyFactory", contracts.proxyFactory);
        _expect("CompatibilityFallbackHandler", contracts.fallbackHandler);
    }

    /// @notice The Safe of these owners, created unless it is there: its address depends on everything that it begins
    /// with, so that whoever creates it first creates this one.
    function create(SafeContracts memory contracts, address[] memory owners, uint256 threshold, uint256 salt)
        internal
        returns (address safe)
    {
        safe = predict(contracts, owners, threshold, salt);
        if (safe.code.length == 0) {
            bytes memory initializer = _initializer(contracts, owners, threshold);
            ISafeProxyFactory(contracts.proxyFactory).createProxyWithNonce(contracts.singleton, initializer, salt);
        }
    }

    /// @notice Whether the code there is Safe's proxy.
    function isProxy(address safe) internal view returns (bool) {
        return safe.codehash == keccak256(vm.getDeployedCode(_artifact("SafeProxy")));
    }

    /// @notice Where `create` creates it. Whatever is there began with these owners and without modules or approvals.
    function predict(SafeContracts memory contracts, address[] memory owners, uint256 threshold, uint256 salt)
        internal
        pure
        returns (address)
    {
        bytes memory initializer = _initializer(contracts, owners, threshold);
        bytes memory code = ISafeProxyFactory(contracts.proxyFactory).proxyCreationCode();
        bytes32 codeHash = keccak256(abi.encodePacked(code, uint256(uint160(contracts.singleton))));
        bytes32 create2Salt = keccak256(abi.encodePacked(keccak256(initializer), salt));
        return Create2.computeAddress(create2Salt, codeHash, contracts.proxyFactory);
    }

    function _initializer(SafeContracts memory contracts, address[] memory owners, uint256 threshold)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(
            ISafe.setup,
            (owners, threshold, address(0), "", contracts.fallbackHandler, address(0), 0, payable(address(0)))
        );
    }

    function _expect(string memory name, address where) private view {
        if (where.codehash != keccak256(vm.getDeployedCode(_artifact(name)))) revert NotOfSafe(name, where);
    }

    function _artifact(string memory name) private pure returns (string memory) {
        string memory folder = "";
        if (_is(name, "SafeProxyFactory") || _is(name, "SafeProxy")) folder = "proxies/";
        if (_is(name, "CompatibilityFallbackHandler")) folder = "handler/";
        return string.concat(ARTIFACTS, folder, name, ".sol/", name, ".json");
    }

    function _is(string memory one, string memory other) private pure returns (bool) {
        return keccak256(bytes(one)) == keccak256(bytes(other));
    }

    function _create(bytes memory code) private returns (address created) {
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
        if (created == address(0)) revert NotOfSafe("creation", created);
    }
}
