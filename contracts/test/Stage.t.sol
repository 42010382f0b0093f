// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {IArtifactVerifier, Statement} from "../src/interfaces/IArtifactVerifier.sol";
import {
    ArtifactId,
    IConfigRegistry,
    LocationKind,
    Record,
    Status,
    VerifierStatus
} from "../src/interfaces/IConfigRegistry.sol";
import {Defect} from "../src/libraries/Defect.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {CredulousVerifier, Governed} from "./kit/Governed.sol";

contract StageTest is Governed {
    bytes private _artifact = Artifacts.sample(3, 7);

    function test_stagingRecordsWhatTheVerifierSays() public {
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stage(address(verifier), _artifact, "");

        assertEq(id, ArtifactId.wrap(1), "ids begin at 1");
        assertEq(registry.lastId(), id, "last id");
        assertEq(registry.idOf(keccak256(_artifact)), id, "id of the digest");
        Record memory record = registry.record(id);
        assertEq(record.digest, keccak256(_artifact), "digest");
        assertEq(record.commitment, bytes32(0), "commitment");
        assertEq(record.verifier, address(verifier), "verifier");
        assertEq(record.size, _artifact.length, "size");
        assertEq(record.rows, 3, "rows");
        assertEq(uint8(record.status), uint8(Status.Staged), "status");
        assertEq(record.stagedAt, vm.getBlockTimestamp(), "stagedAt");
        assertEq(uint8(record.locationKind), uint8(LocationKind.Log), "location kind");
        assertEq(record.location, vm.getBlockNumber(), "location");
    }

    function test_stagingMovesNoEdge() public {
        stage(1);
        assertHead(0, 0, NONE, NONE, NONE, 0);
        assertEq(registry.effective(), NONE, "effective");
    }

    function test_stagingPublishesTheBytes() public {
        bytes32 digest = keccak256(_artifact);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Staged(
            ArtifactId.wrap(1),
            digest,
            address(verifier),
            1,
            uint16(_artifact.length),
            3,
            0,
            LocationKind.Log,
            vm.getBlockNumber()
        );
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.ArtifactBytes(ArtifactId.wrap(1), digest, _artifact);
        vm.prank(PUBLISHER);
        registry.stage(address(verifier), _artifact, "");
    }

    function test_idsCountUp() public {
        assertEq(stage(1), ArtifactId.wrap(1), "first");
        assertEq(stage(2), ArtifactId.wrap(2), "second");
        assertEq(stage(3), ArtifactId.wrap(3), "third");
    }

    function test_refusedBytesLeaveNoTrace() public {
        _artifact[64] = "-";
        _refuses(abi.encodeWithSelector(IArtifactVerifier.Refused.selector, Defect.KEY_PATTERN, 0));
        assertEq(registry.lastId(), NONE, "last id");
        assertEq(registry.idOf(keccak256(_artifact)), NONE, "id of the digest");
    }

    function test_stagedDigestIsRefused() public {
        _stage();
        _refuses(abi.encodeWithSelector(IConfigRegistry.AlreadyStaged.selector, 1));
    }

    function test_promotedDigestIsRefused() public {
        promote(_stage(), ALL);
        _refuses(abi.encodeWithSelector(IConfigRegistry.AlreadyPromoted.selector, 1));
    }

    function test_revokedDigestCanNeverReturn() public {
        ArtifactId id = _stage();
        guard();
        registry.revoke(id);
        _refuses(abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, 1));
        // Nor through another verifier.
        CalldataVerifier other = new CalldataVerifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);
        addVerifier(address(other));
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, 1));
        registry.stage(address(other), _artifact, "");
    }

    function test_unknownVerifierIsRefused() public {
        CredulousVerifier other = new CredulousVerifier();
        vm.prank(PUBLISHER);
        vm.expectRevert(
            abi.encodeWithSelector(IConfigRegistry.VerifierNotActive.selector, address(other), VerifierStatus.None)
        );
        registry.stage(address(other), _artifact, "");
    }

    function test_stoppedVerifierIsRefused() public {
        guard();
        registry.stopVerifier(address(verifier));
        _refuses(
            abi.encodeWithSelector(
                IConfigRegistry.VerifierNotActive.selector, address(verifier), VerifierStatus.Stopped
            )
        );
    }

    /// @dev A verifier that vouches for a digest whose bytes nobody has.
    function test_evidenceWithoutTheBytesIsRefused() public {
        CredulousVerifier other = new CredulousVerifier();
        addVerifier(address(other));
        bytes memory evidence = _statement(keccak256("somewhere else"));
        vm.prank(PUBLISHER);
        vm.expectRevert(_unavailable(keccak256("somewhere else"), keccak256(_artifact)));
        registry.stage(address(other), _artifact, evidence);
    }

    function test_theLargestArtifactFits() public {
        bytes memory largest = Artifacts.sample(200, 1);
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stage(address(verifier), largest, "");
        assertEq(registry.record(id).size, 12_864, "size");
        assertEq(registry.record(id).rows, 200, "rows");
    }

    function testFuzz_anyRowCountIsRecorded(uint256 random) public {
        uint256 rows = bound(random, 1, 200);
        bytes memory artifact = Artifacts.sample(rows, random % 1000);
        vm.prank(PUBLISHER);
        Record memory record = registry.record(registry.stage(address(verifier), artifact, ""));
        assertEq(record.rows, rows, "rows");
        assertEq(record.size, artifact.length, "size");
        assertEq(record.digest, keccak256(artifact), "digest");
    }

    function _stage() private returns (ArtifactId) {
        vm.prank(PUBLISHER);
        return registry.stage(address(verifier), _artifact, "");
    }

    function _refuses(bytes memory reason) private {
        vm.prank(PUBLISHER);
        vm.expectRevert(reason);
        registry.stage(address(verifier), _artifact, "");
    }

    function testFuzz_otherBytesThanWereVouchedForAreUnavailable(bytes32 vouchedFor) public {
        bytes32 found = keccak256(_artifact);
        if (vouchedFor == found) vouchedFor = 0;
        CredulousVerifier other = new CredulousVerifier();
        addVerifier(address(other));
        vm.prank(PUBLISHER);
        vm.expectRevert(_unavailable(vouchedFor, found));
        registry.stage(address(other), _artifact, _statement(vouchedFor));
    }

    function test_emptyBytesAreUnavailable() public {
        CredulousVerifier other = new CredulousVerifier();
        addVerifier(address(other));
        vm.prank(PUBLISHER);
        vm.expectRevert(_unavailable(keccak256(_artifact), keccak256("")));
        registry.stage(address(other), "", _statement(keccak256(_artifact)));
    }

    function test_evidenceBesideTheBytesIsForProofRoutes() public {
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(IArtifactVerifier.UnexpectedEvidence.selector, 1));
        registry.stage(address(verifier), _artifact, hex"00");

        CredulousVerifier other = new CredulousVerifier();
        addVerifier(address(other));
        vm.prank(PUBLISHER);
        ArtifactId id = registry.stage(address(other), _artifact, statement(_artifact, bytes32(uint256(9))));
        assertEq(registry.record(id).commitment, bytes32(uint256(9)), "commitment");
    }

    function _statement(bytes32 digest) private pure returns (bytes memory) {
        return abi.encode(Statement({digest: digest, commitment: 0, engine: 1, size: 128, rows: 1}));
    }

    function _unavailable(bytes32 digest, bytes32 found) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IConfigRegistry.BytesUnavailable.selector, digest, found);
    }
}
