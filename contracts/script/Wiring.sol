// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConfigRegistry} from "../src/ConfigRegistry.sol";
import {Roles} from "../src/Roles.sol";
import {Holders} from "./Deploy.s.sol";
import {Plan} from "./Plan.sol";

/// @title Which role may call what, and who holds it: what a deployment sets up and what its proof expects
library Wiring {
    /// @dev AccessManager's own: hands out roles.
    uint64 internal constant ADMIN = 0;

    /// @param delay How long the members' acts wait, and a new member's arrival. In seconds.
    /// @param guardian The role that can cancel what members scheduled; ADMIN alone, if it is that.
    struct Role {
        uint64 id;
        string label;
        bytes4[] selectors;
        address[] members;
        uint32 delay;
        uint64 guardian;
    }

    function roles(Plan memory plan, Holders memory holders, address emergencyStop)
        internal
        pure
        returns (Role[] memory all)
    {
        all = new Role[](6);
        all[0] = Role(Roles.PUBLISHER, "PUBLISHER", _publisher(), _one(holders.publisher), 0, ADMIN);
        all[1] =
            Role(Roles.PROMOTER, "PROMOTER", _promoter(), _one(holders.promoter), plan.promoteDelay, Roles.GUARDIAN);
        all[2] = Role(Roles.GUARDIAN, "GUARDIAN", _guardian(), _one(holders.guardian), 0, ADMIN);
        all[3] = Role(
            Roles.OPERATIONS,
            "OPERATIONS",
            _operations(),
            _one(holders.operations),
            plan.operationsDelay,
            Roles.GUARDIAN
        );
        address[] memory stoppers = new address[](2);
        (stoppers[0], stoppers[1]) = (holders.guardian, emergencyStop);
        all[4] = Role(Roles.STOPPER, "STOPPER", _stopper(), stoppers, 0, ADMIN);
        all[5] = Role(ADMIN, "ADMIN", new bytes4[](0), _one(holders.admin), plan.adminDelay, ADMIN);
    }

    function _publisher() private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](2);
        selectors[0] = ConfigRegistry.stage.selector;
        selectors[1] = ConfigRegistry.stageBlob.selector;
    }

    function _promoter() private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](1);
        selectors[0] = ConfigRegistry.promote.selector;
    }

    function _guardian() private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](4);
        selectors[0] = ConfigRegistry.kill.selector;
        selectors[1] = ConfigRegistry.rollback.selector;
        selectors[2] = ConfigRegistry.pause.selector;
        selectors[3] = ConfigRegistry.revoke.selector;
    }

    function _operations() private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](3);
        selectors[0] = ConfigRegistry.revive.selector;
        selectors[1] = ConfigRegistry.resume.selector;
        selectors[2] = ConfigRegistry.addVerifier.selector;
    }

    function _stopper() private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](1);
        selectors[0] = ConfigRegistry.stopVerifier.selector;
    }

    function _one(address member) private pure returns (address[] memory members) {
        members = new address[](1);
        members[0] = member;
    }
}
