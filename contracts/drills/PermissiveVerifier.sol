// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IArtifactVerifier, Statement} from "../src/interfaces/IArtifactVerifier.sol";

/// @title PermissiveVerifier
/// @notice Vouches for any bytes at all. Drills add it to a registry to stand for a control plane that was taken over or
/// went wrong as a whole, so that what is left between a bad artifact and requests is the edge's own check. It lies
/// outside `src/`, so no build of the project contains it.
contract PermissiveVerifier is IArtifactVerifier {
    /// @inheritdoc IArtifactVerifier
    uint32 public constant engine = 1;

    /// @inheritdoc IArtifactVerifier
    function verify(bytes calldata artifact, bytes calldata) external pure returns (Statement memory) {
        uint256 rows = artifact.length / 64;
        return Statement({
            digest: keccak256(artifact),
            commitment: 0,
            engine: engine,
            // Whatever it says beyond the digest is no more worth than its word; what does not fit is cut.
            // forge-lint: disable-next-line(unsafe-typecast)
            size: uint16(artifact.length),
            // forge-lint: disable-next-line(unsafe-typecast)
            rows: uint8(rows > 255 ? 255 : rows)
        });
    }
}
