// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A log as `eth_getLogs` returns it.
struct EthGetLogs {
    address emitter;
    bytes32[] topics;
    bytes data;
    bytes32 blockHash;
    uint64 blockNumber;
    bytes32 transactionHash;
    uint64 transactionIndex;
    uint256 logIndex;
    bool removed;
}

/// @notice The cheat codes of forge that this project uses (Foundry Book, "Cheatcodes Reference").
interface Vm {
    // Files and text
    function writeFile(string calldata path, string calldata data) external;
    function removeFile(string calldata path) external;
    function createDir(string calldata path, bool recursive) external;
    function readFile(string calldata path) external view returns (string memory);
    function getCode(string calldata artifact) external view returns (bytes memory);
    function getDeployedCode(string calldata artifact) external view returns (bytes memory);
    function toString(address value) external pure returns (string memory);
    function toString(bytes32 value) external pure returns (string memory);
    function toString(bytes calldata value) external pure returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
    function getBlockNumber() external view returns (uint256);
    function getNonce(address account) external view returns (uint64);
    function rpc(string calldata method, string calldata params) external returns (bytes memory);
    function getBlockTimestamp() external view returns (uint256);

    // TOML
    function keyExistsToml(string calldata toml, string calldata key) external view returns (bool);
    function parseTomlKeys(string calldata toml, string calldata key) external pure returns (string[] memory);
    function parseTomlAddress(string calldata toml, string calldata key) external pure returns (address);
    function parseTomlAddressArray(string calldata toml, string calldata key) external pure returns (address[] memory);
    function parseTomlUint(string calldata toml, string calldata key) external pure returns (uint256);
    function parseTomlString(string calldata toml, string calldata key) external pure returns (string memory);

    // JSON
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonTypeArray(string calldata json, string calldata key, string calldata typeDescription)
        external
        pure
        returns (bytes memory);
    function serializeAddress(string calldata object, string calldata key, address value)
        external
        returns (string memory json);
    function serializeString(string calldata object, string calldata key, string calldata value)
        external
        returns (string memory json);
    function serializeUint(string calldata object, string calldata key, uint256 value)
        external
        returns (string memory json);
    function writeJson(string calldata json, string calldata path) external;

    // Logs
    function eth_getLogs(uint256 fromBlock, uint256 toBlock, address target, bytes32[] calldata topics)
        external
        returns (EthGetLogs[] memory);

    // Broadcasting
    function startBroadcast() external;
    function stopBroadcast() external;

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    // Tests
    function assume(bool condition) external pure;
    function prank(address sender) external;
    function etch(address target, bytes calldata code) external;
    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
    function chainId(uint256 id) external;
    function store(address target, bytes32 slot, bytes32 value) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function expectRevert(bytes calldata revertData) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function blobhashes(bytes32[] calldata hashes) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory logs);
    function cool(address target) external;
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256 gasUsed);
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
