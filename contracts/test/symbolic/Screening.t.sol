// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Defect} from "../../src/libraries/Defect.sol";
import {Diagnosis} from "../../src/libraries/Diagnosis.sol";
import {Format} from "../../src/libraries/Format.sol";
import {Screening} from "../../src/libraries/Screening.sol";

/// @notice What format 1 asks of one word, byte by byte and without a branch: a branch would make of each byte several paths.
/// Every function returns 1 or 0.
library Specification {
    function label(uint256 word) internal pure returns (uint256) {
        return _text(word, 32, printable) & _is(_at(word, 31), 0);
    }

    function key(uint256 word) internal pure returns (uint256) {
        return _text(word, 32, keyCharacter) & lowercase(_at(word, 0)) & _is(_at(word, 31), 0);
    }

    function token(uint256 value) internal pure returns (uint256) {
        return _argument(value, tokenCharacter);
    }

    function text(uint256 value) internal pure returns (uint256) {
        return _argument(value, textCharacter);
    }

    function name(uint256 value) internal pure returns (uint256) {
        return _argument(value, nameCharacter);
    }

    /// @dev A name, a colon, a value of one token character or more.
    function nameAndValue(uint256 value) internal pure returns (uint256 good) {
        uint256 colon;
        uint256 some;
        uint256 ended;
        good = 1;
        for (uint256 i = 0; i < Format.ARGUMENT_SIZE; ++i) {
            uint256 c = _at(value, 4 + i);
            uint256 zero = _is(c, 0);
            uint256 first = _is(c, 0x3a) & (colon ^ 1);
            uint256 before = nameCharacter(c) | (first & (i == 0 ? 0 : 1));
            good &= zero | ((ended ^ 1) & ((colon & tokenCharacter(c)) | ((colon ^ 1) & before)));
            some |= colon & (zero ^ 1);
            ended |= zero;
            colon |= first;
        }
        good &= some;
    }

    /// @dev `size` address bytes, a prefix length, zeros; no bit of the address set beyond the prefix.
    function network(uint256 value, uint256 size) internal pure returns (uint256 good) {
        uint256 prefix = _at(value, 4 + size);
        assembly ("memory-safe") {
            let bits := mul(size, 8)
            let host := and(shl(prefix, shr(sub(256, bits), shl(32, value))), sub(shl(bits, 1), 1))
            good := and(iszero(gt(prefix, bits)), and(iszero(host), iszero(shl(add(40, bits), value))))
        }
    }

    function number(uint256 value) internal pure returns (uint256 good) {
        assembly ("memory-safe") {
            good := and(iszero(iszero(shl(32, value))), iszero(shl(96, value)))
        }
    }

    function none(uint256 value) internal pure returns (uint256) {
        return _is(uint256(uint224(value)), 0);
    }

    /// @dev -10 000 to 10 000.
    function weight(uint256 value) internal pure returns (uint256 good) {
        assembly ("memory-safe") {
            let signed := signextend(1, shr(224, value))
            good := and(slt(signed, 10001), sgt(signed, sub(0, 10001)))
        }
    }

    function flags(uint256 value) internal pure returns (uint256) {
        return _at(value, 1);
    }

    function printable(uint256 c) internal pure returns (uint256) {
        return _within(c, 0x20, 0x7e);
    }

    function lowercase(uint256 c) internal pure returns (uint256) {
        return _within(c, 0x61, 0x7a);
    }

    function nameCharacter(uint256 c) internal pure returns (uint256) {
        return lowercase(c) | _within(c, 0x30, 0x39) | _is(c, 0x2d);
    }

    function keyCharacter(uint256 c) internal pure returns (uint256) {
        return nameCharacter(c) | _is(c, 0x5f) | _is(c, 0x2e);
    }

    function tokenCharacter(uint256 c) internal pure returns (uint256) {
        return _within(c, 0x20, 0x40) | _within(c, 0x5b, 0x7e);
    }

    function textCharacter(uint256 c) internal pure returns (uint256) {
        return _within(c, 0x21, 0x7e);
    }

    function _argument(uint256 value, function(uint256) pure returns (uint256) isCharacter)
        private
        pure
        returns (uint256)
    {
        return _text(value << 32, Format.ARGUMENT_SIZE, isCharacter) & (_is(_at(value, 4), 0) ^ 1);
    }

    /// @dev Characters, then zeros.
    function _text(uint256 word, uint256 size, function(uint256) pure returns (uint256) isCharacter)
        private
        pure
        returns (uint256 good)
    {
        uint256 ended;
        good = 1;
        for (uint256 i = 0; i < size; ++i) {
            uint256 c = _at(word, i);
            uint256 zero = _is(c, 0);
            good &= zero | ((ended ^ 1) & isCharacter(c));
            ended |= zero;
        }
    }

    function _at(uint256 word, uint256 i) private pure returns (uint256 c) {
        assembly ("memory-safe") {
            c := byte(i, word)
        }
    }

    function _is(uint256 c, uint256 other) private pure returns (uint256 yes) {
        assembly ("memory-safe") {
            yes := eq(c, other)
        }
    }

    function _within(uint256 c, uint256 first, uint256 last) private pure returns (uint256 yes) {
        assembly ("memory-safe") {
            yes := and(iszero(lt(c, first)), iszero(gt(c, last)))
        }
    }
}

/// @notice The fast checker against the format, for every value of one word at a time, 2^256 each, the others being good;
/// of a value word, for every value of its last 31 bytes.
/// @custom:halmos --solver z3
contract ScreeningSymbolic {
    /// @dev Kind k has class k at cost k, for the classes 1 to 8.
    bytes32 private constant SCHEMA = 0x0011223344556677880000000000000000000000000000000000000000000000;
    uint32 private constant BUDGET = 24;
    uint256 private constant HEADER = 0x474c464600010001000000000000000100000000000000000000000000000000;
    uint256 private constant KEY = uint256(bytes32("k"));
    uint256 private constant VALUE = uint256(bytes32(hex"0200000061"));

    function check_header(uint256 header) public view {
        // Intercept, engine and time are as they like, the engine apart.
        bool good = header >> 192 == HEADER >> 192 && uint32(header >> 128) == 1 && uint64(header) == 0;
        assert(_passes(header, 0, KEY, VALUE) == good);
    }

    function check_label(uint256 label) public view {
        assert(_passes(HEADER, label, KEY, VALUE) == (Specification.label(label) == 1));
    }

    function check_key(uint256 key) public view {
        assert(_passes(HEADER, 0, key, VALUE) == (Specification.key(key) == 1));
    }

    function check_order(uint256 first, uint256 second) public view {
        bytes memory artifact = abi.encodePacked(HEADER + (1 << 192), uint256(0), first, VALUE, second, VALUE);
        bool good = Specification.key(first) & Specification.key(second) == 1 && first < second;
        assert(this.judge(artifact) == good);
    }

    function check_none(uint256 value) public view {
        _check(1, value, Specification.none(_of(1, value)));
    }

    function check_token(uint256 value) public view {
        _check(2, value, Specification.token(_of(2, value)));
    }

    function check_text(uint256 value) public view {
        _check(3, value, Specification.text(_of(3, value)));
    }

    /// @notice Flags 0 and 1, and all that no header has.
    function check_headerName(uint256 value) public view {
        uint256 word = _of(4, value);
        uint256 flags = Specification.flags(word);
        if (flags == 2 || flags == 3) return;
        bool good = Specification.name(word) & Specification.weight(word) == 1 && flags < 2;
        assert(_passes(HEADER, 0, KEY, word) == good);
    }

    /// @notice Flags 2 and 3.
    function check_headerNameAndValue(uint256 value) public view {
        uint256 word = _of(4, value) & ~(uint256(0xfe) << 240) | 2 << 240;
        bool good = Specification.nameAndValue(word) & Specification.weight(word) == 1;
        assert(_passes(HEADER, 0, KEY, word) == good);
    }

    function check_networkV4(uint256 value) public view {
        _check(5, value, Specification.network(_of(5, value), 4));
    }

    function check_networkV6(uint256 value) public view {
        _check(6, value, Specification.network(_of(6, value), 16));
    }

    function check_number(uint256 value) public view {
        _check(7, value, Specification.number(_of(7, value)));
    }

    function check_fingerprint(uint256 value) public view {
        _check(8, value, Specification.none(_of(8, value)) ^ 1);
    }

    /// @notice No kind that the schema does not have passes, whatever follows.
    function check_unknownKind(uint256 value) public view {
        if (value >> 248 == 0 || value >> 248 > 8) assert(!_passes(HEADER, 0, KEY, value));
    }

    /// @notice Any kind, flags and weight beside a good argument: the readable checker judges alike.
    function check_bothCheckersOnKindFlagsAndWeight(uint32 start) public view {
        bytes memory artifact = abi.encodePacked(HEADER, uint256(0), KEY, start, bytes28("a"));
        assert(this.judge(artifact) == (this.diagnose(artifact) == Defect.NONE));
    }

    function _check(uint256 kind, uint256 value, uint256 goodArgument) private view {
        uint256 word = _of(kind, value);
        bool good = goodArgument & Specification.weight(word) == 1 && Specification.flags(word) == 0;
        assert(_passes(HEADER, 0, KEY, word) == good);
    }

    /// @dev A value word of `kind`.
    function _of(uint256 kind, uint256 value) private pure returns (uint256) {
        return kind << 248 | uint256(uint248(value));
    }

    function _passes(uint256 header, uint256 label, uint256 key, uint256 value) private view returns (bool) {
        return this.judge(abi.encodePacked(header, label, key, value));
    }

    /// @dev External, so that the artifact is calldata.
    function judge(bytes calldata artifact) external pure returns (bool) {
        return Screening.passes(artifact, 1, SCHEMA, BUDGET);
    }

    function diagnose(bytes calldata artifact) external pure returns (uint8 defect) {
        (defect,) = Diagnosis.firstDefect(artifact, 1, SCHEMA, BUDGET);
    }
}
