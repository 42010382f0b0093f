// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {Statement} from "../src/interfaces/IArtifactVerifier.sol";
import {ArtifactId, IConfigRegistry, LocationKind, Record} from "../src/interfaces/IConfigRegistry.sol";
import {IRiscZeroVerifier} from "../src/interfaces/IRiscZeroVerifier.sol";
import {ISp1Verifier} from "../src/interfaces/ISp1Verifier.sol";
import {Journals, SourceFormat} from "../src/libraries/Journals.sol";
import {ReceiptVerifier} from "../src/verifiers/ReceiptVerifier.sol";
import {RiscZeroVerifier} from "../src/verifiers/RiscZeroVerifier.sol";
import {Sp1Verifier} from "../src/verifiers/Sp1Verifier.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {Governed} from "./kit/Governed.sol";
import {Groth16} from "./kit/Groth16.sol";
import {HashedReceipts, evidenceOf} from "./kit/Receipts.sol";
import {RiscZeroReceipt, RiscZeroReference} from "./kit/RiscZero.sol";
import {Sp1Receipt, Sp1Reference} from "./kit/Sp1.sol";
import {Test} from "./kit/Test.sol";

/// @notice Genuine receipts through the adapter that is pinned to their program. They prove programs of others, so what
/// the adapter says of a good one is that its journal is none of ours.
abstract contract GenuineReceiptTest is Test {
    ReceiptVerifier internal adapter;
    bytes internal journal;
    bytes internal proof;
    bytes4 internal selector;

    function invalid() internal pure virtual returns (bytes memory reason);
    function wrongSelector(bytes4 received) internal view virtual returns (bytes memory reason);
    function wrongSize(uint256 found) internal view virtual returns (bytes memory reason);
    function deploy(bytes32 program) internal virtual returns (ReceiptVerifier);

    function test_takesTheReceiptAndRefusesItsJournal() public {
        _refuses(adapter, journal, proof, abi.encodeWithSelector(Journals.JournalSize.selector, 108, journal.length));
    }

    function test_refusesAnyOtherByteOfTheProof() public {
        // After the selector, past what SP1 has before its points: of A, B and C, the first and the last byte.
        uint256 points = proof.length - 256;
        uint8[6] memory places = [0, 63, 64, 191, 192, 255];
        for (uint256 i = 0; i < places.length; ++i) {
            bytes memory changed = bytes.concat(proof);
            changed[points + places[i]] ^= 0x01;
            _refuses(adapter, journal, changed, invalid());
        }
    }

    function test_refusesAnyOtherJournal() public {
        for (uint256 i = 0; i < journal.length; ++i) {
            bytes memory changed = bytes.concat(journal);
            changed[i] ^= 0x01;
            _refuses(adapter, changed, proof, invalid());
        }
        _refuses(adapter, "", proof, invalid());
        _refuses(adapter, bytes.concat(journal, hex"00"), proof, invalid());
    }

    function test_refusesAnotherProgram() public {
        bytes32 program = adapter.program();
        _refuses(deploy(program ^ bytes32(uint256(1))), journal, proof, invalid());
        _refuses(deploy(0), journal, proof, invalid());
    }

    function test_refusesAnotherSelector() public {
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory changed = bytes.concat(proof);
            changed[i] ^= 0x01;
            bytes4 received = selector ^ (bytes4(0x01000000) >> (8 * i));
            _refuses(adapter, journal, changed, wrongSelector(received));
        }
    }

    function test_refusesAProofOfAnotherLength() public {
        bytes memory shorter = new bytes(proof.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = proof[i];
        }
        _refuses(adapter, journal, shorter, wrongSize(shorter.length));
        _refuses(adapter, journal, bytes.concat(proof, hex"00"), wrongSize(proof.length + 1));
        _refuses(adapter, journal, "", wrongSize(0));
    }

    /// @dev A byte of the journal counted to the proof, and the other way round.
    function test_refusesAnotherCut() public {
        bytes memory evidence = evidenceOf(journal, proof);
        evidence[1] = bytes1(uint8(journal.length - 1));
        _refuses(adapter, evidence, wrongSize(proof.length + 1));
        evidence[1] = bytes1(uint8(journal.length + 1));
        _refuses(adapter, evidence, wrongSize(proof.length - 1));
        evidence[0] = 0xff;
        uint256 expected = 2 + 0xff00 + journal.length + 1;
        _refuses(
            adapter,
            evidence,
            abi.encodeWithSelector(ReceiptVerifier.EvidenceTruncated.selector, expected, evidence.length)
        );
    }

    function _refuses(ReceiptVerifier verifier, bytes memory journal_, bytes memory proof_, bytes memory reason)
        private
    {
        _refuses(verifier, evidenceOf(journal_, proof_), reason);
    }

    function _refuses(ReceiptVerifier verifier, bytes memory evidence, bytes memory reason) private {
        // What is no point of its curve takes all the gas that the precompile is given.
        vm.expectRevert(reason);
        verifier.verify{gas: 2_000_000}("", evidence);
        vm.expectRevert(reason);
        verifier.source{gas: 2_000_000}(evidence);
    }
}

contract RiscZeroVerifierTest is GenuineReceiptTest {
    RiscZeroReference private _receipts = new RiscZeroReference();

    constructor() {
        adapter = deploy(RiscZeroReceipt.IMAGE_ID);
        (journal, proof, selector) = (RiscZeroReceipt.JOURNAL, RiscZeroReceipt.SEAL, 0x73c457ba);
    }

    function deploy(bytes32 program) internal override returns (ReceiptVerifier) {
        return new RiscZeroVerifier(1, 0, 0, program, _receipts);
    }

    function invalid() internal pure override returns (bytes memory) {
        return abi.encodeWithSelector(RiscZeroReference.VerificationFailed.selector);
    }

    function wrongSelector(bytes4 received) internal view override returns (bytes memory) {
        return abi.encodeWithSelector(RiscZeroReference.SelectorMismatch.selector, received, selector);
    }

    function wrongSize(uint256 found) internal pure override returns (bytes memory) {
        return abi.encodeWithSelector(RiscZeroReference.SealSize.selector, 260, found);
    }
}

contract Sp1VerifierTest is GenuineReceiptTest {
    Sp1Reference private _receipts = new Sp1Reference();

    constructor() {
        adapter = deploy(Sp1Receipt.PROGRAM_VKEY);
        (journal, proof, selector) = (Sp1Receipt.PUBLIC_VALUES, Sp1Receipt.PROOF, 0x0e78f4db);
    }

    function test_refusesAnotherExitCodeOrRoot() public {
        bytes memory changed = bytes.concat(proof);
        changed[4 + 31] = 0x01;
        vm.expectRevert(abi.encodeWithSelector(Sp1Reference.InvalidExitCode.selector));
        adapter.verify("", evidenceOf(journal, changed));
        changed = bytes.concat(proof);
        changed[4 + 63] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(Sp1Reference.InvalidVkRoot.selector));
        adapter.verify("", evidenceOf(journal, changed));
        changed = bytes.concat(proof);
        changed[4 + 95] ^= 0x01;
        vm.expectRevert(invalid());
        adapter.verify("", evidenceOf(journal, changed));
    }

    /// @dev A program whose key is no field element would share its proofs with the one it is congruent to.
    function test_refusesAKeyBeyondTheField() public {
        uint256 program = uint256(Sp1Receipt.PROGRAM_VKEY) + Groth16.SCALAR_FIELD;
        ReceiptVerifier verifier = deploy(bytes32(program));
        vm.expectRevert(abi.encodeWithSelector(Groth16.InputNotInField.selector, 0, program));
        verifier.verify("", evidenceOf(journal, proof));
    }

    function deploy(bytes32 program) internal override returns (ReceiptVerifier) {
        return new Sp1Verifier(1, 0, 0, program, _receipts);
    }

    function invalid() internal pure override returns (bytes memory) {
        return abi.encodeWithSelector(Sp1Reference.InvalidProof.selector);
    }

    function wrongSelector(bytes4 received) internal view override returns (bytes memory) {
        return abi.encodeWithSelector(Sp1Reference.WrongVerifierSelector.selector, received, selector);
    }

    function wrongSize(uint256 found) internal pure override returns (bytes memory) {
        return abi.encodeWithSelector(Sp1Reference.ProofSize.selector, 356, found);
    }
}

/// @notice Journals of the checker program, which `artifact/vectors/journals.json` has from Rust, with `HashedReceipts` in
/// the place of a zkVM's verifier.
contract JournalTest is Governed {
    struct JournalCase {
        string name;
        uint8 format;
        bytes32 source;
        bytes32 digest;
        uint16 size;
        uint8 rows;
        bytes journal;
        bytes evidence;
    }

    string private constant CASE =
        "JournalCase(string name,uint8 format,bytes32 source,bytes32 digest,uint16 size,uint8 rows,bytes journal,bytes evidence)";
    bytes32 private constant PROGRAM = "the checker program";

    HashedReceipts private _receipts = new HashedReceipts(PROGRAM);
    ReceiptVerifier[2] private _adapters;
    JournalCase[] private _cases;
    bytes private _artifact;
    bytes private _proof;
    bytes32 private _schema;
    uint32 private _engine;
    uint32 private _budget;

    function setUp() public override {
        super.setUp();
        string memory json = vm.readFile("../artifact/vectors/journals.json");
        _schema = vm.parseJsonBytes32(json, ".schema");
        _engine = uint32(vm.parseJsonUint(json, ".engine"));
        _budget = uint32(vm.parseJsonUint(json, ".budget"));
        _artifact = vm.parseJsonBytes(json, ".artifact");
        _proof = vm.parseJsonBytes(json, ".proof");
        JournalCase[] memory cases = abi.decode(vm.parseJsonTypeArray(json, ".cases", CASE), (JournalCase[]));
        for (uint256 i = 0; i < cases.length; ++i) {
            _cases.push(cases[i]);
        }
        _adapters[0] = new RiscZeroVerifier(_engine, _schema, _budget, PROGRAM, _receipts);
        _adapters[1] = new Sp1Verifier(_engine, _schema, _budget, PROGRAM, _receipts);
    }

    function test_remembersItsParameters() public view {
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(_adapters[i].engine(), 1, "engine");
            assertEq(_adapters[i].schema(), _schema, "schema");
            assertEq(_adapters[i].budget(), 1000, "budget");
            assertEq(_adapters[i].program(), PROGRAM, "program");
        }
        assertEq(address(RiscZeroVerifier(address(_adapters[0])).receipts()), address(_receipts), "receipts");
        assertEq(address(Sp1Verifier(address(_adapters[1])).receipts()), address(_receipts), "receipts");
    }

    function test_refusesVerifiersThatAreNone() public {
        bytes memory reason = abi.encodeWithSelector(ReceiptVerifier.NotAContract.selector, STRANGER);
        vm.expectRevert(reason);
        new RiscZeroVerifier(1, 0, 0, PROGRAM, IRiscZeroVerifier(STRANGER));
        vm.expectRevert(reason);
        new Sp1Verifier(1, 0, 0, PROGRAM, ISp1Verifier(STRANGER));
    }

    function test_statesWhatRustPublished() public view {
        assertEq(_cases.length, 3, "JSON, CSV and Parquet");
        for (uint256 i = 0; i < _cases.length; ++i) {
            JournalCase memory c = _cases[i];
            // The evidence is laid out as Rust does it; its proof is none.
            assertEq(keccak256(evidenceOf(c.journal, _proof)), keccak256(c.evidence), c.name);
            assertEq(c.digest, keccak256(_artifact), c.name);
            for (uint256 j = 0; j < 2; ++j) {
                bytes memory evidence = _proven(c.journal);
                Statement memory statement = _adapters[j].verify(_artifact, evidence);
                assertEq(statement.digest, c.digest, c.name);
                assertEq(statement.commitment, bytes32(0), c.name);
                assertEq(statement.engine, _engine, c.name);
                assertEq(statement.size, c.size, c.name);
                assertEq(statement.size, _artifact.length, c.name);
                assertEq(statement.rows, c.rows, c.name);
                assertEq(_adapters[j].verify("", evidence).digest, c.digest, "without the bytes");

                (SourceFormat format, bytes32 source) = _adapters[j].source(evidence);
                assertEq(uint8(format), c.format, c.name);
                assertEq(source, c.source, c.name);
            }
        }
    }

    /// @dev Each byte of the journal counts: with another, the receipt is none.
    function test_readsNoJournalWithoutItsReceipt() public {
        bytes memory proof = _receipts.prove(sha256(_cases[0].journal));
        for (uint256 i = 0; i < 108; ++i) {
            bytes memory journal = bytes.concat(_cases[0].journal);
            journal[i] ^= 0x01;
            _refuses(evidenceOf(journal, proof), abi.encodeWithSelector(HashedReceipts.NoReceipt.selector));
        }
    }

    function test_refusesJournalsOfAnotherSize() public {
        bytes memory journal = _cases[0].journal;
        _refuses(
            _proven(bytes.concat(journal, hex"00")), abi.encodeWithSelector(Journals.JournalSize.selector, 108, 109)
        );
        assembly ("memory-safe") {
            mstore(journal, 107)
        }
        _refuses(_proven(journal), abi.encodeWithSelector(Journals.JournalSize.selector, 108, 107));
        _refuses(_proven(""), abi.encodeWithSelector(Journals.JournalSize.selector, 108, 0));
    }

    function test_refusesTruncatedEvidence() public {
        _refuses("", abi.encodeWithSelector(ReceiptVerifier.EvidenceTruncated.selector, 2, 0));
        _refuses(hex"00", abi.encodeWithSelector(ReceiptVerifier.EvidenceTruncated.selector, 2, 1));
        bytes memory half = abi.encodePacked(uint16(108), bytes32(0));
        _refuses(half, abi.encodeWithSelector(ReceiptVerifier.EvidenceTruncated.selector, 110, 34));
        // Two bytes hold the size of a journal, of which there is none, and no receipt.
        _refuses(hex"0000", abi.encodeWithSelector(HashedReceipts.NoReceipt.selector));
    }

    function test_refusesAnotherSchema() public {
        bytes32[2] memory schemas = [bytes32(uint256(_schema) - 1), bytes32(uint256(_schema) + 1)];
        uint32[2] memory engines = [uint32(0), 2];
        uint32[2] memory budgets = [uint32(999), 1001];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(
                _proven(_with(64, abi.encodePacked(schemas[i]))),
                abi.encodeWithSelector(ReceiptVerifier.WrongSchema.selector, _schema, schemas[i])
            );
            _refuses(
                _proven(_with(96, abi.encodePacked(engines[i]))),
                abi.encodeWithSelector(ReceiptVerifier.WrongEngine.selector, 1, engines[i])
            );
            _refuses(
                _proven(_with(100, abi.encodePacked(budgets[i]))),
                abi.encodeWithSelector(ReceiptVerifier.WrongBudget.selector, 1000, budgets[i])
            );
        }
    }

    function test_refusesSizesThatNoArtifactHas() public {
        uint16[6] memory sizes = [uint16(0), 64, 512, 575, 640, 12_928];
        uint8[6] memory rows = [0, 0, 8, 8, 8, 201];
        for (uint256 i = 0; i < sizes.length; ++i) {
            _refuses(
                _proven(_with(104, abi.encodePacked(sizes[i], rows[i]))),
                abi.encodeWithSelector(ReceiptVerifier.WrongSize.selector, sizes[i], rows[i])
            );
        }
    }

    function test_refusesUnknownSourceFormats() public {
        uint8[3] memory formats = [0, 4, 255];
        for (uint256 i = 0; i < formats.length; ++i) {
            _refuses(
                _proven(_with(107, abi.encodePacked(formats[i]))),
                abi.encodeWithSelector(Journals.UnknownSourceFormat.selector, formats[i])
            );
        }
    }

    /// @dev The registry keeps the bytes only where they are those of the journal.
    function test_stagesByReceipt() public {
        addVerifier(address(_adapters[0]));
        addVerifier(address(_adapters[1]));
        bytes memory evidence = _proven(_cases[2].journal);
        bytes memory other = Artifacts.sample(8, 1);
        vm.prank(PUBLISHER);
        vm.expectRevert(
            abi.encodeWithSelector(IConfigRegistry.BytesUnavailable.selector, _cases[2].digest, keccak256(other))
        );
        registry.stage(address(_adapters[0]), other, evidence);
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stage(address(_adapters[0]), _artifact, evidence);
        Record memory record = registry.record(id);
        assertEq(record.digest, keccak256(_artifact), "digest");
        assertEq(record.commitment, bytes32(0), "commitment");
        assertEq(record.verifier, address(_adapters[0]), "verifier");
        assertEq(record.size, _artifact.length, "size");
        assertEq(record.rows, 8, "rows");
        assertEq(uint8(record.locationKind), uint8(LocationKind.Log), "location");
    }

    /// @dev A journal of the corpus with `field` at `offset`.
    function _with(uint256 offset, bytes memory field) private view returns (bytes memory journal) {
        journal = _cases[0].journal;
        for (uint256 i = 0; i < field.length; ++i) {
            journal[offset + i] = field[i];
        }
    }

    function _proven(bytes memory journal) private view returns (bytes memory) {
        return evidenceOf(journal, _receipts.prove(sha256(journal)));
    }

    function _refuses(bytes memory evidence, bytes memory reason) private {
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(reason);
            _adapters[i].verify("", evidence);
            vm.expectRevert(reason);
            _adapters[i].source(evidence);
        }
    }
}
