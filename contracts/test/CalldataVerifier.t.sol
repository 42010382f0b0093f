// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {IArtifactVerifier, Statement} from "../src/interfaces/IArtifactVerifier.sol";
import {Defect} from "../src/libraries/Defect.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Artifacts, Row} from "./kit/Artifacts.sol";
import {Test} from "./kit/Test.sol";

/// @notice Each refusal by its name. What the fields may hold in detail is in `Vectors.t.sol` and `Screening.t.sol`.
contract CalldataVerifierTest is Test {
    CalldataVerifier private _verifier = new CalldataVerifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);
    bytes private _good = Artifacts.sample(3, 1);

    function test_statesWhatItChecked() public view {
        Statement memory statement = _verifier.verify(_good, "");
        assertEq(statement.digest, keccak256(_good), "digest");
        assertEq(statement.commitment, bytes32(0), "commitment");
        assertEq(statement.engine, 1, "engine");
        assertEq(statement.size, 64 + 3 * 64, "size");
        assertEq(statement.rows, 3, "rows");
        (uint8 defect,) = _verifier.diagnose(_good);
        assertEq(defect, Defect.NONE, "defect");
    }

    function test_remembersItsParameters() public view {
        assertEq(_verifier.engine(), 1, "engine");
        assertEq(_verifier.schema(), Schemas.ENGINE_1, "schema");
        assertEq(_verifier.budget(), Schemas.ENGINE_1_BUDGET, "budget");
    }

    function test_schemaWordSaysWhatTheFormatSays() public pure {
        // Kinds 1 to 30, eight a line: class and cost, from the definition of engine 1.
        bytes memory expected =
            bytes.concat(hex"0024114431333452", hex"6278717171111112", hex"7171711224121172", hex"7312787878343400");
        for (uint256 kind = 0; kind < 32; ++kind) {
            assertEq(uint8(Schemas.ENGINE_1[kind]), uint8(expected[kind]), "kind");
        }
    }

    function test_acceptsTheLargest() public view {
        Statement memory statement = _verifier.verify(Artifacts.sample(200, 1), "");
        assertEq(statement.size, 12_864, "size");
        assertEq(statement.rows, 200, "rows");
    }

    function test_refusesEvidenceBesideTheBytes() public {
        vm.expectRevert(abi.encodeWithSelector(IArtifactVerifier.UnexpectedEvidence.selector, 1));
        _verifier.verify(_good, hex"00");
        // Even where there are no bytes to check.
        vm.expectRevert(abi.encodeWithSelector(IArtifactVerifier.UnexpectedEvidence.selector, 256));
        _verifier.verify("", _good);
    }

    // -------------------------------------------------------------------------------------------------------- header

    function test_refusesSize() public {
        _refuses("", Defect.SIZE, 0);
        _refuses(Artifacts.encode(new Row[](0)), Defect.SIZE, 0);
        _refuses(bytes.concat(_good, hex"00"), Defect.SIZE, 0);
        _refuses(bytes.concat(_good, bytes32(0)), Defect.SIZE, 0);
        _refuses(Artifacts.sample(201, 1), Defect.SIZE, 0);
    }

    function test_refusesMagic() public {
        _refuses(_changed(_good, 3, "f"), Defect.MAGIC, 0);
    }

    function test_refusesFormat() public {
        _refuses(_changed(_good, 5, 0x02), Defect.FORMAT, 0);
    }

    function test_refusesRowCount() public {
        _refuses(_changed(_good, 7, 0x00), Defect.ROW_COUNT, 0);
        _refuses(_changed(_good, 7, 0xc9), Defect.ROW_COUNT, 0);
    }

    function test_refusesRowCountMismatch() public {
        _refuses(_changed(_good, 7, 0x02), Defect.ROW_COUNT_MISMATCH, 0);
        _refuses(_changed(_good, 7, 0x04), Defect.ROW_COUNT_MISMATCH, 0);
    }

    function test_refusesReservedHeader() public {
        _refuses(_changed(_good, 24, 0x01), Defect.RESERVED_HEADER, 0);
        _refuses(_changed(_good, 31, 0x01), Defect.RESERVED_HEADER, 0);
    }

    function test_refusesEngine() public {
        _refuses(_changed(_good, 15, 0x02), Defect.ENGINE, 0);
        CalldataVerifier next = new CalldataVerifier(2, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);
        assertEq(next.verify(_changed(_good, 15, 0x02), "").engine, 2, "engine 2 in its own verifier");
    }

    function test_refusesLabel() public {
        _refuses(_changed(_good, 32, 0x1f), Defect.LABEL, 0);
        _refuses(_changed(_good, 33, 0x00), Defect.LABEL, 0);
        _refuses(_changed(_good, 63, "a"), Defect.LABEL, 0);
    }

    // ----------------------------------------------------------------------------------------------------------- rows

    function test_refusesKeyPattern() public {
        _refuses(_changed(_good, 64 + 64, "A"), Defect.KEY_PATTERN, 1);
        _refuses(_changed(_good, 64 + 64, "0"), Defect.KEY_PATTERN, 1);
        _refuses(_changed(_good, 64 + 64 + 31, "a"), Defect.KEY_PATTERN, 1);
    }

    function test_refusesKeyDuplicate() public {
        Row[] memory rows = Artifacts.uniform(3, Artifacts.UA_CONTAINS, 0, "a");
        rows[2].key = rows[1].key;
        _refuses(Artifacts.encode(rows), Defect.KEY_DUPLICATE, 2);
    }

    /// @dev The outage that this format exists for: every row twice, far over the bound.
    function test_refusesEveryRowTwice() public {
        Row[] memory rows = new Row[](200);
        for (uint256 i = 0; i < 200; ++i) {
            rows[i] = Row(Artifacts.key(i / 2), Artifacts.UA_CONTAINS, 0, 1, "a");
        }
        _refuses(Artifacts.encode(rows), Defect.KEY_DUPLICATE, 1);
        _refuses(bytes.concat(Artifacts.sample(120, 1), _tail(Artifacts.sample(120, 1))), Defect.SIZE, 0);
    }

    function test_refusesKeyOrder() public {
        Row[] memory rows = Artifacts.uniform(3, Artifacts.UA_CONTAINS, 0, "a");
        (rows[0].key, rows[1].key) = (rows[1].key, rows[0].key);
        _refuses(Artifacts.encode(rows), Defect.KEY_ORDER, 1);
    }

    function test_refusesKind() public {
        _refuses(_row(0, 0, 0, ""), Defect.KIND, 1);
        _refuses(_row(31, 0, 0, ""), Defect.KIND, 1);
        _refuses(_row(32, 0, 0, ""), Defect.KIND, 1);
        _refuses(_row(255, 0, 0, ""), Defect.KIND, 1);
    }

    function test_refusesFlags() public {
        _refuses(_row(Artifacts.UA_CONTAINS, 1, 0, "a"), Defect.FLAGS, 1);
        _refuses(_row(Artifacts.HEADER, 4, 0, "a"), Defect.FLAGS, 1);
    }

    function test_refusesArgument() public {
        _refuses(_row(Artifacts.UA_CONTAINS, 0, 0, ""), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.UA_CONTAINS, 0, 0, "Curl"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.UA_CONTAINS, 0, 0, hex"610061"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.UA_EMPTY, 0, 0, "a"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.METHOD, 0, 0, "GET IT"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.HEADER, 0, 0, "accept:"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.HEADER, 2, 0, "accept"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.HEADER, 2, 0, "accept:"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.HEADER, 2, 0, ":b"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.HEADER, 3, 0, "a b:c"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.CLIENT_CIDR_V4, 0, 0, hex"0a00000021"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.CLIENT_CIDR_V4, 0, 0, hex"0a00000108"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.CLIENT_CIDR_V4, 0, 0, hex"0a0000000801"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.CLIENT_CIDR_V6, 0, 0, hex"fe80000000000000000000000000000181"), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.REQUEST_RATE, 0, 0, ""), Defect.ARGUMENT, 1);
        _refuses(_row(Artifacts.REQUEST_RATE, 0, 0, hex"000000000000000101"), Defect.ARGUMENT, 1);
    }

    function test_refusesWeight() public {
        _refuses(_row(Artifacts.UA_CONTAINS, 0, 10_001, "a"), Defect.WEIGHT, 1);
        _refuses(_row(Artifacts.UA_EMPTY, 0, -10_001, ""), Defect.WEIGHT, 1);
        _verifier.verify(_row(Artifacts.UA_CONTAINS, 0, 10_000, "a"), "");
        _verifier.verify(_row(Artifacts.UA_EMPTY, 0, -10_000, ""), "");
    }

    function test_refusesCost() public {
        // 125 request rates at cost 8 are just the budget.
        _verifier.verify(Artifacts.encode(Artifacts.uniform(125, Artifacts.REQUEST_RATE, 0, hex"0000000000000014")), "");
        _refuses(
            Artifacts.encode(Artifacts.uniform(126, Artifacts.REQUEST_RATE, 0, hex"0000000000000014")), Defect.COST, 0
        );
    }

    // ---------------------------------------------------------------------------------------------------------- order

    /// @dev With everything wrong at once, each repair uncovers the next defect of the documented order.
    function test_namesTheFirstDefect() public {
        Row[] memory rows = new Row[](126);
        for (uint256 i = 0; i < 126; ++i) {
            rows[i] = Row(Artifacts.key(i), Artifacts.REQUEST_RATE, 0, 0, hex"0000000000000014");
        }
        rows[1] = Row("!", 99, 9, 20_000, hex"000000000000001401");
        bytes memory artifact = Artifacts.encode(hex"01", rows);
        artifact[0] = "X";
        artifact[5] = 0x09;
        artifact[7] = 0xff;
        artifact[15] = 0x09;
        artifact[24] = 0xff;
        bytes memory longer = bytes.concat(artifact, hex"00");

        _refuses(longer, Defect.SIZE, 0);
        _refuses(artifact, Defect.MAGIC, 0);
        artifact[0] = "G";
        _refuses(artifact, Defect.FORMAT, 0);
        artifact[5] = 0x01;
        _refuses(artifact, Defect.ROW_COUNT, 0);
        artifact[7] = 0x7d;
        _refuses(artifact, Defect.ROW_COUNT_MISMATCH, 0);
        artifact[7] = 0x7e;
        _refuses(artifact, Defect.RESERVED_HEADER, 0);
        artifact[24] = 0x00;
        _refuses(artifact, Defect.ENGINE, 0);
        artifact[15] = 0x01;
        _refuses(artifact, Defect.LABEL, 0);

        rows[1].key = "!";
        _refuses(Artifacts.encode(rows), Defect.KEY_PATTERN, 1);
        rows[1].key = rows[0].key;
        _refuses(Artifacts.encode(rows), Defect.KEY_DUPLICATE, 1);
        rows[1].key = "a";
        _refuses(Artifacts.encode(rows), Defect.KEY_ORDER, 1);
        rows[1].key = Artifacts.key(1);
        _refuses(Artifacts.encode(rows), Defect.KIND, 1);
        rows[1].kind = Artifacts.REQUEST_RATE;
        _refuses(Artifacts.encode(rows), Defect.FLAGS, 1);
        rows[1].flags = 0;
        _refuses(Artifacts.encode(rows), Defect.ARGUMENT, 1);
        rows[1].argument = rows[0].argument;
        _refuses(Artifacts.encode(rows), Defect.WEIGHT, 1);
        rows[1].weight = 0;
        _refuses(Artifacts.encode(rows), Defect.COST, 0);
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    function _refuses(bytes memory artifact, uint8 defect, uint256 row) private {
        vm.expectRevert(abi.encodeWithSelector(IArtifactVerifier.Refused.selector, defect, row));
        _verifier.verify(artifact, "");
        (uint8 diagnosed, uint256 place) = _verifier.diagnose(artifact);
        assertEq(diagnosed, defect, "diagnosed defect");
        assertEq(place, row, "diagnosed row");
    }

    /// @dev A good row and the one to judge.
    function _row(uint8 kind, uint8 flags, int16 weight, bytes28 argument) private pure returns (bytes memory) {
        Row[] memory rows = Artifacts.uniform(2, Artifacts.UA_CONTAINS, 0, "a");
        rows[1] = Row(rows[1].key, kind, flags, weight, argument);
        return Artifacts.encode(rows);
    }

    function _changed(bytes memory artifact, uint256 position, bytes1 value)
        private
        pure
        returns (bytes memory changed)
    {
        changed = bytes.concat(artifact);
        changed[position] = value;
    }

    /// @dev The rows without the header.
    function _tail(bytes memory artifact) private pure returns (bytes memory rows) {
        rows = new bytes(artifact.length - 64);
        for (uint256 i = 0; i < rows.length; ++i) {
            rows[i] = artifact[64 + i];
        }
    }
}
