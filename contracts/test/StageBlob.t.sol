// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {IArtifactVerifier} from "../src/interfaces/IArtifactVerifier.sol";
import {ArtifactId, IConfigRegistry, LocationKind, Record, Status} from "../src/interfaces/IConfigRegistry.sol";
import {Defect} from "../src/libraries/Defect.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {CredulousVerifier, Governed} from "./kit/Governed.sol";

/// @notice Artifacts whose bytes travel in a blob.
contract StageBlobTest is Governed {
    bytes32 private constant BLOB = 0x0100000000000000000000000000000000000000000000000000000000000b10;

    bytes private _artifact = Artifacts.sample(3, 7);
    CredulousVerifier private _prover = new CredulousVerifier();

    function setUp() public override {
        super.setUp();
        addVerifier(address(_prover));
    }

    function test_theRecordKeepsTheVersionedHash() public {
        carryBlob(BLOB);
        bytes32 digest = keccak256(_artifact);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Staged(
            ArtifactId.wrap(1),
            digest,
            address(_prover),
            1,
            256,
            3,
            bytes32(uint256(5)),
            LocationKind.Blob,
            uint256(BLOB)
        );
        vm.recordLogs();
        ArtifactId id = _stage();
        assertEq(vm.getRecordedLogs().length, 1, "no bytes in the log");

        Record memory record = registry.record(id);
        assertEq(record.digest, digest, "digest");
        assertEq(record.commitment, bytes32(uint256(5)), "commitment");
        assertEq(record.verifier, address(_prover), "verifier");
        assertEq(record.size, _artifact.length, "size");
        assertEq(record.rows, 3, "rows");
        assertEq(uint8(record.status), uint8(Status.Staged), "status");
        assertEq(record.stagedAt, vm.getBlockTimestamp(), "stagedAt");
        assertEq(uint8(record.locationKind), uint8(LocationKind.Blob), "location kind");
        assertEq(record.location, uint256(BLOB), "location");
        assertEq(registry.idOf(digest), id, "id of the digest");
    }

    function test_anyBlobOfTheTransactionCanBeTheOne() public {
        bytes32[] memory hashes = new bytes32[](3);
        (hashes[0], hashes[1], hashes[2]) = (bytes32(uint256(1)), bytes32(uint256(2)), BLOB);
        vm.blobhashes(hashes);
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stageBlob(address(_prover), statement(_artifact, 0), 2, BLOB);
        assertEq(registry.record(id).location, uint256(BLOB), "the third");
    }

    function testFuzz_refusesABlobThatIsNotThere(uint256 index, bytes32 expected) public {
        _notCarried(index, expected, 0);
        _notCarried(index, 0, 0);
        carryBlob(BLOB);
        if (index == 0) index = 1;
        _notCarried(index, BLOB, 0);
    }

    /// @dev Whoever sends the transaction of a Safe chooses its blobs, and its owners signed this one.
    function testFuzz_refusesAnotherBlob(bytes32 expected) public {
        carryBlob(BLOB);
        if (expected == BLOB) expected = 0;
        _notCarried(0, expected, BLOB);
    }

    /// @dev The verifier that reads the bytes has none to read.
    function test_refusedByTheCalldataRoute() public {
        carryBlob(BLOB);
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(IArtifactVerifier.Refused.selector, Defect.SIZE, 0));
        registry.stageBlob(address(verifier), "", 0, BLOB);
    }

    function test_isHeldToTheSameRules() public {
        carryBlob(BLOB);
        ArtifactId id = _stage();
        _refuses(0, BLOB, abi.encodeWithSelector(IConfigRegistry.AlreadyStaged.selector, id));
        guard();
        registry.revoke(id);
        _refuses(0, BLOB, abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, id));
        guard();
        registry.stopVerifier(address(_prover));
        vm.prank(PUBLISHER);
        vm.expectPartialRevert(IConfigRegistry.VerifierNotActive.selector);
        registry.stageBlob(address(_prover), statement(_artifact, 0), 0, BLOB);
    }

    function test_isPromotedLikeAnyOther() public {
        carryBlob(BLOB);
        ArtifactId id = _stage();
        promote(id, ALL);
        assertEq(registry.effective(), id, "effective");
    }

    function _stage() private returns (ArtifactId) {
        vm.prank(PUBLISHER);
        return registry.stageBlob(address(_prover), statement(_artifact, bytes32(uint256(5))), 0, BLOB);
    }

    function _notCarried(uint256 index, bytes32 expected, bytes32 found) private {
        _refuses(
            index, expected, abi.encodeWithSelector(IConfigRegistry.BlobNotCarried.selector, index, expected, found)
        );
    }

    function _refuses(uint256 index, bytes32 versionedHash, bytes memory reason) private {
        vm.prank(PUBLISHER);
        vm.expectRevert(reason);
        registry.stageBlob(address(_prover), statement(_artifact, 0), index, versionedHash);
    }
}
