// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {vm} from "../script/Vm.sol";
import {EmergencyStop} from "../src/EmergencyStop.sol";
import {ArtifactId, IConfigRegistry, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {Defect} from "../src/libraries/Defect.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {CredulousVerifier, Governed} from "./kit/Governed.sol";

/// @notice Says that it checks engine 2.
contract NewerVerifier is CredulousVerifier {
    function engine() external pure override returns (uint32) {
        return 2;
    }
}

/// @notice Anyone with a proof of exploit stops a verifier; nobody without one does.
contract EmergencyStopTest is Governed {
    CredulousVerifier private _credulous = new CredulousVerifier();
    bytes private _broken = Artifacts.broken(1);
    bytes private _good = Artifacts.sample(1, 1);

    function setUp() public override {
        super.setUp();
        addVerifier(address(_credulous));
    }

    // ----------------------------------------------------------------------------------------------------- by defect

    function test_anyoneStopsAVerifierThatAcceptedADefect() public {
        ArtifactId id = _stage(_credulous, _broken, 0);
        vm.expectEmit(true, true, true, true, address(emergencyStop));
        emit EmergencyStop.StoppedByDefect(address(_credulous), id, Defect.KEY_PATTERN, 0, STRANGER);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.VerifierStopped(address(_credulous));
        vm.prank(STRANGER);
        emergencyStop.stopByDefect(id, _broken);
        _assertStatus(address(_credulous), VerifierStatus.Stopped);
        _assertStatus(address(verifier), VerifierStatus.Active);
        promoteReverts(
            id,
            ALL,
            abi.encodeWithSelector(
                IConfigRegistry.VerifierNotActive.selector, address(_credulous), VerifierStatus.Stopped
            )
        );
    }

    /// @dev It moves no edge: that is for guardians.
    function test_theHeadStays() public {
        ArtifactId id = _stage(_credulous, _broken, 0);
        promote(id, ALL);
        emergencyStop.stopByDefect(id, _broken);
        assertHead(0, 1, id, NONE, NONE, 0);
    }

    /// @dev The proof stays one after a guardian barred the artifact.
    function test_aRevokedArtifactProvesIt() public {
        ArtifactId id = _stage(_credulous, _broken, 0);
        guard();
        registry.revoke(id);
        emergencyStop.stopByDefect(id, _broken);
        _assertStatus(address(_credulous), VerifierStatus.Stopped);
    }

    function test_refusesAnArtifactWithoutADefect() public {
        ArtifactId id = stage(1);
        _refusesDefect(id, Artifacts.sample(2, 1), abi.encodeWithSelector(EmergencyStop.NoDefect.selector, id));
        id = _stage(_credulous, _good, 0);
        _refusesDefect(id, _good, abi.encodeWithSelector(EmergencyStop.NoDefect.selector, id));
    }

    function testFuzz_refusesAnyOtherBytes(bytes calldata other) public {
        vm.assume(keccak256(other) != keccak256(_good));
        ArtifactId id = _stage(_credulous, _good, 0);
        bytes memory reason =
            abi.encodeWithSelector(EmergencyStop.OtherBytes.selector, keccak256(_good), keccak256(other));
        _refusesDefect(id, other, reason);
    }

    function test_refusesOtherBytes() public {
        ArtifactId id = _stage(_credulous, _good, 0);
        _refusesDefect(
            id, _broken, abi.encodeWithSelector(EmergencyStop.OtherBytes.selector, keccak256(_good), keccak256(_broken))
        );
    }

    function test_refusesWhatNoVerifierAccepted() public {
        _refusesDefect(NONE, _broken, abi.encodeWithSelector(EmergencyStop.UnknownArtifact.selector, 0));
        _refusesDefect(ArtifactId.wrap(1), _broken, abi.encodeWithSelector(EmergencyStop.UnknownArtifact.selector, 1));
    }

    function test_refusesAnEngineThatItCannotJudge() public {
        NewerVerifier newer = new NewerVerifier();
        addVerifier(address(newer));
        ArtifactId id = _stage(newer, _broken, 0);
        _refusesDefect(id, _broken, abi.encodeWithSelector(EmergencyStop.NoReference.selector, 2));
    }

    function test_judgesEachEngineByItsOwnReference() public {
        CalldataVerifier[] memory references = new CalldataVerifier[](2);
        references[0] = verifier;
        references[1] = new CalldataVerifier(2, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);
        EmergencyStop stop = new EmergencyStop(registry, references);
        administer(abi.encodeCall(manager.grantRole, (5, address(stop), 0)));
        NewerVerifier newer = new NewerVerifier();
        addVerifier(address(newer));

        // For engine 2 the artifact of engine 1 is a wrong one.
        ArtifactId id = _stage(newer, _good, 0);
        vm.expectEmit(true, true, true, true, address(stop));
        emit EmergencyStop.StoppedByDefect(address(newer), id, Defect.ENGINE, 0, address(this));
        stop.stopByDefect(id, _good);
        assertEq(address(stop.references(2)), address(references[1]), "reference");
        assertEq(address(stop.registry()), address(registry), "registry");
    }

    function test_refusesAVerifierThatIsStoppedAlready() public {
        ArtifactId id = _stage(_credulous, _broken, 0);
        emergencyStop.stopByDefect(id, _broken);
        _refusesDefect(
            id,
            _broken,
            abi.encodeWithSelector(
                IConfigRegistry.VerifierNotActive.selector, address(_credulous), VerifierStatus.Stopped
            )
        );
    }

    /// @dev Whatever the honest verifier accepts is no proof against it.
    function testFuzz_anHonestVerifierIsNotStopped(uint256 rows, uint256 position, bytes1 value) public {
        bytes memory artifact = Artifacts.sample(bound(rows, 1, 5), 1);
        artifact[position % artifact.length] = value;
        vm.prank(PUBLISHER);
        try registry.stage(address(verifier), artifact, "") returns (ArtifactId id) {
            _refusesDefect(id, artifact, abi.encodeWithSelector(EmergencyStop.NoDefect.selector, id));
        } catch {
            _refusesDefect(
                ArtifactId.wrap(1), artifact, abi.encodeWithSelector(EmergencyStop.UnknownArtifact.selector, 1)
            );
        }
    }

    // -------------------------------------------------------------------------------------------------- by collision

    function test_anyoneStopsAVerifierThatAcceptedTwoUnderOneCommitment() public {
        ArtifactId a = _stage(_credulous, _good, bytes32(uint256(7)));
        ArtifactId b = _stage(_credulous, Artifacts.sample(1, 2), bytes32(uint256(7)));
        vm.expectEmit(true, true, true, true, address(emergencyStop));
        emit EmergencyStop.StoppedByCollision(address(_credulous), a, b, bytes32(uint256(7)), STRANGER);
        vm.prank(STRANGER);
        emergencyStop.stopByCollision(a, b);
        _assertStatus(address(_credulous), VerifierStatus.Stopped);
    }

    /// @dev Of two digests the one named first may be the smaller or the larger.
    function test_eitherOfTheTwoMayBeNamedFirst() public {
        CredulousVerifier[2] memory both = [_credulous, new CredulousVerifier()];
        addVerifier(address(both[1]));
        for (uint256 i = 0; i < 2; ++i) {
            ArtifactId a = _stage(both[i], Artifacts.sample(1, 2 * i + 2), bytes32(uint256(7)));
            ArtifactId b = _stage(both[i], Artifacts.sample(1, 2 * i + 3), bytes32(uint256(7)));
            bool ascending = registry.record(a).digest < registry.record(b).digest;
            if (ascending == (i == 0)) emergencyStop.stopByCollision(a, b);
            else emergencyStop.stopByCollision(b, a);
            _assertStatus(address(both[i]), VerifierStatus.Stopped);
        }
    }

    function test_refusesTwoThatDoNotCollide() public {
        bytes32 seven = bytes32(uint256(7));
        ArtifactId a = _stage(_credulous, _good, seven);
        _refusesCollision(a, a);
        _refusesCollision(a, _stage(_credulous, Artifacts.sample(1, 2), bytes32(uint256(8))));
        CredulousVerifier other = new CredulousVerifier();
        addVerifier(address(other));
        _refusesCollision(a, _stage(other, Artifacts.sample(1, 3), seven));
    }

    /// @dev The calldata route has no commitment: all its artifacts have zero.
    function test_refusesTwoWithoutACommitment() public {
        _refusesCollision(stage(1), stage(2));
    }

    /// @dev The same bytes staged anew are no other artifact.
    function test_refusesOneThatWasStagedAnew() public {
        ArtifactId a = _stage(_credulous, _good, bytes32(uint256(7)));
        vm.warp(vm.getBlockTimestamp() + STAGING_PERIOD);
        _refusesCollision(a, _stage(_credulous, _good, bytes32(uint256(7))));
    }

    function test_refusesACollisionWithNothing() public {
        ArtifactId a = _stage(_credulous, _good, bytes32(uint256(7)));
        vm.expectRevert(abi.encodeWithSelector(EmergencyStop.UnknownArtifact.selector, 2));
        emergencyStop.stopByCollision(a, ArtifactId.wrap(2));
        vm.expectRevert(abi.encodeWithSelector(EmergencyStop.UnknownArtifact.selector, 0));
        emergencyStop.stopByCollision(NONE, a);
    }

    // -------------------------------------------------------------------------------------------------------- powers

    function test_itsOnlyPowerIsToStop() public view {
        bytes4[10] memory others = [
            registry.stage.selector,
            registry.stageBlob.selector,
            registry.promote.selector,
            registry.kill.selector,
            registry.rollback.selector,
            registry.pause.selector,
            registry.revoke.selector,
            registry.revive.selector,
            registry.resume.selector,
            registry.addVerifier.selector
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            (bool immediate, uint32 delay) = manager.canCall(address(emergencyStop), address(registry), others[i]);
            assertTrue(!immediate && delay == 0, "no other power");
        }
        (bool stops,) = manager.canCall(address(emergencyStop), address(registry), registry.stopVerifier.selector);
        assertTrue(stops, "stopVerifier");
    }

    function test_oneThatHoldsNoRoleStopsNothing() public {
        EmergencyStop powerless = new EmergencyStop(registry, new CalldataVerifier[](0));
        ArtifactId a = _stage(_credulous, _good, bytes32(uint256(7)));
        ArtifactId b = _stage(_credulous, Artifacts.sample(1, 2), bytes32(uint256(7)));
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(powerless)));
        powerless.stopByCollision(a, b);
    }

    function test_refusesTwoReferencesForAnEngine() public {
        CalldataVerifier[] memory references = new CalldataVerifier[](2);
        (references[0], references[1]) = (verifier, verifier);
        vm.expectRevert(abi.encodeWithSelector(EmergencyStop.ReferenceKnown.selector, 1));
        new EmergencyStop(registry, references);
    }

    // ------------------------------------------------------------------------------------------------------- helpers

    function _stage(CredulousVerifier by, bytes memory artifact, bytes32 commitment) private returns (ArtifactId) {
        vm.prank(PUBLISHER);
        return registry.stage(address(by), artifact, statement(artifact, commitment));
    }

    function _assertStatus(address of_, VerifierStatus expected) private view {
        assertEq(uint8(registry.verifierStatus(of_)), uint8(expected), "status");
    }

    function _refusesDefect(ArtifactId id, bytes memory artifact, bytes memory reason) private {
        vm.prank(STRANGER);
        vm.expectRevert(reason);
        emergencyStop.stopByDefect(id, artifact);
    }

    function _refusesCollision(ArtifactId a, ArtifactId b) private {
        vm.expectRevert(abi.encodeWithSelector(EmergencyStop.NoCollision.selector, a, b));
        emergencyStop.stopByCollision(a, b);
        vm.expectRevert(abi.encodeWithSelector(EmergencyStop.NoCollision.selector, b, a));
        emergencyStop.stopByCollision(b, a);
    }
}
