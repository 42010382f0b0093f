//! Holds clients to the limits of routes, in memory that is fixed at start.

use std::{net::IpAddr, time::Duration};

use crate::{
    clients::{RateTable, Secret, Site},
    policy::{RateLimit, Route},
};

/// Counters in each row of a route's table: 128 KiB a route. Only clients of a low score are counted.
const SLOTS: u32 = 1 << 12;

/// A table for each route that limits, by the route's index.
pub(crate) struct Limiter {
    secret: Secret,
    tables: Vec<Option<(RateLimit, RateTable)>>,
}

impl Limiter {
    pub(crate) fn new(routes: &[Route], secret: Secret) -> Self {
        let table = |route: &Route| {
            (route.rate_limit_below > 1 && !route.exempt)
                .then(|| (route.rate_limit, RateTable::new(SLOTS)))
        };
        Self { secret, tables: routes.iter().map(table).collect() }
    }

    /// Counts a request of `client` (IPv6: its /64) on a route at `now`; the seconds to wait where it is one too many:
    /// who asks nothing for so long passes.
    ///
    /// Refused requests count too: who goes on asking stays limited. An unknown client is not limited.
    pub(crate) fn wait(&self, route: usize, client: Option<IpAddr>, now: Duration) -> Option<u64> {
        let (limit, table) = self.tables.get(route)?.as_ref()?;
        // The table's window is one second: time runs so that the limit's window is.
        let scaled = now
            .as_nanos()
            .saturating_mul(1_000_000_000)
            .checked_div(limit.per.as_nanos())
            .unwrap_or(0);
        // Not of nanoseconds in 64 bits: scaled to a short window, those would end while the process runs.
        let scaled = Duration::new(
            u64::try_from(scaled / 1_000_000_000).unwrap_or(u64::MAX),
            u32::try_from(scaled % 1_000_000_000).unwrap_or(0),
        );
        let made = table.record(self.secret.hash(Site::of(client?)), scaled);
        if made <= u64::from(limit.requests) {
            return None;
        }
        // What is asked in a window counts in part until the next one is over, so that is how long to wait.
        let left = 2_000_000_000_u128.saturating_sub(scaled.subsec_nanos().into());
        let seconds = left.saturating_mul(limit.per.as_nanos()).div_ceil(1_000_000_000_000_000_000);
        Some(u64::try_from(seconds).unwrap_or(u64::MAX).max(1))
    }
}

impl std::fmt::Debug for Limiter {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Limiter").field(&self.tables).finish()
    }
}

#[cfg(test)]
mod tests;
