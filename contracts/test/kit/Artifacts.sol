// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Format} from "../../src/libraries/Format.sol";

struct Row {
    bytes32 key;
    uint8 kind;
    uint8 flags;
    int16 weight;
    bytes28 argument;
}

/// @notice Builds artifacts, and breaks them.
library Artifacts {
    uint8 internal constant UA_CONTAINS = 1;
    uint8 internal constant UA_EMPTY = 2;
    uint8 internal constant HEADER = 3;
    uint8 internal constant METHOD = 4;
    uint8 internal constant CLIENT_CIDR_V4 = 7;
    uint8 internal constant CLIENT_CIDR_V6 = 8;
    uint8 internal constant REQUEST_RATE = 9;
    uint8 internal constant HEADER_EQUALS = 2;

    function encode(Row[] memory rows) internal pure returns (bytes memory) {
        return encode("", rows);
    }

    function encode(bytes32 label, Row[] memory rows) internal pure returns (bytes memory artifact) {
        artifact = abi.encodePacked(
            Format.MAGIC,
            Format.VERSION,
            uint16(rows.length),
            int32(-2000),
            uint32(1),
            uint64(1_763_700_000),
            bytes8(0),
            label
        );
        for (uint256 i = 0; i < rows.length; ++i) {
            Row memory r = rows[i];
            artifact = bytes.concat(artifact, r.key, abi.encodePacked(r.kind, r.flags, r.weight, r.argument));
        }
    }

    /// @dev `count` rows of `kind` under ascending keys.
    function uniform(uint256 count, uint8 kind, uint8 flags, bytes28 argument)
        internal
        pure
        returns (Row[] memory rows)
    {
        rows = new Row[](count);
        for (uint256 i = 0; i < count; ++i) {
            rows[i] = Row({key: key(i), kind: kind, flags: flags, weight: int16(4000), argument: argument});
        }
    }

    /// @dev An artifact of `count` user-agent rows, which differ with `salt`.
    function sample(uint256 count, uint256 salt) internal pure returns (bytes memory) {
        return
            encode(
                bytes32(abi.encodePacked("sample-", digits(salt))), uniform(count, UA_CONTAINS, 0, "headlesschrome/")
            );
    }

    /// @dev The same with a key that is none.
    function broken(uint256 salt) internal pure returns (bytes memory artifact) {
        artifact = sample(1, salt);
        artifact[64] = "-";
    }

    /// @dev A bit of everything: the mix of a file that was learned from traffic.
    function mixed(uint256 count) internal pure returns (bytes memory) {
        Row[] memory rows = new Row[](count);
        for (uint256 i = 0; i < count; ++i) {
            rows[i] = Row({key: key(i), kind: UA_CONTAINS, flags: 0, weight: int16(-750), argument: "python-requests/"});
            uint256 slot = i % 10;
            if (slot == 4) (rows[i].kind, rows[i].argument) = (CLIENT_CIDR_V4, hex"c0a8000010");
            if (slot == 5) (rows[i].kind, rows[i].argument) = (METHOD, "OPTIONS");
            if (slot == 6) (rows[i].kind, rows[i].argument) = (HEADER, "accept-language");
            if (slot == 7) {
                (rows[i].kind, rows[i].flags, rows[i].argument) = (HEADER, HEADER_EQUALS, "connection:close");
            }
        }
        return encode("mixed", rows);
    }

    function key(uint256 i) internal pure returns (bytes32) {
        return bytes32(abi.encodePacked("feature.number-", digits(i)));
    }

    /// @dev Three decimal digits.
    function digits(uint256 i) internal pure returns (bytes3) {
        return bytes3(abi.encodePacked(_digit(i / 100), _digit(i / 10), _digit(i)));
    }

    function _digit(uint256 i) private pure returns (bytes1) {
        // At most 57.
        // forge-lint: disable-next-line(unsafe-typecast)
        return bytes1(uint8(48 + i % 10));
    }
}
