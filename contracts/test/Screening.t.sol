// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Defect} from "../src/libraries/Defect.sol";
import {Diagnosis} from "../src/libraries/Diagnosis.sol";
import {Screening} from "../src/libraries/Screening.sol";
import {Artifacts, Row} from "./kit/Artifacts.sol";
import {Test} from "./kit/Test.sol";

/// @notice The fast checker refuses exactly what the readable one finds a defect in: field by field for every byte, and
/// on artifacts bred near the edge of the format.
contract ScreeningTest is Test {
    /// @dev Kind k has class k at cost k, for the classes 1 to 8; kind 9 has a class that does not exist, kind 31 is a
    /// token again, the rest are unknown.
    bytes32 private constant SCHEMA = 0x0011223344556677889900000000000000000000000000000000000000000021;
    uint32 private constant BUDGET = 24;

    /// @dev Ends of all ranges of characters, what lies just outside, and a few more.
    bytes private constant EDGES = hex"00011f20212c2d2e2f30393a3b40415a5b5e5f60617a7b7e7f8081bfff";

    error Disagreement(bytes artifact, bool passes, uint8 defect);

    mapping(uint256 defect => uint256) private _found;

    /// @dev External, so that the artifact is calldata.
    function judge(bytes calldata artifact, bytes32 schema) external pure returns (bool passes, uint8 defect) {
        passes = Screening.passes(artifact, 1, schema, BUDGET);
        (defect,) = Diagnosis.firstDefect(artifact, 1, schema, BUDGET);
    }

    // ---------------------------------------------------------------------------------------- every byte of a field

    function test_agreeOnEveryByteOfTheHeader() public {
        bytes memory artifact = _one("k", 2, 0, 0, "a");
        _everyByte(artifact, 0, 32, Defect.FORMAT);
        _everyByte(Artifacts.encode("", _rows("k", 2, 0, 0, "a")), 32, 64, Defect.LABEL);
        _everyByte(Artifacts.encode(_filled("l", 31), _rows("k", 2, 0, 0, "a")), 32, 64, Defect.LABEL);
    }

    function test_agreeOnEveryByteOfAKey() public {
        _everyByte(_one("k", 2, 0, 0, "a"), 64, 96, Defect.KEY_PATTERN);
        _everyByte(_one(_filled("k", 31), 2, 0, 0, "a"), 64, 96, Defect.KEY_PATTERN);
    }

    function test_agreeOnEveryKindFlagAndWeightByte() public {
        for (uint8 class = 1; class <= 8; ++class) {
            _everyByte(_one("k", class, 0, 0, _argument(class)), 96, 100, Defect.WEIGHT);
        }
    }

    /// @dev All of them beside a token, those near the bounds beside the others.
    function test_agreeOnEveryWeight() public {
        _weights(2, 0, 65_536);
        for (uint8 class = 1; class <= 8; ++class) {
            _weights(class, 0, 300);
            _weights(class, 9_900, 10_300);
            _weights(class, 32_700, 32_800);
            _weights(class, 55_500, 55_600);
            _weights(class, 65_300, 65_536);
        }
    }

    function _weights(uint8 class, uint256 from, uint256 to) private {
        bytes memory artifact = _one("k", class, 0, 0, _argument(class));
        for (uint256 weight = from; weight < to; ++weight) {
            (artifact[98], artifact[99]) = (bytes1(uint8(weight >> 8)), bytes1(uint8(weight)));
            bool good = _agree(artifact) == Defect.NONE;
            assertEq(good, weight <= 10_000 || weight >= 65_536 - 10_000, "weight");
        }
    }

    function test_agreeOnEveryByteOfAnArgument() public {
        for (uint8 class = 1; class <= 8; ++class) {
            _everyByte(_one("k", class, 0, 0, _argument(class)), 100, 128, Defect.ARGUMENT);
        }
        // Full to the last byte: text, text without a colon, and a header's value.
        for (uint8 class = 2; class <= 4; ++class) {
            _everyByte(_one("k", class, 0, 0, bytes28(_filled("a", 28))), 100, 128, Defect.ARGUMENT);
        }
        _everyByte(_one("k", 4, 2, 0, "connection:close"), 100, 128, Defect.ARGUMENT);
        _everyByte(_one("k", 4, 3, 0, "a:b"), 100, 128, Defect.ARGUMENT);
        _everyByte(_one("k", 4, 3, 0, "accept-encoding:br, zstd-abc"), 100, 128, Defect.ARGUMENT);
        _everyByte(_one("k", 4, 3, 0, ""), 100, 128, Defect.ARGUMENT);
    }

    /// @dev No argument at all, beside each sign of a weight and its bounds: nothing may carry over what is missing.
    function test_agreeOnEmptyArguments() public {
        int16[5] memory weights = [int16(-10_000), -1, 0, 1, 10_000];
        for (uint8 class = 1; class <= 8; ++class) {
            // 0.0.0.0/0 and ::/0 are networks.
            bool good = class == 1 || class == 5 || class == 6;
            for (uint8 flags = 0; flags < (class == 4 ? 4 : 1); ++flags) {
                for (uint256 i = 0; i < weights.length; ++i) {
                    assertEq(_agree(_one("k", class, flags, weights[i], 0)) == Defect.NONE, good, "no argument");
                }
            }
        }
    }

    /// @dev Every byte of a schema, wherever in it: two rows of the kind pass the budget or exceed it.
    function test_agreeOnEveryClassAndCostOfEachKind() public {
        for (uint256 kind = 0; kind < 32; ++kind) {
            for (uint256 entry = 0; entry < 256; ++entry) {
                bytes32 schema = bytes32(entry << (248 - 8 * kind));
                uint8 class = uint8(entry >> 4);
                Row[] memory rows = Artifacts.uniform(2, uint8(kind), 0, _argument(class));
                (bool known, bool cheap) = (class > 0 && class <= 8, 2 * (entry & 15) <= BUDGET);
                uint8 expected = !known ? Defect.KIND : cheap ? Defect.NONE : Defect.COST;
                assertEq(_agree(Artifacts.encode(rows), schema), expected, "class and cost");
            }
        }
    }

    /// @dev An argument of ones, above which nothing is added, beside the bounds of the weight and what is beyond them.
    function test_agreeOnWeightsBesideOnes() public {
        int16[4] memory weights = [int16(-10_001), -10_000, 10_000, 10_001];
        for (uint256 i = 0; i < weights.length; ++i) {
            bool good = weights[i] >= -10_000 && weights[i] <= 10_000;
            assertEq(_agree(_one("k", 8, 0, weights[i], bytes28(type(uint224).max))) == Defect.NONE, good, "weight");
        }
    }

    /// @dev Numbers and fingerprints of a single bit.
    function test_agreeOnEveryBitOfANumber() public {
        for (uint256 bit = 0; bit < 224; ++bit) {
            bytes28 argument = bytes28(uint224(1) << uint224(bit));
            assertEq(_agree(_one("k", 7, 0, 0, argument)) == Defect.NONE, bit >= 160, "number");
            assertEq(_agree(_one("k", 8, 0, 0, argument)), Defect.NONE, "fingerprint");
        }
    }

    /// @dev Every prefix length against every single address bit.
    function test_agreeOnEveryNetwork() public {
        bytes memory v4 = _one("k", 5, 0, 0, 0);
        bytes memory v6 = _one("k", 6, 0, 0, 0);
        for (uint256 prefix = 0; prefix < 256; ++prefix) {
            (v4[104], v6[116]) = (bytes1(uint8(prefix)), bytes1(uint8(prefix)));
            for (uint256 bit = 0; bit < 128; ++bit) {
                uint256 place = 100 + bit / 8;
                bytes1 mask = bytes1(uint8(128 >> (bit % 8)));
                if (bit < 32) {
                    v4[place] = mask;
                    assertEq(_agree(v4) == Defect.NONE, prefix <= 32 && bit < prefix, "IPv4 network");
                    v4[place] = 0;
                }
                v6[place] = mask;
                assertEq(_agree(v6) == Defect.NONE, prefix <= 128 && bit < prefix, "IPv6 network");
                v6[place] = 0;
            }
        }
    }

    function test_agreeOnCost() public {
        for (uint256 rows = 1; rows <= 12; ++rows) {
            bool good = _agree(Artifacts.encode(Artifacts.uniform(rows, 8, 0, "x"))) == Defect.NONE;
            assertEq(good, rows * 8 <= BUDGET, "cost");
        }
    }

    // ----------------------------------------------------------------------------------------------------------- bred

    /// @dev Up to six rows of all classes, each argument made of valid pieces and an odd character now and then.
    function testFuzz_agreeOnBredRows(uint256 seed) public {
        for (uint256 round = 0; round < 8; ++round) {
            Row[] memory rows = new Row[](1 + _next(seed, round) % 6);
            for (uint256 i = 0; i < rows.length; ++i) {
                rows[i] = _bred(_next(seed, 100 * round + i), i);
            }
            _agree(Artifacts.encode(rows));
        }
    }

    /// @dev A good artifact of three rows with up to four bytes changed, cut or extended at times.
    function testFuzz_agreeOnChangedBytes(uint256 seed) public {
        Row[] memory rows = new Row[](3);
        for (uint256 i = 0; i < 3; ++i) {
            uint8 class = uint8(1 + _next(seed, i) % 8);
            rows[i] = Row(Artifacts.key(i), class, 0, int16(uint16(_next(seed, i) >> 8) % 10_001), _argument(class));
        }
        bytes memory artifact = Artifacts.encode(rows);
        assertEq(_agree(artifact), Defect.NONE, "what is changed was good");
        for (uint256 change = 0; change < 4; ++change) {
            uint256 random = _next(seed, 1000 + change);
            artifact[random % artifact.length] = random >> 250 == 0 ? bytes1(uint8(random >> 100)) : _edge(random >> 64);
            _agree(artifact);
        }
        if (seed % 4 == 0) _agree(bytes.concat(artifact, bytes1(uint8(seed >> 8))));
        if (seed % 4 == 1) _agree(_cut(artifact, seed % artifact.length));
    }

    function testFuzz_agreeOnAnyBytes(bytes calldata artifact) public {
        _agree(artifact);
    }

    /// @dev The breeding is worth something only if it meets both verdicts and all defects of rows.
    function test_breedingMeetsEveryDefectOfARow() public {
        for (uint256 seed = 0; seed < 400; ++seed) {
            testFuzz_agreeOnBredRows(uint256(keccak256(abi.encode(seed))));
        }
        assertTrue(_found[Defect.NONE] > 100, "good ones");
        for (uint256 defect = Defect.KEY_PATTERN; defect <= Defect.COST; ++defect) {
            assertTrue(_found[defect] > 3, "each defect of a row");
        }
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    function _agree(bytes memory artifact) private returns (uint8 defect) {
        return _agree(artifact, SCHEMA);
    }

    /// @dev Gives the memory of the call back: these tests make millions.
    function _agree(bytes memory artifact, bytes32 schema) private returns (uint8 defect) {
        bool passes;
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        (passes, defect) = this.judge(artifact, schema);
        if (passes != (defect == Defect.NONE)) revert Disagreement(artifact, passes, defect);
        ++_found[defect];
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    /// @param mustMeet A defect that some byte among these must bring about.
    function _everyByte(bytes memory artifact, uint256 from, uint256 to, uint8 mustMeet) private {
        uint256 before = _found[mustMeet];
        for (uint256 i = from; i < to; ++i) {
            bytes1 original = artifact[i];
            for (uint256 value = 0; value < 256; ++value) {
                artifact[i] = bytes1(uint8(value));
                _agree(artifact);
            }
            artifact[i] = original;
        }
        assertTrue(_found[mustMeet] > before, "a field whose bytes matter");
    }

    function _one(bytes32 key, uint8 kind, uint8 flags, int16 weight, bytes28 argument)
        private
        pure
        returns (bytes memory)
    {
        return Artifacts.encode(_rows(key, kind, flags, weight, argument));
    }

    function _rows(bytes32 key, uint8 kind, uint8 flags, int16 weight, bytes28 argument)
        private
        pure
        returns (Row[] memory rows)
    {
        rows = new Row[](1);
        rows[0] = Row(key, kind, flags, weight, argument);
    }

    /// @dev A good argument of a class, with flags 0.
    function _argument(uint8 class) private pure returns (bytes28) {
        if (class == 2) return "curl/";
        if (class == 3) return "/wp-Login";
        if (class == 4) return "accept-language";
        if (class == 5) return hex"0a00000008";
        if (class == 6) return hex"20010db800000000000000000000000020";
        if (class == 7) return bytes28(uint224(20) << 160);
        if (class == 8) return hex"ff";
        return 0;
    }

    function _bred(uint256 random, uint256 i) private pure returns (Row memory row) {
        row.kind = uint8(random % 12 == 11 ? 31 : random % 11);
        row.flags = row.kind == 4 ? uint8((random >> 8) % 5) : (random >> 8) % 32 == 0 ? 1 : 0;
        row.weight = int16(int256((random >> 16) % 20_100) - 10_050);
        row.key =
            i > 0 && (random >> 40) % 24 == 0 ? Artifacts.key(i - 1) : Artifacts.key((random >> 44) % 24 == 0 ? 0 : i);
        if ((random >> 48) % 16 == 0) row.key = _poked(row.key, random >> 52);
        row.argument = row.kind == 31 ? bytes28("a") : _argument(row.kind);
        if (row.kind == 4 && row.flags > 1) {
            row.argument = (random >> 64) % 2 == 0 ? bytes28("te:x") : bytes28("a-b:c:d e");
        }
        if ((random >> 68) % 2 == 0) row.argument = bytes28(_poked(row.argument, random >> 72));
        if ((random >> 120) % 8 == 0) row.argument = bytes28(_poked(row.argument, random >> 124));
    }

    /// @dev One byte changed into one of the edges, more often near the front.
    function _poked(bytes32 word, uint256 random) private pure returns (bytes32) {
        uint256 position = random % 2 == 0 ? (random >> 1) % 32 : (random >> 1) % 8;
        uint256 shift = 248 - 8 * position;
        return (word & ~bytes32(uint256(0xff) << shift)) | (bytes32(uint256(uint8(_edge(random >> 8)))) << shift);
    }

    function _edge(uint256 random) private pure returns (bytes1) {
        return EDGES[random % EDGES.length];
    }

    function _filled(bytes1 character, uint256 length) private pure returns (bytes32 word) {
        for (uint256 i = 0; i < length; ++i) {
            word |= bytes32(character) >> (8 * i);
        }
    }

    function _cut(bytes memory artifact, uint256 length) private pure returns (bytes memory shorter) {
        shorter = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            shorter[i] = artifact[i];
        }
    }

    function _next(uint256 seed, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, i)));
    }
}
