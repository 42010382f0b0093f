// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {Statement} from "../src/interfaces/IArtifactVerifier.sol";
import {ArtifactId, IConfigRegistry, LocationKind, Record} from "../src/interfaces/IConfigRegistry.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {Groth16Verifier} from "../src/verifiers/Groth16Verifier.sol";
import {VerifyingKey} from "../src/verifiers/VerifyingKey.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {Governed} from "./kit/Governed.sol";
import {Groth16} from "./kit/Groth16.sol";
import {Groth16Proofs} from "./kit/Groth16Proofs.sol";

/// @notice The circuit's verifier, on proofs by the native prover under the development key.
contract Groth16VerifierTest is Governed {
    // Where the evidence has what.
    uint256 private constant COMMITMENT = 32;
    uint256 private constant ROWS = 64;
    uint256 private constant A = 65;
    uint256 private constant B = 129;
    uint256 private constant C = 257;

    /// @dev Precompiles take all gas that they are given when they are given no points.
    uint256 private constant ENOUGH = 500_000;

    Groth16Verifier private _groth16 = new Groth16Verifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);

    function test_takesProofsOfWhatIsValid() public view {
        _takes(Groth16Proofs.ROWS_1, 1);
        _takes(Groth16Proofs.ROWS_60, 60);
        _takes(Groth16Proofs.ROWS_200, 200);
    }

    function test_saysWhichEngineItServes() public {
        Groth16Verifier verifier = new Groth16Verifier(7, Schemas.ENGINE_1, 9);
        assertEq(verifier.engine(), 7, "engine");
        assertEq(verifier.schema(), Schemas.ENGINE_1, "schema");
        assertEq(verifier.budget(), 9, "budget");
    }

    function test_saysWhichKeyItTakes() public view {
        assertEq(_groth16.KEY_HASH(), keccak256(_encodedKey()), "key hash");
        assertEq(_groth16.CIRCUIT_VERSION(), VerifyingKey.CIRCUIT_VERSION, "circuit version");
        assertEq(VerifyingKey.PUBLIC_INPUTS, 6, "public inputs");
    }

    // ------------------------------------------------------------------------------------------- what no key excuses

    function test_theDevelopmentKeyIsForLocalChainsOnly() public {
        assertTrue(VerifyingKey.DEVELOPMENT, "the key in the repository is the development key");
        uint256[4] memory real = [uint256(1), 11155111, 560048, 0];
        for (uint256 i = 0; i < real.length; ++i) {
            vm.chainId(real[i]);
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.DevelopmentKey.selector, real[i]));
            new Groth16Verifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);
        }
        vm.chainId(1337);
        new Groth16Verifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);
    }

    function testFuzz_noSchemaWithFingerprints(uint256 kind) public {
        kind = bound(kind, 0, 31);
        bytes32 schema = bytes32(uint256(Schemas.ENGINE_1) & ~(uint256(0xff) << (8 * (31 - kind))));
        schema |= bytes32(uint256(0x81) << (8 * (31 - kind)));
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.FingerprintKind.selector, kind));
        new Groth16Verifier(1, schema, Schemas.ENGINE_1_BUDGET);
    }

    /// @dev A class that does not exist is one that no artifact has.
    function testFuzz_classesThatDoNotExistAreNoFingerprints(uint8 class) public {
        class = uint8(bound(class, 9, 15));
        bytes32 schema = bytes32(uint256(class) << 252);
        assertEq(new Groth16Verifier(1, schema, 1).schema(), schema, "schema");
    }

    // --------------------------------------------------------------------------------- what the proof does not prove

    function test_noByteCanBeChanged() public view {
        bytes memory evidence = Groth16Proofs.ROWS_60;
        for (uint256 i = 0; i < evidence.length; ++i) {
            // The digest's last 16 bits are the stager's word alone; see below.
            if (i == 30 || i == 31) continue;
            evidence[i] ^= 0x01;
            (bool accepted,) =
                address(_groth16).staticcall{gas: ENOUGH}(abi.encodeCall(_groth16.verify, ("", evidence)));
            assertTrue(!accepted, "a changed byte");
            evidence[i] ^= 0x01;
        }
        _groth16.verify("", evidence);
    }

    function test_ofTheDigestTheFirst240BitsAreBound() public {
        bytes memory evidence = Groth16Proofs.ROWS_60;
        evidence[31] ^= 0x01;
        Statement memory statement = _groth16.verify("", evidence);
        assertEq(statement.digest, keccak256(Artifacts.sample(60, 60)) ^ bytes32(uint256(1)), "digest");
        // With bytes the registry compares all of it; without them no bytes are of this digest, and no edge takes any.
        addVerifier(address(_groth16));
        vm.prank(PUBLISHER);
        vm.expectPartialRevert(IConfigRegistry.BytesUnavailable.selector);
        registry.stage(address(_groth16), Artifacts.sample(60, 60), evidence);
    }

    function test_noProofForAnotherArtifact() public {
        // Its whole statement, or a part of it.
        _refuses(bytes.concat(_slice(Groth16Proofs.ROWS_1, 0, A), _slice(Groth16Proofs.ROWS_60, A, 321)));
        _refuses(
            bytes.concat(_slice(Groth16Proofs.ROWS_1, 0, COMMITMENT), _slice(Groth16Proofs.ROWS_60, COMMITMENT, 321))
        );
        bytes memory evidence = _with(Groth16Proofs.ROWS_60, COMMITMENT, _word(Groth16Proofs.ROWS_1, COMMITMENT));
        _refuses(evidence);
        evidence = Groth16Proofs.ROWS_60;
        evidence[ROWS] = bytes1(uint8(61));
        _refuses(evidence);
        // One point of another proof.
        _refuses(bytes.concat(_slice(Groth16Proofs.ROWS_60, 0, C), _slice(Groth16Proofs.ROWS_1, C, 321)));
    }

    function test_noProofForAnotherEngine() public {
        _refusedBy(new Groth16Verifier(2, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET));
        _refusedBy(new Groth16Verifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET - 1));
        _refusedBy(new Groth16Verifier(1, Schemas.ENGINE_1 ^ bytes32(uint256(1)), Schemas.ENGINE_1_BUDGET));
        _refusedBy(new Groth16Verifier(1, Schemas.ENGINE_1 ^ bytes32(uint256(1) << 128), Schemas.ENGINE_1_BUDGET));
    }

    function test_pointsMustBePoints() public {
        bytes memory evidence = Groth16Proofs.ROWS_60;
        for (uint256 i = A; i < 321; i += 32) {
            // A second encoding of the same coordinate, the field's order itself, and what is on no curve.
            uint256 coordinate = uint256(_word(evidence, i));
            _refuses(_with(evidence, i, bytes32(coordinate + Groth16.BASE_FIELD)));
            _refuses(_with(evidence, i, bytes32(Groth16.BASE_FIELD)));
            _refuses(_with(evidence, i, bytes32(uint256(1))));
            _refuses(_with(evidence, i, bytes32(type(uint256).max)));
        }
        // Infinity, in both encodings that one could think of.
        _refuses(bytes.concat(_slice(evidence, 0, A), new bytes(64), _slice(evidence, B, 321)));
        _refuses(
            bytes.concat(_slice(evidence, 0, A), new bytes(32), bytes32(Groth16.BASE_FIELD), _slice(evidence, B, 321))
        );
        _refuses(bytes.concat(_slice(evidence, 0, B), new bytes(128), _slice(evidence, C, 321)));
        _refuses(bytes.concat(_slice(evidence, 0, C), new bytes(64)));
        _refuses(bytes.concat(_slice(evidence, 0, A), new bytes(256)));
    }

    /// @dev Whatever is left undone for want of gas, nothing is accepted for it; and with enough, the good proof is.
    function test_wantOfGasAcceptsNothing() public view {
        bytes memory good = abi.encodeCall(_groth16.verify, ("", Groth16Proofs.ROWS_60));
        bytes memory bad = abi.encodeCall(_groth16.verify, ("", _with(Groth16Proofs.ROWS_60, 0, 0)));
        uint256 accepted;
        for (uint256 supply = 1000; supply < 250_000; supply += supply < 40_000 ? 97 : 997) {
            (bool ok,) = address(_groth16).staticcall{gas: supply}(bad);
            assertTrue(!ok, "a bad proof");
            (ok,) = address(_groth16).staticcall{gas: supply}(good);
            if (ok) ++accepted;
            else assertEq(accepted, 0, "more gas refuses nothing");
        }
        assertTrue(accepted > 0, "enough gas");
    }

    function test_theCommitmentMustBeInTheField() public {
        bytes memory evidence = Groth16Proofs.ROWS_60;
        bytes32 congruent = bytes32(uint256(_word(evidence, COMMITMENT)) + Groth16.SCALAR_FIELD);
        _reverts(
            "",
            _with(evidence, COMMITMENT, congruent),
            abi.encodeWithSelector(Groth16Verifier.CommitmentNotInField.selector, congruent)
        );
        _reverts(
            "",
            _with(evidence, COMMITMENT, bytes32(Groth16.SCALAR_FIELD)),
            abi.encodeWithSelector(Groth16Verifier.CommitmentNotInField.selector, Groth16.SCALAR_FIELD)
        );
        // The largest that is, of which the proof is not.
        _refuses(_with(evidence, COMMITMENT, bytes32(Groth16.SCALAR_FIELD - 1)));
    }

    function test_sizesMustFit() public {
        uint256[4] memory sizes = [uint256(0), 320, 322, 640];
        for (uint256 i = 0; i < sizes.length; ++i) {
            _reverts(
                "", new bytes(sizes[i]), abi.encodeWithSelector(Groth16Verifier.EvidenceSize.selector, 321, sizes[i])
            );
        }
        bytes memory evidence = Groth16Proofs.ROWS_60;
        uint8[3] memory counts = [0, 201, 255];
        for (uint256 i = 0; i < counts.length; ++i) {
            evidence[ROWS] = bytes1(counts[i]);
            _reverts("", evidence, abi.encodeWithSelector(Groth16Verifier.RowCount.selector, counts[i]));
        }
        for (uint256 rows = 59; rows <= 61; rows += 2) {
            _reverts(
                Artifacts.sample(rows, 60),
                Groth16Proofs.ROWS_60,
                abi.encodeWithSelector(Groth16Verifier.ArtifactSize.selector, 3904, 64 + 64 * rows)
            );
        }
    }

    function test_aProofThatWasRandomisedAnewStagesNothingTwice() public {
        // (-A, -B) is as good as (A, B).
        bytes memory evidence = Groth16Proofs.ROWS_60;
        uint256[3] memory ordinates = [A + 32, B + 64, B + 96];
        for (uint256 i = 0; i < ordinates.length; ++i) {
            evidence =
                _with(evidence, ordinates[i], bytes32(Groth16.BASE_FIELD - uint256(_word(evidence, ordinates[i]))));
        }
        Statement memory statement = _groth16.verify("", evidence);
        assertEq(statement.digest, keccak256(Artifacts.sample(60, 60)), "digest");

        addVerifier(address(_groth16));
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stage(address(_groth16), Artifacts.sample(60, 60), Groth16Proofs.ROWS_60);
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.AlreadyStaged.selector, id));
        registry.stage(address(_groth16), Artifacts.sample(60, 60), evidence);
    }

    // ------------------------------------------------------------------------------------------------ at the registry

    function test_stagesWithTheBytes() public {
        addVerifier(address(_groth16));
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stage(address(_groth16), Artifacts.sample(60, 60), Groth16Proofs.ROWS_60);
        Record memory record = registry.record(id);
        assertEq(record.digest, keccak256(Artifacts.sample(60, 60)), "digest");
        assertEq(record.commitment, _word(Groth16Proofs.ROWS_60, COMMITMENT), "commitment");
        assertEq(record.verifier, address(_groth16), "verifier");
        assertEq(uint8(record.locationKind), uint8(LocationKind.Log), "location");
        promote(id, ALL);
        assertEq(registry.effective(), id, "effective");
    }

    function test_stagesABlob() public {
        addVerifier(address(_groth16));
        bytes32 versionedHash = bytes32(uint256(1) << 248 | 7);
        carryBlob(versionedHash);
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stageBlob(address(_groth16), Groth16Proofs.ROWS_200, 0, versionedHash);
        Record memory record = registry.record(id);
        assertEq(record.location, uint256(versionedHash), "location");
        assertEq(record.rows, 200, "rows");
        assertEq(record.size, 12_864, "size");
    }

    function test_stagesNoOtherBytes() public {
        addVerifier(address(_groth16));
        bytes memory other = Artifacts.sample(60, 61);
        vm.prank(PUBLISHER);
        vm.expectRevert(
            abi.encodeWithSelector(
                IConfigRegistry.BytesUnavailable.selector, keccak256(Artifacts.sample(60, 60)), keccak256(other)
            )
        );
        registry.stage(address(_groth16), other, Groth16Proofs.ROWS_60);
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    function _takes(bytes memory evidence, uint256 rows) private view {
        bytes memory artifact = Artifacts.sample(rows, rows);
        for (uint256 i = 0; i < 2; ++i) {
            Statement memory statement = _groth16.verify(i == 0 ? bytes("") : artifact, evidence);
            assertEq(statement.digest, keccak256(artifact), "digest");
            assertEq(statement.commitment, _word(evidence, COMMITMENT), "commitment");
            assertEq(statement.engine, 1, "engine");
            assertEq(statement.size, artifact.length, "size");
            assertEq(statement.rows, rows, "rows");
        }
    }

    function _refuses(bytes memory evidence) private {
        _reverts("", evidence, abi.encodeWithSelector(Groth16Verifier.ProofRefused.selector));
    }

    function _refusedBy(Groth16Verifier other) private {
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofRefused.selector));
        other.verify("", Groth16Proofs.ROWS_60);
    }

    function _reverts(bytes memory artifact, bytes memory evidence, bytes memory reason) private {
        vm.expectRevert(reason);
        _groth16.verify{gas: ENOUGH}(artifact, evidence);
    }

    function _slice(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = data[from + i];
        }
    }

    function _word(bytes memory data, uint256 offset) private pure returns (bytes32) {
        return bytes32(_slice(data, offset, offset + 32));
    }

    function _with(bytes memory data, uint256 offset, bytes32 word) private pure returns (bytes memory) {
        return bytes.concat(_slice(data, 0, offset), word, _slice(data, offset + 32, data.length));
    }

    /// @dev As `KEY_HASH` is defined: α, β, γ, δ and IC, one after the other.
    function _encodedKey() private pure returns (bytes memory key) {
        key = abi.encode(VerifyingKey.ALPHA_X, VerifyingKey.ALPHA_Y);
        key = bytes.concat(
            key, abi.encode(VerifyingKey.BETA_X1, VerifyingKey.BETA_X0, VerifyingKey.BETA_Y1, VerifyingKey.BETA_Y0)
        );
        key = bytes.concat(
            key, abi.encode(VerifyingKey.GAMMA_X1, VerifyingKey.GAMMA_X0, VerifyingKey.GAMMA_Y1, VerifyingKey.GAMMA_Y0)
        );
        key = bytes.concat(
            key, abi.encode(VerifyingKey.DELTA_X1, VerifyingKey.DELTA_X0, VerifyingKey.DELTA_Y1, VerifyingKey.DELTA_Y0)
        );
        key = bytes.concat(key, abi.encode(VerifyingKey.IC0_X, VerifyingKey.IC0_Y));
        key = bytes.concat(key, abi.encode(VerifyingKey.IC1_X, VerifyingKey.IC1_Y));
        key = bytes.concat(key, abi.encode(VerifyingKey.IC2_X, VerifyingKey.IC2_Y));
        key = bytes.concat(key, abi.encode(VerifyingKey.IC3_X, VerifyingKey.IC3_Y));
        key = bytes.concat(key, abi.encode(VerifyingKey.IC4_X, VerifyingKey.IC4_Y));
        key = bytes.concat(key, abi.encode(VerifyingKey.IC5_X, VerifyingKey.IC5_Y));
        key = bytes.concat(key, abi.encode(VerifyingKey.IC6_X, VerifyingKey.IC6_Y));
    }
}
