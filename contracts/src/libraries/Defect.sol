// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Codes of what can be wrong with an artifact, in the order of checking. The Rust crate `greenlight-artifact`
/// knows the same codes; the shared vectors hold both to them.
library Defect {
    /// @dev No defect: accepted.
    uint8 internal constant NONE = 0;
    /// @dev Length under 128 or over 12 864 bytes, or not whole rows.
    uint8 internal constant SIZE = 1;
    uint8 internal constant MAGIC = 2;
    uint8 internal constant FORMAT = 3;
    /// @dev Row count of 0 or over 200.
    uint8 internal constant ROW_COUNT = 4;
    /// @dev Row count other than the length says.
    uint8 internal constant ROW_COUNT_MISMATCH = 5;
    uint8 internal constant RESERVED_HEADER = 6;
    /// @dev Not the engine that the verifier checks for.
    uint8 internal constant ENGINE = 7;
    uint8 internal constant LABEL = 8;
    uint8 internal constant KEY_PATTERN = 9;
    /// @dev Key equal to the one before it.
    uint8 internal constant KEY_DUPLICATE = 10;
    /// @dev Key below the one before it.
    uint8 internal constant KEY_ORDER = 11;
    /// @dev Kind that the schema does not have.
    uint8 internal constant KIND = 12;
    uint8 internal constant FLAGS = 13;
    uint8 internal constant ARGUMENT = 14;
    uint8 internal constant WEIGHT = 15;
    /// @dev Summed cost over the budget.
    uint8 internal constant COST = 16;
}
