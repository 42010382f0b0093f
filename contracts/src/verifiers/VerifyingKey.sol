// SPDX-License-Identifier: Apache-2.0
// Written by `greenlight-ceremony solidity`: a change here is a change of the key.
pragma solidity 0.8.37;

/// @notice The verifying key of the circuit. Points are as EIP-197 has them: of a coordinate in G2, X1 and Y1 are the
/// imaginary parts.
library VerifyingKey {
    uint32 internal constant CIRCUIT_VERSION = 1;
    /// @dev Whether everybody knows the secrets of the key.
    bool internal constant DEVELOPMENT = true;
    /// @dev keccak256 of α, β, γ, δ and IC.
    bytes32 internal constant KEY_HASH = 0x5d2d619a95d857fa82afd412a6a503e67de7a906dc8a1c0ba695dc402cf58890;
    uint256 internal constant PUBLIC_INPUTS = 6;

    uint256 internal constant ALPHA_X = 0x1016cae81cd77c660c69e2b3806d68e93b997122aa16777bcfe4be24a1a1c4df;
    uint256 internal constant ALPHA_Y = 0x0b39c77cf06a43a65e072a674477d5968d5892c3dce21fb5de1b3a05b905d894;

    uint256 internal constant BETA_X1 = 0x1b90d6620952c04ce4a1c88a3e5ef9319835b0cbb000ff93fa4696f1c190aca5;
    uint256 internal constant BETA_X0 = 0x2bf8c527ef4bb08a94df92372bf5f8cfa8af7818d454697e484e848f27c08bd5;
    uint256 internal constant BETA_Y1 = 0x223bd6bcc1a04c55f136886fc061234bf85574566cbc30190e75891bcb61c233;
    uint256 internal constant BETA_Y0 = 0x2b373bdb65ace20e7c68ee1a820a441789fdbcc01c85e37ba432bc45a1bbeea1;

    uint256 internal constant GAMMA_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 internal constant GAMMA_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 internal constant GAMMA_Y1 = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
    uint256 internal constant GAMMA_Y0 = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;

    uint256 internal constant DELTA_X1 = 0x20e4f7995176df591539cc61b71042de147cc32ee6371529589a8cfa496327ce;
    uint256 internal constant DELTA_X0 = 0x077ffdacad2ec32cd33e6c010394bab991bcd4c469f7f20fa6203c5f7c40d6eb;
    uint256 internal constant DELTA_Y1 = 0x112722be3dc49c58dceca921eb35f4e89e6fd1aa88c6d9f92b0602b8ad8eaa3a;
    uint256 internal constant DELTA_Y0 = 0x06222934247ab717fd86ad4c558279d618b93307de634a10271aa8d85a928fd4;

    uint256 internal constant IC0_X = 0x0ceced56e48ceb9448a21988540bfaeba36956869bfa3ecb043167c5b5a26ba9;
    uint256 internal constant IC0_Y = 0x303e818014ec11b42b467777e0a5b4c04fc96a2c2c67894d002c33213ab93be2;

    uint256 internal constant IC1_X = 0x0934e484d6fc839542af497c58df67231ac51ac7f633f51a4c39f3e8494b19bf;
    uint256 internal constant IC1_Y = 0x2427a3d1e73137a1c4782705c3bced6db5cff687b7f7890b38762ed5a35b96c5;

    uint256 internal constant IC2_X = 0x23f0bdb74df3e35ef943d7116a93d598c267628043d1d510ee3da084295a16ac;
    uint256 internal constant IC2_Y = 0x2e8de79211dfe379682311adaa790e0a943118f65e4bf40a414fdb9f93d5f46d;

    uint256 internal constant IC3_X = 0x1ae81f8c640e1ac5b729925a6eb5e85ee8106049bb020611ecdeac5bf8951df1;
    uint256 internal constant IC3_Y = 0x2793eb82258fe08d7b2fd9d0e4da3faad68196fadba190ce1ca5aba48030f777;

    uint256 internal constant IC4_X = 0x1f667907593e62c64317ec68727b36498f0e2f1a1e9e6cdba5be1907a6ba0640;
    uint256 internal constant IC4_Y = 0x27746d4ee995bdd143d193fc9ccce2c169a8ec574370390df3141b2aeb308d01;

    uint256 internal constant IC5_X = 0x03ecae48e573e94c3a2d3a5860fdb7ee29c5c87ccd65be3ba05a95a8c7a2df1a;
    uint256 internal constant IC5_Y = 0x290a5f264f20a2ea591b47e51769c35149d995c2cade2cacac103cacbc7cffc1;

    uint256 internal constant IC6_X = 0x2ffbbd55a19fed71b504ce7fc5660cf05e9af8a5d68bfe211622fcf71faf7da6;
    uint256 internal constant IC6_Y = 0x2b7f554978a55929960fe138c6f93e4fd154568dc03eac4519f58c8459d5a4c5;
}
