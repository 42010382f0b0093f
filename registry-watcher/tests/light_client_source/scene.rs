//! A simulated beacon chain, endpoints over it, and clocks that a test sets.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_consensus::Header;
use alloy_primitives::B256;
use greenlight_beacon_simulator::{
    BeaconChain, Endpoint, ExecutionBlock, Fork as SimulatedFork, Preset as SimulatedPreset,
    SharedChain, Spec,
};
use greenlight_watcher::{
    Adoption,
    light_client::{Fork, ForkSchedule, Network, Preset},
    rpc::RpcPool,
    source::{BeaconApi, HeadSource, LightClientSettings, LightClientSource, Note, Time},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) const DEADLINE: Duration = Duration::from_millis(400);
pub(crate) const DAY: u64 = 86_400_000;

/// The clocks of a host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clocks {
    pub(crate) unix: Arc<AtomicU64>,
    pub(crate) steady: Arc<AtomicU64>,
}

impl Clocks {
    pub(crate) fn pass(&self, ms: u64) {
        self.unix.fetch_add(ms, Ordering::SeqCst);
        self.steady.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn jump(&self, ms: i64) {
        self.unix
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |at| at.checked_add_signed(ms))
            .unwrap();
    }
}

impl Time for Clocks {
    fn unix_ms(&self) -> u64 {
        self.unix.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> u64 {
        self.steady.load(Ordering::SeqCst)
    }
}

/// A chain of the minimal preset (8 slots an epoch, 64 a period, 32 seats), 12 s a slot.
pub(crate) struct Scene {
    pub(crate) spec: Spec,
    pub(crate) chain: SharedChain,
    pub(crate) clocks: Clocks,
    /// Execution headers, by hash.
    pub(crate) headers: Arc<Mutex<BTreeMap<B256, Header>>>,
    head: Header,
    /// Numbers that the next block leaves out.
    skipped: u64,
}

impl Scene {
    /// Two seconds into `slot`, with a block in every slot before and in it.
    pub(crate) fn at(slot: u64) -> Self {
        let mut scene = Self::young();
        scene.advance(slot);
        scene
    }

    /// Two seconds into slot 0.
    pub(crate) fn young() -> Self {
        Self::with(Spec::local(SimulatedPreset::Minimal, SimulatedFork::Electra))
    }

    /// The same, where blocks are final so many slots later.
    pub(crate) fn with_finality_lag(slots: u64) -> Self {
        let spec = Spec::local(SimulatedPreset::Minimal, SimulatedFork::Electra);
        Self::with(Spec { finality_lag: slots, ..spec })
    }

    fn with(mut spec: Spec) -> Self {
        spec.genesis_time = 1_700_000_000;
        let clocks = Clocks::default();
        clocks.unix.store(spec.genesis_time * 1_000 + 2_000, Ordering::SeqCst);
        let chain = Arc::new(RwLock::new(BeaconChain::new(spec.clone())));
        Self { spec, chain, clocks, headers: Arc::default(), head: Header::default(), skipped: 0 }
    }

    /// A block in each of the next slots.
    pub(crate) fn advance(&mut self, slots: u64) {
        for _ in 0..slots {
            self.skip(1);
            self.propose();
        }
    }

    /// Slots go by.
    pub(crate) fn skip(&self, slots: u64) {
        self.clocks.pass(slots * self.spec.slot_ms());
    }

    /// A block in the slot of now.
    pub(crate) fn propose(&mut self) {
        let parent_hash = self.head.hash_slow();
        let number = self.head.number + 1 + std::mem::take(&mut self.skipped);
        let state_root = B256::from(ExecutionBlock::synthetic(self.slot()).state_root);
        self.head = Header { parent_hash, number, state_root, ..Header::default() };
        let hash = self.head.hash_slow();
        self.headers.lock().unwrap().insert(hash, self.head.clone());
        let block = ExecutionBlock {
            hash: hash.0,
            parent_hash: parent_hash.0,
            state_root: state_root.0,
            number,
            ..ExecutionBlock::synthetic(number)
        };
        assert!(self.chain.write().unwrap().push(self.slot(), block));
    }

    /// The next block's number is one more than it should be.
    pub(crate) fn skip_number(&mut self) {
        self.skipped = 1;
    }

    /// Goes back to the block whose child is `header`'s, so that the next ones are another branch.
    pub(crate) fn reorganize(&mut self, to: u64, header: B256) {
        self.chain.write().unwrap().rewind(to);
        self.head = self.headers.lock().unwrap()[&header].clone();
    }

    /// The execution block so many below `hash`.
    pub(crate) fn ancestor(&self, hash: B256, depth: u64) -> B256 {
        let headers = self.headers.lock().unwrap();
        (0..depth).fold(hash, |hash, _| headers[&hash].parent_hash)
    }

    /// Of now, by the right time.
    pub(crate) fn slot(&self) -> u64 {
        let steady = self.clocks.steady.load(Ordering::SeqCst) + 2_000;
        self.spec.slot_at(self.spec.genesis_time * 1_000 + steady)
    }

    pub(crate) async fn endpoint(&self) -> Endpoint {
        Endpoint::start(Arc::clone(&self.chain), 1).await.unwrap()
    }

    pub(crate) fn checkpoint(&self) -> B256 {
        B256::from(self.chain.read().unwrap().finalized_root())
    }

    pub(crate) fn network(&self) -> Network {
        let fork = Fork::from_name(self.spec.fork.name()).unwrap();
        Network {
            name: "simulated".into(),
            preset: Preset::Minimal,
            genesis_time: self.spec.genesis_time,
            genesis_validators_root: B256::from(self.spec.genesis_validators_root),
            slot_duration: self.spec.slot_duration,
            forks: ForkSchedule { genesis: [0; 4], forks: vec![(fork, 0, self.spec.fork_version)] },
        }
    }

    pub(crate) fn settings(&self) -> LightClientSettings {
        LightClientSettings {
            network: Arc::new(self.network()),
            checkpoint: self.checkpoint(),
            max_checkpoint_age: Duration::from_millis(14 * DAY),
            adoption: Adoption::Finalized,
        }
    }

    /// A client with the present finalized block as its checkpoint.
    pub(crate) fn client(&self, endpoints: &[&Endpoint]) -> LightClientSource {
        self.client_with(self.settings(), endpoints, &[], None)
    }

    pub(crate) fn client_with(
        &self,
        settings: LightClientSettings,
        endpoints: &[&Endpoint],
        rpcs: &[String],
        kept: Option<&str>,
    ) -> LightClientSource {
        let urls: Vec<_> = endpoints.iter().map(|endpoint| endpoint.url.clone()).collect();
        self.client_of(settings, &urls, rpcs, kept)
    }

    pub(crate) fn client_of(
        &self,
        settings: LightClientSettings,
        urls: &[String],
        rpcs: &[String],
        kept: Option<&str>,
    ) -> LightClientSource {
        let beacon = BeaconApi::new(urls, settings.network.preset, DEADLINE).unwrap();
        let rpcs = RpcPool::new(rpcs, DEADLINE).unwrap();
        LightClientSource::new(settings, Arc::new(beacon), Arc::new(rpcs), kept)
            .with_time(Box::new(self.clocks.clone()))
    }

    /// An RPC that knows the execution headers, and counts requests.
    pub(crate) async fn rpc(&self) -> (String, Arc<AtomicU64>) {
        self.rpc_that(|header| header).await
    }

    /// One that gives another header than it is asked for.
    pub(crate) async fn rpc_that(
        &self,
        told: impl Fn(Header) -> Header + Send + 'static,
    ) -> (String, Arc<AtomicU64>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicU64::new(0));
        let (headers, counted) = (Arc::clone(&self.headers), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut request = vec![0; 4_096];
                let read = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                assert!(request.contains("eth_getBlockByHash"), "nothing else is asked: {request}");
                let (_, hash) = request.split_once("\"0x").unwrap();
                let hash: B256 = hash[..64].parse().unwrap();
                let header = headers.lock().unwrap().get(&hash).cloned().map(&told);
                let body = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "result": header });
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        (url, requests)
    }
}

/// A server in front of an endpoint that fails for a range of periods, as some do that lack one update in it.
pub(crate) async fn without_ranges(endpoint: &Endpoint) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let behind = endpoint.url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4_096];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let answer = if request.contains("/updates?") && !request.contains("&count=1 ") {
                "HTTP/1.1 500 Error\r\ncontent-length: 0\r\n\r\n".into()
            } else {
                let mut server = TcpStream::connect(&behind).await.unwrap();
                server.write_all(closing(&request).as_bytes()).await.unwrap();
                let mut answer = String::new();
                server.read_to_string(&mut answer).await.unwrap();
                answer
            };
            let _ = stream.write_all(closing(&answer).as_bytes()).await;
        }
    });
    url
}

/// A request or an answer that is the last of its connection.
fn closing(message: &str) -> String {
    message.replacen("\r\n", "\r\nconnection: close\r\n", 1)
}

/// Slots of the newest and of the finalized header, after a look.
pub(crate) async fn look(client: &mut LightClientSource) -> Result<(u64, u64), &'static str> {
    client.heads().await.map_err(|error| error.reason())?;
    let report = client.report();
    Ok((report.newest.unwrap().slot.unwrap(), report.finalized.unwrap().slot.unwrap()))
}

/// What is to be written down since the last time.
pub(crate) fn events(client: &mut LightClientSource) -> Vec<(&'static str, String)> {
    client.news().notes.into_iter().map(|Note { event, detail }| (event, detail)).collect()
}
