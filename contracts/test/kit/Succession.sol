// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ArtifactId} from "../../src/interfaces/IConfigRegistry.sol";
import {Governed} from "./Governed.sol";

/// @notice A registry with a past and a future: the first ran, the second runs, the third waits; the head's sequence is 2.
abstract contract Succession is Governed {
    ArtifactId internal first;
    ArtifactId internal second;
    ArtifactId internal third;

    function setUp() public virtual override {
        super.setUp();
        first = current(1);
        second = current(2);
        third = stage(3);
    }
}
