//! Rows about the client's network.

use std::net::IpAddr;

use greenlight_artifact::Cidr;

use crate::fired::Fired;

/// Rows by client address.
///
/// Networks nest or are apart, so their first and last addresses cut the address space into ranges in each of which
/// the same rows fire. One binary search finds the range, and with it all networks that hold the address.
#[derive(Debug)]
pub(super) struct Networks {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

/// The first address of each range, ascending, and the rows that fire in it.
#[derive(Debug)]
struct Ranges<A> {
    starts: Box<[A]>,
    rows: Box<[Fired]>,
}

impl Networks {
    pub(super) fn new(rows: &[(Cidr, Fired)]) -> Self {
        let v4 = rows.iter().filter_map(|(cidr, fired)| match cidr.address {
            IpAddr::V4(address) => {
                let first = address.to_bits();
                Some((first, first | u32::MAX.checked_shr(cidr.prefix.into()).unwrap_or(0), *fired))
            }
            IpAddr::V6(_) => None,
        });
        let v6 = rows.iter().filter_map(|(cidr, fired)| match cidr.address {
            IpAddr::V6(address) => {
                let first = address.to_bits();
                Some((
                    first,
                    first | u128::MAX.checked_shr(cidr.prefix.into()).unwrap_or(0),
                    *fired,
                ))
            }
            IpAddr::V4(_) => None,
        });
        Self {
            v4: Ranges::new(v4, |last| last.checked_add(1)),
            v6: Ranges::new(v6, |last| last.checked_add(1)),
        }
    }

    /// A v4 address that was mapped into v6 (RFC 4291, 2.5.5.2), as dual-stack sockets report them, counts as v4.
    #[inline]
    pub(super) fn look_up(&self, client: IpAddr, fired: &mut Fired) {
        match client.to_canonical() {
            IpAddr::V4(address) => self.v4.look_up(address.to_bits(), fired),
            IpAddr::V6(address) => self.v6.look_up(address.to_bits(), fired),
        }
    }
}

impl<A: Copy + Ord> Ranges<A> {
    /// Of networks as first address, last address, rows.
    fn new(networks: impl Iterator<Item = (A, A, Fired)>, after: impl Fn(A) -> Option<A>) -> Self {
        let networks: Vec<_> = networks.collect();
        let ends = networks.iter().filter_map(|(_, last, _)| after(*last));
        let mut starts: Vec<A> = networks.iter().map(|(first, _, _)| *first).chain(ends).collect();
        starts.sort_unstable();
        starts.dedup();
        let rows_of = |start: &A| {
            let mut rows = Fired::NONE;
            for (_, _, more) in
                networks.iter().filter(|(first, last, _)| first <= start && start <= last)
            {
                rows.insert(more);
            }
            rows
        };
        Self { rows: starts.iter().map(rows_of).collect(), starts: starts.into() }
    }

    #[inline]
    fn look_up(&self, address: A, fired: &mut Fired) {
        let after = self.starts.partition_point(|start| *start <= address);
        if let Some(rows) = after.checked_sub(1).and_then(|at| self.rows.get(at)) {
            fired.insert(rows);
        }
    }
}
