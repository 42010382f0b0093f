//! The corpus that holds this crate's check and the Solidity verifier's to one answer.
//!
//! `make vectors` writes it to `artifact/vectors/v1.json`, which a test here and one in `contracts/` read, and with the
//! argument `commitments` the Poseidon commitments of the cases `accepted/…` by their digests to `commitments.json`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "makes test data from constants; reads nothing foreign"
)]

use std::collections::BTreeMap;

use greenlight_artifact::{
    Defect, Digest, HEADER_LEN, MAX_ROWS, MAX_WEIGHT, ROW_LEN, Schema, ValidArtifact,
};
use serde::Serialize;

fn main() -> Result<(), serde_json::Error> {
    let out = std::io::stdout().lock();
    if std::env::args().nth(1).is_some_and(|argument| argument == "commitments") {
        serde_json::to_writer_pretty(out, &corpus().commitments)
    } else {
        serde_json::to_writer_pretty(out, &corpus())
    }
}

/// The corpus and the schema its cases are checked against unless they name their own.
#[derive(Debug, Serialize)]
struct Corpus {
    schema: String,
    engine: u32,
    budget: u32,
    cases: Vec<Case>,
    /// By digest.
    #[serde(skip)]
    commitments: BTreeMap<String, String>,
}

/// Bytes, and the one right answer to them.
#[derive(Debug, Serialize)]
struct Case {
    name: String,
    schema: String,
    budget: u32,
    bytes: String,
    /// 0 where the bytes are accepted, else [`Defect::code`].
    defect: u8,
    /// The row of the defect, from 0; 0 where it has none.
    row: usize,
    digest: String,
    rows: usize,
}

/// A schema of no engine that ships, which has a kind of every class: kind `k` is of class `k`, at cost 5.
const ALL_CLASSES: Schema = Schema {
    engine: 1,
    word: [
        0x00, 0x15, 0x25, 0x35, 0x45, 0x55, 0x65, 0x75, 0x85, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x15,
    ],
    budget: 1_000,
};

/// The kinds of engine 1 that take no flags, each with an argument that it accepts.
const FLAGLESS_KINDS: [(u8, &[u8]); 29] = [
    (1, b"curl"),
    (2, b""),
    (4, b"GET"),
    (5, b"/a"),
    (6, b"/a"),
    (7, &[10, 0, 0, 0, 8]),
    (8, &[0; 17]),
    (9, &[0, 0, 0, 0, 0, 0, 0, 1]),
    (10, &[0, 0, 0, 0, 0, 0, 0, 11]),
    (11, &[0, 0, 0, 0, 0, 0, 1, 0]),
    (12, &[0, 0, 0, 0, 0, 0, 0, 20]),
    (13, b""),
    (14, b""),
    (15, b""),
    (16, &[0, 0, 0, 0, 0, 0, 0, 30]),
    (17, &[0, 0, 0, 0, 0, 0, 0, 5]),
    (18, &[0, 0, 0, 0, 0, 0, 16, 0]),
    (19, b""),
    (20, b"^hua$"),
    (21, b""),
    (22, b""),
    (23, &[0, 0, 0, 0, 0, 0, 0, 9]),
    (24, &[0, 0, 0, 0, 0, 0, 1, 144]),
    (25, b""),
    (26, &[0, 0, 0, 0, 0, 0, 0, 50]),
    (27, &[0, 0, 0, 0, 0, 0, 0, 40]),
    (28, &[0, 0, 0, 0, 0, 0, 0, 10]),
    (29, b"t13d1516h2"),
    (30, b"1:65536;2:0"),
];

fn corpus() -> Corpus {
    let mut maker = Maker { cases: Vec::new(), commitments: BTreeMap::new() };
    maker.accepted();
    maker.sizes();
    maker.headers();
    maker.keys();
    maker.kinds_and_flags();
    maker.weights_and_costs();
    maker.arguments();
    maker.single_bytes();
    Corpus {
        schema: hex_of(&Schema::ENGINE_1.word),
        engine: Schema::ENGINE_1.engine,
        budget: Schema::ENGINE_1.budget,
        cases: maker.cases,
        commitments: maker.commitments,
    }
}

struct Maker {
    cases: Vec<Case>,
    commitments: BTreeMap<String, String>,
}

impl Maker {
    fn case(&mut self, name: &str, bytes: &[u8]) {
        self.case_under(&Schema::ENGINE_1, name, bytes);
    }

    fn case_under(&mut self, schema: &Schema, name: &str, bytes: &[u8]) {
        let answer = ValidArtifact::check(bytes, &[*schema]);
        if name.starts_with("accepted/")
            && let Ok(artifact) = &answer
        {
            self.commitments
                .insert(artifact.digest().to_string(), artifact.commitment().to_string());
        }
        self.cases.push(Case {
            name: name.into(),
            schema: hex_of(&schema.word),
            budget: schema.budget,
            bytes: hex_of(bytes),
            defect: answer.as_ref().err().map_or(0, Defect::code),
            row: answer.as_ref().err().and_then(Defect::row).unwrap_or(0),
            digest: Digest::of(bytes).to_string(),
            rows: answer.map_or(0, |artifact| artifact.rows().len()),
        });
    }

    fn accepted(&mut self) {
        for rows in [1, 2, 3, 60, 150, 199, 200] {
            self.case(&format!("accepted/{rows}-rows"), &table(rows));
        }
        self.case("accepted/label-of-31", &patched(&table(1), 32, &[b'~'; 31]));
        self.case("accepted/label-of-1", &patched(&table(1), 32, b" "));
        for intercept in [i32::MIN, -1, 0, i32::MAX] {
            self.case(
                &format!("accepted/intercept-{intercept}"),
                &patched(&table(1), 8, &intercept.to_be_bytes()),
            );
        }
        self.case("accepted/created-at-max", &patched(&table(1), 16, &[0xff; 8]));
    }

    fn sizes(&mut self) {
        let good = table(3);
        for length in [0, 1, 31, 63, 64, 65, 127] {
            self.case(
                &format!("size/truncated-to-{length}"),
                good.get(..length).unwrap_or_default(),
            );
        }
        for extra in [1, 31, 32, 63] {
            let mut bytes = good.clone();
            bytes.resize(good.len().saturating_add(extra), 0);
            self.case(&format!("size/{extra}-bytes-more"), &bytes);
        }
        self.case("size/201-rows", &table(201));
        self.case("size/every-row-doubled", &doubled(&table(150)));
        self.case(
            "size/one-row-less-than-counted",
            good.get(..HEADER_LEN + 2 * ROW_LEN).unwrap_or_default(),
        );
        self.case(
            "size/one-row-more-than-counted",
            &[good.as_slice(), &row("zz", 2, 0, 0, &[])].concat(),
        );
        self.case("size/longest-and-one-byte", &[table(200), vec![0]].concat());
    }

    fn headers(&mut self) {
        let good = table(2);
        for (at, name) in (0..4).zip(["magic/0", "magic/1", "magic/2", "magic/3"]) {
            self.case(name, &patched(&good, at, &[0]));
        }
        for format in [0_u16, 2, 0x0100, 0xffff] {
            self.case(&format!("format/{format}"), &patched(&good, 4, &format.to_be_bytes()));
        }
        for count in [0_u16, 1, 3, 200, 201, 0x0102, 0xffff] {
            self.case(&format!("row-count/{count}-of-2"), &patched(&good, 6, &count.to_be_bytes()));
        }
        for at in 24..32 {
            self.case(&format!("reserved-header/{at}"), &patched(&good, at, &[1]));
        }
        for engine in [0_u32, 2, 0x0100_0000, u32::MAX] {
            self.case(&format!("engine/{engine}"), &patched(&good, 12, &engine.to_be_bytes()));
        }
        for (name, at, bytes) in [
            ("label/of-32", 32, [b'a'; 32].as_slice()),
            ("label/last-byte", 63, b"a"),
            ("label/control", 34, &[0x1f]),
            ("label/delete", 34, &[0x7f]),
            ("label/high-bit", 34, &[0x80]),
            ("label/zero-inside", 33, &[0]),
            ("label/starts-with-zero", 32, &[0]),
        ] {
            self.case(name, &patched(&good, at, bytes));
        }
    }

    fn keys(&mut self) {
        let good = table(3);
        let key = HEADER_LEN + ROW_LEN;
        for (name, bytes) in [
            ("empty", [0; 32].as_slice()),
            ("capital", b"R"),
            ("digit-first", b"0"),
            ("dot-first", b"."),
            ("dash-first", b"-"),
            ("underscore-first", b"_"),
            ("space-first", b" "),
            ("space-inside", b"r 1"),
            ("slash", b"r/1"),
            ("colon", b"r:1"),
            ("at-sign", b"r@1"),
            ("bracket", b"r[1"),
            ("backtick", b"r`1"),
            ("brace", b"r{1"),
            ("comma", b"r,1"),
            ("caret", b"r^1"),
            ("high-bit", b"r\xe1"),
            ("delete", b"r\x7f"),
            ("zero-inside", b"r\x001"),
            ("of-32", &[b'r'; 32]),
        ] {
            self.case(&format!("key-pattern/{name}"), &patched(&good, key, bytes));
        }
        self.case("key-pattern/last-byte-set", &patched(&good, key + 31, b"a"));
        self.case("key-pattern/in-row-0", &patched(&good, HEADER_LEN, b"A"));
        self.case(
            "key/of-31-accepted",
            &patched(&good, key, &[&b"r001"[..], &[b'z'; 27]].concat()),
        );
        self.case("key/every-character-accepted", &patched(&table(1), HEADER_LEN, b"az09_.-"));
        self.case("key-duplicate/rows-0-and-1", &with_row(&good, 1, &row_at(&good, 0)));
        self.case("key-duplicate/rows-1-and-2", &with_row(&good, 2, &row_at(&good, 1)));
        let full = table(200);
        self.case("key-duplicate/last-of-200", &with_row(&full, 199, &row_at(&full, 198)));
        self.case("key-duplicate/200-with-150-distinct", &doubled_within(&table(150), 50));
        let swapped = with_row(&with_row(&good, 0, &row_at(&good, 1)), 1, &row_at(&good, 0));
        self.case("key-order/rows-swapped", &swapped);
        self.case("key-order/last-below-first", &patched(&good, HEADER_LEN + 2 * ROW_LEN, b"a"));
        self.case(
            "key-order/prefix-after-longer",
            &patched(&good, key, &row("r", 2, 0, 0, &[])[..32]),
        );
    }

    fn kinds_and_flags(&mut self) {
        for kind in [0_u8, 31, 32, 33, 64, 128, 255] {
            self.case(&format!("kind/{kind}"), &one(kind, 0, 0, &[]));
        }
        // At row 150, so that a check by rows must find it there.
        self.case("kind/at-row-150", &with_row(&table(200), 150, &row("r150", 40, 0, 0, &[])));
        for (kind, argument) in FLAGLESS_KINDS {
            self.case(&format!("kind/{kind}-accepted"), &one(kind, 0, 0, argument));
            for flags in [1_u8, 2, 0x80] {
                self.case(&format!("flags/{flags}-on-kind-{kind}"), &one(kind, flags, 0, argument));
            }
            // An argument where there must be none, and none where there must be one; zeros are a network.
            let other: &[u8] = match kind {
                7 | 8 => &[0xff; 28],
                _ if argument.is_empty() => b"a",
                _ => &[],
            };
            self.case(&format!("argument/other-on-kind-{kind}"), &one(kind, 0, 0, other));
        }
        let every: Vec<_> = FLAGLESS_KINDS
            .iter()
            .map(|(kind, argument)| row(&format!("k{kind:02}"), *kind, 0, 0, argument))
            .collect();
        self.case("accepted/every-kind", &[header(every.len()), every.concat()].concat());
        for flags in [0_u8, 1] {
            self.case(&format!("kind/3-flags-{flags}-accepted"), &one(3, flags, 0, b"accept"));
        }
        for flags in [2_u8, 3] {
            self.case(&format!("kind/3-flags-{flags}-accepted"), &one(3, flags, 0, b"accept:*/*"));
        }
        for flags in [4_u8, 5, 0x10, 0xff] {
            self.case(&format!("flags/{flags}-on-kind-3"), &one(3, flags, 0, b"accept:*/*"));
        }
        self.case_under(&ALL_CLASSES, "kind/31-accepted", &one(31, 0, 0, &[]));
        for class in 9..16_u8 {
            let mut schema = ALL_CLASSES;
            if let Some(byte) = schema.word.get_mut(9) {
                *byte = class << 4;
            }
            self.case_under(
                &schema,
                &format!("kind/class-{class}-does-not-exist"),
                &one(9, 0, 0, &[]),
            );
        }
    }

    fn weights_and_costs(&mut self) {
        for weight in [-MAX_WEIGHT, -1, 0, 1, MAX_WEIGHT] {
            self.case(&format!("weight/{weight}-accepted"), &one(2, 0, weight, &[]));
        }
        for weight in [i16::MIN, -MAX_WEIGHT - 1, MAX_WEIGHT + 1, i16::MAX] {
            self.case(&format!("weight/{weight}"), &one(2, 0, weight, &[]));
        }
        let rate = |rows: usize| many(rows, 9, &[0, 0, 0, 0, 0, 0, 0, 9]);
        self.case("cost/125-rate-rows-accepted", &rate(125));
        self.case("cost/126-rate-rows", &rate(126));
        self.case("cost/200-rate-rows", &rate(MAX_ROWS));
        for (kind, argument) in FLAGLESS_KINDS {
            let cost = Schema::ENGINE_1.cost(kind);
            for (name, budget) in [("accepted", cost), ("one-over", cost - 1)] {
                self.case_under(
                    &Schema { budget, ..Schema::ENGINE_1 },
                    &format!("cost/of-kind-{kind}-{name}"),
                    &one(kind, 0, 0, argument),
                );
            }
        }
        self.case_under(&ALL_CLASSES, "cost/200-at-5-accepted", &many(MAX_ROWS, 1, &[]));
        let tight = Schema { budget: 999, ..ALL_CLASSES };
        self.case_under(&tight, "cost/200-at-5-one-over", &many(MAX_ROWS, 1, &[]));
        self.case_under(&Schema { budget: 0, ..ALL_CLASSES }, "cost/budget-0", &many(1, 1, &[]));
    }

    fn arguments(&mut self) {
        let mut class = |kind: u8, flags: u8, name: &str, argument: &[u8]| {
            self.case_under(
                &ALL_CLASSES,
                &format!("argument/{name}"),
                &one(kind, flags, 0, argument),
            );
        };
        class(1, 0, "none/first-byte", &[1]);
        class(1, 0, "none/last-byte", &tail(1));
        for (kind, name) in [(2, "token"), (3, "text")] {
            class(kind, 0, &format!("{name}/empty"), &[]);
            class(kind, 0, &format!("{name}/of-28-accepted"), &[b'a'; 28]);
            class(kind, 0, &format!("{name}/tilde-accepted"), b"~");
            class(kind, 0, &format!("{name}/control"), b"a\x1fb");
            class(kind, 0, &format!("{name}/newline"), b"a\nb");
            class(kind, 0, &format!("{name}/delete"), b"a\x7f");
            class(kind, 0, &format!("{name}/high-bit"), b"a\xc3\xa9");
            class(kind, 0, &format!("{name}/zero-inside"), b"a\0b");
            class(kind, 0, &format!("{name}/zero-first"), b"\0b");
            class(kind, 0, &format!("{name}/last-byte-alone"), &tail(b'a'));
        }
        class(2, 0, "token/space-accepted", b"a b");
        class(2, 0, "token/at-and-bracket-accepted", b"@[");
        class(2, 0, "token/capital-a", b"aA");
        class(2, 0, "token/capital-z", b"Za");
        class(3, 0, "text/capital-accepted", b"GET");
        class(3, 0, "text/space", b"a b");
        for flags in [0, 1] {
            class(3 + 1, flags, &format!("header-{flags}/empty"), &[]);
            class(4, flags, &format!("header-{flags}/of-28-accepted"), &[b'x'; 28]);
            class(4, flags, &format!("header-{flags}/characters-accepted"), b"az-09");
            for bad in [
                b"A".as_slice(),
                b"a:b",
                b"a b",
                b"a_b",
                b"a.b",
                b"a/b",
                b"a`b",
                b"a{b",
                b"a\0b",
                b"a\x80",
            ] {
                class(4, flags, &format!("header-{flags}/{}", hex::encode(bad)), bad);
            }
        }
        for flags in [2, 3] {
            class(4, flags, &format!("header-{flags}/empty"), &[]);
            class(4, flags, &format!("header-{flags}/shortest-accepted"), b"a:b");
            class(
                4,
                flags,
                &format!("header-{flags}/of-28-accepted"),
                b"sec-ch-ua-mobile:?0123456789",
            );
            class(4, flags, &format!("header-{flags}/colons-in-value-accepted"), b"a:::b");
            class(4, flags, &format!("header-{flags}/value-characters-accepted"), b"a: !/@[`{~");
            class(
                4,
                flags,
                &format!("header-{flags}/name-of-26-accepted"),
                b"abcdefghijklmnopqrstuvwxyz:1",
            );
            for bad in [
                b"a".as_slice(),
                b":",
                b"a:",
                b":a",
                b"A:b",
                b"a b:c",
                b"a_b:c",
                b"a:B",
                b"a:b\0c",
                b"a\0:b",
                b"a:\0b",
                b"a:b\x7f",
                b"a:\x1f",
                b"a:\xff",
                b"\xe1:b",
                b"abcdefghijklmnopqrstuvwxyz-:",
                b"abcdefghijklmnopqrstuvwxyz-0",
            ] {
                class(4, flags, &format!("header-{flags}/{}", hex::encode(bad)), bad);
            }
        }
        for (prefix, fits) in
            [(0_u8, [0, 0, 0, 0]), (8, [10, 0, 0, 0]), (9, [10, 128, 0, 0]), (32, [10, 1, 2, 3])]
        {
            class(5, 0, &format!("cidr-v4/{prefix}-accepted"), &[&fits[..], &[prefix]].concat());
        }
        for (name, bad) in [
            ("33", [10, 0, 0, 0, 33, 0]),
            ("255", [10, 0, 0, 0, 255, 0]),
            ("host-bit-of-0", [128, 0, 0, 0, 0, 0]),
            ("host-bit-of-8", [10, 0, 0, 1, 8, 0]),
            ("host-bit-of-9", [10, 64, 0, 0, 9, 0]),
            ("host-bit-of-31", [10, 0, 0, 1, 31, 0]),
            ("byte-after", [10, 0, 0, 0, 8, 1]),
        ] {
            class(5, 0, &format!("cidr-v4/{name}"), &bad);
        }
        class(5, 0, "cidr-v4/last-byte", &patched(&pad28(&[10, 0, 0, 0, 8]), 27, &[1]));
        let v6 = |address: u128, prefix: u8| [address.to_be_bytes().as_slice(), &[prefix]].concat();
        for prefix in [0_u8, 1, 64, 65, 127, 128] {
            let address = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            class(6, 0, &format!("cidr-v6/{prefix}-accepted"), &v6(address, prefix));
            if prefix < 128 {
                let host_bit = 1_u128 << (127 - u32::from(prefix));
                class(
                    6,
                    0,
                    &format!("cidr-v6/host-bit-of-{prefix}"),
                    &v6(address | host_bit, prefix),
                );
                class(6, 0, &format!("cidr-v6/last-bit-of-{prefix}"), &v6(address | 1, prefix));
            }
        }
        class(6, 0, "cidr-v6/129", &v6(0, 129));
        class(6, 0, "cidr-v6/255", &v6(0, 255));
        class(6, 0, "cidr-v6/byte-after", &[v6(0, 0), vec![1]].concat());
        class(7, 0, "number/0", &[]);
        class(7, 0, "number/1-accepted", &1_u64.to_be_bytes());
        class(7, 0, "number/max-accepted", &u64::MAX.to_be_bytes());
        class(7, 0, "number/byte-after", &[0, 0, 0, 0, 0, 0, 0, 1, 1]);
        class(7, 0, "number/last-byte", &tail(1));
        class(8, 0, "fingerprint/zero", &[]);
        class(8, 0, "fingerprint/first-byte-accepted", &[0xff]);
        class(8, 0, "fingerprint/last-byte-accepted", &tail(1));
        class(8, 0, "fingerprint/all-accepted", &[0xff; 28]);
    }

    /// Every byte of a small artifact, set to each of three values: whatever a position means, the answer is one.
    fn single_bytes(&mut self) {
        let good = [
            header(2),
            row("a.b-c_9", 3, 2, -5, b"accept-encoding:gzip"),
            row("b", 7, 0, 9, &[192, 168, 0, 0, 16]),
        ]
        .concat();
        for at in 0..good.len() {
            for value in [0x00, 0x61, 0xff] {
                self.case(&format!("byte/{at}-{value:02x}"), &patched(&good, at, &[value]));
            }
        }
    }
}

fn header(rows: usize) -> Vec<u8> {
    let mut bytes = b"GLFF\x00\x01".to_vec();
    bytes.extend(u16::try_from(rows).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend((-1_000_i32).to_be_bytes());
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend(1_763_424_000_u64.to_be_bytes());
    bytes.resize(32, 0);
    bytes.extend(b"vectors");
    bytes.resize(HEADER_LEN, 0);
    bytes
}

fn row(key: &str, kind: u8, flags: u8, weight: i16, argument: &[u8]) -> Vec<u8> {
    let mut bytes = key.as_bytes().to_vec();
    bytes.resize(32, 0);
    bytes.extend([kind, flags]);
    bytes.extend(weight.to_be_bytes());
    bytes.extend(argument);
    bytes.resize(ROW_LEN, 0);
    bytes
}

fn one(kind: u8, flags: u8, weight: i16, argument: &[u8]) -> Vec<u8> {
    [header(1), row("one", kind, flags, weight, argument)].concat()
}

fn many(rows: usize, kind: u8, argument: &[u8]) -> Vec<u8> {
    let mut bytes = header(rows);
    for number in 0..rows {
        bytes.extend(row(&format!("r{number:03}"), kind, 0, 1, argument));
    }
    bytes
}

/// `rows` rows that go through the kinds of engine 1.
fn table(rows: usize) -> Vec<u8> {
    let mut bytes = header(rows);
    for number in 0..rows {
        let key = format!("r{number:03}");
        let weight = i16::try_from(number).unwrap_or(0) * 7 - 700;
        bytes.extend(match number % 7 {
            0 => row(&key, 1, 0, weight, format!("bot{number}/").as_bytes()),
            1 => row(&key, 3, 3, weight, format!("accept:text/{number}").as_bytes()),
            2 => row(&key, 3, 1, weight, b"accept-language"),
            3 => row(&key, 6, 0, weight, b"/.git/"),
            4 => row(&key, 7, 0, weight, &[10, u8::try_from(number).unwrap_or(0), 0, 0, 16]),
            5 => row(&key, 4, 0, weight, b"POST"),
            _ => row(&key, 1, 0, weight, b"mozilla/5.0 (compatible; ..."),
        });
    }
    bytes
}

fn doubled(bytes: &[u8]) -> Vec<u8> {
    doubled_within(bytes, usize::MAX)
}

/// The first `most` rows twice each, the rest once, under a header that counts them all.
fn doubled_within(bytes: &[u8], most: usize) -> Vec<u8> {
    let (rows, _) = bytes.get(HEADER_LEN..).unwrap_or_default().as_chunks::<ROW_LEN>();
    let twice = rows.len().min(most);
    let mut out = header(rows.len().saturating_add(twice));
    for (number, row) in rows.iter().enumerate() {
        out.extend(row);
        if number < twice {
            out.extend(row);
        }
    }
    out
}

fn patched(bytes: &[u8], at: usize, patch: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (target, byte) in bytes.iter_mut().skip(at).zip(patch) {
        *target = *byte;
    }
    bytes
}

fn with_row(bytes: &[u8], row: usize, words: &[u8]) -> Vec<u8> {
    patched(bytes, HEADER_LEN.saturating_add(row.saturating_mul(ROW_LEN)), words)
}

fn row_at(bytes: &[u8], row: usize) -> Vec<u8> {
    bytes
        .iter()
        .skip(HEADER_LEN.saturating_add(row.saturating_mul(ROW_LEN)))
        .take(ROW_LEN)
        .copied()
        .collect()
}

fn pad28(argument: &[u8]) -> Vec<u8> {
    let mut bytes = argument.to_vec();
    bytes.resize(28, 0);
    bytes
}

fn tail(byte: u8) -> Vec<u8> {
    let mut bytes = vec![0; 27];
    bytes.push(byte);
    bytes
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
