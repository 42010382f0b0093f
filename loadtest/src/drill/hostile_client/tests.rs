use std::collections::BTreeSet;

use super::*;

#[test]
fn every_client_of_the_flood_has_an_address_of_its_own() {
    let address = |client| {
        let text = String::from_utf8(flood::request(client)).unwrap();
        text.lines().find_map(|line| line.strip_prefix("X-Forwarded-For: ")).unwrap().to_owned()
    };
    let addresses: BTreeSet<_> = (0..CLIENTS).map(address).collect();
    // IPv4 addresses are folded into the range that is used, and so some coincide.
    assert!(addresses.len() > CLIENTS as usize * 8 / 10, "{}", addresses.len());
}

#[test]
fn requests_that_http_allows_stay_within_what_the_origin_reads() {
    let issued = format!("1-{:016x}-{:064x}", 2_000_000_000, 7);
    let all = [
        requests::oddities(),
        requests::forgeries(),
        cookies::forged(&issued),
        signatures::forged(1_800_000_000),
    ];
    for (name, request) in all.concat() {
        assert!(request.len() < 200 << 10, "{name}");
        assert!(request.ends_with(b"\r\n\r\n"), "{name}");
    }
}
