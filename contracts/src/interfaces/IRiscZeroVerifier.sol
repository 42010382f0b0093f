// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The part of RISC Zero's verifier interface that is called here; its router has it, and so has each verifier.
interface IRiscZeroVerifier {
    /// @notice Reverts unless `seal` proves that the program ran to its end, successfully and without assumptions.
    /// @param seal The proof, after the four bytes that select its verifier.
    /// @param imageId Digest of the program's memory image.
    /// @param journalDigest SHA-256 of what the program made public.
    function verify(bytes calldata seal, bytes32 imageId, bytes32 journalDigest) external view;
}
