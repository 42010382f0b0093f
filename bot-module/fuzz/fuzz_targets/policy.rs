//! Any routes and any spelling of a host and a path: at least as strict as the route of every reading that an origin may
//! come to. Any list of networks: its lines' own networks and no others, or an error that names a line.
#![no_main]

#[rustfmt::skip]
#[path = "../../src/crawlers/networks.rs"]
mod crawler_networks;
#[allow(dead_code, reason = "no target needs all of it")]
#[rustfmt::skip]
#[path = "../../src/networks.rs"]
mod networks;

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use greenlight_artifact::{Draft, Feature, Key, Row, Schema};
use greenlight_bot::{
    Action, CompiledModel, Decision, Engine, EngineLimits, Evaluation, Networks, Policy, RateLimit,
    RequestView, Route, Target,
};
use http::{HeaderMap, Version};
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Request(Case<'a>),
    Lines(Vec<Line<'a>>, Vec<Probe>),
    Bytes(&'a [u8], Vec<Probe>),
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    routes: Vec<Rule<'a>>,
    method: u8,
    host: Option<Host<'a>>,
    other: Option<Host<'a>>,
    path: Vec<Piece<'a>>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
struct Rule<'a> {
    host: Option<u8>,
    prefix: Prefix<'a>,
    methods: u8,
    does: Does,
    shadow: bool,
}

#[derive(Arbitrary, Debug)]
enum Prefix<'a> {
    None,
    Known(u8),
    Other(&'a str),
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Does {
    Nothing,
    Tag,
    Log,
    RateLimit,
    Challenge,
    Block,
    LogAndBlock,
    Exempt,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Host<'a> {
    Known(u8, u8),
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Slash,
    Backslash,
    Dot,
    DotDot,
    Semicolon,
    Space,
    Known(u8),
    Upper(u8),
    Escaped(u8),
    EscapedTwice(u8),
    Text(&'a str),
}

/// What a server may do to a path. In any order; decoding twice at most.
#[derive(Arbitrary, Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Decode,
    BackslashIsSlash,
    MergeSlashes,
    DropParameters,
    DropWhatWindowsIgnores,
    ResolveDots,
}

const METHODS: [&str; 3] = ["GET", "POST", "get"];
const PREFIXES: [&str; 6] = ["/", "/login", "/static/", "/static/a", "/api/v1", "/Login"];
const WORDS: [&str; 6] = ["login", "static", "a", "api", "v1", "x"];
/// As routes name them, and as they are asked for.
const HOSTS: [(&str, &[&str]); 3] = [
    (
        "shop.example",
        &[
            "shop.example",
            "SHOP.example",
            "shop.example.",
            "shop.example:80",
            "a:b@shop.example.:1",
        ],
    ),
    ("Open.Example", &["open.example", "OPEN.EXAMPLE:", "open.example.:443", "x@open.example"]),
    ("::1", &["[::1]", "[0:0::1]", "[::0001]:8443", "[0000:0:0:0:0:0:0:1]:1"]),
];

/// Of a score in the middle.
static EVALUATION: LazyLock<Evaluation> = LazyLock::new(|| {
    let row =
        Row::of(Key::from_text("k", 0).expect("a key"), &Feature::Method("NONE".to_owned()), 1);
    let draft =
        Draft { intercept: 0, engine: 1, created_at: 0, label: String::new(), rows: vec![row] };
    let engine = Engine::new(EngineLimits::default().with_rate_slots(1).with_client_slots(1));
    let artifact = draft.encode(&[Schema::ENGINE_1]).expect("an artifact");
    engine.install(CompiledModel::compile(&artifact).expect("a model"));
    engine.evaluate(&RequestView::new("GET", "/", Version::HTTP_11, &HeaderMap::new()))
});

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Request(case) => request(&case),
        Input::Lines(lines, probes) => {
            let text: Vec<String> = lines.iter().take(50).map(Line::text).collect();
            list(text.join("\n").as_bytes(), &probes);
        }
        Input::Bytes(bytes, probes) => list(bytes, &probes),
    }
});

fn request(case: &Case<'_>) {
    let routes: Vec<Route> = case.routes.iter().take(8).map(Rule::route).collect();
    let path: String =
        std::iter::once("/".to_owned()).chain(case.path.iter().take(40).map(Piece::text)).collect();
    let method = METHODS[usize::from(case.method) % METHODS.len()];
    let [host, other] = [case.host, case.other].map(|host| host.map(Host::spelled));
    let target = Target::new(method, host, &path).also_host(other);

    // What an origin reads.
    let mut reading = path.clone().into_bytes();
    let mut decodings = 0;
    for step in case.steps.iter().take(12) {
        if *step == Step::Decode {
            decodings += 1;
        }
        if decodings <= 2 || *step != Step::Decode {
            reading = step.applied(&reading);
        }
    }

    if let Ok(text) = std::str::from_utf8(&reading) {
        let own = Policy::new(vec![Route::new().path_prefix(text).block_below(100)]);
        let verdict = own.decide(&target, &EVALUATION);
        assert_eq!(verdict.action, Action::Block, "{path:?} read as {text:?} slips off it");
    }

    let verdict = Policy::new(routes.clone()).decide(&target, &EVALUATION);
    let hosts: Vec<Option<&str>> = match (case.host, case.other) {
        (None, None) => vec![None],
        (host, other) => {
            [host, other].into_iter().flatten().filter_map(Host::canonical).map(Some).collect()
        }
    };
    for host in hosts {
        for any_case in [false, true] {
            let found = plain(&routes, method, host, &reading, any_case);
            let must = found.map_or((false, strictness(true, Action::Allow), false), |route| {
                let logged = route.log_below > 50 && !route.shadow && !route.exempt;
                (route.exempt, strictness(!route.shadow, action(route)), logged)
            });
            assert!(
                verdict.decision != Decision::Exempt || must.0,
                "{path:?} is exempt, {reading:?} is not"
            );
            assert!(
                strictness(verdict.enforced, verdict.action) >= must.1,
                "{path:?}, {reading:?}: {verdict:?}"
            );
            assert!(verdict.logged || !must.2);
        }
    }
}

/// What is done weighs more than what would be done.
fn strictness(enforced: bool, action: Action) -> (Action, Action) {
    (if enforced { action } else { Action::Allow }, action)
}

/// At a score of 50.
fn action(route: &Route) -> Action {
    if route.exempt {
        return Action::Allow;
    }
    [
        (route.block_below, Action::Block),
        (route.challenge_below, Action::Challenge),
        (route.rate_limit_below, Action::RateLimit),
        (route.log_below, Action::Log),
        (route.tag_below, Action::Tag),
    ]
    .into_iter()
    .find(|(below, _)| *below > 50)
    .map_or(Action::Allow, |(_, action)| action)
}

/// The most specific route of what is asked for in just these words.
fn plain<'r>(
    routes: &'r [Route],
    method: &str,
    host: Option<&str>,
    path: &[u8],
    any_case: bool,
) -> Option<&'r Route> {
    let folded = |bytes: &[u8]| if any_case { bytes.to_ascii_lowercase() } else { bytes.to_vec() };
    let fits = |route: &&Route| {
        folded(path).starts_with(&folded(route.path_prefix.as_bytes()))
            && (route.host.is_none() || route.host.as_deref() == host)
            && (route.methods.is_empty() || route.methods.iter().any(|it| it == method))
    };
    // Of equals the first.
    routes.iter().filter(fits).min_by_key(|route| {
        (route.host.is_none(), Reverse(route.path_prefix.len()), route.methods.is_empty())
    })
}

impl Rule<'_> {
    fn route(&self) -> Route {
        let mut route = Route::new().shadow(self.shadow);
        if let Some(host) = self.host {
            route = route.host(HOSTS[usize::from(host) % HOSTS.len()].0);
        }
        route = match self.prefix {
            Prefix::None => route,
            Prefix::Known(index) => {
                route.path_prefix(PREFIXES[usize::from(index) % PREFIXES.len()])
            }
            Prefix::Other(text) => route.path_prefix(text),
        };
        let methods = METHODS.iter().enumerate().filter(|(bit, _)| self.methods >> bit & 1 == 1);
        route = route.methods(methods.map(|(_, method)| *method));
        match self.does {
            Does::Nothing => route,
            Does::Tag => route.tag_below(51),
            Does::Log => route.log_below(90),
            Does::RateLimit => route.rate_limit_below(60, RateLimit::default()),
            Does::Challenge => route.challenge_below(100),
            Does::Block => route.block_below(51).challenge_below(60),
            Does::LogAndBlock => route.block_below(70).log_below(51),
            Does::Exempt => route.exempt(),
        }
    }
}

impl<'a> Host<'a> {
    fn spelled(self) -> &'a str {
        match self {
            Self::Known(index, spelling) => {
                let (_, spellings) = HOSTS[usize::from(index) % HOSTS.len()];
                spellings[usize::from(spelling) % spellings.len()]
            }
            Self::Any(text) => text,
        }
    }

    /// As routes name it, where they do.
    fn canonical(self) -> Option<&'static str> {
        match self {
            Self::Known(index, _) => Some(HOSTS[usize::from(index) % HOSTS.len()].0),
            Self::Any(_) => None,
        }
    }
}

impl Piece<'_> {
    fn text(&self) -> String {
        let word = |index: &u8| WORDS[usize::from(*index) % WORDS.len()];
        match self {
            Self::Slash => "/".to_owned(),
            Self::Backslash => "\\".to_owned(),
            Self::Dot => ".".to_owned(),
            Self::DotDot => "/..".to_owned(),
            Self::Semicolon => ";".to_owned(),
            Self::Space => " ".to_owned(),
            Self::Known(index) => word(index).to_owned(),
            Self::Upper(index) => word(index).to_uppercase(),
            Self::Escaped(byte) => format!("%{byte:02x}"),
            Self::EscapedTwice(byte) => format!("%25{byte:02X}"),
            Self::Text(text) => text.chars().take(40).collect(),
        }
    }
}

impl Step {
    fn applied(self, path: &[u8]) -> Vec<u8> {
        let each = |change: &dyn Fn(&[u8]) -> Vec<u8>| {
            path.split(|byte| *byte == b'/').map(change).collect::<Vec<_>>().join(&b'/')
        };
        match self {
            Self::Decode => decoded(path),
            Self::BackslashIsSlash => {
                path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
            }
            Self::MergeSlashes => {
                let mut merged: Vec<u8> = Vec::new();
                for byte in path {
                    if *byte != b'/' || merged.last() != Some(&b'/') {
                        merged.push(*byte);
                    }
                }
                merged
            }
            Self::DropParameters => {
                each(&|segment| segment.iter().copied().take_while(|byte| *byte != b';').collect())
            }
            Self::DropWhatWindowsIgnores => each(&|segment| {
                let mut rest = segment.to_vec();
                while segment != b"."
                    && segment != b".."
                    && matches!(rest.last(), Some(b'.' | b' '))
                {
                    rest.pop();
                }
                rest
            }),
            Self::ResolveDots => resolved(path),
        }
    }
}

fn decoded(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let digits = path.get(at + 1..at + 3).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        match (path[at], digits) {
            (b'%', Some(digits)) => {
                let digits = std::str::from_utf8(digits).expect("ASCII");
                decoded.push(u8::from_str_radix(digits, 16).expect("two digits"));
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// RFC 3986, 5.2.4, step by step; the path begins with a slash.
fn resolved(path: &[u8]) -> Vec<u8> {
    let mut input = path.to_vec();
    let mut output: Vec<u8> = Vec::new();
    while !input.is_empty() {
        if input.starts_with(b"/./") {
            input.drain(..2);
        } else if input == b"/." {
            input = b"/".to_vec();
        } else if input.starts_with(b"/../") || input == b"/.." {
            input = [b"/", input.get(4..).unwrap_or_default()].concat();
            let last = output.iter().rposition(|byte| *byte == b'/');
            output.truncate(last.unwrap_or(0));
        } else {
            let next = input.iter().skip(1).position(|byte| *byte == b'/');
            output.extend(input.drain(..next.map_or(input.len(), |next| next + 1)));
        }
    }
    output
}

#[derive(Arbitrary, Debug)]
enum Line<'a> {
    V4([u8; 4], u8),
    V6([u8; 16], u8),
    Address([u8; 4]),
    Comment(&'a str),
    Text(&'a str),
    Json([u8; 4], u8),
}

impl Line<'_> {
    fn text(&self) -> String {
        match self {
            Self::V4(address, prefix) => format!("{}/{}", Ipv4Addr::from(*address), prefix % 34),
            Self::V6(address, prefix) => {
                format!(" {}/{} # six", Ipv6Addr::from(*address), prefix % 130)
            }
            Self::Address(address) => Ipv4Addr::from(*address).to_string(),
            Self::Comment(text) => format!("# {text}"),
            Self::Text(text) => (*text).to_owned(),
            Self::Json(address, prefix) => {
                format!(
                    r#"{{"prefixes":[{{"ipv4Prefix":"{}/{}"}}]}}"#,
                    Ipv4Addr::from(*address),
                    prefix % 34
                )
            }
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Probe {
    V4([u8; 4]),
    V6([u8; 16]),
    /// Next to a network's ends.
    Near(u8, i8, bool),
}

impl Probe {
    fn address(&self, networks: &[IpNet]) -> IpAddr {
        match self {
            Self::V4(bytes) => IpAddr::from(*bytes),
            Self::V6(bytes) => IpAddr::from(*bytes),
            Self::Near(index, by, last) => {
                let Some(network) = networks.get(usize::from(*index) % networks.len().max(1))
                else {
                    return IpAddr::from([0; 4]);
                };
                let end = if *last { network.broadcast() } else { network.network() };
                match end {
                    IpAddr::V4(end) => IpAddr::V4(Ipv4Addr::from_bits(
                        end.to_bits().wrapping_add_signed((*by).into()),
                    )),
                    IpAddr::V6(end) => IpAddr::V6(Ipv6Addr::from_bits(
                        end.to_bits().wrapping_add_signed((*by).into()),
                    )),
                }
            }
        }
    }
}

fn list(bytes: &[u8], probes: &[Probe]) {
    // IPv4-mapped addresses are IPv4's.
    let holds = |networks: &[IpNet], address: IpAddr| {
        networks.iter().any(|network| network.contains(&address.to_canonical()))
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        let lines: Vec<&str> =
            text.lines().map(|line| line.split('#').next().unwrap_or("").trim()).collect();
        let read = |line: &&str| {
            let address = || line.parse::<IpAddr>().ok().map(IpNet::from);
            line.parse::<IpNet>().ok().or_else(address)
        };
        let networks: Vec<IpNet> = lines.iter().filter_map(read).collect();
        let bad: Vec<usize> = (1..)
            .zip(&lines)
            .filter(|(_, line)| !line.is_empty() && read(line).is_none())
            .map(|(at, _)| at)
            .collect();
        match Networks::parse(text) {
            Ok(found) => {
                assert!(bad.is_empty());
                assert_eq!(found.is_empty(), networks.is_empty());
                for probe in probes {
                    let address = probe.address(&networks);
                    assert_eq!(found.contains(address), holds(&networks, address), "{address}");
                }
            }
            Err(errors) => {
                assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), bad);
                assert!(
                    !bad.is_empty() && errors.iter().all(|error| error.found.chars().count() <= 60)
                );
            }
        }
    }
    // A crawler's list, which is never empty and never has a good part of the Internet.
    match crawler_networks::parse(bytes) {
        Ok(networks) => {
            let wide = |network: &IpNet| {
                network.prefix_len() < if network.addr().is_ipv4() { 8 } else { 16 }
            };
            assert!(!networks.is_empty() && !networks.iter().any(wide));
            let found = crawler_networks::set_of(&networks).expect("what was parsed");
            for probe in probes {
                let address = probe.address(&networks);
                assert_eq!(found.contains(address), holds(&networks, address), "{address}");
            }
        }
        Err(error) => assert!(!error.reason().is_empty()),
    }
}
