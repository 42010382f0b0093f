// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiscZeroVerifier} from "../../src/interfaces/IRiscZeroVerifier.sol";
import {ISp1Verifier} from "../../src/interfaces/ISp1Verifier.sol";

/// @notice Takes receipts for one program whose proof is a hash of the journal. It stands for a zkVM's verifier where the
/// journal is ours, for no genuine receipt of the checker program is at hand.
contract HashedReceipts is IRiscZeroVerifier, ISp1Verifier {
    bytes32 private immutable _program;

    error NoReceipt();

    constructor(bytes32 program) {
        _program = program;
    }

    function verify(bytes calldata seal, bytes32 imageId, bytes32 journalDigest) public view {
        if (imageId != _program || keccak256(seal) != keccak256(prove(journalDigest))) revert NoReceipt();
    }

    function verifyProof(bytes32 programVKey, bytes calldata publicValues, bytes calldata proof) external view {
        verify(proof, programVKey, sha256(publicValues));
    }

    function prove(bytes32 journalDigest) public view returns (bytes memory) {
        return abi.encode(sha256(abi.encode(_program, journalDigest)));
    }
}

/// @dev The evidence that the adapters take.
function evidenceOf(bytes memory journal, bytes memory proof) pure returns (bytes memory) {
    return abi.encodePacked(uint16(journal.length), journal, proof);
}
