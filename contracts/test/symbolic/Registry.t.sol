// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../../script/Vm.sol";
import {HeadFlags} from "../../src/ConfigRegistry.sol";
import {ArtifactId, Head, Record, Status, VerifierStatus} from "../../src/interfaces/IConfigRegistry.sol";
import {AnyAuthority, OpenAuthority, Symbolic, svm} from "./Symbolic.sol";

abstract contract UnderAnyAuthority is Symbolic {
    AnyAuthority internal authority;

    function newAuthority() internal override returns (address) {
        authority = new AnyAuthority();
        return address(authority);
    }
}

/// @notice Who is let in: the authority's word, and nothing else.
contract AccessSymbolic is UnderAnyAuthority {
    /// @notice Whom the authority does not let in changes nothing. (The authority itself may move the registry.)
    function check_theUnauthorizedChangeNothing(address caller) public {
        vm.assume(caller != address(authority));
        bytes memory data = svm.createCalldata("ConfigRegistry");
        vm.assume(data.length >= 4 && !authority.admits(caller, bytes4(data)));
        assert(!attempt(caller, data));
    }

    /// @notice Nobody but the authority can replace it.
    function check_theAuthorityStays(address caller) public {
        vm.assume(caller != address(authority));
        uint256 before = word(AUTHORITY_SLOT);
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        assert(word(AUTHORITY_SLOT) == before);
    }
}

/// @notice What no call whatsoever can do: any function, any arguments (`bytes` of the length in halmos.toml), any caller, in
/// any state, at any time.
/// @dev Everyone is let in, for who is not changes nothing: `check_theUnauthorizedChangeNothing`.
contract AnyCallSymbolic is Symbolic {
    function newAuthority() internal override returns (address) {
        return address(new OpenAuthority());
    }

    /// @notice The sequence rises by one when the head changes, which notes the time, and else stays.
    function check_sequenceRisesByOneWithEachChangeOfTheHead(address caller) public {
        (Head memory before, uint256 was) = (registry.head(), word(HEAD_SLOT));
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        Head memory next = registry.head();
        if (word(HEAD_SLOT) != was) {
            assert(uint256(next.sequence) == uint256(before.sequence) + 1);
            assert(next.changedAt == block.timestamp);
        }
    }

    /// @notice A revoked record never changes again. (What has no id yet has no record: `check_idsAreGivenInOrder`.)
    function check_revokedIsForEver(address caller, ArtifactId id) public {
        Record memory before = registry.record(id);
        vm.assume(before.status == Status.Revoked && ArtifactId.unwrap(id) <= ArtifactId.unwrap(registry.lastId()));
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        assert(same(registry.record(id), before));
    }

    /// @notice The status of a record only moves to the right; nothing else of it ever changes once it is staged.
    function check_recordsMoveForward(address caller, ArtifactId id) public {
        Record memory before = registry.record(id);
        vm.assume(before.status != Status.None && ArtifactId.unwrap(id) <= ArtifactId.unwrap(registry.lastId()));
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        Record memory next = registry.record(id);
        assert(uint8(next.status) >= uint8(before.status));
        next.status = before.status;
        assert(same(next, before));
    }

    /// @notice Ids are given one by one, and what has none yet gets at most staged.
    function check_idsAreGivenInOrder(address caller, ArtifactId id) public {
        uint256 last = ArtifactId.unwrap(registry.lastId());
        vm.assume(ArtifactId.unwrap(id) > last && status(id) == Status.None);
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        uint256 next = ArtifactId.unwrap(registry.lastId());
        assert(next == last || next == last + 1);
        Status given = status(id);
        assert(given == Status.None || (given == Status.Staged && next == last + 1 && ArtifactId.unwrap(id) == next));
    }

    /// @notice A stopped verifier stays stopped, an active one is active or stopped, and only code becomes a verifier.
    function check_stoppedIsForEver(address caller, address any) public {
        VerifierStatus before = registry.verifierStatus(any);
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        VerifierStatus next = registry.verifierStatus(any);
        assert(uint8(next) >= uint8(before));
        if (before == VerifierStatus.None) {
            assert(next == VerifierStatus.None || (next == VerifierStatus.Active && any.code.length > 0));
        }
    }

    /// @notice What becomes current or the target of a rollback was usable before and is promoted; what becomes the candidate
    /// is staged or promoted. So nothing revoked does.
    function check_onlyUsableArtifactsEnterTheHead(address caller) public {
        Head memory before = registry.head();
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        Head memory next = registry.head();
        if (next.current != before.current) assert(status(next.current) == Status.Promoted);
        if (next.rollbackTo != before.rollbackTo && next.rollbackTo != NONE) {
            assert(status(next.rollbackTo) == Status.Promoted);
        }
        if (next.candidate != before.candidate && next.candidate != NONE) {
            assert(status(next.candidate) == Status.Staged || status(next.candidate) == Status.Promoted);
        }
    }

    // The state is sound: what the next six say of it before a call, they say after it. A new registry, whose head and records
    // are all zero, is sound; so by induction each is, always. What has no id yet has no record: `check_idsAreGivenInOrder`.

    /// @notice Rollback flag and target go together, as do canary and its size, and there is no canary while rolled back.
    function check_theHeadStaysSound(address caller) public {
        vm.assume(_isSound(registry.head()) && status(NONE) == Status.None);
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        assert(_isSound(registry.head()));
    }

    /// @notice Zero is no artifact.
    function check_zeroStaysNone(address caller) public {
        vm.assume(status(NONE) == Status.None);
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        assert(status(NONE) == Status.None);
    }

    /// @notice What is current was promoted.
    function check_theCurrentWasPromoted(address caller) public {
        vm.assume(_nextIsFree() && _wasPromoted(registry.head().current));
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        assert(_wasPromoted(registry.head().current));
    }

    /// @notice What is rolled back to was promoted.
    function check_theRollbackWasPromoted(address caller) public {
        vm.assume(_nextIsFree() && _wasPromoted(registry.head().rollbackTo));
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        assert(_wasPromoted(registry.head().rollbackTo));
    }

    /// @notice A candidate is staged or promoted.
    function check_theCandidateStaysUsable(address caller) public {
        vm.assume(_nextIsFree() && _isNoneOrUsable(registry.head().candidate));
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        assert(_isNoneOrUsable(registry.head().candidate));
    }

    /// @notice Unless killed, edges run nothing revoked.
    function check_nothingRevokedRuns(address caller) public {
        vm.assume(!_runsRevoked(registry.head()));
        attempt(caller, svm.createCalldata("ConfigRegistry"));
        assert(!_runsRevoked(registry.head()));
    }

    function _isSound(Head memory head) private pure returns (bool) {
        bool rolledBack = isSet(head, HeadFlags.ROLLBACK);
        return head.flags <= FLAGS && rolledBack == (head.rollbackTo != NONE)
            && (head.candidate != NONE) == (head.canaryBps != 0) && head.canaryBps < ALL
            && !(rolledBack && head.candidate != NONE);
    }

    function _nextIsFree() private view returns (bool) {
        uint32 last = ArtifactId.unwrap(registry.lastId());
        return last == type(uint32).max || status(ArtifactId.wrap(last + 1)) == Status.None;
    }

    function _wasPromoted(ArtifactId id) private view returns (bool) {
        return id == NONE || uint8(status(id)) >= uint8(Status.Promoted);
    }

    function _isNoneOrUsable(ArtifactId id) private view returns (bool) {
        if (id == NONE) return true;
        Status found = status(id);
        return found == Status.Staged || found == Status.Promoted;
    }

    function _runsRevoked(Head memory head) private view returns (bool) {
        return !isSet(head, HeadFlags.KILL) && status(target(head)) == Status.Revoked;
    }
}

/// @notice What each act does, and what it leaves alone; and when it is refused.
contract EachActSymbolic is UnderAnyAuthority {
    function check_kill(address caller, ArtifactId id) public {
        (Head memory head, Record memory record) = (registry.head(), registry.record(id));
        bool done = attempt(caller, abi.encodeCall(registry.kill, ()));
        assert(done == (_admits(caller, registry.kill.selector) && !isSet(head, HeadFlags.KILL) && _mayAdvance(head)));
        if (done) head.flags |= HeadFlags.KILL;
        _assertHead(head, done);
        assert(same(registry.record(id), record));
    }

    function check_pause(address caller, ArtifactId id) public {
        (Head memory head, Record memory record) = (registry.head(), registry.record(id));
        bool done = attempt(caller, abi.encodeCall(registry.pause, ()));
        assert(
            done == (_admits(caller, registry.pause.selector) && !isSet(head, HeadFlags.PAUSED) && _mayAdvance(head))
        );
        if (done) head.flags |= HeadFlags.PAUSED;
        _assertHead(head, done);
        assert(same(registry.record(id), record));
    }

    function check_resume(address caller, uint64 sequence) public {
        Head memory head = registry.head();
        bool done = attempt(caller, abi.encodeCall(registry.resume, (sequence)));
        bool may =
            _admits(caller, registry.resume.selector) && _isDecidedOn(head, sequence) && isSet(head, HeadFlags.PAUSED);
        assert(done == (may && _mayAdvance(head)));
        if (done) head.flags &= ~HeadFlags.PAUSED;
        _assertHead(head, done);
    }

    function check_revive(address caller, uint64 sequence) public {
        Head memory head = registry.head();
        vm.assume(_isStatus(target(head)));
        bool revoked = status(target(head)) == Status.Revoked;
        bool done = attempt(caller, abi.encodeCall(registry.revive, (sequence)));
        bool may = _admits(caller, registry.revive.selector) && _isDecidedOn(head, sequence)
            && isSet(head, HeadFlags.KILL) && !revoked;
        assert(done == (may && _mayAdvance(head)));
        if (done) head.flags &= ~HeadFlags.KILL;
        _assertHead(head, done);
    }

    /// @notice Only to what was promoted and not revoked; ends the canary, and touches no record.
    function check_rollback(address caller, ArtifactId to, ArtifactId id) public {
        vm.assume(_isStatus(to));
        (Head memory head, Record memory record) = (registry.head(), registry.record(id));
        Status was = status(to);
        bool done = attempt(caller, abi.encodeCall(registry.rollback, (to)));
        bool may = _admits(caller, registry.rollback.selector) && was == Status.Promoted && to != target(head);
        assert(done == (may && _mayAdvance(head)));
        if (done) {
            head.flags |= HeadFlags.ROLLBACK;
            (head.rollbackTo, head.candidate, head.canaryBps) = (to, NONE, 0);
        }
        _assertHead(head, done);
        assert(same(registry.record(id), record));
    }

    /// @notice Current or candidate becomes only what is usable, vouched for by an active verifier, not expired, at the
    /// sequence that was decided on, after the cooling-off; and then it does.
    function check_promoteTakesWhatItMust(address caller, ArtifactId id, uint16 canaryBps, uint64 sequence) public {
        vm.assume(_isStatus(id));
        Head memory head = registry.head();
        bool may = _admits(caller, registry.promote.selector) && _isDecidedOn(head, sequence) && canaryBps > 0
            && canaryBps <= ALL && _isPromotable(id) && _changes(head, id, canaryBps) && _mayAdvance(head);
        assert(attempt(caller, abi.encodeCall(registry.promote, (id, canaryBps, sequence))) == may);
    }

    function check_promote(address caller, ArtifactId id, uint16 canaryBps, uint64 sequence) public {
        vm.assume(_isStatus(id));
        (Head memory head, Record memory artifact) = (registry.head(), registry.record(id));
        bool done = attempt(caller, abi.encodeCall(registry.promote, (id, canaryBps, sequence)));
        if (done && canaryBps == ALL) {
            head.flags &= ~HeadFlags.ROLLBACK;
            (head.current, head.rollbackTo) = (id, NONE);
            (head.candidate, head.canaryBps) = (NONE, 0);
            artifact.status = Status.Promoted;
        } else if (done) {
            (head.candidate, head.canaryBps) = (id, canaryBps);
        }
        _assertHead(head, done);
        assert(same(registry.record(id), artifact));
    }

    /// @notice Every record but that of the promoted artifact stays.
    function check_promoteLeavesOtherRecordsAlone(
        address caller,
        ArtifactId id,
        uint16 bps,
        uint64 sequence,
        ArtifactId other
    ) public {
        vm.assume(other != id);
        Record memory record = registry.record(other);
        attempt(caller, abi.encodeCall(registry.promote, (id, bps, sequence)));
        assert(same(registry.record(other), record));
    }

    /// @notice Bars the last id of the digest, and no other; what runs is barred while killed alone.
    function check_revoke(address caller, ArtifactId id) public {
        ArtifactId last = registry.idOf(registry.record(id).digest);
        vm.assume(_isStatus(id) && _isStatus(last));
        Head memory head = registry.head();
        Record memory barred = registry.record(last);
        bool may = _admits(caller, registry.revoke.selector) && _isUsable(status(id)) && _isUsable(barred.status)
            && (last != target(head) || isSet(head, HeadFlags.KILL)) && _mayAdvance(head);
        bool done = attempt(caller, abi.encodeCall(registry.revoke, (id)));
        assert(done == may);
        if (done) {
            barred.status = Status.Revoked;
            if (last == head.candidate) (head.candidate, head.canaryBps) = (NONE, 0);
        }
        _assertHead(head, done);
        assert(same(registry.record(last), barred));
    }

    function check_revokeLeavesOtherRecordsAlone(address caller, ArtifactId id, ArtifactId other) public {
        vm.assume(other != registry.idOf(registry.record(id).digest));
        Record memory record = registry.record(other);
        attempt(caller, abi.encodeCall(registry.revoke, (id)));
        assert(same(registry.record(other), record));
    }

    /// @notice Touches neither head nor records.
    function check_stopVerifier(address caller, address stopped, ArtifactId id) public {
        VerifierStatus before = registry.verifierStatus(stopped);
        vm.assume(uint8(before) <= uint8(VerifierStatus.Stopped));
        (Head memory head, Record memory record) = (registry.head(), registry.record(id));
        bool done = attempt(caller, abi.encodeCall(registry.stopVerifier, (stopped)));
        assert(done == (_admits(caller, registry.stopVerifier.selector) && before == VerifierStatus.Active));
        assert(registry.verifierStatus(stopped) == (done ? VerifierStatus.Stopped : before));
        _assertHead(head, false);
        assert(same(registry.record(id), record));
    }

    function check_addVerifier(address caller, address added) public {
        VerifierStatus before = registry.verifierStatus(added);
        vm.assume(uint8(before) <= uint8(VerifierStatus.Stopped));
        Head memory head = registry.head();
        bool done = attempt(caller, abi.encodeCall(registry.addVerifier, (added)));
        bool may = before == VerifierStatus.None && added.code.length > 0;
        assert(done == (_admits(caller, registry.addVerifier.selector) && may));
        assert(registry.verifierStatus(added) == (done ? VerifierStatus.Active : before));
        _assertHead(head, false);
    }

    function _admits(address caller, bytes4 selector) private view returns (bool) {
        return authority.admits(caller, selector);
    }

    /// @dev At the sequence that was decided on, and after the cooling-off.
    function _isDecidedOn(Head memory head, uint64 sequence) private view returns (bool) {
        return head.sequence == sequence && block.timestamp >= uint256(head.changedAt) + coolingOff;
    }

    /// @dev Sequences last for longer than Ethereum will have blocks.
    function _mayAdvance(Head memory head) private pure returns (bool) {
        return head.sequence < type(uint64).max;
    }

    function _isPromotable(ArtifactId id) private view returns (bool) {
        Record memory artifact = registry.record(id);
        if (registry.verifierStatus(artifact.verifier) != VerifierStatus.Active) return false;
        bool expired = block.timestamp >= uint256(artifact.stagedAt) + stagingPeriod;
        return artifact.status == Status.Promoted || (artifact.status == Status.Staged && !expired);
    }

    /// @dev Whether the promotion is another than what is.
    function _changes(Head memory head, ArtifactId id, uint16 canaryBps) private pure returns (bool) {
        bool rolledBack = isSet(head, HeadFlags.ROLLBACK);
        if (canaryBps == ALL) return rolledBack || id != head.current;
        return !rolledBack && id != head.current && (id != head.candidate || canaryBps != head.canaryBps);
    }

    function _isUsable(Status found) private pure returns (bool) {
        return found == Status.Staged || found == Status.Promoted;
    }

    /// @dev A storage word may hold any byte; the registry writes but the four.
    function _isStatus(ArtifactId id) private view returns (bool) {
        uint256 slot = uint256(keccak256(abi.encode(id, uint256(3)))) + 2;
        return word(bytes32(slot)) >> 184 & 0xff <= uint8(Status.Revoked);
    }

    /// @dev The head is as given; if it moved, one further and as of this block.
    function _assertHead(Head memory expected, bool moved) private view {
        if (moved) {
            expected.sequence += 1;
            expected.changedAt = uint40(block.timestamp);
        }
        Head memory found = registry.head();
        assert(
            found.flags == expected.flags && found.sequence == expected.sequence && found.current == expected.current
        );
        assert(found.rollbackTo == expected.rollbackTo && found.candidate == expected.candidate);
        assert(found.canaryBps == expected.canaryBps && found.changedAt == expected.changedAt);
    }
}
