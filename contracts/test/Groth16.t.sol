// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {G1, Groth16, Proof, VerifyingKey} from "./kit/Groth16.sol";
import {RiscZeroReceipt, RiscZeroReference} from "./kit/RiscZero.sol";
import {Sp1Receipt, Sp1Reference} from "./kit/Sp1.sol";
import {Test} from "./kit/Test.sol";

/// @notice The pairing check, on proofs that others made under keys of others.
contract Groth16Test is Test {
    function test_acceptsGenuineProofs() public {
        RiscZeroReference riscZero = new RiscZeroReference();
        // As published for release 3.0: the hash of the key and of the control ids, so of all that a claim is proven by.
        assertEq(riscZero.selector(), bytes4(0x73c457ba), "selector");
        riscZero.verify(RiscZeroReceipt.SEAL, RiscZeroReceipt.IMAGE_ID, sha256(RiscZeroReceipt.JOURNAL));
        new Sp1Reference().verifyProof(Sp1Receipt.PROGRAM_VKEY, Sp1Receipt.PUBLIC_VALUES, Sp1Receipt.PROOF);
    }

    function test_acceptsTheProofAndNoOther() public view {
        (VerifyingKey memory key, Proof memory proof, uint256[] memory inputs) = _genuine();
        assertTrue(this.verify(key, proof, inputs), "genuine");

        // A point of the curve in the place of another, and one that is none.
        for (uint256 word = 0; word < 8; ++word) {
            bytes memory changed = abi.encode(proof);
            changed[32 * word + 31] ^= 0x01;
            assertTrue(!this.verify(key, abi.decode(changed, (Proof)), inputs), "a coordinate");
        }
        Proof memory other = proof;
        other.a = key.alpha;
        assertTrue(!this.verify(key, other, inputs), "another A");
        other.a = G1(0, 0);
        assertTrue(!this.verify(key, other, inputs), "A at infinity");
    }

    function test_refusesASecondEncodingOfACoordinate() public view {
        (VerifyingKey memory key, Proof memory proof, uint256[] memory inputs) = _genuine();
        for (uint256 word = 0; word < 8; ++word) {
            uint256[8] memory words = abi.decode(abi.encode(proof), (uint256[8]));
            words[word] += Groth16.BASE_FIELD;
            assertTrue(!this.verify(key, abi.decode(abi.encode(words), (Proof)), inputs), "beyond the field");
        }
    }

    function test_bindsEachInput() public {
        (VerifyingKey memory key, Proof memory proof, uint256[] memory inputs) = _genuine();
        for (uint256 i = 0; i < inputs.length; ++i) {
            uint256 genuine = inputs[i];
            inputs[i] = genuine ^ 1;
            assertTrue(!this.verify(key, proof, inputs), "another input");

            inputs[i] = genuine + Groth16.SCALAR_FIELD;
            vm.expectRevert(abi.encodeWithSelector(Groth16.InputNotInField.selector, i, inputs[i]));
            this.verify(key, proof, inputs);
            inputs[i] = genuine;
        }
        vm.expectRevert(abi.encodeWithSelector(Groth16.InputCount.selector, 5, 4));
        this.verify(key, proof, new uint256[](4));
        vm.expectRevert(abi.encodeWithSelector(Groth16.InputCount.selector, 5, 6));
        this.verify(key, proof, new uint256[](6));
    }

    function test_refusesAKeyThatIsNone() public {
        (VerifyingKey memory key, Proof memory proof, uint256[] memory inputs) = _genuine();
        key.ic[3].y ^= 1;
        // Panic of a failed assertion.
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        this.verify(key, proof, inputs);
    }

    function verify(VerifyingKey memory key, Proof memory proof, uint256[] memory inputs) external view returns (bool) {
        // A precompile that is given what it refuses takes all the gas that it was given.
        return this.bounded{gas: 1_000_000}(key, proof, inputs);
    }

    function bounded(VerifyingKey memory key, Proof memory proof, uint256[] memory inputs)
        external
        view
        returns (bool)
    {
        return Groth16.verify(key, proof, inputs);
    }

    /// @dev SP1's: its key, its points after the selector and three words, its inputs.
    function _genuine() private view returns (VerifyingKey memory, Proof memory, uint256[] memory inputs) {
        (,, uint256 nonce, Proof memory proof) =
            abi.decode(this.tail(Sp1Receipt.PROOF), (uint256, uint256, uint256, Proof));
        inputs = new uint256[](5);
        inputs[0] = uint256(Sp1Receipt.PROGRAM_VKEY);
        inputs[1] = uint256(sha256(Sp1Receipt.PUBLIC_VALUES)) & ((1 << 253) - 1);
        inputs[3] = uint256(Sp1Receipt.VK_ROOT);
        inputs[4] = nonce;
        return (Sp1Receipt.verifyingKey(), proof, inputs);
    }

    function tail(bytes calldata proof) external pure returns (bytes calldata) {
        return proof[4:];
    }
}
