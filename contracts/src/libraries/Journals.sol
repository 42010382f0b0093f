// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a source was read as. Zero is none.
enum SourceFormat {
    None,
    Json,
    Csv,
    Parquet
}

/// @notice What the checker program makes public: that the artifact is the canonical form of the source.
/// @param digest keccak256 of the artifact.
/// @param source SHA-256 of the source file, as `sha256sum` prints it.
/// @param schema Schema word that the artifact was checked by.
/// @param engine Engine that the artifact names, whose schema that was.
/// @param budget Cost budget that the artifact was checked by.
/// @param size Length of the artifact in bytes.
/// @param rows Number of rows.
/// @param format What the source was read as.
struct Journal {
    bytes32 digest;
    bytes32 source;
    bytes32 schema;
    uint32 engine;
    uint32 budget;
    uint16 size;
    uint8 rows;
    SourceFormat format;
}

/// @notice The encoding of a journal: its fields in their order, big-endian and without gaps. The Rust crate
/// `greenlight-artifact` writes it; a shared vector holds the two together.
library Journals {
    uint256 internal constant SIZE = 108;

    /// @notice Not the size of a journal.
    error JournalSize(uint256 expected, uint256 found);
    /// @notice No format of a source has this number.
    error UnknownSourceFormat(uint8 found);

    function decode(bytes calldata journal) internal pure returns (Journal memory) {
        if (journal.length != SIZE) revert JournalSize(SIZE, journal.length);
        uint8 format = uint8(journal[107]);
        if (format == 0 || format > uint8(type(SourceFormat).max)) revert UnknownSourceFormat(format);
        return Journal({
            digest: bytes32(journal[0:32]),
            source: bytes32(journal[32:64]),
            schema: bytes32(journal[64:96]),
            engine: uint32(bytes4(journal[96:100])),
            budget: uint32(bytes4(journal[100:104])),
            size: uint16(bytes2(journal[104:106])),
            rows: uint8(journal[106]),
            format: SourceFormat(format)
        });
    }
}
