// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Deploy, Deployment} from "../../script/Deploy.s.sol";
import {Holder, Plan, VerifierPlan} from "../../script/Plan.sol";
import {SafeContracts} from "../../script/Safes.sol";
import {vm} from "../../script/Vm.sol";
import {ConfigRegistry} from "../../src/ConfigRegistry.sol";
import {EmergencyStop} from "../../src/EmergencyStop.sol";
import {IArtifactVerifier, Statement} from "../../src/interfaces/IArtifactVerifier.sol";
import {ArtifactId, Head, Status} from "../../src/interfaces/IConfigRegistry.sol";
import {CalldataVerifier} from "../../src/verifiers/CalldataVerifier.sol";
import {Artifacts} from "./Artifacts.sol";
import {Test} from "./Test.sol";

/// @notice States whatever its evidence says, for the rules that no honest verifier can bring about.
contract CredulousVerifier is IArtifactVerifier {
    function engine() external pure virtual returns (uint32) {
        return 1;
    }

    function verify(bytes calldata, bytes calldata evidence) external pure returns (Statement memory) {
        return abi.decode(evidence, (Statement));
    }
}

/// @notice A registry as the deployment script leaves it, and everyone who holds a role there.
abstract contract Governed is Test {
    address internal constant ADMIN = address(0xad);
    address internal constant PUBLISHER = address(0x10);
    address internal constant PROMOTER = address(0x20);
    address internal constant GUARDIAN = address(0x30);
    address internal constant OPERATIONS = address(0x40);
    address internal constant STRANGER = address(0x50);
    uint32 internal constant PROMOTE_DELAY = 2 days;
    uint32 internal constant OPERATIONS_DELAY = 3 days;
    uint32 internal constant ADMIN_DELAY = 7 days;
    uint32 internal constant COOLING_OFF = 1 days;
    uint32 internal constant STAGING_PERIOD = 60 days;

    ArtifactId internal constant NONE = ArtifactId.wrap(0);
    uint16 internal constant ALL = 10_000;

    Deploy internal script = new Deploy();
    Deployment internal deployment;
    AccessManager internal manager;
    CalldataVerifier internal verifier;
    ConfigRegistry internal registry;
    EmergencyStop internal emergencyStop;

    function setUp() public virtual {
        vm.warp(1_763_700_000);
        vm.roll(21_000_000);
        deployment = script.deploy(plan(), address(script));
        (manager, verifier, registry) = (deployment.manager, deployment.judge, deployment.registry);
        emergencyStop = deployment.emergencyStop;
    }

    function plan() internal pure virtual returns (Plan memory) {
        VerifierPlan[] memory verifiers = new VerifierPlan[](1);
        verifiers[0] = VerifierPlan("calldata", 1);
        return Plan({
            chainId: 31_337,
            safe: SafeContracts(address(0), address(0), address(0)),
            admin: account(ADMIN),
            publisher: account(PUBLISHER),
            promoter: account(PROMOTER),
            guardian: account(GUARDIAN),
            operations: account(OPERATIONS),
            promoteDelay: PROMOTE_DELAY,
            operationsDelay: OPERATIONS_DELAY,
            adminDelay: ADMIN_DELAY,
            coolingOff: COOLING_OFF,
            stagingPeriod: STAGING_PERIOD,
            verifiers: verifiers,
            deployment: ""
        });
    }

    /// @dev A holder of one key.
    function account(address holder) internal pure returns (Holder memory) {
        return Holder(holder, new address[](0), 0, 0);
    }

    function stage(uint256 salt) internal returns (ArtifactId) {
        vm.prank(PUBLISHER);
        return registry.stage(address(verifier), Artifacts.sample(2, salt), "");
    }

    /// @dev Schedules the call, waits out the delay and calls.
    function later(address caller, uint32 delay, bytes memory call) internal {
        vm.prank(caller);
        manager.schedule(address(registry), call, 0);
        vm.warp(vm.getBlockTimestamp() + delay);
    }

    /// @dev As the administrator, once its delay is over; a Safe is taken at its word.
    function administer(bytes memory call) internal {
        address admin = deployment.holders.admin;
        vm.prank(admin);
        manager.schedule(address(manager), call, 0);
        vm.warp(vm.getBlockTimestamp() + ADMIN_DELAY);
        vm.prank(admin);
        manager.execute(address(manager), call);
    }

    /// @dev The head's, on which a slow act is decided.
    function sequence() internal view returns (uint64) {
        return registry.head().sequence;
    }

    function promote(ArtifactId id, uint16 canaryBps) internal {
        uint64 decidedOn = sequence();
        later(PROMOTER, PROMOTE_DELAY, abi.encodeCall(registry.promote, (id, canaryBps, decidedOn)));
        vm.prank(PROMOTER);
        registry.promote(id, canaryBps, decidedOn);
    }

    function current(uint256 salt) internal returns (ArtifactId id) {
        id = stage(salt);
        promote(id, ALL);
    }

    function revive() internal {
        uint64 decidedOn = sequence();
        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.revive, (decidedOn)));
        vm.prank(OPERATIONS);
        registry.revive(decidedOn);
    }

    function resume() internal {
        uint64 decidedOn = sequence();
        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.resume, (decidedOn)));
        vm.prank(OPERATIONS);
        registry.resume(decidedOn);
    }

    function addVerifier(address added) internal {
        later(OPERATIONS, OPERATIONS_DELAY, abi.encodeCall(registry.addVerifier, (added)));
        vm.prank(OPERATIONS);
        registry.addVerifier(added);
    }

    /// @dev Lets a credulous verifier vouch for these bytes.
    function statement(bytes memory artifact, bytes32 commitment) internal pure returns (bytes memory evidence) {
        return abi.encode(
            Statement({
                digest: keccak256(artifact),
                commitment: commitment,
                engine: 1,
                size: uint16(artifact.length),
                rows: uint8(artifact.length / 64 - 1)
            })
        );
    }

    /// @dev The next transaction carries a blob of this versioned hash, and no other.
    function carryBlob(bytes32 versionedHash) internal {
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = versionedHash;
        vm.blobhashes(hashes);
    }

    function guard() internal {
        vm.prank(GUARDIAN);
    }

    /// @dev Expects that a promotion is refused once its time has come.
    function promoteReverts(ArtifactId id, uint16 canaryBps, bytes memory reason) internal {
        uint64 decidedOn = sequence();
        later(PROMOTER, PROMOTE_DELAY, abi.encodeCall(registry.promote, (id, canaryBps, decidedOn)));
        vm.prank(PROMOTER);
        vm.expectRevert(reason);
        registry.promote(id, canaryBps, decidedOn);
    }

    function assertHead(
        uint8 flags,
        uint64 sequence_,
        ArtifactId current_,
        ArtifactId rollbackTo,
        ArtifactId candidate,
        uint16 canaryBps
    ) internal view {
        Head memory head = registry.head();
        assertEq(head.flags, flags, "flags");
        assertEq(head.sequence, sequence_, "sequence");
        assertEq(head.current, current_, "current");
        assertEq(head.rollbackTo, rollbackTo, "rollbackTo");
        assertEq(head.candidate, candidate, "candidate");
        assertEq(head.canaryBps, canaryBps, "canaryBps");
    }

    function assertStatus(ArtifactId id, Status status) internal view {
        assertEq(uint8(registry.record(id).status), uint8(status), "status");
    }
}
