// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiscZeroVerifier} from "../../src/interfaces/IRiscZeroVerifier.sol";
import {G1, G2, Groth16, Proof, VerifyingKey} from "./Groth16.sol";

/// @notice A genuine receipt of RISC Zero 3.0, and the parameters that it is verified by.
/// @dev Data of github.com/risc0/risc0-ethereum, Apache-2.0, Copyright 2025 RISC Zero, Inc.: the receipt from
/// contracts/test/TestReceiptV3_0.sol at commit 6329676, the control root and id from contracts/src/groth16/ControlID.sol
/// at 274ecca. The verifying key is that of RISC Zero's trusted setup, of May 2024.
library RiscZeroReceipt {
    bytes internal constant SEAL = hex"73c457ba" hex"2ccb718fd9092cc11546eeded62a44d3ed274076dd3ec154fae8739f3432050b"
        hex"2005be2c5dbe6c08bfd04b30601a462540962bc26a2f38c5cfc0a4d76d8f1b80"
        hex"15e690a1b230081234867edeedb2f98bcdf33d0471c2aa5e8db63b72333f8715"
        hex"27eb5d1fcf0a7af50fb8f42e8699e2c4eda3cd93f4e2a930096ae78e38bea402"
        hex"0c5c3d963dc453b4b302170e47c0cf53382255143c8fcef474d8b6eaaa8daaaf"
        hex"092c2f650809a3afbd122ef128cb882c2de7a6ccddd2e544b645fa3fedf6bcc9"
        hex"2e09be04876a07778231fd5b93305d35fd8af23f040a11682a8c64130370804f"
        hex"28f07a76fa538755276e42c04b5f7eb97b04b68b65fa50e3181a0452069a3667";
    /// @dev "just a simple receipt"
    bytes internal constant JOURNAL = hex"6a75737420612073696d706c652072656365697074";
    bytes32 internal constant IMAGE_ID = hex"11d264ed8dfdee222b820f0278e4d7f55d4b69a5472253a471c102265a91ea1a";

    /// @dev Binds the circuits of release 3.0.
    bytes32 internal constant CONTROL_ROOT = hex"a54dc85ac99f851c92d7c96d7318af41dbe7c0194edfcc37eb4d422a998c1f56";
    /// @dev Of the program that turns receipts into what the Groth16 circuit proves; in the byte order of field elements.
    bytes32 internal constant BN254_CONTROL_ID = hex"04446e66d300eb7fb45c9726bb53c793dda407a62e9601618bb43c5c14657ac0";

    function verifyingKey() internal pure returns (VerifyingKey memory key) {
        key.alpha = G1(
            20491192805390485299153009773594534940189261866228447918068658471970481763042,
            9383485363053290200918347156157836566562967994039712273449902621266178545958
        );
        key.beta = G2(
            [
                4252822878758300859123897981450591353533073413197771768651442665752259397132,
                6375614351688725206403948262868962793625744043794305715222011528459656738731
            ],
            [
                21847035105528745403288232691147584728191162732299865338377159692350059136679,
                10505242626370262277552901082094356697409835680220590971873171140371331206856
            ]
        );
        key.gamma = G2(
            [
                11559732032986387107991004021392285783925812861821192530917403151452391805634,
                10857046999023057135944570762232829481370756359578518086990519993285655852781
            ],
            [
                4082367875863433681332203403145435568316851327593401208105741076214120093531,
                8495653923123431417604973247489272438418190587263600148770280649306958101930
            ]
        );
        key.delta = G2(
            [
                1668323501672964604911431804142266013250380587483576094566949227275849579036,
                12043754404802191763554326994664886008979042643626290185762540825416902247219
            ],
            [
                7710631539206257456743780535472368339139328733484942210876916214502466455394,
                13740680757317479711909903993315946540841369848973133181051452051592786724563
            ]
        );
        key.ic = new G1[](6);
        key.ic[0] = G1(
            8446592859352799428420270221449902464741693648963397251242447530457567083492,
            1064796367193003797175961162477173481551615790032213185848276823815288302804
        );
        key.ic[1] = G1(
            3179835575189816632597428042194253779818690147323192973511715175294048485951,
            20895841676865356752879376687052266198216014795822152491318012491767775979074
        );
        key.ic[2] = G1(
            5332723250224941161709478398807683311971555792614491788690328996478511465287,
            21199491073419440416471372042641226693637837098357067793586556692319371762571
        );
        key.ic[3] = G1(
            12457994489566736295787256452575216703923664299075106359829199968023158780583,
            19706766271952591897761291684837117091856807401404423804318744964752784280790
        );
        key.ic[4] = G1(
            19617808913178163826953378459323299110911217259216006187355745713323154132237,
            21663537384585072695701846972542344484111393047775983928357046779215877070466
        );
        key.ic[5] = G1(
            6834578911681792552110317589222010969491336870276623105249474534788043166867,
            15060583660288623605191393599883223885678013570733629274538391874953353488393
        );
    }
}

/// @notice Verifies Groth16 receipts of RISC Zero 3.0, written after risc0-zkvm's documentation of its claims.
contract RiscZeroReference is IRiscZeroVerifier {
    uint256 private constant SEAL_SIZE = 4 + 256;

    /// @notice First bytes of the hash of the verifier's parameters, which each seal begins with.
    bytes4 public immutable selector = _selector();

    error SealSize(uint256 expected, uint256 found);
    error SelectorMismatch(bytes4 received, bytes4 expected);
    error VerificationFailed();

    /// @inheritdoc IRiscZeroVerifier
    function verify(bytes calldata seal, bytes32 imageId, bytes32 journalDigest) external view {
        if (seal.length != SEAL_SIZE) revert SealSize(SEAL_SIZE, seal.length);
        bytes4 received = bytes4(seal[:4]);
        if (received != selector) revert SelectorMismatch(received, selector);

        uint256[] memory inputs = new uint256[](5);
        (inputs[0], inputs[1]) = _halves(RiscZeroReceipt.CONTROL_ROOT);
        (inputs[2], inputs[3]) = _halves(_claim(imageId, journalDigest));
        inputs[4] = uint256(RiscZeroReceipt.BN254_CONTROL_ID);
        Proof memory proof = abi.decode(seal[4:], (Proof));
        if (!Groth16.verify(RiscZeroReceipt.verifyingKey(), proof, inputs)) revert VerificationFailed();
    }

    /// @dev Digest of the claim that the program halted with exit code 0, on no committed input and no assumptions.
    function _claim(bytes32 imageId, bytes32 journalDigest) private pure returns (bytes32) {
        // A program counter and a memory image of zero.
        bytes32 halted = _struct("risc0.SystemState", abi.encodePacked(bytes32(0), uint32(0)), 1);
        bytes32 output = _struct("risc0.Output", abi.encode(journalDigest, bytes32(0)), 2);
        // The numbers are the exit code's, of the system and of the program.
        return
            _struct(
                "risc0.ReceiptClaim", abi.encodePacked(bytes32(0), imageId, halted, output, uint32(0), uint32(0)), 4
            );
    }

    function _selector() private pure returns (bytes4) {
        VerifyingKey memory key = RiscZeroReceipt.verifyingKey();
        bytes32 points = 0;
        for (uint256 i = key.ic.length; i > 0; --i) {
            points = _struct("risc0_groth16.VerifyingKey.IC", abi.encode(sha256(abi.encode(key.ic[i - 1])), points), 2);
        }
        bytes32 keyDigest = _struct(
            "risc0_groth16.VerifyingKey",
            abi.encode(
                sha256(abi.encode(key.alpha)),
                sha256(abi.encode(key.beta)),
                sha256(abi.encode(key.gamma)),
                sha256(abi.encode(key.delta)),
                points
            ),
            5
        );
        bytes32 controlId = _reversed(RiscZeroReceipt.BN254_CONTROL_ID);
        bytes memory parameters = abi.encode(RiscZeroReceipt.CONTROL_ROOT, controlId, keyDigest);
        return bytes4(_struct("risc0.Groth16ReceiptVerifierParameters", parameters, 3));
    }

    /// @dev RISC Zero's hash of a structure: its tag's, its fields, and how many of them are digests (little-endian).
    function _struct(string memory tag, bytes memory fields, uint8 digests) private pure returns (bytes32) {
        return sha256(abi.encodePacked(sha256(bytes(tag)), fields, digests, uint8(0)));
    }

    /// @dev A digest as two public inputs: its halves, little-endian.
    function _halves(bytes32 digest) private pure returns (uint256 first, uint256 second) {
        uint256 reversed = uint256(_reversed(digest));
        return (reversed & type(uint128).max, reversed >> 128);
    }

    function _reversed(bytes32 word) private pure returns (bytes32 reversed) {
        for (uint256 i = 0; i < 32; ++i) {
            reversed |= bytes32(word[i]) >> (8 * (31 - i));
        }
    }
}
