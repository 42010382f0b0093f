#![allow(clippy::arithmetic_side_effects, reason = "a test fails by a panic")]

use ipnet::{Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::*;

#[test]
fn lists_hold_networks_and_name_the_lines_that_are_none() {
    let networks =
        Networks::parse("# ours\n10.0.0.0/8\n10.1.0.0/16 # nested\n\n2001:db8::/32\n192.0.2.1\n")
            .unwrap();
    let holds = |address: &str| networks.contains(address.parse().unwrap());
    for address in
        ["10.0.0.0", "10.255.255.255", "10.1.2.3", "::ffff:10.0.0.1", "2001:db8::1", "192.0.2.1"]
    {
        assert!(holds(address), "{address}");
    }
    for address in ["9.255.255.255", "11.0.0.0", "192.0.2.0", "192.0.2.2", "2001:db9::", "::a00:1"]
    {
        assert!(!holds(address), "{address}");
    }
    assert_eq!(networks.len(), 3, "the nested one is no other");
    let errors = Networks::parse("10.0.0.0/33\n10.0.0.1\nx\n10.0.0.1/8").unwrap_err();
    assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [1, 3, 4]);
}

/// Host bits may be set.
fn networks() -> impl Strategy<Value = Vec<IpNet>> {
    let v4 = (any::<u32>(), 0_u8..=32).prop_map(|(address, prefix)| {
        // Few first octets, so that networks meet.
        IpNet::V4(Ipv4Net::new((address & 0x03ff_ffff).into(), prefix).unwrap())
    });
    let v6 = (any::<u128>(), 0_u8..=128)
        .prop_map(|(address, prefix)| IpNet::V6(Ipv6Net::new(address.into(), prefix).unwrap()));
    proptest::collection::vec(prop_oneof![v4, v6], 0..40)
}

proptest! {
    #[test]
    fn an_address_lies_in_a_set_as_it_does_in_any_of_its_networks(
        networks in networks(),
        more in networks(),
        addresses in proptest::collection::vec(any::<u32>(), 1..40),
    ) {
        let set = networks.iter().copied().collect::<Networks>().with(more.clone());
        let all: Vec<IpNet> = [networks, more].concat();
        prop_assert_eq!(set.is_empty(), all.is_empty());
        prop_assert!(set.len() <= all.len());
        let edges = all.iter().flat_map(|network| [network.network(), network.broadcast()]);
        for address in edges.chain(addresses.into_iter().map(|bits| IpAddr::V4(bits.into()))) {
            // A mapped address is an IPv4 address, even where an IPv6 network holds it.
            let address = address.to_canonical();
            prop_assert_eq!(
                set.contains(address),
                all.iter().any(|network| network.contains(&address)),
                "{}", address
            );
        }
    }
}
