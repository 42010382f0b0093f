// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Argument classes: what the 28 argument bytes of a row may hold, and which flags go with them.
library ArgumentClass {
    /// @dev No such kind; the same goes for classes above `FINGERPRINT`.
    uint256 internal constant UNKNOWN = 0;
    /// @dev All zero.
    uint256 internal constant NONE = 1;
    /// @dev 1 to 28 printable ASCII characters without A-Z, then zeros.
    uint256 internal constant TOKEN = 2;
    /// @dev 1 to 28 printable ASCII characters without the space, then zeros.
    uint256 internal constant TEXT = 3;
    /// @dev Flags 0 and 1: a field name of [a-z0-9-]. Flags 2 and 3: name, colon, value of token characters.
    uint256 internal constant HEADER = 4;
    /// @dev Four address bytes, prefix length, zeros; host bits zero.
    uint256 internal constant CIDR_V4 = 5;
    /// @dev Sixteen address bytes, prefix length, zeros; host bits zero.
    uint256 internal constant CIDR_V6 = 6;
    /// @dev A u64 of at least 1, zeros.
    uint256 internal constant NUMBER = 7;
    /// @dev Any 28 bytes but all zero.
    uint256 internal constant FINGERPRINT = 8;
}

/// @notice Schema words: byte k, counted from the most significant as the BYTE opcode counts, describes kind k. Its
/// high nibble is the argument class, its low nibble the cost of evaluating one row of that kind.
library Schemas {
    /// @dev Engine 1. Kinds: 1 ua-contains, 2 ua-empty, 3 header, 4 method, 5 path-prefix, 6 path-contains,
    /// 7 client-cidr-v4, 8 client-cidr-v6, 9 request-rate, 10 http-version, 11 ua-longer-than, 12 ua-shorter-than,
    /// 13 crawler-unverified, 14 hints-missing, 15 hints-contradict, 16 header-count-over, 17 header-count-under,
    /// 18 header-longer-than, 19 header-repeated, 20 header-order, 21 accept-language-malformed, 22 http1-fields,
    /// 23 path-depth-over, 24 path-entropy-over, 25 scanner-path, 26 distinct-paths-over, 27 error-ratio-over,
    /// 28 gap-variation-under, 29 ja4-contains, 30 http2-contains.
    bytes32 internal constant ENGINE_1 = 0x0024114431333452627871717111111271717112241211727312787878343400;
    uint32 internal constant ENGINE_1_BUDGET = 1000;
}
