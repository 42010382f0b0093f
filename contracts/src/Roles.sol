// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Roles of the AccessManager that governs a registry. Role 0, AccessManager's own ADMIN_ROLE, hands out roles.
library Roles {
    /// @dev Stages artifacts.
    uint64 internal constant PUBLISHER = 1;
    /// @dev Promotes them, after the timelock.
    uint64 internal constant PROMOTER = 2;
    /// @dev Makes things safer, at once: kill, rollback, pause, revoke, cancel what is scheduled.
    uint64 internal constant GUARDIAN = 3;
    /// @dev Undoes that and adds verifiers, after a delay.
    uint64 internal constant OPERATIONS = 4;
    /// @dev Stops a verifier, at once: guardians, and the EmergencyStop that anyone may call with a proof of exploit.
    uint64 internal constant STOPPER = 5;
}
