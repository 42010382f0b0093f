// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {ConfigRegistry, HeadFlags} from "../src/ConfigRegistry.sol";
import {ArtifactId, Head, Record, Status, VerifierStatus} from "../src/interfaces/IConfigRegistry.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {CredulousVerifier, Governed} from "./kit/Governed.sol";
import {Replay} from "./kit/Replay.sol";

/// @notice Plays everyone against the registry in any order, and keeps the books of a model that knows the rules in their
/// simplest form. A call that the model allows must succeed, one that it forbids must fail. While a slow act waits, a guardian
/// may act; then it must fail. What each change may do at all is looked at after each call, whatever the model says; and
/// what the logs tell is replayed.
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
        uint40 changedAt;
    }

    uint256 public constant VERIFIERS = 5;
    /// @dev Salts from here on are of artifacts that break the format.
    uint256 private constant BROKEN = 8;
    uint256 private constant SALTS = 11;
    bytes32 private constant BLOB = bytes32(uint256(0xb10b));

    Model public model;
    mapping(uint32 id => Status) public status;
    mapping(uint32 id => uint256) public salt;
    mapping(uint32 id => uint256) public stagedAt;
    mapping(uint32 id => uint256) public vouchedBy;
    mapping(uint32 id => uint256) public commitment;
    /// @dev By salt: the id given last.
    mapping(uint256 salt => uint32) public latest;
    /// @dev Two of the calldata route, two that believe everything, and another of those that is not added yet.
    address[VERIFIERS] public verifiers;
    VerifierStatus[VERIFIERS] public verifierStatus;

    // What was seen to happen, beside what is.
    /// @dev When an artifact first became current or the candidate by a call that was due and had an active verifier.
    mapping(uint32 id => uint256) public promotedAt;
    /// @dev Number of acts so far, and the act by which an artifact was last promoted and a verifier stopped.
    uint256 public acts;
    mapping(uint32 id => uint256) public lastPromotion;
    mapping(uint256 which => uint256) public stoppage;
    mapping(bytes32 digest => bool) public barred;

    Replay public replay;

    constructor() {
        vm.recordLogs();
        setUp();
        verifiers = [
            address(verifier),
            address(new CalldataVerifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET)),
            address(new CredulousVerifier()),
            address(new CredulousVerifier()),
            address(new CredulousVerifier())
        ];
        for (uint256 i = 1; i < 4; ++i) {
            addVerifier(verifiers[i]);
        }
        for (uint256 i = 0; i < 4; ++i) {
            verifierStatus[i] = VerifierStatus.Active;
        }
        replay = new Replay(address(registry));
        replay.follow(vm.getRecordedLogs());
    }

    // -------------------------------------------------------------------------------------------------- the publisher

    function stageSome(uint256 random) external {
        (uint256 which, uint256 chosen, uint256 committed) = _someArtifact(random);
        bool believes = which >= 2;
        bytes memory artifact = _artifact(chosen);
        bytes memory evidence = believes ? statement(artifact, bytes32(committed)) : bytes("");
        bool allowed = _stageable(which, chosen) && (believes || chosen < BROKEN);
        bytes memory call = abi.encodeCall(registry.stage, (verifiers[which], artifact, evidence));
        if (_call(PUBLISHER, call, allowed)) _staged(which, chosen, believes ? committed : 0);
    }

    function stageSomeBlob(uint256 random) external {
        (uint256 which, uint256 chosen, uint256 committed) = _someArtifact(random);
        bool carried = random >> 128 & 3 != 0;
        if (carried) carryBlob(BLOB);
        else vm.blobhashes(new bytes32[](0));
        bytes memory evidence = which >= 2 ? statement(_artifact(chosen), bytes32(committed)) : bytes("");
        bool allowed = carried && which >= 2 && _stageable(which, chosen);
        bytes memory call = abi.encodeCall(registry.stageBlob, (verifiers[which], evidence, 0, BLOB));
        if (_call(PUBLISHER, call, allowed)) _staged(which, chosen, committed);
    }

    // --------------------------------------------------------------------------------------- who must schedule and wait

    function promoteSome(uint256 random, uint256 share, uint256 meanwhile) external {
        (uint32 id, uint16 canaryBps) = (_id(random), _share(share));
        bytes memory call = abi.encodeCall(registry.promote, (ArtifactId.wrap(id), canaryBps, model.sequence));
        bool allowed = _promotable(id, canaryBps, vm.getBlockTimestamp() + PROMOTE_DELAY);
        if (_slowly(PROMOTER, PROMOTE_DELAY, call, allowed, meanwhile)) _promoted(id, canaryBps);
    }

    function reviveAll(uint256 meanwhile) external {
        bytes memory call = abi.encodeCall(registry.revive, (model.sequence));
        if (_slowly(OPERATIONS, OPERATIONS_DELAY, call, _revivable(), meanwhile)) {
            _moved();
            model.killed = false;
        }
    }

    function resumeAll(uint256 meanwhile) external {
        bytes memory call = abi.encodeCall(registry.resume, (model.sequence));
        if (_slowly(OPERATIONS, OPERATIONS_DELAY, call, model.paused, meanwhile)) {
            _moved();
            model.paused = false;
        }
    }

    function addSomeVerifier(uint256 random) external {
        uint256 which = random % VERIFIERS;
        bytes memory call = abi.encodeCall(registry.addVerifier, (verifiers[which]));
        later(OPERATIONS, OPERATIONS_DELAY, call);
        if (_call(OPERATIONS, call, verifierStatus[which] == VerifierStatus.None)) {
            verifierStatus[which] = VerifierStatus.Active;
        } else {
            _cancel(OPERATIONS, call);
        }
    }

    /// @dev Something slow is scheduled for the head that a guardian's act will leave. It is due when the guardian acts, and
    /// must wait for the cooling-off all the same.
    function scheduleAhead(uint256 random, uint256 act, uint256 share) external {
        (uint32 id, uint16 canaryBps) = (_id(random), _share(share));
        bool promotes = random >> 128 & 1 == 0;
        uint64 ahead = model.sequence + 1;
        bytes memory call = promotes
            ? abi.encodeCall(registry.promote, (ArtifactId.wrap(id), canaryBps, ahead))
            : abi.encodeCall(registry.revive, (ahead));
        address caller = promotes ? PROMOTER : OPERATIONS;
        later(caller, promotes ? PROMOTE_DELAY : OPERATIONS_DELAY, call);
        _guardianActs(act);
        uint256 until = uint256(model.changedAt) + COOLING_OFF;
        bool moved = model.sequence == ahead;
        assertTrue(!moved || until == vm.getBlockTimestamp() + COOLING_OFF, "the guardian acted just now");
        _call(caller, call, false);
        vm.warp(vm.getBlockTimestamp() + COOLING_OFF - 1);
        _call(caller, call, false);
        vm.warp(vm.getBlockTimestamp() + 1);
        bool allowed = moved && (promotes ? _promotable(id, canaryBps, vm.getBlockTimestamp()) : _revivable());
        if (!_call(caller, call, allowed)) {
            _cancel(caller, call);
        } else if (promotes) {
            _promoted(id, canaryBps);
        } else {
            _moved();
            model.killed = false;
        }
    }

    /// @dev Without a schedule, and before its time.
    function actTooEarly(uint256 random, uint256 share) external {
        bytes[4] memory calls = [
            abi.encodeCall(registry.promote, (ArtifactId.wrap(_id(random)), _share(share), model.sequence)),
            abi.encodeCall(registry.revive, (model.sequence)),
            abi.encodeCall(registry.resume, (model.sequence)),
            abi.encodeCall(registry.addVerifier, (verifiers[4]))
        ];
        uint256 which = random >> 128 & 3;
        address caller = which == 0 ? PROMOTER : OPERATIONS;
        uint32 delay = which == 0 ? PROMOTE_DELAY : OPERATIONS_DELAY;
        _call(caller, calls[which], false);
        later(caller, delay - 1, calls[which]);
        _call(caller, calls[which], false);
        _cancel(caller, calls[which]);
    }

    // -------------------------------------------------------------------------------------------------- the guardian

    function kill() public {
        if (_call(GUARDIAN, abi.encodeCall(registry.kill, ()), !model.killed)) {
            _moved();
            model.killed = true;
        }
    }

    function pause() public {
        if (_call(GUARDIAN, abi.encodeCall(registry.pause, ()), !model.paused)) {
            _moved();
            model.paused = true;
        }
    }

    function rollbackTo(uint256 random) public {
        uint32 id = _id(random);
        bytes memory call = abi.encodeCall(registry.rollback, (ArtifactId.wrap(id)));
        if (_call(GUARDIAN, call, status[id] == Status.Promoted && id != target())) {
            _moved();
            (model.rolledBack, model.rollbackTo) = (true, id);
            (model.candidate, model.canaryBps) = (0, 0);
        }
    }

    function revokeSome(uint256 random) public {
        uint32 id = _id(random);
        bytes memory call = abi.encodeCall(registry.revoke, (ArtifactId.wrap(id)));
        // Of a digest that was staged anew, the last.
        bool usable = status[id] == Status.Staged || status[id] == Status.Promoted;
        if (usable) id = latest[salt[id]];
        usable = usable && status[id] != Status.Revoked;
        if (_call(GUARDIAN, call, usable && (id != target() || model.killed))) {
            _moved();
            status[id] = Status.Revoked;
            barred[keccak256(_artifact(salt[id]))] = true;
            if (id == model.candidate) (model.candidate, model.canaryBps) = (0, 0);
        }
    }

    function stopVerifier(uint256 random) external {
        // Rarely, for it is for ever.
        if (random % 8 != 0) return;
        uint256 which = (random >> 3) % VERIFIERS;
        bytes memory call = abi.encodeCall(registry.stopVerifier, (verifiers[which]));
        if (_call(GUARDIAN, call, verifierStatus[which] == VerifierStatus.Active)) _stopped(which);
    }

    // ------------------------------------------------------------------------------------------- anyone with a proof

    function stopByDefect(uint256 random, address anyone) external {
        uint32 id = _id(random);
        // The proof, or other bytes.
        bool genuine = random >> 128 & 7 != 0;
        bytes memory artifact = _artifact(genuine ? salt[id] : (salt[id] + 1) % SALTS);
        bool allowed = genuine && status[id] != Status.None && salt[id] >= BROKEN
            && verifierStatus[vouchedBy[id]] == VerifierStatus.Active;
        bytes memory call = abi.encodeCall(emergencyStop.stopByDefect, (ArtifactId.wrap(id), artifact));
        if (_callAt(address(emergencyStop), anyone, call, allowed)) _stopped(vouchedBy[id]);
    }

    function stopByCollision(uint256 random, address anyone) external {
        (uint32 a, uint32 b) = (_id(random), _id(random >> 128));
        bool allowed = status[a] != Status.None && status[b] != Status.None && vouchedBy[a] == vouchedBy[b]
            && commitment[a] == commitment[b] && commitment[a] != 0 && salt[a] != salt[b]
            && verifierStatus[vouchedBy[a]] == VerifierStatus.Active;
        bytes memory call = abi.encodeCall(emergencyStop.stopByCollision, (ArtifactId.wrap(a), ArtifactId.wrap(b)));
        if (_callAt(address(emergencyStop), anyone, call, allowed)) _stopped(vouchedBy[a]);
    }

    // ------------------------------------------------------------------------------------------------ everyone else

    /// @dev Someone calls what is another's.
    function trespass(uint256 random, uint256 who) external {
        address[7] memory everyone =
            [ADMIN, PUBLISHER, PROMOTER, GUARDIAN, OPERATIONS, address(emergencyStop), address(uint160(who >> 8))];
        (bytes memory call, address holder) = _any(random);
        address caller = everyone[who % 7];
        bool stops = caller == address(emergencyStop) && bytes4(call) == registry.stopVerifier.selector;
        if (caller == holder || stops) return;
        _call(caller, call, false);
    }

    function passTime(uint256 random) external {
        vm.warp(vm.getBlockTimestamp() + random % 25 days);
    }

    // ---------------------------------------------------------------------------------------------------------- views

    /// @dev Whether a staged artifact could be promoted at `time`.
    function counts(uint32 id, uint256 time) public view returns (bool) {
        return verifierStatus[vouchedBy[id]] == VerifierStatus.Active && time < stagedAt[id] + STAGING_PERIOD;
    }

    function target() public view returns (uint32) {
        return model.rolledBack ? model.rollbackTo : model.current;
    }

    function stopper() external view returns (address) {
        return address(emergencyStop);
    }

    function actsAtOnce(address caller, bytes4 selector) external view returns (bool immediate) {
        (immediate,) = manager.canCall(caller, address(registry), selector);
    }

    function book() external view returns (Model memory, ConfigRegistry) {
        return (model, registry);
    }

    // --------------------------------------------------------------------------------------------- rules, and the books

    function _stageable(uint256 which, uint256 chosen) private view returns (bool) {
        uint32 known = latest[chosen];
        // Anew only where the staging before is void, and nothing runs it.
        bool free = known == 0
            || (status[known] == Status.Staged && !counts(known, vm.getBlockTimestamp()) && known != model.candidate);
        return free && verifierStatus[which] == VerifierStatus.Active;
    }

    function _promotable(uint32 id, uint16 canaryBps, uint256 time) private view returns (bool) {
        bool usable = status[id] == Status.Staged
            ? counts(id, time)
            : status[id] == Status.Promoted && verifierStatus[vouchedBy[id]] == VerifierStatus.Active;
        if (!usable || canaryBps == 0 || canaryBps > 10_000 || (id == model.current && !model.rolledBack)) {
            return false;
        }
        return canaryBps == 10_000 || (!model.rolledBack && !(id == model.candidate && canaryBps == model.canaryBps));
    }

    function _revivable() private view returns (bool) {
        return model.killed && status[target()] != Status.Revoked;
    }

    function _staged(uint256 which, uint256 chosen, uint256 committed) private {
        uint32 id = ++model.lastId;
        (status[id], salt[id], vouchedBy[id], commitment[id]) = (Status.Staged, chosen, which, committed);
        (stagedAt[id], latest[chosen]) = (vm.getBlockTimestamp(), id);
        assertTrue(!barred[keccak256(_artifact(chosen))], "what was revoked is never staged");
    }

    function _promoted(uint32 id, uint16 canaryBps) private {
        assertTrue(vm.getBlockTimestamp() >= model.changedAt + uint256(COOLING_OFF), "after the cooling-off");
        assertEq(
            uint8(registry.verifierStatus(verifiers[vouchedBy[id]])), uint8(VerifierStatus.Active), "active verifier"
        );
        if (promotedAt[id] == 0) promotedAt[id] = vm.getBlockTimestamp();
        lastPromotion[id] = acts;
        _moved();
        if (canaryBps == 10_000) {
            status[id] = Status.Promoted;
            (model.current, model.rolledBack, model.rollbackTo) = (id, false, 0);
            (model.candidate, model.canaryBps) = (0, 0);
        } else {
            (model.candidate, model.canaryBps) = (id, canaryBps);
        }
    }

    function _stopped(uint256 which) private {
        verifierStatus[which] = VerifierStatus.Stopped;
        stoppage[which] = acts;
    }

    function _moved() private {
        ++model.sequence;
        model.changedAt = uint40(vm.getBlockTimestamp());
    }

    // ------------------------------------------------------------------------------------------------------- choices

    function _id(uint256 random) private view returns (uint32) {
        // One more than there are, and none.
        return uint32(random % (uint256(model.lastId) + 2));
    }

    function _share(uint256 random) private pure returns (uint16) {
        uint16[6] memory shares = [0, 1, 500, 9_999, 10_000, 10_001];
        return random % 2 == 0 ? 10_000 : shares[(random >> 1) % 6];
    }

    /// @dev Few enough that the same come again.
    function _someArtifact(uint256 random) private pure returns (uint256 which, uint256 chosen, uint256 committed) {
        return (random % VERIFIERS, (random >> 16) % SALTS, (random >> 32) % 4);
    }

    function _artifact(uint256 chosen) private pure returns (bytes memory) {
        return chosen < BROKEN ? Artifacts.sample(1, chosen) : Artifacts.broken(chosen);
    }

    /// @dev Some call, and who alone may make it; nobody without a delay, where that is nobody.
    function _any(uint256 random) private view returns (bytes memory call, address holder) {
        ArtifactId id = ArtifactId.wrap(_id(random));
        uint256 which = (random >> 128) % 12;
        if (which == 0) return (abi.encodeCall(registry.stage, (verifiers[2], "", "")), PUBLISHER);
        if (which == 1) return (abi.encodeCall(registry.stageBlob, (verifiers[2], "", 0, BLOB)), PUBLISHER);
        if (which == 2) return (abi.encodeCall(registry.promote, (id, 10_000, model.sequence)), address(0));
        if (which == 3) return (abi.encodeCall(registry.kill, ()), GUARDIAN);
        if (which == 4) return (abi.encodeCall(registry.rollback, (id)), GUARDIAN);
        if (which == 5) return (abi.encodeCall(registry.pause, ()), GUARDIAN);
        if (which == 6) return (abi.encodeCall(registry.revoke, (id)), GUARDIAN);
        if (which == 7) return (abi.encodeCall(registry.stopVerifier, (verifiers[random % VERIFIERS])), GUARDIAN);
        if (which == 8) return (abi.encodeCall(registry.revive, (model.sequence)), address(0));
        if (which == 9) return (abi.encodeCall(registry.resume, (model.sequence)), address(0));
        if (which == 10) return (abi.encodeCall(registry.addVerifier, (verifiers[4])), address(0));
        return (abi.encodeCall(registry.setAuthority, (address(this))), address(manager));
    }

    function _guardianActs(uint256 act) private {
        if (act % 4 == 0) kill();
        else if (act % 4 == 1) pause();
        else if (act % 4 == 2) rollbackTo(act >> 2);
        else revokeSome(act >> 2);
    }

    // ---------------------------------------------------------------------------------------------------------- calls

    /// @dev Half the time nothing happens between the schedule and its execution. Otherwise a guardian acts, if the rules let
    /// it, and whatever moved the head voids the schedule.
    function _slowly(address caller, uint32 delay, bytes memory call, bool allowed, uint256 meanwhile)
        private
        returns (bool ok)
    {
        uint64 decidedOn = model.sequence;
        later(caller, delay, call);
        if (meanwhile % 2 == 0) _guardianActs(meanwhile >> 1);
        ok = _call(caller, call, allowed && model.sequence == decidedOn);
        if (!ok) _cancel(caller, call);
    }

    function _cancel(address caller, bytes memory call) private {
        vm.prank(caller);
        manager.cancel(caller, address(registry), call);
    }

    function _call(address caller, bytes memory call, bool allowed) private returns (bool) {
        return _callAt(address(registry), caller, call, allowed);
    }

    function _callAt(address to, address caller, bytes memory call, bool allowed) private returns (bool ok) {
        ++acts;
        Head memory before = registry.head();
        ArtifactId ran = registry.effective();
        vm.recordLogs();
        vm.prank(caller);
        (ok,) = to.call(call);
        replay.follow(vm.getRecordedLogs());
        assertEq(ok, allowed, "the registry and the model agree");
        _watch(before, ran, caller == PROMOTER || caller == OPERATIONS);
    }

    /// @dev What a change of the head may be, and what it may be without a delay: less that runs, or what ran before.
    function _watch(Head memory before, ArtifactId ran, bool waited) private view {
        Head memory head = registry.head();
        if (head.sequence == before.sequence) {
            assertEq(keccak256(abi.encode(head)), keccak256(abi.encode(before)), "no change without a sequence");
            return;
        }
        assertEq(head.sequence, before.sequence + 1, "the sequence rises by one");
        assertEq(head.changedAt, vm.getBlockTimestamp(), "changedAt");
        if (waited) return;
        assertEq(head.current, before.current, "current changes slowly");
        assertEq(head.flags & before.flags, before.flags, "no bit is cleared at once");
        assertTrue(
            head.candidate == NONE || (head.candidate == before.candidate && head.canaryBps == before.canaryBps),
            "a canary only ends at once"
        );
        ArtifactId runs = registry.effective();
        assertTrue(
            runs == NONE || runs == ran || registry.record(runs).status == Status.Promoted, "runs what was current"
        );
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
        bytes4[] memory selectors = new bytes4[](17);
        selectors[0] = Everyone.stageSome.selector;
        selectors[1] = Everyone.stageSomeBlob.selector;
        // Twice as often as the others.
        selectors[2] = Everyone.promoteSome.selector;
        selectors[3] = Everyone.promoteSome.selector;
        selectors[4] = Everyone.kill.selector;
        selectors[5] = Everyone.pause.selector;
        selectors[6] = Everyone.rollbackTo.selector;
        selectors[7] = Everyone.revokeSome.selector;
        selectors[8] = Everyone.stopVerifier.selector;
        selectors[9] = Everyone.reviveAll.selector;
        selectors[10] = Everyone.resumeAll.selector;
        selectors[11] = Everyone.addSomeVerifier.selector;
        selectors[12] = Everyone.scheduleAhead.selector;
        selectors[13] = Everyone.actTooEarly.selector;
        selectors[14] = Everyone.stopByDefect.selector;
        selectors[15] = Everyone.stopByCollision.selector;
        selectors[16] = Everyone.trespass.selector;
        targets = new FuzzSelector[](2);
        targets[0] = FuzzSelector(address(_everyone), selectors);
        bytes4[] memory time = new bytes4[](1);
        time[0] = Everyone.passTime.selector;
        targets[1] = FuzzSelector(address(_everyone), time);
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
        assertEq(head.changedAt, model.changedAt, "changedAt");
        assertEq(played.lastId(), ArtifactId.wrap(model.lastId), "lastId");
    }

    function invariant_effectiveIsWhatTheHeadSays() external view {
        (, ConfigRegistry played) = _everyone.book();
        Head memory head = played.head();
        ArtifactId target = head.flags & HeadFlags.ROLLBACK != 0 ? head.rollbackTo : head.current;
        assertEq(played.effective(), head.flags & HeadFlags.KILL != 0 ? NONE : target, "effective");
    }

    function invariant_nothingRevokedRuns() external view {
        (, ConfigRegistry played) = _everyone.book();
        assertTrue(_status(played, played.effective()) != Status.Revoked, "effective");
        assertTrue(_status(played, played.head().candidate) != Status.Revoked, "candidate");
    }

    function invariant_revokedIsForEver() external view {
        (Everyone.Model memory model, ConfigRegistry played) = _everyone.book();
        for (uint32 id = 1; id <= model.lastId; ++id) {
            bytes32 digest = played.record(ArtifactId.wrap(id)).digest;
            if (!_everyone.barred(digest)) continue;
            assertEq(uint8(_status(played, played.idOf(digest))), uint8(Status.Revoked), "the last id of the digest");
        }
    }

    function invariant_onlyWhatWasCurrentRunsEverywhere() external view {
        (, ConfigRegistry played) = _everyone.book();
        ArtifactId effective = played.effective();
        assertTrue(effective == NONE || _status(played, effective) == Status.Promoted, "effective");
        ArtifactId rollbackTo = played.head().rollbackTo;
        // Under a kill it may have been revoked since; then it cannot be revived.
        assertTrue(rollbackTo == NONE || _status(played, rollbackTo) >= Status.Promoted, "rollbackTo");
        assertTrue(rollbackTo == NONE || _everyone.promotedAt(ArtifactId.unwrap(rollbackTo)) != 0, "was promoted");
    }

    /// @dev Nothing is current or the candidate that was not vouched for by a then active verifier, and that did not wait.
    function invariant_neverCurrentWithoutProofAndDelay() external view {
        (Everyone.Model memory model, ConfigRegistry played) = _everyone.book();
        for (uint32 id = 1; id <= model.lastId; ++id) {
            uint256 promotedAt = _everyone.promotedAt(id);
            Head memory head = played.head();
            ArtifactId some = ArtifactId.wrap(id);
            bool counted = head.current == some || head.candidate == some || _status(played, some) == Status.Promoted;
            assertTrue(!counted || promotedAt != 0, "promoted as it must be");
            // What was scheduled waited, but it may have been scheduled ahead: before the artifact was staged.
            assertTrue(promotedAt == 0 || promotedAt >= _everyone.stagedAt(id), "staged before");
        }
    }

    function invariant_whatExpiredWasNeverPromoted() external view {
        (Everyone.Model memory model,) = _everyone.book();
        for (uint32 id = 1; id <= model.lastId; ++id) {
            uint256 promotedAt = _everyone.promotedAt(id);
            assertTrue(promotedAt == 0 || promotedAt < _everyone.stagedAt(id) + STAGING_PERIOD, "in time");
        }
    }

    function invariant_stoppedVerifiersStayStopped() external view {
        (, ConfigRegistry played) = _everyone.book();
        for (uint256 i = 0; i < _everyone.VERIFIERS(); ++i) {
            uint8 expected = uint8(_everyone.verifierStatus(i));
            assertEq(uint8(played.verifierStatus(_everyone.verifiers(i))), expected, "status");
        }
    }

    function invariant_whatAStoppedVerifierVouchedForIsNotPromoted() external view {
        (Everyone.Model memory model,) = _everyone.book();
        for (uint32 id = 1; id <= model.lastId; ++id) {
            uint256 stoppage = _everyone.stoppage(_everyone.vouchedBy(id));
            assertTrue(stoppage == 0 || _everyone.lastPromotion(id) < stoppage, "promoted before it was stopped");
        }
    }

    function invariant_fieldsOfTheHeadAgree() external view {
        (, ConfigRegistry played) = _everyone.book();
        Head memory head = played.head();
        assertEq(head.candidate != NONE, head.canaryBps != 0, "candidate and its share");
        assertLe(head.canaryBps, 9_999, "a canary is not everyone");
        assertTrue(head.candidate == NONE || head.candidate != head.current, "a candidate is another");
        assertEq(head.rollbackTo != NONE, head.flags & HeadFlags.ROLLBACK != 0, "rollback and its flag");
        assertTrue(head.candidate == NONE || head.rollbackTo == NONE, "no canary while rolled back");
        assertLe(head.flags, 7, "no other flag");
        assertTrue(head.changedAt <= vm.getBlockTimestamp(), "changed in the past");
    }

    function invariant_everyIdHasOneDigestAndEveryDigestOneLiveId() external view {
        (Everyone.Model memory model, ConfigRegistry played) = _everyone.book();
        for (uint32 id = 1; id <= model.lastId; ++id) {
            Record memory record = played.record(ArtifactId.wrap(id));
            ArtifactId latest = ArtifactId.wrap(_everyone.latest(_everyone.salt(id)));
            assertEq(played.idOf(record.digest), latest, "id of the digest");
            assertEq(played.record(latest).digest, record.digest, "one digest");
            assertTrue(
                latest == ArtifactId.wrap(id)
                    || (record.status == Status.Staged && !_everyone.counts(id, vm.getBlockTimestamp())),
                "an id before the last is void"
            );
            assertEq(uint8(record.status), uint8(_everyone.status(id)), "status");
        }
        assertEq(played.record(ArtifactId.wrap(model.lastId + 1)).digest, bytes32(0), "nothing beyond the last");
    }

    /// @dev The history is enough: head, records and verifiers come out of the events as they are in storage.
    function invariant_eventsAloneRebuildTheRegistry() external view {
        (Everyone.Model memory model, ConfigRegistry played) = _everyone.book();
        _everyone.replay().assertEquals(played, model.lastId);
        for (uint256 i = 0; i < _everyone.VERIFIERS(); ++i) {
            address verifier_ = _everyone.verifiers(i);
            uint8 found = uint8(played.verifierStatus(verifier_));
            assertEq(uint8(_everyone.replay().verifiers(verifier_)), found, "verifier");
        }
    }

    /// @dev Of those who act at once, each has its own acts and no other.
    function invariant_onlyTheseActWithoutADelay() external view {
        (, ConfigRegistry played) = _everyone.book();
        bytes4[11] memory selectors = [
            played.stage.selector,
            played.stageBlob.selector,
            played.kill.selector,
            played.rollback.selector,
            played.pause.selector,
            played.revoke.selector,
            played.stopVerifier.selector,
            played.promote.selector,
            played.revive.selector,
            played.resume.selector,
            played.addVerifier.selector
        ];
        (address stop, address[6] memory others) =
            (_everyone.stopper(), [ADMIN, PUBLISHER, PROMOTER, GUARDIAN, OPERATIONS, STRANGER]);
        for (uint256 i = 0; i < selectors.length; ++i) {
            for (uint256 j = 0; j < others.length; ++j) {
                bool expected = i < 2 ? others[j] == PUBLISHER : (i < 7 && others[j] == GUARDIAN);
                assertEq(_everyone.actsAtOnce(others[j], selectors[i]), expected, "at once");
            }
            assertEq(_everyone.actsAtOnce(stop, selectors[i]), i == 6, "the emergency stop");
        }
    }

    function _status(ConfigRegistry played, ArtifactId id) private view returns (Status) {
        return played.record(id).status;
    }
}
