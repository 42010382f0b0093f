// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ArtifactId} from "../../src/interfaces/IConfigRegistry.sol";

/// @notice The few assertions that the tests need. A failed one reverts with what was found and what was expected.
abstract contract Test {
    error NotTrue(string what);
    error NotEqual(string what, bytes32 actual, bytes32 expected);
    error NotEqualText(string what, string actual, string expected);
    error Above(string what, uint256 actual, uint256 limit);

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function assertEq(uint256 actual, uint256 expected, string memory what) internal pure {
        if (actual != expected) revert NotEqual(what, bytes32(actual), bytes32(expected));
    }

    function assertEq(bytes32 actual, bytes32 expected, string memory what) internal pure {
        if (actual != expected) revert NotEqual(what, actual, expected);
    }

    function assertEq(address actual, address expected, string memory what) internal pure {
        assertEq(uint160(actual), uint160(expected), what);
    }

    function assertEq(bool actual, bool expected, string memory what) internal pure {
        assertEq(actual ? 1 : 0, expected ? 1 : uint256(0), what);
    }

    function assertEq(ArtifactId actual, ArtifactId expected, string memory what) internal pure {
        assertEq(ArtifactId.unwrap(actual), ArtifactId.unwrap(expected), what);
    }

    function assertEq(string memory actual, string memory expected, string memory what) internal pure {
        if (keccak256(bytes(actual)) != keccak256(bytes(expected))) revert NotEqualText(what, actual, expected);
    }

    function assertLe(uint256 actual, uint256 limit, string memory what) internal pure {
        if (actual > limit) revert Above(what, actual, limit);
    }

    /// @dev `value` folded into first..last.
    function bound(uint256 value, uint256 first, uint256 last) internal pure returns (uint256) {
        return first + value % (last - first + 1);
    }
}
