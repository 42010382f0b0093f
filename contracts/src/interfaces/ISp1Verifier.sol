// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice SP1's verifier interface; its gateway has it, and so has each verifier.
interface ISp1Verifier {
    /// @notice Reverts unless `proof` proves that the program ran to its end.
    /// @param programVKey Digest of the program's verifying key.
    /// @param publicValues What the program made public.
    /// @param proof The proof, after the four bytes that select its verifier.
    function verifyProof(bytes32 programVKey, bytes calldata publicValues, bytes calldata proof) external view;
}
