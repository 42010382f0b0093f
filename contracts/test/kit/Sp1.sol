// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISp1Verifier} from "../../src/interfaces/ISp1Verifier.sol";
import {G1, G2, Groth16, Proof, VerifyingKey} from "./Groth16.sol";

/// @notice A genuine Groth16 proof of SP1 6.0.0, and the parameters that it is verified by.
/// @dev Data of github.com/succinctlabs/sp1-contracts at commit d362972, MIT, Succinct Labs: the proof from
/// contracts/test/SP1VerifierGroth16V6.sol, the parameters from contracts/src/v6.0.0, where the points of G2 are negated.
library Sp1Receipt {
    bytes32 internal constant PROGRAM_VKEY = 0x004a55ed3c7a07d0233a027278a8b7ff8681ffbd5d1ec4795c18966f6e693090;
    /// @dev Three words: that the 20th Fibonacci number is 6 765 and the 21st 10 946.
    bytes internal constant PUBLIC_VALUES = hex"0000000000000000000000000000000000000000000000000000000000000014"
        hex"0000000000000000000000000000000000000000000000000000000000001a6d"
        hex"0000000000000000000000000000000000000000000000000000000000002ac2";
    bytes internal constant PROOF = hex"0e78f4db" hex"0000000000000000000000000000000000000000000000000000000000000000"
        hex"008cd56e10c2fe24795cff1e1d1f40d3a324528d315674da45d26afb376e8670"
        hex"0000000000000000000000000000000000000000000000000000000000000000"
        hex"1e2e0ff3f06238b1a0f13c92e9e6dc64bd103006ab92764445220fecc884ac6f"
        hex"2c7c5c82d3914e85262103f1e262b35d8d3c1e513672ef8482861f21241a8618"
        hex"031f773e85f625d0d3dd3f24b5dcc8489de1b12f38921c7fe55bc2b6d9abc6e7"
        hex"16ed0979ff2668a4d50b2f2af2d0513a008e21823a93a19ce53287206191b5e7"
        hex"1206f6bd7829711609fa90159683133d43d5e7ca12fb42d99bfd84d0961c0228"
        hex"2dea228329dc9f774d214eb74f5c583e63035a9e6b7aae3b5c1f9e6b8929deca"
        hex"2d494130d03ce620238c428eb75c605aff699b779d51b21e93065ffda48c7e5b"
        hex"0c188f0e786e474cbf2263fb9fe2b9260fb4b08332b7ab331fc3f4f9b247a393";

    /// @dev Names the verifying key; seals begin with its first four bytes.
    bytes32 internal constant VERIFIER_HASH = 0x0e78f4db7a6771a3a6a7d9c3b0de6fe73d58781368967a7fe84d87aefffec896;
    /// @dev Root of the verifying keys of the recursion programs of release 6.0.0.
    bytes32 internal constant VK_ROOT = 0x008cd56e10c2fe24795cff1e1d1f40d3a324528d315674da45d26afb376e8670;

    function verifyingKey() internal pure returns (VerifyingKey memory key) {
        key.alpha = G1(
            18193098175943527192735001101109759089299489218029277024981049303509728390714,
            13002098922164504856448878431298858958287263223238113532689647401549143136802
        );
        key.beta = G2(
            [
                1153299178682776078763875679774322676284574659382610527726005807059970948421,
                21435991793309354620208998839048833929408421035752814055468203505370113177907
            ],
            [
                10246020602992378441051116285332790102531553561348661262717270589122114148036,
                7338765530618079576309778203621470166437885928691563792953012446294647471775
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
                21318267006432192423091684668879550914883307165248088097282934538626958195450,
                4004275305394991690401699166947905504322616158750618602690358508564456424881
            ],
            [
                11652939483074239354253718995288751111673351701114765685870282034771785315842,
                3786264063475054365436800874780779864642658251218618604039716696491965358884
            ]
        );
        key.ic = new G1[](6);
        key.ic[0] = G1(
            19076354653072111336552532082014805057498873518518516761323068695350252381540,
            14722222875656460695102157554156335986355296183699164072914272094029232004506
        );
        key.ic[1] = G1(
            15205650220572466259118892361475480343661712697966864528540178421362309949892,
            16870076904710557229902069154949962941355047114880780961340865439247323228457
        );
        key.ic[2] = G1(
            16983718256613983916793425440640784309466930024922866755993885618825596154582,
            5082937731183538291488801097598857949092616162025607059421755002399927346065
        );
        key.ic[3] = G1(
            4193949434218093934236927708380304233355510984741594680448881554654604634659,
            13994205507046466708587811774761710548204773721153594492816404543789273541310
        );
        key.ic[4] = G1(
            18564681243992670607326349759968448650720046559677745125178440392100920501084,
            9302975514291303895397487318903174778917665548854240519153237070996190682800
        );
        key.ic[5] = G1(
            15504625725316527736371459206321170330760263395535109031414282104301490600214,
            17721188253172389160253049897039822757501960974163688317614931747181126144820
        );
    }
}

/// @notice Verifies Groth16 proofs of SP1 6.0.0, written after the format that sp1-sdk's documentation describes.
contract Sp1Reference is ISp1Verifier {
    uint256 private constant PROOF_SIZE = 4 + 3 * 32 + 256;

    error ProofSize(uint256 expected, uint256 found);
    error WrongVerifierSelector(bytes4 received, bytes4 expected);
    error InvalidExitCode();
    error InvalidVkRoot();
    error InvalidProof();

    /// @inheritdoc ISp1Verifier
    function verifyProof(bytes32 programVKey, bytes calldata publicValues, bytes calldata proof) external view {
        if (proof.length != PROOF_SIZE) revert ProofSize(PROOF_SIZE, proof.length);
        (bytes4 received, bytes4 expected) = (bytes4(proof[:4]), bytes4(Sp1Receipt.VERIFIER_HASH));
        if (received != expected) revert WrongVerifierSelector(received, expected);

        (uint256 exitCode, bytes32 vkRoot, uint256 nonce, Proof memory points) =
            abi.decode(proof[4:], (uint256, bytes32, uint256, Proof));
        if (exitCode != 0) revert InvalidExitCode();
        if (vkRoot != Sp1Receipt.VK_ROOT) revert InvalidVkRoot();

        uint256[] memory inputs = new uint256[](5);
        inputs[0] = uint256(programVKey);
        // The top three bits are left out, so that the hash fits a field element.
        inputs[1] = uint256(sha256(publicValues)) & ((1 << 253) - 1);
        inputs[2] = exitCode;
        inputs[3] = uint256(vkRoot);
        inputs[4] = nonce;
        if (!Groth16.verify(Sp1Receipt.verifyingKey(), points, inputs)) revert InvalidProof();
    }
}
