//! A long time on a chain, in a short one: slots come `speed` times as fast as on a real chain, and all else is as real as
//! in the drills. Sync committees change at the ends of their periods; slots are missed; one of two beacon endpoints
//! misbehaves now and then; artifacts are promoted, and all of it is killed and revived.
//!
//! The edge must go through it without a restart of its watcher, without staleness, without a request that meets an
//! error, and without growing.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use greenlight_beacon_simulator::{Idle, Manner, Preset};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    chain::{GUARDIAN, OPERATIONS},
    drill::{self, Drill, Verdict},
    edge::{Edge, Settings},
    process::limited,
    report::{Misuse, Report},
    scene::{Findings, SOON, Scene, Setup},
    signals,
    tools::Tools,
};

/// Ends of sync committee periods that must lie in a soak: at the first one the edge uses a committee that it learned by
/// itself, at the second one that it learned from that.
const LEAST_ENDS: u64 = 2;
/// Between two looks at the edge.
const LOOK: Duration = Duration::from_millis(250);
/// By which the mean resident set of the last quarter may lie above that of the second.
const MAX_GROWTH_MIB: f64 = 3.0;
/// In slots; the newest head of a healthy edge is some 2 slots old, the finalized one some 2 more than finality takes.
const MAX_STALENESS: u32 = 16;
const MAX_FINALITY_DELAY: u32 = 32;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Minutes of the simulated chain.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    minutes: u64,
    /// How many times as fast as on a real chain slots come.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=60))]
    speed: u64,
    /// Sizes of the chain: minimal has 6 s slots and 64 of them a period, mainnet 12 s and 8192.
    #[arg(long, value_enum, default_value_t = Size::Minimal)]
    preset: Size,
    /// Write what was found as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Size {
    Minimal,
    Mainnet,
}

/// What is to be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    preset: Preset,
    /// Simulated ones.
    slots: u64,
    slot: Duration,
}

impl Plan {
    /// # Errors
    /// Where too few periods end in it, what would be enough.
    fn new(minutes: u64, speed: u64, size: Size) -> Result<Self, Misuse> {
        // `SLOT_DURATION_MS` of configs/minimal.yaml and configs/mainnet.yaml.
        let (preset, real_ms) = match size {
            Size::Minimal => (Preset::Minimal, 6_000),
            Size::Mainnet => (Preset::Mainnet, 12_000),
        };
        let slots = minutes * 60_000 / real_ms;
        let least = LEAST_ENDS * preset.slots_per_period();
        if slots < least {
            let name = preset.name();
            return Err(Misuse(format!(
                "expected at least {least} slots, in which {LEAST_ENDS} sync committee periods of the {name} preset end; \
                 found {slots}, the slots of {minutes} minutes; give --minutes {} or more{}",
                (least * real_ms).div_ceil(60_000),
                if size == Size::Mainnet { ", or --preset minimal" } else { "" }
            )));
        }
        Ok(Self { preset, slots, slot: Duration::from_millis(real_ms / speed) })
    }

    /// Of the simulation, by this machine's clock.
    fn lasts(self) -> Duration {
        self.slot * u32::try_from(self.slots).unwrap_or(u32::MAX)
    }
}

pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let plan = Plan::new(args.minutes, args.speed, args.preset)?;
    let report = Report::create(args.json.as_deref())?;
    let start = Instant::now();
    let mut drill = Drill::new(Tools::find()?);
    drill.findings.fact("minutes", args.minutes);
    drill.findings.fact("speed", args.speed);
    drill.findings.fact("preset", plan.preset.name());
    let outcome = tokio::select! {
        outcome = limited(plan.lasts() + drill::LIMIT, soak(&mut drill, plan)) => outcome,
        signal = signals::ended() => bail!("ended by {signal}"),
    };
    let verdict: Verdict = drill.verdict("soak".into(), start, outcome);
    verdict.print("soak");
    report.write(&verdict)?;
    Ok(if verdict.pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn soak(drill: &mut Drill, plan: Plan) -> Result<()> {
    let setup = Setup {
        preset: plan.preset,
        slot: plan.slot,
        finality_lag: 2 * plan.preset.slots_per_epoch(),
        ..Setup::QUICK
    };
    let scene = Scene::start(&drill.tools, setup, &drill.journal).await?;
    let shaky = scene.beacon.endpoint().await?;
    let settings = Settings {
        max_staleness: Some(plan.slot * MAX_STALENESS),
        max_finality_age: Some(
            plan.slot * (u32::try_from(setup.finality_lag)? + MAX_FINALITY_DELAY),
        ),
        ..scene.settings().with_beacons([shaky.url.clone(), scene.endpoint.url.clone()])
    };
    let first = scene.publish("soak").await?;
    let edge = scene.edge(&settings).await?;
    let load = scene.long_load(&edge, plan.lasts() + 2 * SOON);
    edge.keeps(&first.digest, SOON).await?;

    let (start, slot, over) = (Instant::now(), scene.beacon.head_slot(), AtomicBool::new(false));
    let asked = scene.endpoint.requests() + shaky.requests();
    let events = async {
        let events = events(&scene, &edge, &shaky, start + plan.lasts()).await;
        over.store(true, Ordering::Relaxed);
        events
    };
    let (events, looks) = tokio::join!(events, watch(&edge, &over));
    let (events, looks) = (events?, looks?);

    let findings = &mut drill.findings;
    let slots = scene.beacon.head_slot() - slot;
    findings.fact("slots", slots);
    findings
        .expect(slots >= plan.slots, || format!("expected {} slots; found {slots}", plan.slots));
    let asked = scene.endpoint.requests() + shaky.requests() - asked;
    findings.fact("beacon_requests_per_slot", (asked as f64 / slots as f64 * 10.0).round() / 10.0);
    findings.fact("slots_missed", events.missed);
    findings.fact("promotions", events.promotions);
    findings.fact("kills", events.kills);
    looks.judge(findings);
    let status = edge.status().await?;
    findings.equal("watcher restarts", &status["restarts"], &json!(0));
    findings.equal("what runs", &status["artifact"]["digest"], &json!(events.runs));
    let evidence = edge.evidence()?;
    let stale = evidence.iter().filter(|line| line.event == "stale").count();
    findings.equal("times stale", stale, 0);
    findings.recorded(&evidence, "adopted", Some(&events.runs), "");
    findings.recorded(&evidence, "allow-all", None, "kill");
    load.stop().await;
    edge.end().await?;
    scene.end().await
}

/// What happened on the chain.
#[derive(Debug, Default)]
struct Events {
    promotions: u64,
    kills: u64,
    missed: u64,
    /// Digest of the last promotion.
    runs: String,
}

/// Mild ones: whoever has another endpoint must not notice.
const MANNERS: [Manner; 5] = [
    Manner::Status(503),
    Manner::Frozen,
    Manner::Down,
    Manner::NoUpdates,
    Manner::Slow(Duration::from_millis(700)),
];

/// Promotions, missed slots, an endpoint that misbehaves, kills, in turn until `end`.
async fn events(
    scene: &Scene,
    edge: &Edge,
    shaky: &greenlight_beacon_simulator::Endpoint,
    end: Instant,
) -> Result<Events> {
    let slot = scene.beacon.spec().slot_duration;
    let mut events = Events::default();
    for manner in MANNERS.into_iter().cycle() {
        shaky.be(manner);
        events.promotions += 1;
        let staged = scene.publish(&format!("soak-{}", events.promotions)).await?;
        // Three slots without a block, as where proposers are down; nothing that is sent meanwhile gets into one.
        scene.beacon.when_idle(Idle::Miss);
        sleep(3 * slot).await;
        scene.beacon.when_idle(Idle::Mine);
        events.missed += 3;
        edge.keeps(&staged.digest, SOON).await.with_context(|| format!("beside {manner:?}"))?;
        events.runs = staged.digest;
        shaky.be(Manner::Honest);
        // At least one kill in the shortest soak.
        if events.promotions % 2 == 1 {
            scene.ctl.run(GUARDIAN, ["kill"]).await?.done()?;
            edge.until("the kill", SOON, |status| status["reason"] == "kill").await?;
            scene.ctl.run(OPERATIONS, ["revive"]).await?.done()?;
            edge.runs(&events.runs, SOON).await.context("revived")?;
            events.kills += 1;
        }
        if Instant::now() >= end {
            break;
        }
    }
    Ok(events)
}

/// What was seen of the edge, look by look.
#[derive(Debug, Default)]
struct Looks {
    rss_mib: Vec<f64>,
    periods: BTreeSet<u64>,
    stale: usize,
}

async fn watch(edge: &Edge, over: &AtomicBool) -> Result<Looks> {
    let mut looks = Looks::default();
    while !over.load(Ordering::Relaxed) {
        let status = edge.status().await?;
        looks.rss_mib.push(edge.rss_mib()?);
        looks.periods.extend(status["source"]["period"].as_u64());
        looks.stale += usize::from(status["stale"] == true);
        sleep(LOOK).await;
    }
    Ok(looks)
}

impl Looks {
    fn judge(&self, findings: &mut Findings) {
        findings.equal("looks at which it was stale", self.stale, 0);
        let (first, last) = (self.periods.first().copied(), self.periods.last().copied());
        let ends = last.unwrap_or_default() - first.unwrap_or_default();
        findings.fact("period_ends", ends);
        findings.expect(ends >= LEAST_ENDS, || {
            format!(
                "expected at least {LEAST_ENDS} ends of periods; found periods {:?}",
                self.periods
            )
        });
        findings.equal(
            "periods seen, from the first to the last",
            self.periods.len() as u64,
            ends + 1,
        );
        let quarters: Vec<f64> =
            self.rss_mib.chunks(self.rss_mib.len().div_ceil(4).max(1)).map(mean).collect();
        findings.fact("rss_mib_by_quarter", json!(quarters));
        let growth = quarters.last().zip(quarters.get(1)).map(|(last, second)| last - second);
        findings.expect(growth.is_some_and(|growth| growth <= MAX_GROWTH_MIB), || {
            format!("expected a flat RSS, its last quarter at most {MAX_GROWTH_MIB} MiB above the second; found {quarters:?}")
        });
    }
}

fn mean(of: &[f64]) -> f64 {
    (of.iter().sum::<f64>() / of.len() as f64 * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
