// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {SourceFormat} from "../src/libraries/Journals.sol";
import {ReceiptVerifier} from "../src/verifiers/ReceiptVerifier.sol";
import {RiscZeroVerifier} from "../src/verifiers/RiscZeroVerifier.sol";
import {Sp1Verifier} from "../src/verifiers/Sp1Verifier.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {Measured} from "./kit/Measured.sol";
import {HashedReceipts, evidenceOf} from "./kit/Receipts.sol";
import {RiscZeroReceipt, RiscZeroReference} from "./kit/RiscZero.sol";
import {Sp1Receipt, Sp1Reference} from "./kit/Sp1.sol";

/// @notice Gas of the zkVM route, in its two parts: a genuine receipt in a zkVM's own verifier, and all the rest, with a
/// stand-in for that verifier which costs next to nothing. What they cost together is their sum.
contract ReceiptGasTest is Measured {
    bytes32 private constant PROGRAM = "the checker program";
    HashedReceipts private _receipts = new HashedReceipts(PROGRAM);

    function test_receipts() public {
        RiscZeroReference riscZero = new RiscZeroReference();
        vm.cool(address(riscZero));
        riscZero.verify(RiscZeroReceipt.SEAL, RiscZeroReceipt.IMAGE_ID, sha256(RiscZeroReceipt.JOURNAL));
        _snapshot("receipt: RISC Zero 3.0", 300_000);

        Sp1Reference sp1 = new Sp1Reference();
        vm.cool(address(sp1));
        sp1.verifyProof(Sp1Receipt.PROGRAM_VKEY, Sp1Receipt.PUBLIC_VALUES, Sp1Receipt.PROOF);
        _snapshot("receipt: SP1 6.0.0", 300_000);
    }

    function test_stage() public {
        ReceiptVerifier[2] memory adapters = [
            ReceiptVerifier(new RiscZeroVerifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET, PROGRAM, _receipts)),
            new Sp1Verifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET, PROGRAM, _receipts)
        ];
        // The very first artifact also pays for the registry's counter.
        stage(1);
        string[2] memory names = ["RISC Zero", "SP1"];
        for (uint256 i = 0; i < 2; ++i) {
            addVerifier(address(adapters[i]));
            _stage(names[i], adapters[i], 1, i);
            _stage(names[i], adapters[i], 60, i);
            _stage(names[i], adapters[i], 200, i);
        }
    }

    function _stage(string memory name, ReceiptVerifier adapter, uint256 rows, uint256 salt) private {
        bytes memory artifact = Artifacts.sample(rows, salt);
        bytes memory journal = abi.encodePacked(
            keccak256(artifact),
            bytes32(0),
            Schemas.ENGINE_1,
            uint32(1),
            Schemas.ENGINE_1_BUDGET,
            uint16(artifact.length),
            uint8(rows),
            SourceFormat.Parquet
        );
        bytes memory evidence = evidenceOf(journal, _receipts.prove(sha256(journal)));
        cool();
        vm.cool(address(adapter));
        vm.cool(address(_receipts));
        vm.prank(PUBLISHER);
        registry.stage(address(adapter), artifact, evidence);
        _snapshot(string.concat("stage without the receipt, ", name, ": ", inRows(rows)), 500_000);
    }

    function _snapshot(string memory name, uint256 limit) private {
        assertLe(vm.snapshotGasLastCall("receipts", name), limit, name);
    }
}
