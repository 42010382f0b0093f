// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {Groth16Verifier} from "../src/verifiers/Groth16Verifier.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {Groth16Proofs} from "./kit/Groth16Proofs.sol";
import {Measured} from "./kit/Measured.sol";

/// @notice What the route of the circuit's proofs costs.
contract Groth16GasTest is Measured {
    Groth16Verifier private _groth16 = new Groth16Verifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);

    function test_verifyProof() public {
        vm.cool(address(_groth16));
        _groth16.verify("", Groth16Proofs.ROWS_200);
        assertLe(vm.snapshotGasLastCall("verify", "groth16 proof"), 200_000, "groth16 proof");
    }

    function test_stageProofs() public {
        addVerifier(address(_groth16));
        // The very first also pays for the counter of ids.
        stage(0);
        _stage(1, Groth16Proofs.ROWS_1);
        _stage(60, Groth16Proofs.ROWS_60);
        _stage(200, Groth16Proofs.ROWS_200);
    }

    function test_stageProofInABlob() public {
        addVerifier(address(_groth16));
        stage(0);
        bytes32 blob = keccak256("blob");
        carryBlob(blob);
        bytes memory call = abi.encodeCall(registry.stageBlob, (address(_groth16), Groth16Proofs.ROWS_200, 0, blob));
        vm.cool(address(_groth16));
        measure("stage, groth16, any rows in a blob", PUBLISHER, address(registry), call, 370_000);
    }

    function _stage(uint8 rows, bytes memory evidence) private {
        bytes memory call = abi.encodeCall(registry.stage, (address(_groth16), Artifacts.sample(rows, rows), evidence));
        vm.cool(address(_groth16));
        measure(staged("groth16", rows), PUBLISHER, address(registry), call, 650_000);
    }
}
