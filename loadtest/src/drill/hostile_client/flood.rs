//! Very many clients, as one machine can play them behind a proxy that is trusted: each request comes from an address of its
//! own, IPv4 and IPv6, with a user agent and a path of its own.

use std::{net::Ipv6Addr, ops::Range};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::requests::INJECTIONS;
use crate::{drill::Drill, edge::Edge, http::Response, load::Raw};

/// Connections at a time.
const CONNECTIONS: u32 = 16;

/// Sends the request of each of these clients, which must all be answered as is right.
pub(super) async fn send(
    drill: &mut Drill,
    edge: &Edge,
    clients: Range<u32>,
    request: fn(u32) -> Vec<u8>,
    is_right: fn(&Response) -> bool,
) -> Result<()> {
    let mut running = JoinSet::new();
    let (first, end) = (clients.start, clients.end);
    for number in 0..CONNECTIONS {
        let mut raw = Raw::new(edge.address, &drill.journal.counter);
        running.spawn(async move {
            let mut right = 0_u32;
            for client in (first + number..end).step_by(CONNECTIONS as usize) {
                if let Some(response) = raw.send(&request(client)).await {
                    right += u32::from(is_right(&response));
                }
            }
            right
        });
    }
    let mut right = 0;
    while let Some(count) = running.join_next().await {
        right += count?;
    }
    let all = end - first;
    ensure!(right == all, "expected the right answer to all {all} of a flood; found {right}");
    Ok(())
}

/// They say that they are bots, so they are answered by the edge, by the score.
pub(super) fn is_blocked(response: &Response) -> bool {
    response.status == 403
}

pub(super) fn request(client: u32) -> Vec<u8> {
    // Spread over the address space, so that networks and hashes of them differ.
    let spread = client.wrapping_mul(2_654_435_761);
    let address = if client.is_multiple_of(2) {
        let [a, b, c, d] = spread.to_be_bytes();
        format!("{}.{b}.{c}.{d}", a % 100 + 20)
    } else {
        let [high, low] =
            [spread >> 16, spread & 0xffff].map(|half| u16::try_from(half).unwrap_or(0));
        Ipv6Addr::new(0x2001, 0xdb8, high, low, 0, 0, 0, 1).to_string()
    };
    let injection = INJECTIONS[client as usize % INJECTIONS.len()];
    format!(
        "GET /{spread:x}/{client}?{client} HTTP/1.1\r\nHost: {client}.example\r\nX-Forwarded-For: {address}\r\n\
         User-Agent: curl/{client}.{spread} {injection}\r\nAccept: */*\r\nx-{client}: {client}\r\n\r\n"
    )
    .into_bytes()
}
