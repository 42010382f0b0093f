// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {ConfigRegistry} from "../src/ConfigRegistry.sol";
import {ArtifactId, IConfigRegistry, Status, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {CredulousVerifier, Governed} from "./kit/Governed.sol";

/// @notice What was staged and never promoted does not stay promotable for ever, and may be staged anew.
contract ExpiryTest is Governed {
    ArtifactId private _first;
    ArtifactId private _second;
    CredulousVerifier private _other = new CredulousVerifier();

    /// @dev The first runs, the second waits.
    function setUp() public override {
        super.setUp();
        addVerifier(address(_other));
        _first = current(1);
        _second = stage(2);
    }

    // --------------------------------------------------------------------------------------------------- promotion

    function test_refusesWhatWasStagedTooLongAgo() public {
        uint48 expired = _expiry(_second);
        _scheduledFor(expired - 1, abi.encodeCall(registry.promote, (_second, 500, 1)));
        _scheduledFor(expired, abi.encodeCall(registry.promote, (_second, ALL, 1)));
        vm.warp(expired);
        bytes memory reason = abi.encodeWithSelector(IConfigRegistry.StagingExpired.selector, _second, expired);
        vm.prank(PROMOTER);
        vm.expectRevert(reason);
        registry.promote(_second, 500, 1);
        vm.prank(PROMOTER);
        vm.expectRevert(reason);
        registry.promote(_second, ALL, 1);
    }

    function test_acceptsItUntilTheLastSecond() public {
        uint48 expired = _expiry(_second);
        _scheduledFor(expired - 1, abi.encodeCall(registry.promote, (_second, ALL, 1)));
        vm.warp(expired - 1);
        vm.prank(PROMOTER);
        registry.promote(_second, ALL, 1);
        assertEq(registry.effective(), _second, "effective");
    }

    function test_aCanaryThatExpiresRunsOnAndGoesNoFurther() public {
        promote(_second, 500);
        uint48 expired = _expiry(_second);
        vm.warp(expired);
        assertHead(0, 2, _first, NONE, _second, 500);
        bytes memory reason = abi.encodeWithSelector(IConfigRegistry.StagingExpired.selector, _second, expired);
        promoteReverts(_second, 2_500, reason);
        promoteReverts(_second, ALL, reason);
    }

    function test_whatWasCurrentNeverExpires() public {
        promote(_second, ALL);
        vm.warp(vm.getBlockTimestamp() + 10 * STAGING_PERIOD);
        promote(_first, ALL);
        assertEq(registry.effective(), _first, "promoted again");
        guard();
        registry.rollback(_second);
        assertEq(registry.effective(), _second, "rolled back");
    }

    // -------------------------------------------------------------------------------------------------- staged anew

    function test_expiredItMayBeStagedAnew() public {
        _refusesStage(abi.encodeWithSelector(IConfigRegistry.AlreadyStaged.selector, _second));
        vm.warp(_expiry(_second) - 1);
        _refusesStage(abi.encodeWithSelector(IConfigRegistry.AlreadyStaged.selector, _second));
        vm.warp(_expiry(_second));
        ArtifactId third = stage(2);

        assertEq(third, ArtifactId.wrap(3), "another id");
        bytes32 digest = registry.record(third).digest;
        assertEq(registry.record(_second).digest, digest, "of the same digest");
        assertEq(registry.idOf(digest), third, "which is known by it");
        assertEq(registry.record(third).stagedAt, vm.getBlockTimestamp(), "stagedAt");
        assertStatus(_second, Status.Staged);
        promoteReverts(
            _second, ALL, abi.encodeWithSelector(IConfigRegistry.StagingExpired.selector, _second, _expiry(_second))
        );
        promote(third, ALL);
        assertEq(registry.effective(), third, "effective");
        _refusesStage(abi.encodeWithSelector(IConfigRegistry.AlreadyPromoted.selector, third));
    }

    function test_vouchedForByAStoppedVerifierItMayBeStagedAnew() public {
        guard();
        registry.stopVerifier(address(verifier));
        bytes memory artifact = Artifacts.sample(2, 2);
        vm.prank(PUBLISHER);
        ArtifactId third = registry.stage(address(_other), artifact, statement(artifact, 0));
        promoteReverts(
            _second,
            ALL,
            abi.encodeWithSelector(
                IConfigRegistry.VerifierNotActive.selector, address(verifier), VerifierStatus.Stopped
            )
        );
        promote(third, ALL);
        assertEq(registry.effective(), third, "effective");
        assertEq(registry.record(third).verifier, address(_other), "verifier");
    }

    /// @dev Staged anew under another id, it could be revoked under that one and run on under this.
    function test_aCandidateIsNotStagedAnew() public {
        promote(_second, 500);
        vm.warp(_expiry(_second));
        _refusesStage(abi.encodeWithSelector(IConfigRegistry.AlreadyStaged.selector, _second));
        promote(stage(3), 500);
        stage(2);
    }

    function test_whatWasCurrentIsNeverStagedAnew() public {
        guard();
        registry.stopVerifier(address(verifier));
        vm.warp(vm.getBlockTimestamp() + STAGING_PERIOD);
        bytes memory artifact = Artifacts.sample(2, 1);
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.AlreadyPromoted.selector, _first));
        registry.stage(address(_other), artifact, statement(artifact, 0));
    }

    function test_expiryDoesNotBringBackWhatWasRevoked() public {
        guard();
        registry.revoke(_second);
        vm.warp(_expiry(_second));
        _refusesStage(abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, _second));
        guard();
        registry.stopVerifier(address(verifier));
        bytes memory artifact = Artifacts.sample(2, 2);
        vm.prank(PUBLISHER);
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, _second));
        registry.stage(address(_other), artifact, statement(artifact, 0));
    }

    // ------------------------------------------------------------------------------------------- and then revoked

    /// @dev A publisher who stages anew ahead of the guardian cannot keep the digest from being barred.
    function test_revokingAnEarlierIdBarsTheLast() public {
        vm.warp(_expiry(_second));
        ArtifactId third = stage(2);
        bytes32 digest = registry.record(third).digest;
        vm.expectEmit(true, true, true, true, address(registry));
        emit IConfigRegistry.Revoked(third, digest, 2);
        guard();
        registry.revoke(_second);
        assertStatus(third, Status.Revoked);
        assertStatus(_second, Status.Staged);
        _refusesStage(abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, third));
        guard();
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.ArtifactRevoked.selector, third));
        registry.revoke(_second);
    }

    function test_revokingAnEarlierIdEndsTheCanaryOfTheLast() public {
        vm.warp(_expiry(_second));
        ArtifactId third = stage(2);
        promote(third, 500);
        guard();
        registry.revoke(_second);
        assertHead(0, 3, _first, NONE, NONE, 0);
    }

    function test_revokingAnEarlierIdIsRefusedWhileTheLastRuns() public {
        vm.warp(_expiry(_second));
        ArtifactId third = current(2);
        guard();
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.StillEffective.selector, third));
        registry.revoke(_second);
    }

    // -------------------------------------------------------------------------------------------------- parameters

    function test_theRegistryTellsItsPeriods() public view {
        assertEq(registry.stagingPeriod(), STAGING_PERIOD, "stagingPeriod");
        assertEq(registry.coolingOff(), COOLING_OFF, "coolingOff");
    }

    function test_refusesToBeMadeWithoutAStagingPeriod() public {
        vm.expectRevert(abi.encodeWithSelector(IConfigRegistry.NoStagingPeriod.selector));
        new ConfigRegistry(address(manager), new address[](0), COOLING_OFF, 0);
    }

    /// @dev Neither sum can overflow, whatever the parameters.
    function testFuzz_longestPeriods(uint256 random) public {
        vm.warp(random % type(uint40).max);
        ConfigRegistry longest = new ConfigRegistry(address(this), new address[](0), type(uint32).max, type(uint32).max);
        bytes memory call = abi.encodeCall(longest.promote, (NONE, ALL, 0));
        (, bytes memory reason) = address(longest).call(call);
        bytes4 expected = vm.getBlockTimestamp() < type(uint32).max
            ? IConfigRegistry.CoolingOff.selector
            : IConfigRegistry.UnknownArtifact.selector;
        assertEq(bytes32(bytes4(reason)), bytes32(expected), "typed");
    }

    /// @dev This contract as an authority that lets everyone do everything.
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }

    function _expiry(ArtifactId id) private view returns (uint48) {
        return uint48(registry.record(id).stagedAt) + STAGING_PERIOD;
    }

    function _scheduledFor(uint256 time, bytes memory call) private {
        vm.prank(PROMOTER);
        manager.schedule(address(registry), call, uint48(time));
    }

    function _refusesStage(bytes memory reason) private {
        vm.prank(PUBLISHER);
        vm.expectRevert(reason);
        registry.stage(address(verifier), Artifacts.sample(2, 2), "");
    }
}
