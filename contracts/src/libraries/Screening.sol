// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Format} from "./Format.sol";

/// @title The fast checker
/// @notice Says whether an artifact obeys every invariant, without saying what is wrong. It judges the 32 bytes of a word
/// in parallel (SIMD within a register) and looks at the collected evidence once, after the last row.
///
/// @dev How a word is judged. For an ASCII byte c (below 0x80) and a threshold t in 1..0x80, the sum c + (0x80 - t) has
/// its top bit set if and only if c >= t, and it is at most 0xff, so nothing carries into the byte beside it. One ADD of
/// a constant therefore compares all bytes of a word, and the XOR of the comparisons with both ends of each range (first,
/// last + 1) leaves the top bit set exactly in the bytes that lie in one of the ranges. A byte of 0x80 or more would
/// carry; it also shows its own top bit, and the raw word is part of the evidence, so such a word is refused whatever
/// the sums say.
///
/// Three constants make the comparisons right at the edges of a field:
/// - the `_SET` constant compares with 1, "is not the padding". XORed into the above it leaves a top bit wherever a byte is
///   neither padding nor in the ranges;
/// - at the field's first byte `_SET` is 0x80, "set whatever it holds", where an empty field is not allowed: a zero there
///   is in no range and is therefore found;
/// - a range constant of 0 never sets the top bit: it takes that byte out of the range (only letters begin a key; nothing
///   may stand in the last byte).
/// Padding is well-formed if no set byte follows an unset one: `(set << 8) & ~set` has no top bit.
library Screening {
    /// @dev The top bit of each byte.
    uint256 private constant TOP = 0x8080808080808080808080808080808080808080808080808080808080808080;
    /// @dev The same in the 28 argument bytes alone.
    uint256 private constant ARG_TOP = 0x0000000080808080808080808080808080808080808080808080808080808080;
    /// @dev Top bits of the argument and the whole flags byte.
    uint256 private constant FLAGS_AND_ARG_TOP = 0x00ff000080808080808080808080808080808080808080808080808080808080;

    // Header word 0 without what is free in it, the intercept and the time of creation.
    uint256 private constant HEADER_FIXED = 0xffffffffffffffff00000000ffffffff0000000000000000ffffffffffffffff;

    // Label: 0x20..0x7e, may be empty, nothing in the last byte.
    uint256 private constant LABEL_20 = 0x6060606060606060606060606060606060606060606060606060606060606000;
    uint256 private constant LABEL_7F = 0x0101010101010101010101010101010101010101010101010101010101010100;
    uint256 private constant LABEL_SET = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;

    // Key: first a-z, then "-" and ".", 0-9, "_" and a-z, nothing in the last byte.
    uint256 private constant KEY_2D = 0x0053535353535353535353535353535353535353535353535353535353535300;
    uint256 private constant KEY_2F = 0x0051515151515151515151515151515151515151515151515151515151515100;
    uint256 private constant KEY_30 = 0x0050505050505050505050505050505050505050505050505050505050505000;
    uint256 private constant KEY_3A = 0x0046464646464646464646464646464646464646464646464646464646464600;
    uint256 private constant KEY_5F = 0x0021212121212121212121212121212121212121212121212121212121212100;
    uint256 private constant KEY_60 = 0x0020202020202020202020202020202020202020202020202020202020202000;
    uint256 private constant KEY_61 = 0x1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f00;
    uint256 private constant KEY_7B = 0x0505050505050505050505050505050505050505050505050505050505050500;
    uint256 private constant KEY_SET = 0x807f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;

    // Argument. Token: 0x20..0x40 and 0x5b..0x7e. Text: 0x21..0x7e. Name: "-", 0-9, a-z.
    uint256 private constant ARG_20 = 0x0000000060606060606060606060606060606060606060606060606060606060;
    uint256 private constant ARG_21 = 0x000000005f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f;
    uint256 private constant ARG_2D = 0x0000000053535353535353535353535353535353535353535353535353535353;
    uint256 private constant ARG_2E = 0x0000000052525252525252525252525252525252525252525252525252525252;
    uint256 private constant ARG_30 = 0x0000000050505050505050505050505050505050505050505050505050505050;
    uint256 private constant ARG_3A = 0x0000000046464646464646464646464646464646464646464646464646464646;
    uint256 private constant ARG_41 = 0x000000003f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f;
    uint256 private constant ARG_5B = 0x0000000025252525252525252525252525252525252525252525252525252525;
    uint256 private constant ARG_61 = 0x000000001f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f;
    uint256 private constant ARG_7B = 0x0000000005050505050505050505050505050505050505050505050505050505;
    uint256 private constant ARG_7F = 0x0000000001010101010101010101010101010101010101010101010101010101;
    uint256 private constant ARG_SET = 0x00000000807f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;
    // The colon between name and value; never at the first byte, for a name is not empty.
    uint256 private constant COLON_3A = 0x0000000000464646464646464646464646464646464646464646464646464646;
    uint256 private constant COLON_3B = 0x0000000000454545454545454545454545454545454545454545454545454545;

    /// @dev 10 000 in the top 16 bits, and the first value out of bounds there once 10 000 is added.
    uint256 private constant WEIGHT_BIAS = 0x2710000000000000000000000000000000000000000000000000000000000000;
    uint256 private constant WEIGHT_END = 0x4e21000000000000000000000000000000000000000000000000000000000000;

    // Everything of a value word but the prefix length of a network.
    uint256 private constant NOT_PREFIX_V4 = 0xffffffffffffffff00ffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 private constant NOT_PREFIX_V6 = 0xffffffffffffffffffffffffffffffffffffffff00ffffffffffffffffffffff;

    /// @return ok Whether the artifact is free of defects, exactly as `Diagnosis.firstDefect` judges.
    function passes(bytes calldata artifact, uint32 engine, bytes32 schema, uint32 budget)
        internal
        pure
        returns (bool ok)
    {
        if (!Format.isSize(artifact.length)) return false;
        // The length says how many rows there are, so the count needs no bounds of its own.
        uint256 header = (uint256(uint32(Format.MAGIC)) << 224) | (uint256(Format.VERSION) << 208)
            | (Format.rowsIn(artifact.length) << 192) | (uint256(engine) << 128);

        // Memory is not touched: everything is read from calldata, and only within `artifact`, whose length is checked.
        assembly ("memory-safe") {
            let cursor := artifact.offset
            let end := add(cursor, artifact.length)

            ok := eq(and(calldataload(cursor), HEADER_FIXED), header)
            let word := calldataload(add(cursor, 0x20))
            let set := add(word, LABEL_SET)
            // Evidence, each piece looked at under its own mask at the end: of the key words (and the label), of the
            // sums over value words, and of the raw value words.
            let keys := or(or(word, xor(xor(add(word, LABEL_20), add(word, LABEL_7F)), set)), and(shl(8, set), not(set)))
            let sums := 0
            let values := 0
            let previous := 0
            let cost := 0

            for { cursor := add(cursor, 0x40) } lt(cursor, end) { cursor := add(cursor, 0x40) } {
                word := calldataload(cursor)
                set := add(word, KEY_SET)
                keys := or(
                    or(keys, word),
                    or(
                        xor(
                            xor(
                                xor(xor(add(word, KEY_2D), add(word, KEY_2F)), xor(add(word, KEY_30), add(word, KEY_3A))),
                                xor(xor(add(word, KEY_5F), add(word, KEY_60)), xor(add(word, KEY_61), add(word, KEY_7B)))
                            ),
                            set
                        ),
                        and(shl(8, set), not(set))
                    )
                )
                // Strictly ascending, so sorted and without duplicates.
                ok := and(ok, lt(previous, word))
                previous := word

                word := calldataload(add(cursor, 0x20))
                // A weight is a signed 16-bit integer: shifted to the top of the word and moved by 10 000, the good ones
                // are 0..20 000 and the others wrap to more. What is below it in the word cannot carry into it.
                ok := and(ok, lt(add(shl(16, word), WEIGHT_BIAS), WEIGHT_END))
                // BYTE yields zero past 31, and so does a kind that the schema lacks: the class "unknown".
                let kind := byte(byte(0, word), schema)
                cost := add(cost, and(kind, 0x0f))

                switch shr(4, kind)
                case 2 {
                    // TOKEN
                    set := add(word, ARG_SET)
                    values := or(values, word)
                    sums := or(
                        sums,
                        or(
                            xor(
                                xor(xor(add(word, ARG_20), add(word, ARG_41)), xor(add(word, ARG_5B), add(word, ARG_7F))),
                                set
                            ),
                            and(shl(8, set), not(set))
                        )
                    )
                }
                case 4 {
                    // HEADER. Flags 0 to 3 are allowed, so their bits are kept out of the evidence.
                    values := or(values, and(word, not(shl(240, 3))))
                    set := add(word, ARG_SET)
                    let name := xor(
                        xor(xor(add(word, ARG_2D), add(word, ARG_2E)), xor(add(word, ARG_30), add(word, ARG_3A))),
                        xor(add(word, ARG_61), add(word, ARG_7B))
                    )
                    sums := or(sums, and(shl(8, set), not(set)))
                    switch and(word, shl(241, 1))
                    case 0 { sums := or(sums, xor(name, set)) }
                    default {
                        sums := or(
                            sums,
                            xor(
                                xor(xor(add(word, ARG_20), add(word, ARG_41)), xor(add(word, ARG_5B), add(word, ARG_7F))),
                                set
                            )
                        )
                        // Top bits of all colons, and of all bytes that are in no name and are no colon. The name ends at
                        // a colon if and only if the first of both is a colon, that is, if `colons` is the larger number.
                        let colons := and(xor(add(word, COLON_3A), add(word, COLON_3B)), ARG_TOP)
                        let others := xor(and(not(name), ARG_TOP), colons)
                        // The value is not empty if and only if the first colon comes before the last set byte, whose
                        // bit is the lowest of `set`; no colon is after it, so again `colons` must be the larger. Both
                        // comparisons are about the highest bit alone, so one with the union does.
                        set := and(set, ARG_TOP)
                        ok := and(ok, gt(colons, or(others, and(set, sub(0, set)))))
                    }
                }
                case 3 {
                    // TEXT
                    set := add(word, ARG_SET)
                    values := or(values, word)
                    sums := or(
                        sums,
                        or(xor(xor(add(word, ARG_21), add(word, ARG_7F)), set), and(shl(8, set), not(set)))
                    )
                }
                default {
                    // The other classes hold numbers: their flags are evidence, their arguments are judged here.
                    values := or(values, and(word, shl(240, 0xff)))
                    switch shr(4, kind)
                    case 5 {
                        // CIDR_V4. From the first host bit to the end of the word all is zero but the prefix length.
                        let prefix := byte(8, word)
                        ok := and(
                            and(ok, lt(prefix, 33)),
                            iszero(and(and(word, shr(add(prefix, 32), not(0))), NOT_PREFIX_V4))
                        )
                    }
                    case 6 {
                        // CIDR_V6
                        let prefix := byte(20, word)
                        ok := and(
                            and(ok, lt(prefix, 129)),
                            iszero(and(and(word, shr(add(prefix, 32), not(0))), NOT_PREFIX_V6))
                        )
                    }
                    case 7 {
                        // NUMBER: a u64 that is not zero, then zeros.
                        ok := and(ok, and(iszero(shl(96, word)), gt(shl(32, word), 0)))
                    }
                    case 1 {
                        // NONE
                        ok := and(ok, iszero(shl(32, word)))
                    }
                    case 8 {
                        // FINGERPRINT
                        ok := and(ok, gt(shl(32, word), 0))
                    }
                    default { ok := 0 }
                }
            }

            ok := and(and(ok, iszero(gt(cost, budget))), iszero(and(keys, TOP)))
            ok := and(ok, iszero(or(and(sums, ARG_TOP), and(values, FLAGS_AND_ARG_TOP))))
        }
    }
}
