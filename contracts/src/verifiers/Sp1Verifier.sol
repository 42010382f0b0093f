// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISp1Verifier} from "../interfaces/ISp1Verifier.sol";
import {ReceiptVerifier} from "./ReceiptVerifier.sol";

/// @title Sp1Verifier
/// @notice Takes proofs of SP1 for the checker program with one verifying key.
contract Sp1Verifier is ReceiptVerifier {
    /// @notice SP1's gateway, or one of its verifiers. Who may change the gateway's routes is trusted with this route.
    ISp1Verifier public immutable receipts;

    /// @param programVKey Digest of the verifying key of `guest/sp1`, as `cargo prove vkey` prints it.
    constructor(uint32 engine_, bytes32 schema_, uint32 budget_, bytes32 programVKey, ISp1Verifier receipts_)
        ReceiptVerifier(engine_, schema_, budget_, programVKey, address(receipts_))
    {
        receipts = receipts_;
    }

    function _verifyReceipt(bytes calldata journal, bytes calldata proof) internal view override {
        receipts.verifyProof(program, journal, proof);
    }
}
