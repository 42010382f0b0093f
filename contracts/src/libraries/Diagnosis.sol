// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ArgumentClass} from "./Schemas.sol";
import {Defect} from "./Defect.sol";
import {Format} from "./Format.sol";

/// @title The readable checker
/// @notice Goes through an artifact byte by byte in the documented order and names the first defect. It runs only once
/// `Screening` has refused an artifact, and the tests hold the two to the same judgement.
library Diagnosis {
    /// @return defect Code of the first defect, `Defect.NONE` if there is none.
    /// @return row Row of the defect, zero for one of the header or of the whole.
    function firstDefect(bytes calldata artifact, uint32 engine, bytes32 schema, uint32 budget)
        internal
        pure
        returns (uint8 defect, uint256 row)
    {
        defect = _headerDefect(artifact, engine);
        if (defect != Defect.NONE) return (defect, 0);

        // Both begin at zero.
        // slither-disable-start uninitialized-local
        uint256 cost;
        bytes32 previous;
        // slither-disable-end uninitialized-local
        for (uint256 rows = Format.rowsIn(artifact.length); row < rows; ++row) {
            uint256 offset = Format.HEADER_SIZE + row * Format.ROW_SIZE;
            bytes32 key = bytes32(artifact[offset:offset + 32]);
            bytes32 value = bytes32(artifact[offset + 32:offset + 64]);
            defect = _keyDefect(key, previous, row);
            if (defect == Defect.NONE) defect = _valueDefect(value, schema);
            if (defect != Defect.NONE) return (defect, row);
            previous = key;
            cost += uint8(schema[uint8(value[0])]) & 0x0f;
        }
        return (cost > budget ? Defect.COST : Defect.NONE, 0);
    }

    function _headerDefect(bytes calldata artifact, uint32 engine) private pure returns (uint8) {
        if (!Format.isSize(artifact.length)) return Defect.SIZE;
        if (bytes4(artifact[0:4]) != Format.MAGIC) return Defect.MAGIC;
        if (uint16(bytes2(artifact[4:6])) != Format.VERSION) return Defect.FORMAT;
        uint256 rows = uint16(bytes2(artifact[6:8]));
        if (rows == 0 || rows > Format.MAX_ROWS) return Defect.ROW_COUNT;
        if (rows != Format.rowsIn(artifact.length)) return Defect.ROW_COUNT_MISMATCH;
        if (bytes8(artifact[24:32]) != 0) return Defect.RESERVED_HEADER;
        if (uint32(bytes4(artifact[12:16])) != engine) return Defect.ENGINE;
        bytes32 label = bytes32(artifact[32:64]);
        uint256 length = _length(label, 32);
        if (length == 32 || !_isPadded(label, length, 32)) return Defect.LABEL;
        if (!_all(label, 0, length, _isPrintable)) return Defect.LABEL;
        return Defect.NONE;
    }

    /// @dev Pattern ^[a-z][a-z0-9_.-]{0,30}$, then the order against the key before.
    function _keyDefect(bytes32 key, bytes32 previous, uint256 row) private pure returns (uint8) {
        uint256 length = _length(key, 32);
        if (length == 0 || length == 32 || !_isPadded(key, length, 32)) return Defect.KEY_PATTERN;
        if (!_isLowercase(key[0]) || !_all(key, 1, length, _isKeyCharacter)) return Defect.KEY_PATTERN;
        if (row == 0) return Defect.NONE;
        if (key == previous) return Defect.KEY_DUPLICATE;
        if (key < previous) return Defect.KEY_ORDER;
        return Defect.NONE;
    }

    // Fields are read by truncating a word to its leading bytes, here and below.
    // forge-lint: disable-start(unsafe-typecast)
    function _valueDefect(bytes32 value, bytes32 schema) private pure returns (uint8) {
        uint8 kind = uint8(value[0]);
        uint256 class = kind < 32 ? uint8(schema[kind]) >> 4 : ArgumentClass.UNKNOWN;
        if (class == ArgumentClass.UNKNOWN || class > ArgumentClass.FINGERPRINT) return Defect.KIND;
        uint8 flags = uint8(value[1]);
        if (flags > (class == ArgumentClass.HEADER ? 3 : 0)) return Defect.FLAGS;
        if (!_isArgument(bytes28(value << 32), class, flags)) return Defect.ARGUMENT;
        int256 weight = int16(uint16(bytes2(value << 16)));
        if (weight > Format.MAX_WEIGHT || weight < -Format.MAX_WEIGHT) return Defect.WEIGHT;
        return Defect.NONE;
    }

    function _isArgument(bytes28 argument, uint256 class, uint8 flags) private pure returns (bool) {
        if (class == ArgumentClass.NONE) return argument == 0;
        if (class == ArgumentClass.TOKEN) return _isText(argument, _isTokenCharacter);
        if (class == ArgumentClass.TEXT) return _isText(argument, _isTextCharacter);
        if (class == ArgumentClass.HEADER) {
            return flags < 2 ? _isText(argument, _isNameCharacter) : _isNameAndValue(argument);
        }
        if (class == ArgumentClass.CIDR_V4) return _isNetwork(argument, 4);
        if (class == ArgumentClass.CIDR_V6) return _isNetwork(argument, 16);
        if (class == ArgumentClass.NUMBER) return bytes8(argument) != 0 && argument << 64 == 0;
        return argument != 0; // FINGERPRINT
    }
    // forge-lint: disable-end(unsafe-typecast)

    function _isText(bytes28 argument, function(bytes1) pure returns (bool) isCharacter) private pure returns (bool) {
        uint256 length = _length(argument, Format.ARGUMENT_SIZE);
        return length > 0 && _isPadded(argument, length, Format.ARGUMENT_SIZE) && _all(argument, 0, length, isCharacter);
    }

    /// @dev A name, the first colon, a value that may hold further colons.
    function _isNameAndValue(bytes28 argument) private pure returns (bool) {
        if (!_isText(argument, _isTokenCharacter)) return false;
        uint256 length = _length(argument, Format.ARGUMENT_SIZE);
        uint256 colon = 0;
        while (colon < length && argument[colon] != ":") ++colon;
        return colon > 0 && colon + 1 < length && _all(argument, 0, colon, _isNameCharacter);
    }

    /// @dev `size` address bytes, one of prefix length, zeros; no bit of the address set beyond the prefix.
    function _isNetwork(bytes28 argument, uint256 size) private pure returns (bool) {
        uint256 prefix = uint8(argument[size]);
        if (prefix > size * 8 || argument << ((size + 1) * 8) != 0) return false;
        uint256 host = (uint256(uint224(argument)) >> (224 - size * 8)) & (2 ** (size * 8 - prefix) - 1);
        return host == 0;
    }

    /// @dev Bytes before the first zero byte, of the `size` first ones.
    function _length(bytes32 text, uint256 size) private pure returns (uint256 length) {
        while (length < size && text[length] != 0) ++length;
    }

    /// @dev Whether all of the `size` first bytes from `length` on are zero.
    function _isPadded(bytes32 text, uint256 length, uint256 size) private pure returns (bool) {
        for (uint256 i = length; i < size; ++i) {
            if (text[i] != 0) return false;
        }
        return true;
    }

    function _all(bytes32 text, uint256 from, uint256 to, function(bytes1) pure returns (bool) isCharacter)
        private
        pure
        returns (bool)
    {
        for (uint256 i = from; i < to; ++i) {
            if (!isCharacter(text[i])) return false;
        }
        return true;
    }

    function _isPrintable(bytes1 c) private pure returns (bool) {
        return c >= 0x20 && c <= 0x7e;
    }

    function _isLowercase(bytes1 c) private pure returns (bool) {
        return c >= "a" && c <= "z";
    }

    function _isDigit(bytes1 c) private pure returns (bool) {
        return c >= "0" && c <= "9";
    }

    function _isKeyCharacter(bytes1 c) private pure returns (bool) {
        return _isLowercase(c) || _isDigit(c) || c == "_" || c == "." || c == "-";
    }

    function _isNameCharacter(bytes1 c) private pure returns (bool) {
        return _isLowercase(c) || _isDigit(c) || c == "-";
    }

    function _isTokenCharacter(bytes1 c) private pure returns (bool) {
        return _isPrintable(c) && (c < "A" || c > "Z");
    }

    function _isTextCharacter(bytes1 c) private pure returns (bool) {
        return _isPrintable(c) && c != " ";
    }
}
