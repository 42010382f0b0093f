// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Format} from "./Format.sol";

/// @title The fast checker
/// @notice Says whether an artifact obeys every invariant, without saying what is wrong. It judges the 32 bytes of a word
/// in parallel (SIMD within a register) and looks at the collected evidence once, after the last row.
///
/// @dev How a word of text is judged:
///
/// Range. For an ASCII byte c and a threshold t, c + (0x80 - t) has its top bit set if and only if c >= t, and it is at
/// most 0xff, so nothing carries into the byte beside it. One ADD of a constant therefore compares all bytes of a word,
/// and the XOR of the comparisons with both ends of each range (first, last + 1) has the top bit set exactly in the bytes
/// that lie in one of the ranges. Where the constants are zero, no byte is in range: nothing may stand in the last byte of
/// a key or label, and only letters begin a key.
///
/// One character. The XOR with t is zero in the bytes that are t and under 0x80 in the others, so 0x80 less it has the top
/// bit set exactly where c = t, and nothing borrows. In the same chain of XORs this takes one character out of a range or
/// adds one to them, for less than a range of its own. Where the constants are 0xff and 0x80, no byte is t.
///
/// Padding. Subtracting 1 from the word borrows through the zero bytes at its end and stops at the last byte that is not
/// zero, so it sets the top bits of the padding and of no other ASCII byte. A word is good if every byte is in range or
/// padding: the OR of both has all top bits. A zero between two characters is neither.
///
/// ASCII. A byte of 0x80 or more breaks these arguments, so the complement of the word is collected too, and a word that
/// has a top bit anywhere is refused whatever the sums say.
///
/// Weight. A value word has its weight, a signed 16-bit integer, right above the argument. Two of the range constants
/// also add 10 000 and 55 535 to it: the first sum carries for -10 000..-1, the second for all but 0..10 000, so for the
/// good weights both carry or neither does. The carries meet in the lowest bit of the flags byte, which is zero or cleared
/// beforehand, with a 1 from the first constant: a good weight leaves it set.
///
/// Kind and flags. The complement of the word has the three top bits of a kind under 32 and all bits of a flags byte that is
/// zero, so nothing else may clear them: what finds the padding also adds 0xe0 and 0xfe there, which leaves the lowest bit
/// of the flags to the weight.
library Screening {
    /// @dev The top bit of each byte.
    uint256 private constant TOP = 0x8080808080808080808080808080808080808080808080808080808080808080;
    /// @dev The same in the 28 argument bytes alone.
    uint256 private constant ARG_TOP = 0x0000000080808080808080808080808080808080808080808080808080808080;
    /// @dev The same, the three top bits of the kind and the whole flags byte.
    uint256 private constant ARG_TOP_AND_HEAD = 0xe0ff000080808080808080808080808080808080808080808080808080808080;

    /// @dev The class of tokens in each byte.
    uint256 private constant TOKENS = 0x0202020202020202020202020202020202020202020202020202020202020202;
    /// @dev The low half of each byte.
    uint256 private constant LOW_NIBBLES = 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;

    // Header word 0 without what is free in it, the intercept and the time of creation.
    uint256 private constant HEADER_FIXED = 0xffffffffffffffff00000000ffffffff0000000000000000ffffffffffffffff;

    // Label: 0x20..0x7e, may be empty, nothing in the last byte.
    uint256 private constant LABEL_20 = 0x6060606060606060606060606060606060606060606060606060606060606000;
    uint256 private constant LABEL_7F = 0x0101010101010101010101010101010101010101010101010101010101010100;
    // Key: "-" to "9" without "/", "_" to "z" without "`"; first a-z, nothing in the last byte.
    uint256 private constant KEY_2D = 0x0053535353535353535353535353535353535353535353535353535353535300;
    uint256 private constant KEY_3A = 0x0046464646464646464646464646464646464646464646464646464646464600;
    uint256 private constant KEY_5F = 0x1f21212121212121212121212121212121212121212121212121212121212100;
    uint256 private constant KEY_7B = 0x0505050505050505050505050505050505050505050505050505050505050500;
    uint256 private constant KEY_IS_2F = 0x802f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f80;
    uint256 private constant KEY_IS_60 = 0x8060606060606060606060606060606060606060606060606060606060606080;
    uint256 private constant KEY_ONE = 0xff808080808080808080808080808080808080808080808080808080808080ff;
    // Argument, not empty, with weight. Token: 0x20..0x40 and 0x5b..0x7e. Text: 0x21..0x7e. Name: "-", 0-9, a-z.
    uint256 private constant ARG_20 = 0x0001271060606060606060606060606060606060606060606060606060606060;
    uint256 private constant ARG_21 = 0x000127105f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f;
    uint256 private constant ARG_30 = 0x0001271050505050505050505050505050505050505050505050505050505050;
    uint256 private constant ARG_3A = 0x0000000046464646464646464646464646464646464646464646464646464646;
    uint256 private constant ARG_41 = 0x000000003f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f;
    uint256 private constant ARG_5B = 0x0000000025252525252525252525252525252525252525252525252525252525;
    uint256 private constant ARG_61 = 0x000000001f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f;
    uint256 private constant ARG_7B = 0x0000d8ef05050505050505050505050505050505050505050505050505050505;
    uint256 private constant ARG_7F = 0x0000d8ef01010101010101010101010101010101010101010101010101010101;
    uint256 private constant ARG_IS_2D = 0x000000002d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d;
    uint256 private constant ARG_IS_3A = 0x000000003a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a;
    // The weight is taken from its largest value, so that nothing borrows from the flags.
    uint256 private constant ARG_ONE = 0x0000ffff80808080808080808080808080808080808080808080808080808080;
    // Where the colon between name and value can be: neither is empty, so not in the first byte, nor in the last.
    uint256 private constant INNER_TOP = 0x0000000000808080808080808080808080808080808080808080808080808000;
    // Finds the padding, and sets the three top bits of a kind and all but the lowest bit of the flags byte. In the first
    // byte of an argument padding does not count: it may not be empty.
    uint256 private constant HEAD_LESS_ONE = 0xe0fdffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 private constant PADDING = 0xffffffff00ffffffffffffffffffffffffffffffffffffffffffffffffffffff;

    // Weight beside an argument that is no text: 10 000 in the top 16 bits, and the first value there that is out of
    // bounds once 10 000 is added.
    uint256 private constant WEIGHT_BIAS = 0x2710000000000000000000000000000000000000000000000000000000000000;
    uint256 private constant WEIGHT_END = 0x4e21000000000000000000000000000000000000000000000000000000000000;

    // Everything of a value word but the prefix length of a network.
    uint256 private constant NOT_PREFIX_V4 = 0xffffffffffffffff00ffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 private constant NOT_PREFIX_V6 = 0xffffffffffffffffffffffffffffffffffffffff00ffffffffffffffffffffff;

    /// @return Whether the artifact is free of defects, exactly as `Diagnosis.firstDefect` judges.
    function passes(bytes calldata artifact, uint32 engine, bytes32 schema, uint32 budget)
        internal
        pure
        returns (bool)
    {
        if (!Format.isSize(artifact.length)) return false;
        if (!_headerPasses(artifact, engine) || !_labelPasses(uint256(bytes32(artifact[32:64])))) return false;

        uint256 first;
        assembly ("memory-safe") {
            first := add(artifact.offset, 0x40)
        }
        (uint256 keys, uint256 arguments, uint256 cost) = _collect(
            first,
            first + artifact.length - Format.HEADER_SIZE,
            (uint256(schema) >> 4 & LOW_NIBBLES) ^ TOKENS,
            uint256(schema) & LOW_NIBBLES
        );
        return keys & TOP == TOP && arguments & ARG_TOP_AND_HEAD == ARG_TOP_AND_HEAD && cost <= budget;
    }

    function _headerPasses(bytes calldata artifact, uint32 engine) private pure returns (bool) {
        // The length says how many rows there are, so the count needs no bounds of its own.
        uint256 expected = (uint256(uint32(Format.MAGIC)) << 224) | (uint256(Format.VERSION) << 208)
            | (Format.rowsIn(artifact.length) << 192) | (uint256(engine) << 128);
        return uint256(bytes32(artifact[0:32])) & HEADER_FIXED == expected;
    }

    function _labelPasses(uint256 label) private pure returns (bool) {
        unchecked {
            uint256 good = ((label + LABEL_20) ^ (label + LABEL_7F)) | (label - 1);
            return good & ~label & TOP == TOP;
        }
    }

    /// @dev Goes over the rows from `cursor` to `end`, which are a whole number, and collects evidence, to be looked at under
    /// masks. Memory is not touched; calldata is read between the two alone.
    /// @param others Argument class of kind k in byte k, XOR that of a token: zero for a token.
    /// @param costs Cost of kind k in byte k.
    /// @return keys The bits that are set in every key's verdict; all top bits if all keys are good and in order.
    /// @return arguments The same of the arguments, flags and weights. A comparison that fails clears all of it.
    /// @return cost Sum over the rows.
    function _collect(uint256 cursor, uint256 end, uint256 others, uint256 costs)
        private
        pure
        returns (uint256 keys, uint256 arguments, uint256 cost)
    {
        assembly ("memory-safe") {
            keys := not(0)
            arguments := not(0)
            let previous := 0
            for {} iszero(eq(cursor, end)) { cursor := add(cursor, 0x40) } {
                let word := calldataload(cursor)
                keys := mul(
                    and(
                        and(keys, not(word)),
                        or(
                            xor(
                                xor(xor(add(word, KEY_2D), add(word, KEY_3A)), sub(KEY_ONE, xor(word, KEY_IS_2F))),
                                xor(xor(add(word, KEY_5F), add(word, KEY_7B)), sub(KEY_ONE, xor(word, KEY_IS_60)))
                            ),
                            sub(word, 1)
                        )
                    ),
                    // Strictly ascending from zero: sorted, without duplicates, and none is empty.
                    lt(previous, word)
                )
                previous := word

                let value := calldataload(add(cursor, 0x20))
                // BYTE yields zero past 31, which here is a token: the three top bits of a kind tell.
                let kind := byte(0, value)
                cost := add(cost, byte(kind, costs))

                // Most rows are tokens. They come last, where nothing has to be jumped over.
                if byte(kind, others) {
                    // The cases are classes XOR 2, as in `others`.
                    switch byte(kind, others)
                    case 6 {
                        // HEADER. Flags are 0 to 3, so those two bits are no evidence.
                        let hasValue := and(value, shl(241, 1))
                        value := and(value, not(shl(240, 3)))
                        let name :=
                            xor(
                                xor(xor(add(value, ARG_30), add(value, ARG_3A)), sub(ARG_ONE, xor(value, ARG_IS_2D))),
                                xor(add(value, ARG_61), add(value, ARG_7B))
                            )
                        let padding := and(add(value, HEAD_LESS_ONE), PADDING)
                        switch hasValue
                        case 0 { arguments := and(and(arguments, not(value)), or(name, padding)) }
                        default {
                            // Colons with something after them, and all other bytes that are in no name. The name ends at
                            // such a colon if and only if the first of them all is one: if `colons` is the larger number.
                            let colons := and(and(sub(ARG_ONE, xor(value, ARG_IS_3A)), not(shl(8, padding))), INNER_TOP)
                            arguments := mul(
                                and(
                                    and(arguments, not(value)),
                                    or(
                                        xor(
                                            xor(add(value, ARG_20), add(value, ARG_41)),
                                            xor(add(value, ARG_5B), add(value, ARG_7F))
                                        ),
                                        padding
                                    )
                                ),
                                gt(colons, xor(and(not(name), ARG_TOP), colons))
                            )
                        }
                    }
                    case 1 {
                        // TEXT
                        arguments := and(
                            and(arguments, not(value)),
                            or(xor(add(value, ARG_21), add(value, ARG_7F)), and(add(value, HEAD_LESS_ONE), PADDING))
                        )
                    }
                    default {
                        // The arguments of the other classes are no text; their flags are zero all the same. What is below
                        // the weight in the word cannot carry into it.
                        let good := and(iszero(byte(1, value)), lt(add(shl(16, value), WEIGHT_BIAS), WEIGHT_END))
                        switch byte(kind, others)
                        case 7 {
                            // CIDR_V4. From the first host bit to the end of the word all is zero but the prefix length.
                            let prefix := byte(8, value)
                            good := and(
                                good,
                                and(
                                    lt(prefix, 33),
                                    iszero(and(and(value, shr(add(prefix, 32), not(0))), NOT_PREFIX_V4))
                                )
                            )
                        }
                        case 4 {
                            // CIDR_V6
                            let prefix := byte(20, value)
                            good := and(
                                good,
                                and(
                                    lt(prefix, 129),
                                    iszero(and(and(value, shr(add(prefix, 32), not(0))), NOT_PREFIX_V6))
                                )
                            )
                        }
                        case 5 {
                            // NUMBER: a u64 that is not zero, then zeros.
                            good := and(good, and(iszero(shl(96, value)), gt(shl(32, value), 0)))
                        }
                        case 3 {
                            // NONE
                            good := and(good, iszero(shl(32, value)))
                        }
                        case 10 {
                            // FINGERPRINT
                            good := and(good, gt(shl(32, value), 0))
                        }
                        default { good := 0 }
                        arguments := mul(arguments, good)
                    }
                    continue
                }
                // TOKEN
                arguments := and(
                    and(arguments, not(value)),
                    or(
                        xor(xor(add(value, ARG_20), add(value, ARG_41)), xor(add(value, ARG_5B), add(value, ARG_7F))),
                        and(add(value, HEAD_LESS_ONE), PADDING)
                    )
                )
            }
        }
    }
}
