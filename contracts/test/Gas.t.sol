// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../script/Vm.sol";
import {Schemas} from "../src/libraries/Schemas.sol";
import {CalldataVerifier} from "../src/verifiers/CalldataVerifier.sol";
import {Artifacts} from "./kit/Artifacts.sol";
import {Test} from "./kit/Test.sol";

/// @notice Gas of execution, pinned to the unit in `snapshots/`; `forge test` fails when a figure moves. What a change
/// may never exceed stands here.
contract VerifierGasTest is Test {
    CalldataVerifier private _verifier = new CalldataVerifier(1, Schemas.ENGINE_1, Schemas.ENGINE_1_BUDGET);

    function test_verifyOfTokens() public {
        _measure("tokens: 1 row", Artifacts.sample(1, 0), 4_000);
        _measure("tokens: 60 rows", Artifacts.sample(60, 0), 30_000);
        _measure("tokens: 200 rows", Artifacts.sample(200, 0), 90_000);
    }

    function test_verifyOfAMixture() public {
        _measure("mixed: 200 rows", Artifacts.mixed(200), 100_000);
    }

    function test_verifyAtItsDearest() public {
        bytes memory artifact = Artifacts.encode(
            Artifacts.uniform(200, Artifacts.HEADER, Artifacts.HEADER_EQUALS, "accept-encoding:gzip,deflate")
        );
        _measure("header values: 200 rows", artifact, 150_000);
    }

    function _measure(string memory name, bytes memory artifact, uint256 limit) private {
        _verifier.verify(artifact);
        assertLe(vm.snapshotGasLastCall("verify", name), limit, name);
    }
}
