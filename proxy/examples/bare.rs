//! Pingora with nothing added but the edge's allocator: the yardstick of `greenlight-loadtest cost`.
//!
//! `bare LISTEN UPSTREAM THREADS` sends every request that arrives at one address to the other.

use std::{env, error::Error, net::SocketAddr};

use async_trait::async_trait;
use mimalloc::MiMalloc;
use pingora_core::Result;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{RunArgs, Server};
use pingora_core::upstreams::peer::HttpPeer;
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

struct Bare {
    upstream: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream, false, String::new())))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().ok_or("expected: bare LISTEN UPSTREAM THREADS");
    let (listen, upstream, threads) = (next()?, next()?.parse()?, next()?.parse()?);
    // It trusts no certificate, since it asks for none: a machine without any will do.
    let conf = ServerConf { threads, ca_file: Some("/dev/null".into()), ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, Bare { upstream });
    service.add_tcp(&listen);
    server.add_service(service);
    server.run(RunArgs::default());
    Ok(())
}
