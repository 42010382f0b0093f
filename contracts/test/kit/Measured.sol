// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../../script/Vm.sol";
import {Governed} from "./Governed.sol";

/// @notice Measures calls for `snapshots/` and the table of `make gas`: what a call's execution takes, and its whole
/// transaction. Contracts that measure are named `…GasTest`.
abstract contract Measured is Governed {
    /// @dev A row of the table: stage through a route, by the number of rows.
    function staged(string memory route, uint256 rows) internal pure returns (string memory) {
        return string.concat("stage, ", route, ", ", inRows(rows));
    }

    function inRows(uint256 rows) internal pure returns (string memory) {
        return string.concat(vm.toString(rows), rows == 1 ? " row" : " rows");
    }

    /// @dev Makes a call as the first of its transaction, which may take `limit`.
    function measure(string memory name, address caller, address to, bytes memory call, uint256 limit) internal {
        cool();
        vm.cool(to);
        vm.prank(caller);
        (bool ok,) = to.call(call);
        uint256 execution = vm.snapshotGasLastCall("execution", name);
        assertTrue(ok, name);
        uint256 transaction = _transaction(call, execution);
        vm.snapshotValue("transaction", name, transaction);
        assertLe(transaction, limit, name);
    }

    /// @dev As at the start of a transaction, when nothing was touched yet (EIP-2929).
    function cool() internal {
        vm.cool(address(registry));
        vm.cool(address(manager));
        vm.cool(address(verifier));
    }

    /// @dev Gas of a transaction (EIP-2028), whose calldata has a price below which none goes (EIP-7623). Refunds are
    /// left out.
    function _transaction(bytes memory call, uint256 execution) private pure returns (uint256) {
        uint256 tokens = 0;
        for (uint256 i = 0; i < call.length; ++i) {
            tokens += call[i] == 0 ? 1 : 4;
        }
        uint256 standard = 4 * tokens + execution;
        return 21_000 + (standard > 10 * tokens ? standard : 10 * tokens);
    }
}
