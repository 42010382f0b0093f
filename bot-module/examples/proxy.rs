//! A whole reverse proxy with our bot filter: everything else is Pingora's.
//!
//! ```sh
//! cargo run -p greenlight-bot --example proxy -- model.glff 127.0.0.1:8080 127.0.0.1:8000
//! ```
use async_trait::async_trait;
use greenlight_artifact::{Schema, ValidArtifact};
use greenlight_bot::{BotFilter, CompiledModel, Engine, EngineLimits, Policy, Route};
use pingora_core::{Result, modules::http::HttpModules, server::Server, upstreams::peer::HttpPeer};
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};

struct Proxy {
    bots: BotFilter,
    origin: String,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = ();

    fn new_ctx(&self) {}

    fn init_downstream_modules(&self, modules: &mut HttpModules) {
        modules.add_module(self.bots.module());
    }

    async fn request_filter(&self, session: &mut Session, (): &mut ()) -> Result<bool> {
        self.bots.request_filter(session, None).await
    }

    async fn upstream_peer(&self, _session: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(&self.origin, false, String::new())))
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let [file, listen, origin] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "usage: proxy FILE LISTEN ORIGIN")?;
    let artifact = ValidArtifact::check(&std::fs::read(file)?, &[Schema::ENGINE_1])?;
    let engine = Engine::new(EngineLimits::default());
    engine.install(CompiledModel::compile(&artifact)?);
    let policy = Policy::new(vec![Route::new().block_below(30)]);

    let mut server = Server::new(None)?;
    server.bootstrap();
    let proxy = Proxy { bots: BotFilter::builder(engine, policy).build(), origin };
    let mut service = http_proxy_service(&server.configuration, proxy);
    service.add_tcp(&listen);
    server.add_service(service);
    server.run_forever()
}
