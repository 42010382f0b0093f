// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../../script/Vm.sol";
import {ConfigRegistry, HeadFlags} from "../../src/ConfigRegistry.sol";
import {IArtifactVerifier, Statement} from "../../src/interfaces/IArtifactVerifier.sol";
import {ArtifactId, Head, Record, Status} from "../../src/interfaces/IConfigRegistry.sol";

/// @notice The cheat codes of Halmos that these checks use.
interface Svm {
    function createUint(uint256 bits, string calldata name) external view returns (uint256 value);
    function createCalldata(string calldata contractName) external view returns (bytes memory data);
    function enableSymbolicStorage(address target) external;
}

Svm constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

/// @notice Any authority: whom it lets call what, at once or after a schedule, is arbitrary, for its storage is.
/// @dev It keeps to what OpenZeppelin's AccessManager promises: `consumeScheduledOp` reverts unless the call was scheduled
/// and its time has come, and neither function calls back.
contract AnyAuthority {
    mapping(address caller => mapping(bytes4 selector => bool)) public permitted;
    mapping(address caller => mapping(bytes4 selector => uint32)) public delays;
    mapping(address caller => mapping(bytes4 selector => bool)) public ready;

    function canCall(address caller, address, bytes4 selector) external view returns (bool, uint32) {
        return (permitted[caller][selector], delays[caller][selector]);
    }

    function consumeScheduledOp(address caller, bytes calldata data) external view {
        require(ready[caller][bytes4(data[0:4])]);
    }

    /// @notice Whether `caller` gets through to the function.
    function admits(address caller, bytes4 selector) external view returns (bool) {
        return permitted[caller][selector] || (delays[caller][selector] > 0 && ready[caller][selector]);
    }
}

/// @notice Lets everyone do everything at once.
contract OpenAuthority {
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }
}

/// @notice Any verifier: it refuses, or states whatever its storage says.
contract AnyVerifier is IArtifactVerifier {
    Statement private _statement;
    bool private _refuses;

    function engine() external view returns (uint32) {
        return _statement.engine;
    }

    function verify(bytes calldata, bytes calldata) external view returns (Statement memory) {
        if (_refuses) revert Refused(0, 0);
        return _statement;
    }
}

/// @notice A registry in an arbitrary state, at an arbitrary time, under an arbitrary authority.
/// @dev Halmos proves a `check_` function by running it on symbols: a failing `assert` on any path, for any value, is a
/// counterexample. Other reverts end a path without a verdict, so nothing here relies on them.
abstract contract Symbolic {
    ArtifactId internal constant NONE = ArtifactId.wrap(0);
    uint16 internal constant ALL = 10_000;
    uint8 internal constant FLAGS = HeadFlags.KILL | HeadFlags.ROLLBACK | HeadFlags.PAUSED;
    bytes32 internal constant AUTHORITY_SLOT = bytes32(uint256(0));
    bytes32 internal constant HEAD_SLOT = bytes32(uint256(1));

    AnyVerifier internal verifier;
    ConfigRegistry internal registry;
    uint32 internal coolingOff;
    uint32 internal stagingPeriod;

    function setUp() public {
        address authority_ = newAuthority();
        verifier = new AnyVerifier();
        coolingOff = uint32(svm.createUint(32, "coolingOff"));
        stagingPeriod = uint32(svm.createUint(32, "stagingPeriod"));
        vm.assume(stagingPeriod > 0);
        registry = new ConfigRegistry(authority_, new address[](0), coolingOff, stagingPeriod);
        // What a constructor wrote stays: the registry's authority, in slot 0.
        svm.enableSymbolicStorage(authority_);
        svm.enableSymbolicStorage(address(verifier));
        svm.enableSymbolicStorage(address(registry));
        // Until the year 36812.
        vm.warp(svm.createUint(40, "time"));
    }

    function newAuthority() internal virtual returns (address);

    /// @dev Calls the registry as `caller`.
    function attempt(address caller, bytes memory data) internal returns (bool done) {
        vm.prank(caller);
        (done,) = address(registry).call(data);
    }

    function word(bytes32 slot) internal view returns (uint256) {
        return uint256(vm.load(address(registry), slot));
    }

    function status(ArtifactId id) internal view returns (Status) {
        return registry.record(id).status;
    }

    function isSet(Head memory head, uint8 flag) internal pure returns (bool) {
        return head.flags & flag != 0;
    }

    /// @dev What runs outside the canary slice, or would if KILL were not set.
    function target(Head memory head) internal pure returns (ArtifactId) {
        return isSet(head, HeadFlags.ROLLBACK) ? head.rollbackTo : head.current;
    }

    function same(Record memory a, Record memory b) internal pure returns (bool) {
        return a.digest == b.digest && a.commitment == b.commitment && a.verifier == b.verifier && a.size == b.size
            && a.rows == b.rows && a.status == b.status && a.stagedAt == b.stagedAt && a.locationKind == b.locationKind
            && a.location == b.location;
    }
}
