// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {IArtifactVerifier, Statement} from "../src/interfaces/IArtifactVerifier.sol";
import {Defect} from "../src/libraries/Defect.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Test} from "./kit/Test.sol";

/// @notice The corpus that the Rust checker writes (`artifact/vectors/v1.json`): the contract must judge every case as
/// it does, down to the code and the row of the first defect.
contract VectorsTest is Test {
    struct Case {
        string name;
        bytes32 schema;
        uint32 budget;
        bytes artifact;
        uint8 defect;
        uint256 row;
        bytes32 digest;
        uint256 rows;
    }

    /// @dev The same fields as the file names them.
    string private constant CASE =
        "Vector(string name,bytes32 schema,uint32 budget,bytes bytes,uint8 defect,uint256 row,bytes32 digest,uint256 rows)";

    mapping(bytes32 parameters => CalldataVerifier) private _verifiers;
    uint32 private _engine;

    function test_judgesEveryVectorAsRustDoes() public {
        string memory json = vm.readFile("../artifact/vectors/v1.json");
        _engine = uint32(vm.parseJsonUint(json, ".engine"));
        Case[] memory cases = abi.decode(vm.parseJsonTypeArray(json, ".cases", CASE), (Case[]));

        uint256 refused = 0;
        uint256 seen = 0;
        for (uint256 i = 0; i < cases.length; ++i) {
            if (cases[i].defect == Defect.NONE) {
                _assertAccepts(cases[i]);
            } else {
                _assertRefuses(cases[i]);
                ++refused;
            }
            seen |= 2 ** cases[i].defect;
        }
        assertTrue(cases.length >= 200 && refused >= 100, "a corpus worth the name");
        assertEq(seen, 2 ** (uint256(Defect.COST) + 1) - 1, "accepted artifacts and each of the 16 defects");
    }

    function _assertAccepts(Case memory c) private {
        CalldataVerifier verifier = _verifier(c);
        try verifier.verify(c.artifact, "") returns (Statement memory statement) {
            assertEq(statement.digest, c.digest, c.name);
            assertEq(statement.commitment, bytes32(0), c.name);
            assertEq(statement.engine, _engine, c.name);
            assertEq(statement.rows, c.rows, c.name);
            assertEq(statement.size, c.artifact.length, c.name);
        } catch (bytes memory reason) {
            revert(string.concat(c.name, ": refused, ", vm.toString(reason)));
        }
        (uint8 defect, uint256 row) = verifier.diagnose(c.artifact);
        assertEq(defect, Defect.NONE, c.name);
        assertEq(row, 0, c.name);
    }

    function _assertRefuses(Case memory c) private {
        try _verifier(c).verify(c.artifact, "") {
            revert(string.concat(c.name, ": accepted"));
        } catch (bytes memory reason) {
            bytes memory expected = abi.encodeWithSelector(IArtifactVerifier.Refused.selector, c.defect, c.row);
            assertEq(vm.toString(reason), vm.toString(expected), c.name);
        }
    }

    function _verifier(Case memory c) private returns (CalldataVerifier verifier) {
        bytes32 parameters = keccak256(abi.encode(c.schema, c.budget));
        verifier = _verifiers[parameters];
        if (address(verifier) == address(0)) {
            verifier = new CalldataVerifier(_engine, c.schema, c.budget);
            _verifiers[parameters] = verifier;
        }
    }
}
