// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A point of BN254's G1; (0, 0) is the point at infinity (EIP-196).
struct G1 {
    uint256 x;
    uint256 y;
}

/// @notice A point of BN254's G2. Each coordinate is (imaginary, real), the order of EIP-197.
struct G2 {
    uint256[2] x;
    uint256[2] y;
}

/// @param ic One point more than there are public inputs; the first stands alone.
struct VerifyingKey {
    G1 alpha;
    G2 beta;
    G2 gamma;
    G2 delta;
    G1[] ic;
}

/// @dev Its ABI encoding is the eight words that snarkjs, gnark and RISC Zero hand to contracts.
struct Proof {
    G1 a;
    G2 b;
    G1 c;
}

/// @title Groth16 over BN254, under any verifying key
/// @notice Groth, "On the Size of Pairing-based Non-interactive Arguments" (2016), by the precompiles of EIP-196 and EIP-197.
library Groth16 {
    /// @dev Order of the base field, of which coordinates are.
    uint256 internal constant BASE_FIELD = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    /// @dev Order of the scalar field, of which public inputs are.
    uint256 internal constant SCALAR_FIELD = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    uint256 private constant ADD = 6;
    uint256 private constant MULTIPLY = 7;
    uint256 private constant PAIRING = 8;

    /// @notice The key is for another number of public inputs.
    error InputCount(uint256 expected, uint256 found);
    /// @notice A public input that a smaller one is congruent to: the same proof would hold for both.
    error InputNotInField(uint256 index, uint256 found);

    /// @notice Whether `proof` proves `inputs` under `key`. Points that are none of their curves' make it false.
    function verify(VerifyingKey memory key, Proof memory proof, uint256[] memory inputs) internal view returns (bool) {
        // The negation of a coordinate beyond the field would be in it.
        if (proof.a.y >= BASE_FIELD) return false;
        G1 memory l = combine(key.ic, inputs);
        // e(-A, B) · e(α, β) · e(L, γ) · e(C, δ) = 1
        // forgefmt: disable-next-item
        uint256[24] memory words = [
            proof.a.x, proof.a.y == 0 ? 0 : BASE_FIELD - proof.a.y,
            proof.b.x[0], proof.b.x[1], proof.b.y[0], proof.b.y[1],
            key.alpha.x, key.alpha.y,
            key.beta.x[0], key.beta.x[1], key.beta.y[0], key.beta.y[1],
            l.x, l.y,
            key.gamma.x[0], key.gamma.x[1], key.gamma.y[0], key.gamma.y[1],
            proof.c.x, proof.c.y,
            key.delta.x[0], key.delta.x[1], key.delta.y[0], key.delta.y[1]
        ];
        bool ran;
        assembly ("memory-safe") {
            ran := staticcall(gas(), PAIRING, words, 768, words, 32)
        }
        return ran && words[0] == 1;
    }

    /// @notice ic[0] + Σ inputs[i] · ic[i + 1]. The points must be of the curve.
    function combine(G1[] memory ic, uint256[] memory inputs) internal view returns (G1 memory sum) {
        if (inputs.length + 1 != ic.length) revert InputCount(ic.length - 1, inputs.length);
        // A point and its factor, or a point and another: what the precompiles take.
        uint256[4] memory words;
        (words[2], words[3]) = (ic[0].x, ic[0].y);
        bool ran = true;
        for (uint256 i = 0; i < inputs.length; ++i) {
            if (inputs[i] >= SCALAR_FIELD) revert InputNotInField(i, inputs[i]);
            sum = ic[i + 1];
            uint256[3] memory product = [sum.x, sum.y, inputs[i]];
            assembly ("memory-safe") {
                ran := and(ran, staticcall(gas(), MULTIPLY, product, 96, words, 64))
                ran := and(ran, staticcall(gas(), ADD, words, 128, add(words, 64), 64))
            }
        }
        // Only a key that is none gets here with `ran` unset.
        assert(ran);
        return G1(words[2], words[3]);
    }
}
