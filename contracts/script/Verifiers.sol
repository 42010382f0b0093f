// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Schemas} from "../src/libraries/Schemas.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Groth16Verifier} from "../src/verifiers/Groth16Verifier.sol";
import {VerifierPlan} from "./Plan.sol";

/// @title The verifiers that a plan names
library Verifiers {
    /// @notice There is no verifier of this kind for this engine.
    error UnknownVerifier(string kind, uint32 engine);

    /// @notice Makes the readable checker of engine 1, by which the emergency stop judges.
    function judge() internal returns (CalldataVerifier) {
        return new CalldataVerifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);
    }

    /// @notice The checkers that the emergency stop is given.
    function references(CalldataVerifier judge_) internal pure returns (CalldataVerifier[] memory all) {
        all = new CalldataVerifier[](1);
        all[0] = judge_;
    }

    /// @notice One verifier for each entry.
    /// @param judge_ Serves as the calldata verifier of engine 1, too.
    function resolve(VerifierPlan[] memory plans, CalldataVerifier judge_)
        internal
        returns (address[] memory verifiers)
    {
        verifiers = new address[](plans.length);
        for (uint256 i = 0; i < plans.length; ++i) {
            VerifierPlan memory plan = plans[i];
            bytes32 kind = keccak256(bytes(plan.kind));
            if (plan.engine == 1 && kind == keccak256("calldata")) verifiers[i] = address(judge_);
            else if (plan.engine == 1 && kind == keccak256("groth16")) verifiers[i] = _groth16();
            else revert UnknownVerifier(plan.kind, plan.engine);
        }
    }

    function _groth16() private returns (address) {
        return address(new Groth16Verifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET));
    }
}
