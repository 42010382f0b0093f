// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Sizes and bounds of artifact format 1: a header of two words, then two words a row, big-endian.
library Format {
    uint256 internal constant HEADER_SIZE = 64;
    uint256 internal constant ROW_SIZE = 64;
    uint256 internal constant MAX_ROWS = 200;
    uint256 internal constant MIN_SIZE = HEADER_SIZE + ROW_SIZE;
    uint256 internal constant MAX_SIZE = HEADER_SIZE + ROW_SIZE * MAX_ROWS;
    bytes4 internal constant MAGIC = "GLFF";
    uint16 internal constant VERSION = 1;
    /// @dev Bytes of an argument.
    uint256 internal constant ARGUMENT_SIZE = 28;
    /// @dev Weights are milli-logits of at most this magnitude.
    int256 internal constant MAX_WEIGHT = 10_000;

    /// @dev Whether `size` is that of a header and 1 to 200 whole rows.
    function isSize(uint256 size) internal pure returns (bool) {
        return size >= MIN_SIZE && size <= MAX_SIZE && size % ROW_SIZE == 0;
    }

    /// @dev Rows in an artifact of a size that passed `isSize`.
    function rowsIn(uint256 size) internal pure returns (uint256) {
        return size / ROW_SIZE - 1;
    }
}
