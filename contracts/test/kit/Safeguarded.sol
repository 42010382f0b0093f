// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Holder, Plan} from "../../script/Plan.sol";
import {Vm, vm} from "../../script/Vm.sol";
import {Governed} from "./Governed.sol";

/// @notice A registry whose roles are held by Safes, and everything that was logged since before its deployment.
abstract contract Safeguarded is Governed {
    Vm.Log[] private _seen;

    function setUp() public virtual override {
        vm.recordLogs();
        super.setUp();
    }

    function plan() internal pure virtual override returns (Plan memory planned) {
        planned = super.plan();
        planned.admin = safe(0x500, 3, 3);
        planned.publisher = safe(0x100, 3, 2);
        planned.promoter = Holder(address(0), new address[](0), 0, 0);
        planned.guardian = safe(0x300, 3, 2);
        planned.operations = safe(0x400, 3, 2);
    }

    /// @dev A Safe whose owners are the accounts from `first` on.
    function safe(uint160 first, uint160 owners, uint256 threshold) internal pure returns (Holder memory holder) {
        holder.owners = new address[](owners);
        for (uint160 i = 0; i < owners; ++i) {
            holder.owners[i] = address(first + i);
        }
        (holder.threshold, holder.salt) = (threshold, 1);
    }

    /// @dev All that manager and registry logged so far.
    function logs() internal returns (Vm.Log[] memory all) {
        Vm.Log[] memory recorded = vm.getRecordedLogs();
        for (uint256 i = 0; i < recorded.length; ++i) {
            address emitter = recorded[i].emitter;
            if (emitter == address(manager) || emitter == address(registry)) _seen.push(recorded[i]);
        }
        return _seen;
    }
}
