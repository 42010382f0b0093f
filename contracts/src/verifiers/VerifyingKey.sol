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
    bytes32 internal constant KEY_HASH = 0xe93b24adc1718064c9aafd4aebd8281c09188911cc83e389fef15ccfafc352f9;
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

    uint256 internal constant IC0_X = 0x0b6bc21d8a2eec4d3ff61884f23584cd6377c29e57e940bf71d20528d8b45505;
    uint256 internal constant IC0_Y = 0x0729c84487906ebf1243161f65ec4c3727316ccba4e2034c93a32fe39e13543e;

    uint256 internal constant IC1_X = 0x17602b739f8d96d830da403197f5831a7cc89828b8054b319976cbd17d13a787;
    uint256 internal constant IC1_Y = 0x2d14a8f9304987ed2978469bd4d428ac19beb6f16b94a01d262d72e1a19a4160;

    uint256 internal constant IC2_X = 0x09820e490fbf7623c83fe5e04c2f1498c568aeb379903496a120be272cec8f14;
    uint256 internal constant IC2_Y = 0x1bdb711b4efadc9ebd9cd07a2626b3c1648c25cd056696848b67ab75f7730f14;

    uint256 internal constant IC3_X = 0x0b85888ea85316b97d5987f7fef2ba6ce3155d450479d9873a3ed4196bacf624;
    uint256 internal constant IC3_Y = 0x2be3502b637f9ecd440f3f97fe9493366f5353ad7f8fe9943e0d7c8ac452ac1e;

    uint256 internal constant IC4_X = 0x2dc09535a6d42c6c274bdaca16a0058d266ce6b4b8b27ff494fe202b16aa3520;
    uint256 internal constant IC4_Y = 0x10549ed92e0410e66c8947761032a7d988742eb6ac28f5eaccab343990cb722c;

    uint256 internal constant IC5_X = 0x0efd7ce616e6d13843eda1ef88b31a7c70599995c6f1b48990323590778e0dda;
    uint256 internal constant IC5_Y = 0x0da706eb637786f4c8501dd8fb77e792edae818580e704c4abe7e689779bd094;

    uint256 internal constant IC6_X = 0x105c51092b954c3bc0fd0485e02ff47395da8ac1677b28723ac41595ce7aedfd;
    uint256 internal constant IC6_Y = 0x13f04cf7fb2324f2e04097816feecad706ee062daf9744d160dafdd8ca575fa9;
}
