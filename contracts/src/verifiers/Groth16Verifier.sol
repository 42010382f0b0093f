// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IArtifactVerifier, Statement} from "../interfaces/IArtifactVerifier.sol";
import {Format} from "../libraries/Format.sol";
import {ArgumentClass} from "../libraries/Schemas.sol";
import {VerifyingKey} from "./VerifyingKey.sol";

/// @title Groth16Verifier
/// @notice Takes a proof that somebody knows an artifact with this commitment that obeys every invariant of format 1, so
/// that its bytes need not be seen: they can be in a blob. One instance serves one engine, whose schema and cost budget are
/// public inputs of the circuit: a new kind of feature is a new instance, not a new circuit and not a new ceremony.
///
/// Evidence, 321 bytes:
///
///   0    32  digest: keccak256 of the artifact
///   32   32  commitment: Poseidon over the artifact, below the order of the scalar field
///   64    1  rows
///   65   64  A in G1, x and y
///   129 128  B in G2, x and y, each the imaginary part first
///   257  64  C in G1
///
/// @dev The circuit computes the commitment and proves the invariants; it does not hash by Keccak. That the digest is of the same
/// bytes is the publisher's claim. The proof is bound to its first 240 bits, so that it serves for no other artifact. The claim
/// itself is checked by edges alone, which compute both from the bytes: where bytes come along, the registry holds them to the
/// digest and not to the commitment. A publisher that lies thus gets bytes recorded that nobody checked. No edge runs them, and
/// if they have a defect, anyone can stop the verifier for it (see `EmergencyStop`).
///
/// Anyone who sees a proof can make another of the same statement. That gains nothing: the registry knows an artifact by its
/// digest and takes each once.
contract Groth16Verifier is IArtifactVerifier {
    /// @notice Engine (schema version) that artifacts must name.
    uint32 public immutable engine;
    /// @notice Byte k, from the most significant: argument class (high nibble) and cost (low nibble) of kind k.
    bytes32 public immutable schema;
    /// @notice Bound on the summed cost of the rows.
    uint32 public immutable budget;

    /// @notice keccak256 of α, β, γ, δ and IC as EIP-197 encodes points: what a prover's key must belong to.
    bytes32 public constant KEY_HASH = VerifyingKey.KEY_HASH;
    /// @notice Version of the circuit that the key is for.
    uint32 public constant CIRCUIT_VERSION = VerifyingKey.CIRCUIT_VERSION;

    uint256 private constant EVIDENCE_SIZE = 321;
    /// @dev Order of the base field, of which coordinates are.
    uint256 private constant BASE_FIELD = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    /// @dev Order of the scalar field, of which public inputs are.
    uint256 private constant SCALAR_FIELD = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    // Precompiles of EIP-196 and EIP-197.
    uint256 private constant ADD = 6;
    uint256 private constant MULTIPLY = 7;
    uint256 private constant PAIRING = 8;

    /// @dev IC[0] and the public inputs that every proof shares, in one point.
    uint256 private immutable fixedX;
    uint256 private immutable fixedY;

    /// @notice Everybody knows the secrets of the development key, so that anything can be proven under it.
    error DevelopmentKey(uint256 chainId);
    /// @notice The circuit does not judge fingerprints.
    error FingerprintKind(uint256 kind);
    error EvidenceSize(uint256 expected, uint256 found);
    /// @notice Expected 1 to 200.
    error RowCount(uint256 found);
    /// @notice A commitment that a smaller one is congruent to: one proof would hold for both.
    error CommitmentNotInField(bytes32 found);
    /// @notice The bytes that came along are not as many as the rows take.
    error ArtifactSize(uint256 expected, uint256 found);
    /// @notice The proof does not hold for this statement, or its points are none, or there was too little gas for the
    /// pairing. For points that are none the precompile uses up the gas that it was given: ask by `eth_call` first.
    error ProofRefused();

    constructor(uint32 engine_, bytes32 schema_, uint32 budget_) {
        if (VerifyingKey.DEVELOPMENT && block.chainid != 31337 && block.chainid != 1337) {
            revert DevelopmentKey(block.chainid);
        }
        for (uint256 kind = 0; kind < 32; ++kind) {
            if (uint8(schema_[kind]) >> 4 == ArgumentClass.FINGERPRINT) revert FingerprintKind(kind);
        }
        engine = engine_;
        schema = schema_;
        budget = budget_;

        uint256[4] memory sum;
        (sum[0], sum[1]) = (VerifyingKey.IC0_X, VerifyingKey.IC0_Y);
        add(sum, VerifyingKey.IC3_X, VerifyingKey.IC3_Y, uint256(schema_) >> 128);
        add(sum, VerifyingKey.IC4_X, VerifyingKey.IC4_Y, uint128(uint256(schema_)));
        add(sum, VerifyingKey.IC5_X, VerifyingKey.IC5_Y, engine_);
        add(sum, VerifyingKey.IC6_X, VerifyingKey.IC6_Y, budget_);
        (fixedX, fixedY) = (sum[0], sum[1]);
    }

    /// @inheritdoc IArtifactVerifier
    function verify(bytes calldata artifact, bytes calldata evidence) external view returns (Statement memory) {
        if (evidence.length != EVIDENCE_SIZE) revert EvidenceSize(EVIDENCE_SIZE, evidence.length);
        bytes32 digest;
        bytes32 commitment;
        uint256 rows;
        assembly ("memory-safe") {
            digest := calldataload(evidence.offset)
            commitment := calldataload(add(evidence.offset, 32))
            rows := byte(0, calldataload(add(evidence.offset, 64)))
        }
        if (rows == 0 || rows > Format.MAX_ROWS) revert RowCount(rows);
        if (uint256(commitment) >= SCALAR_FIELD) revert CommitmentNotInField(commitment);
        uint256 size = Format.HEADER_SIZE + rows * Format.ROW_SIZE;
        if (artifact.length != 0 && artifact.length != size) revert ArtifactSize(size, artifact.length);
        // The first 240 bits of the digest and the number of rows, in one input.
        if (!holds(uint256(commitment), (uint256(digest) >> 16 << 8) | rows, evidence)) revert ProofRefused();
        // forge-lint: disable-next-item(unsafe-typecast)
        return
            Statement({digest: digest, commitment: commitment, engine: engine, size: uint16(size), rows: uint8(rows)});
    }

    /// @dev e(L, γ) · e(C, δ) · e(α, β) · e(-A, B) = 1, where L = fixed + commitment · IC[1] + context · IC[2].
    function holds(uint256 commitment, uint256 context, bytes calldata evidence) private view returns (bool) {
        uint256[4] memory sum;
        (sum[0], sum[1]) = (fixedX, fixedY);
        add(sum, VerifyingKey.IC1_X, VerifyingKey.IC1_Y, commitment);
        add(sum, VerifyingKey.IC2_X, VerifyingKey.IC2_Y, context);
        // forgefmt: disable-next-item
        uint256[24] memory words = [
            sum[0], sum[1],
            VerifyingKey.GAMMA_X1, VerifyingKey.GAMMA_X0, VerifyingKey.GAMMA_Y1, VerifyingKey.GAMMA_Y0,
            0, 0,
            VerifyingKey.DELTA_X1, VerifyingKey.DELTA_X0, VerifyingKey.DELTA_Y1, VerifyingKey.DELTA_Y0,
            VerifyingKey.ALPHA_X, VerifyingKey.ALPHA_Y,
            VerifyingKey.BETA_X1, VerifyingKey.BETA_X0, VerifyingKey.BETA_Y1, VerifyingKey.BETA_Y0,
            0, 0,
            0, 0, 0, 0
        ];
        bool ran;
        assembly ("memory-safe") {
            let proof := add(evidence.offset, 65)
            calldatacopy(add(words, 192), add(proof, 192), 64)
            calldatacopy(add(words, 576), proof, 192)
            // What lies beyond the field lies beyond it still, modulo 2^256, and no coordinate does for the precompile.
            let y := add(words, 608)
            mstore(y, sub(BASE_FIELD, mload(y)))
            ran := staticcall(gas(), PAIRING, words, 768, words, 32)
        }
        return ran && words[0] == 1;
    }

    /// @dev Adds factor · (x, y) to the point in the first two words of `sum`; the others are written over. The key's points are
    /// of the curve, so nothing but want of gas keeps the precompiles from it, and the 64th of the gas that is then left
    /// (EIP-150), under 96, ends the call at the next step.
    function add(uint256[4] memory sum, uint256 x, uint256 y, uint256 factor) private view {
        assembly ("memory-safe") {
            let product := add(sum, 64)
            let input := mload(0x40)
            mstore(input, x)
            mstore(add(input, 32), y)
            mstore(add(input, 64), factor)
            pop(staticcall(gas(), MULTIPLY, input, 96, product, 64))
            pop(staticcall(gas(), ADD, sum, 128, sum, 64))
        }
    }
}
