// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {ConfigRegistry, HeadFlags} from "../src/ConfigRegistry.sol";
import {ArtifactId, Head, Record, Status, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {Governed} from "./kit/Governed.sol";

/// @notice Plays everyone against the registry in any order, and keeps the books of a model that knows the rules in their
/// simplest form. A call that the model allows must succeed, one that it forbids must fail. While a slow act waits, a guardian
/// may act; then it must fail.
contract Everyone is Governed {
    struct Model {
        bool killed;
        bool rolledBack;
        bool paused;
        uint64 sequence;
        uint32 current;
        uint32 rollbackTo;
        uint32 candidate;
        uint16 canaryBps;
        uint32 lastId;
    }

    Model public model;
    mapping(uint32 id => Status) public status;
    mapping(uint32 id => uint256) public salt;
    mapping(uint32 id => uint256) public stagedAt;
    /// @dev By salt: the id given last.
    mapping(uint256 salt => uint32) public latest;
    mapping(uint32 id => uint256) public vouchedBy;
    CalldataVerifier[2] public verifiers;
    bool[2] public stopped;

    constructor() {
        setUp();
        verifiers = [verifier, new CalldataVerifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET)];
        addVerifier(address(verifiers[1]));
    }

    function stageSome(uint256 random) external {
        uint256 which = random % 2;
        // Few enough salts that the same bytes come again.
        uint256 chosen = (random >> 1) % 12;
        uint32 known = latest[chosen];
        // Anew only where the staging before is void, and nothing runs it.
        bool stageable = known == 0 || (status[known] == Status.Staged && !counts(known) && known != model.candidate);
        bytes memory call = abi.encodeCall(registry.stage, (address(verifiers[which]), Artifacts.sample(1, chosen), ""));
        if (_call(PUBLISHER, call, stageable && !stopped[which])) {
            uint32 id = ++model.lastId;
            status[id] = Status.Staged;
            salt[id] = chosen;
            vouchedBy[id] = which;
            stagedAt[id] = vm.getBlockTimestamp();
            latest[chosen] = id;
        }
    }

    function promoteSome(uint256 random, uint256 share, uint256 meanwhile) external {
        uint32 id = _id(random);
        uint16[6] memory shares = [0, 1, 500, 9_999, 10_000, 10_001];
        uint16 canaryBps = share % 2 == 0 ? 10_000 : shares[(share >> 1) % 6];
        bool usable = status[id] == Status.Staged || status[id] == Status.Promoted;
        bool allowed = canaryBps > 0 && canaryBps <= 10_000 && usable && !stopped[vouchedBy[id]]
            && (id != model.current || model.rolledBack)
            && (status[id] == Status.Promoted || vm.getBlockTimestamp() + PROMOTE_DELAY < stagedAt[id] + STAGING_PERIOD);
        if (canaryBps < 10_000) {
            allowed = allowed && !model.rolledBack && !(id == model.candidate && canaryBps == model.canaryBps);
        }
        bytes memory call = abi.encodeCall(registry.promote, (ArtifactId.wrap(id), canaryBps, model.sequence));
        if (_slowly(PROMOTER, PROMOTE_DELAY, call, allowed, meanwhile)) {
            ++model.sequence;
            if (canaryBps == 10_000) {
                status[id] = Status.Promoted;
                (model.current, model.rolledBack, model.rollbackTo) = (id, false, 0);
                (model.candidate, model.canaryBps) = (0, 0);
            } else {
                (model.candidate, model.canaryBps) = (id, canaryBps);
            }
        }
    }

    function kill() public {
        if (_call(GUARDIAN, abi.encodeCall(registry.kill, ()), !model.killed)) {
            ++model.sequence;
            model.killed = true;
        }
    }

    function pause() public {
        if (_call(GUARDIAN, abi.encodeCall(registry.pause, ()), !model.paused)) {
            ++model.sequence;
            model.paused = true;
        }
    }

    function rollbackTo(uint256 random) public {
        uint32 id = _id(random);
        bytes memory call = abi.encodeCall(registry.rollback, (ArtifactId.wrap(id)));
        if (_call(GUARDIAN, call, status[id] == Status.Promoted && id != target())) {
            ++model.sequence;
            (model.rolledBack, model.rollbackTo) = (true, id);
            (model.candidate, model.canaryBps) = (0, 0);
        }
    }

    function revokeSome(uint256 random) public {
        uint32 id = _id(random);
        bytes memory call = abi.encodeCall(registry.revoke, (ArtifactId.wrap(id)));
        bool usable = status[id] == Status.Staged || status[id] == Status.Promoted;
        if (usable) id = latest[salt[id]];
        usable = usable && status[id] != Status.Revoked;
        if (_call(GUARDIAN, call, usable && (id != target() || model.killed))) {
            ++model.sequence;
            status[id] = Status.Revoked;
            if (id == model.candidate) (model.candidate, model.canaryBps) = (0, 0);
        }
    }

    function stopVerifier(uint256 random) external {
        // Rarely, for it is for ever.
        if (random % 8 != 0) return;
        uint256 which = (random >> 3) % 2;
        bytes memory call = abi.encodeCall(registry.stopVerifier, (address(verifiers[which])));
        if (_call(GUARDIAN, call, !stopped[which])) stopped[which] = true;
    }

    function reviveAll(uint256 meanwhile) external {
        bytes memory call = abi.encodeCall(registry.revive, (model.sequence));
        bool allowed = model.killed && status[target()] != Status.Revoked;
        if (_slowly(OPERATIONS, OPERATIONS_DELAY, call, allowed, meanwhile)) {
            ++model.sequence;
            model.killed = false;
        }
    }

    function resumeAll(uint256 meanwhile) external {
        bytes memory call = abi.encodeCall(registry.resume, (model.sequence));
        if (_slowly(OPERATIONS, OPERATIONS_DELAY, call, model.paused, meanwhile)) {
            ++model.sequence;
            model.paused = false;
        }
    }

    /// @dev Whether a staged artifact could be promoted.
    function counts(uint32 id) public view returns (bool) {
        return !stopped[vouchedBy[id]] && vm.getBlockTimestamp() < stagedAt[id] + STAGING_PERIOD;
    }

    function target() public view returns (uint32) {
        return model.rolledBack ? model.rollbackTo : model.current;
    }

    function book() external view returns (Model memory, ConfigRegistry) {
        return (model, registry);
    }

    function _id(uint256 random) private view returns (uint32) {
        // One more than there are, and none.
        return uint32(random % (uint256(model.lastId) + 2));
    }

    /// @dev Half the time nothing happens between the schedule and its execution. Otherwise a guardian acts, if the rules let
    /// it, and whatever moved the head voids the schedule.
    function _slowly(address caller, uint32 delay, bytes memory call, bool allowed, uint256 meanwhile)
        private
        returns (bool ok)
    {
        uint64 decidedOn = model.sequence;
        later(caller, delay, call);
        uint256 act = meanwhile % 8;
        if (act == 0) kill();
        else if (act == 1) pause();
        else if (act == 2) rollbackTo(meanwhile >> 3);
        else if (act == 3) revokeSome(meanwhile >> 3);
        ok = _call(caller, call, allowed && model.sequence == decidedOn);
        if (!ok) {
            vm.prank(caller);
            manager.cancel(caller, address(registry), call);
        }
    }

    function _call(address caller, bytes memory call, bool allowed) private returns (bool ok) {
        vm.prank(caller);
        (ok,) = address(registry).call(call);
        assertEq(ok, allowed, "the registry and the model agree");
    }
}

contract RegistryInvariants is Governed {
    Everyone private _everyone;

    function setUp() public override {
        _everyone = new Everyone();
    }

    /// @dev Read by forge: whom to call.
    function targetContracts() external view returns (address[] memory contracts) {
        contracts = new address[](1);
        contracts[0] = address(_everyone);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev Read by forge: what to call there.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = Everyone.stageSome.selector;
        selectors[1] = Everyone.promoteSome.selector;
        selectors[2] = Everyone.kill.selector;
        selectors[3] = Everyone.pause.selector;
        selectors[4] = Everyone.rollbackTo.selector;
        selectors[5] = Everyone.revokeSome.selector;
        selectors[6] = Everyone.stopVerifier.selector;
        selectors[7] = Everyone.reviveAll.selector;
        selectors[8] = Everyone.resumeAll.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_everyone), selectors);
    }

    function invariant_headIsWhatTheModelSays() external view {
        (Everyone.Model memory model, ConfigRegistry played) = _everyone.book();
        Head memory head = played.head();
        uint256 flags = (model.killed ? HeadFlags.KILL : 0) + (model.rolledBack ? HeadFlags.ROLLBACK : 0)
            + (model.paused ? HeadFlags.PAUSED : 0);
        assertEq(head.flags, flags, "flags");
        assertEq(head.sequence, model.sequence, "sequence");
        assertEq(head.current, ArtifactId.wrap(model.current), "current");
        assertEq(head.rollbackTo, ArtifactId.wrap(model.rollbackTo), "rollbackTo");
        assertEq(head.candidate, ArtifactId.wrap(model.candidate), "candidate");
        assertEq(head.canaryBps, model.canaryBps, "canaryBps");
        assertEq(played.lastId(), ArtifactId.wrap(model.lastId), "lastId");
    }

    function invariant_nothingRevokedRuns() external view {
        (, ConfigRegistry played) = _everyone.book();
        assertTrue(_status(played, played.effective()) != Status.Revoked, "effective");
        assertTrue(_status(played, played.head().candidate) != Status.Revoked, "candidate");
    }

    function invariant_onlyWhatWasCurrentRunsEverywhere() external view {
        (, ConfigRegistry played) = _everyone.book();
        ArtifactId effective = played.effective();
        assertTrue(effective == NONE || _status(played, effective) == Status.Promoted, "effective");
    }

    function invariant_fieldsOfTheHeadAgree() external view {
        (, ConfigRegistry played) = _everyone.book();
        Head memory head = played.head();
        assertEq(head.candidate != NONE, head.canaryBps != 0, "candidate and its share");
        assertEq(head.rollbackTo != NONE, head.flags & HeadFlags.ROLLBACK != 0, "rollback and its flag");
        assertTrue(head.candidate == NONE || head.rollbackTo == NONE, "no canary while rolled back");
        assertLe(head.flags, 7, "no other flag");
    }

    function invariant_digestsAndIdsAreOneToOne() external view {
        (Everyone.Model memory model, ConfigRegistry played) = _everyone.book();
        for (uint32 id = 1; id <= model.lastId; ++id) {
            Record memory record = played.record(ArtifactId.wrap(id));
            ArtifactId latest = ArtifactId.wrap(_everyone.latest(_everyone.salt(id)));
            assertEq(played.idOf(record.digest), latest, "id of the digest");
            assertTrue(
                latest == ArtifactId.wrap(id) || (record.status == Status.Staged && !_everyone.counts(id)),
                "an id before the last is void"
            );
            assertEq(uint8(record.status), uint8(_everyone.status(id)), "status");
        }
        assertEq(played.record(ArtifactId.wrap(model.lastId + 1)).digest, bytes32(0), "nothing beyond the last");
    }

    function invariant_stoppedVerifiersStayStopped() external view {
        (, ConfigRegistry played) = _everyone.book();
        for (uint256 i = 0; i < 2; ++i) {
            VerifierStatus expected = _everyone.stopped(i) ? VerifierStatus.Stopped : VerifierStatus.Active;
            assertEq(uint8(played.verifierStatus(address(_everyone.verifiers(i)))), uint8(expected), "status");
        }
    }

    function _status(ConfigRegistry played, ArtifactId id) private view returns (Status) {
        return played.record(id).status;
    }
}
