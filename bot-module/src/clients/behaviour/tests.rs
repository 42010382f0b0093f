use std::{mem::size_of, time::Duration};

use super::{BehaviourTable, Bucket, WAYS};
use crate::clients::Site;

const fn site(id: u64) -> Site {
    Site { family: 4, id }
}

/// Records one request, and says how many paths are known of the client by then.
fn paths(table: &BehaviourTable, client: u64, path: u64, second: u64) -> Option<u64> {
    table.with(site(client), 0, |history| {
        history.request(path, Duration::from_secs(second));
        history.behaviour().distinct_paths
    })
}

#[test]
fn a_client_costs_at_most_what_the_documentation_says() {
    assert!(size_of::<Bucket>() <= WAYS * 128, "{}", size_of::<Bucket>());
}

#[test]
fn the_client_not_seen_for_longest_gives_way() {
    let table = BehaviourTable::new(1);
    for client in 0..4 {
        assert_eq!(paths(&table, client, 1, client), Some(1));
    }
    assert_eq!(paths(&table, 0, 2, 10), Some(2), "all four are known");
    assert_eq!(paths(&table, 4, 1, 11), Some(1), "takes the place of client 1");
    assert_eq!(paths(&table, 0, 3, 12), Some(3));
    assert_eq!(paths(&table, 2, 2, 13), Some(2));
    assert_eq!(paths(&table, 1, 2, 14), Some(1), "client 1 begins anew, in the place of 3");
    assert_eq!(paths(&table, 4, 2, 15), Some(2));
}

#[test]
fn the_same_bits_in_the_other_family_are_another_client() {
    let table = BehaviourTable::new(4);
    paths(&table, 7, 1, 0);
    let other = Site { family: 6, id: 7 };
    assert_eq!(table.with_known(other, 0, |_| ()), None);
}

#[test]
fn a_bucket_that_another_thread_has_is_not_waited_for() {
    let table = BehaviourTable::new(4);
    paths(&table, 1, 1, 0);
    let held = table.bucket(0).unwrap();
    assert_eq!(paths(&table, 1, 2, 0), None);
    assert_eq!(table.with_known(site(1), 0, |_| ()), None);
    drop(held);
    assert_eq!(paths(&table, 1, 3, 0), Some(2), "what came in between is not recorded");
}
