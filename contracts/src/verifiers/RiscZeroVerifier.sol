// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiscZeroVerifier} from "../interfaces/IRiscZeroVerifier.sol";
import {ReceiptVerifier} from "./ReceiptVerifier.sol";

/// @title RiscZeroVerifier
/// @notice Takes receipts of RISC Zero for the checker program with one image id.
contract RiscZeroVerifier is ReceiptVerifier {
    /// @notice RISC Zero's router, or one of its verifiers. Who may change the router's routes is trusted with this route.
    IRiscZeroVerifier public immutable receipts;

    /// @param imageId Image id of `guest/risc0`, as its build prints it.
    constructor(uint32 engine_, bytes32 schema_, uint32 budget_, bytes32 imageId, IRiscZeroVerifier receipts_)
        ReceiptVerifier(engine_, schema_, budget_, imageId, address(receipts_))
    {
        receipts = receipts_;
    }

    function _verifyReceipt(bytes calldata journal, bytes calldata proof) internal view override {
        receipts.verify(proof, program, sha256(journal));
    }
}
