use std::{fmt::Write as _, fs, net::SocketAddr, path::PathBuf, time::Duration};

use alloy::{hex, primitives::Address};
use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::Spec;
use tokio::process::Command;

use crate::{clock::WallClock, scene::UNREACHABLE, tools::Tools};

/// How an edge is configured. What is `None` is left to the edge's own default.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The edge of another version; without it, this one's.
    pub(crate) binary: Option<PathBuf>,
    /// Its name.
    pub(crate) id: String,
    /// Loopback ports; 0 takes free ones.
    pub(crate) port: u16,
    pub(crate) admin_port: u16,
    pub(crate) upstream: SocketAddr,
    pub(crate) heads: Heads,
    /// Execution RPCs.
    pub(crate) rpc_urls: Vec<String>,
    pub(crate) registry: Address,
    pub(crate) poll: Duration,
    /// Blocks below the newest; without it the finalized head counts.
    pub(crate) adoption_depth: Option<u64>,
    pub(crate) max_staleness: Option<Duration>,
    pub(crate) max_finality_age: Option<Duration>,
    /// `last-good` or `allow-all`.
    pub(crate) stale_mode: Option<&'static str>,
    pub(crate) soak: Duration,
    /// Where the configuration file is written.
    pub(crate) dir: PathBuf,
    pub(crate) state: PathBuf,
    /// A file that grows past its limit gives the edge an error instead of ending it.
    pub(crate) survives_file_limit: bool,
    /// A wall clock of its own.
    pub(crate) clock: Option<WallClock>,
    /// Whether loopback may say for whom a request comes, so that one machine can be many clients.
    pub(crate) is_behind_proxy: bool,
    /// Whether the bot module is on.
    pub(crate) bots: bool,
    /// Whether the origin is told which rows fired.
    pub(crate) tells_reasons: bool,
    /// Certificate chain and key of a listener for HTTPS on a free port of loopback.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// `trace` logs every request; without it the edge's own default holds.
    pub(crate) log_level: Option<&'static str>,
    /// How crawlers prove what they are. Without it DNS is not asked, so that no scene leaves loopback.
    pub(crate) crawlers: Option<Proofs>,
}

/// Where an edge finds proofs of crawlers.
#[derive(Clone, Debug)]
pub(crate) struct Proofs {
    pub(crate) name_server: SocketAddr,
    /// For one of its answers.
    pub(crate) dns_timeout: Duration,
    /// The site's name, for which signatures count.
    pub(crate) authority: &'static str,
    /// A crawler that signs, by its user agent, and its key as the `x` of a JWK.
    pub(crate) signer: &'static str,
    pub(crate) key: String,
}

/// Where an edge takes its heads from.
#[derive(Clone, Debug)]
pub(crate) enum Heads {
    LightClient(LightClient),
    /// A Helios process's word.
    Helios {
        url: String,
        chain_id: u64,
    },
    /// The execution RPCs' word.
    Rpc {
        chain_id: u64,
    },
}

/// A light client of a simulated network.
#[derive(Clone, Debug)]
pub(crate) struct LightClient {
    pub(crate) network: Spec,
    pub(crate) checkpoint: String,
    pub(crate) beacon_urls: Vec<String>,
}

impl Settings {
    /// How long one call to an endpoint may take.
    pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

    /// The same with these beacon endpoints, where there is a light client.
    pub(crate) fn with_beacons(
        mut self,
        urls: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        if let Heads::LightClient(client) = &mut self.heads {
            client.beacon_urls = urls.into_iter().map(Into::into).collect();
        }
        self
    }

    /// The same with no endpoint in reach.
    pub(crate) fn offline(self) -> Self {
        Self { rpc_urls: vec![UNREACHABLE.into()], ..self.with_beacons([UNREACHABLE]) }
    }

    fn toml(&self) -> String {
        let Self { port, admin_port, upstream, .. } = self;
        let client = if self.is_behind_proxy {
            "# The harness's clients come under many addresses.\n\
             [client]\ntrusted_proxies = [\"127.0.0.1/32\"]\n\n"
        } else {
            ""
        };
        let tls = self.tls.as_ref().map_or_else(String::new, |(cert, key)| {
            format!("[[listen.tls]]\naddress = \"127.0.0.1:0\"\ncert = {cert:?}\nkey = {key:?}\n\n")
        });
        // On is the default.
        let bots = if self.bots { "" } else { "[bots]\nenabled = false\n\n" };
        let headers = if self.tells_reasons { "[headers]\nreasons = true\n\n" } else { "" };
        let log = self
            .log_level
            .map_or_else(String::new, |level| format!("[log]\nlevel = {level:?}\n\n"));
        format!(
            "[listen]\nhttp = [\"127.0.0.1:{port}\"]\nadmin = \"127.0.0.1:{admin_port}\"\nthreads = 2\n\n\
             {tls}[upstream]\naddress = \"{upstream}\"\n\n\
             {client}{bots}{headers}{log}{crawlers}{source}\
             [state]\ndir = {state:?}\nsoak = \"{soak}ms\"\nedge_id = {id:?}\n\n\
             [[route]]\npath_prefix = \"/\"\nblock_below = 30\n\n\
             [[route]]\npath_prefix = \"/tag/\"\ntag_below = 30\n\n\
             [[route]]\npath_prefix = \"/log/\"\nlog_below = 30\n\n\
             [[route]]\npath_prefix = \"/limit/\"\nrate_limit_below = 30\nrate_limit = {{ requests = 2, per = \"10s\" }}\n\n\
             [[route]]\npath_prefix = \"/challenge/\"\nchallenge_below = 30\n\n\
             [[route]]\npath_prefix = \"/shadow/\"\nblock_below = 30\nshadow = true\n\n\
             [shutdown]\ngrace = \"5s\"\n",
            crawlers = self.crawlers(),
            source = self.source(),
            state = self.state.display().to_string(),
            soak = self.soak.as_millis(),
            id = self.id,
        )
    }

    /// The sections about crawlers.
    fn crawlers(&self) -> String {
        let Some(Proofs { name_server, dns_timeout, authority, signer, key }) = &self.crawlers
        else {
            return "[crawlers]\ndns = \"off\"\n\n".into();
        };
        format!(
            "[crawlers]\ndns = [\"{name_server}\"]\ndns_timeout = \"{}ms\"\nauthorities = [{authority:?}]\n\n\
             [[crawlers.crawler]]\nname = {signer:?}\nuser_agents = [{signer:?}]\nkeys = [{key:?}]\n\n",
            dns_timeout.as_millis()
        )
    }

    /// The sections about the source.
    fn source(&self) -> String {
        let Self { rpc_urls, registry, .. } = self;
        let mut out = format!("[source]\nurls = {rpc_urls:?}\nregistry = \"{registry}\"\n");
        let mut line = |text: &str| {
            let _ = writeln!(out, "{text}");
        };
        let millis = |duration: Duration| format!("\"{}ms\"", duration.as_millis());
        line(&format!("poll = {}", millis(self.poll)));
        line(&format!("deadline = {}", millis(Self::DEADLINE)));
        if let Some(depth) = self.adoption_depth {
            line(&format!("adoption_depth = {depth}"));
        }
        if let Some(most) = self.max_staleness {
            line(&format!("max_staleness = {}", millis(most)));
        }
        if let Some(most) = self.max_finality_age {
            line(&format!("max_finality_age = {}", millis(most)));
        }
        if let Some(mode) = self.stale_mode {
            line(&format!("stale_mode = {mode:?}"));
        }
        match &self.heads {
            Heads::Helios { url, chain_id } => {
                line(&format!("kind = \"helios\"\nhelios_url = {url:?}\nchain_id = {chain_id}\n"));
            }
            Heads::Rpc { chain_id } => line(&format!("kind = \"rpc\"\nchain_id = {chain_id}\n")),
            Heads::LightClient(LightClient { network, checkpoint, beacon_urls }) => {
                line(&format!(
                    "kind = \"light-client\"\nnetwork = \"custom\"\ncheckpoint = {checkpoint:?}\n\
                     beacon_urls = {beacon_urls:?}\n\n{}",
                    custom(network)
                ));
            }
        }
        out
    }

    pub(super) fn command(&self, tools: &Tools) -> Result<Command> {
        let config = self.dir.join("greenlight.toml");
        fs::write(&config, self.toml()).with_context(|| config.display().to_string())?;
        let binary = self.binary.as_ref().unwrap_or(&tools.greenlight);
        let mut command = if self.survives_file_limit {
            // A process is killed by SIGXFSZ unless that is ignored, which exec passes on; write(2) then fails.
            let mut shell = Command::new("sh");
            shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary);
            shell
        } else {
            Command::new(binary)
        };
        command.arg("run").arg("--config").arg(config);
        if let Some(clock) = &self.clock {
            clock.govern(&mut command);
        }
        Ok(command)
    }
}

/// A simulated network as an operator describes one of their own.
fn custom(network: &Spec) -> String {
    format!(
        "[source.custom]\npreset = \"{preset}\"\ngenesis_time = {genesis}\n\
         genesis_validators_root = \"{root}\"\nslot_duration = \"{slot}ms\"\n\
         genesis_fork_version = \"0x00000000\"\n\
         forks = [{{ name = \"{fork}\", epoch = 0, version = \"{version}\" }}]\n",
        preset = network.preset.name(),
        genesis = network.genesis_time,
        root = hex::encode_prefixed(network.genesis_validators_root),
        slot = network.slot_ms(),
        fork = network.fork.name(),
        version = hex::encode_prefixed(network.fork_version),
    )
}
