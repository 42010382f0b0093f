use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use greenlight_artifact::{Digest, Draft, Feature, Key, Row, Schema};
use http::{HeaderMap, Version};

use super::{Engine, EngineLimits, Scorer};
use crate::{ClientActivity, CompiledModel, Fired, RequestView, Score, model::Scored};

const DIGEST: Digest = Digest([0xab; 32]);

/// A scorer of which the path decides what it does.
struct Faulty;

impl Scorer for Faulty {
    fn digest(&self) -> Digest {
        DIGEST
    }

    fn reads_activity(&self) -> bool {
        false
    }

    fn score(&self, request: &RequestView<'_>, _activity: &ClientActivity) -> Scored {
        match request.path {
            "/panic" => panic!("as the test asked"),
            "/slow" => thread::sleep(Duration::from_millis(20)),
            _ => {}
        }
        Scored { score: Score::of_logit_milli(0), logit_milli: 0, fired: Fired::row(1) }
    }

    fn row(&self, _row: u8) -> Option<(Key, i16)> {
        None
    }
}

fn request<'a>(path: &'a str, headers: &'a HeaderMap) -> RequestView<'a> {
    let client = Some([192, 0, 2, 1].into());
    RequestView::new("GET", path, Version::HTTP_11, headers).with_client(client)
}

/// A model that scores every request by its intercept alone, unless a client makes more than three requests a second.
fn model(intercept: i32) -> CompiledModel {
    let row = |key, kind, argument, weight| {
        Row::of(Key::from_text(key, 0).unwrap(), &Feature::parse(kind, argument).unwrap(), weight)
    };
    let rows = vec![
        row("path.none", "path-prefix", "/none", 700),
        row("rate.3", "request-rate", "3", 9_000),
    ];
    let draft = Draft { intercept, engine: 1, created_at: 0, label: String::new(), rows };
    CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap()
}

#[test]
fn without_a_model_all_pass_unscored() {
    let engine = Engine::new(EngineLimits::default());
    let evaluation = engine.evaluate(&request("/", &HeaderMap::new()));
    assert_eq!(
        (evaluation.score, evaluation.digest, evaluation.fired),
        (Score::UNSCORED, None, Fired::NONE)
    );
    assert_eq!(engine.digest(), None);
    assert_eq!((engine.counters().idle, engine.counters().scored, engine.faults()), (1, 0, 0));
}

#[test]
fn installs_and_forgets_a_model() {
    let engine = Engine::new(EngineLimits::default());
    let model = Arc::new(model(-2_000));
    engine.install(Arc::clone(&model));
    let evaluation = engine.evaluate(&request("/none", &HeaderMap::new()));
    assert_eq!((evaluation.logit_milli, evaluation.digest), (-1_300, Some(model.digest())));
    assert_eq!(evaluation.score, Score::of_logit_milli(-1_300));
    let reasons = engine.reasons(evaluation.digest, evaluation.fired);
    assert_eq!(
        reasons.iter().map(|reason| (reason.key.as_str(), reason.weight)).collect::<Vec<_>>(),
        [("path.none", 700)]
    );

    engine.allow_all();
    assert_eq!(engine.digest(), None);
    assert!(!engine.evaluate(&request("/none", &HeaderMap::new())).score.is_scored());
    assert!(
        engine.reasons(evaluation.digest, evaluation.fired).is_empty(),
        "of a model that is gone"
    );
}

#[test]
fn a_clone_is_the_same_engine() {
    let engine = Engine::new(EngineLimits::default());
    engine.clone().install(model(0));
    assert!(engine.digest().is_some());
}

#[test]
fn a_panic_leaves_the_request_unscored_and_the_engine_alive() {
    let engine = Engine::new(EngineLimits::default());
    engine.install_scorer(Arc::new(Faulty));
    let headers = HeaderMap::new();
    for _ in 0..3 {
        let evaluation = engine.evaluate(&request("/panic", &headers));
        assert_eq!((evaluation.score, evaluation.digest), (Score::UNSCORED, Some(DIGEST)));
        assert_eq!(evaluation.fired, Fired::NONE);
    }
    assert_eq!(engine.evaluate(&request("/", &headers)).score.get(), 50);
    assert_eq!((engine.faults(), engine.counters().panics, engine.counters().scored), (3, 3, 1));
}

#[test]
fn an_overrun_leaves_the_request_unscored() {
    let engine = Engine::new(EngineLimits::default().with_max_scoring(Duration::from_millis(10)));
    engine.install_scorer(Arc::new(Faulty));
    let headers = HeaderMap::new();
    assert!(!engine.evaluate(&request("/slow", &headers)).score.is_scored());
    assert_eq!((engine.faults(), engine.counters().overruns), (1, 1));
    assert!(
        engine.evaluate_at(&request("/slow", &headers), Duration::ZERO).score.is_scored(),
        "a replay has no clock"
    );
    assert_eq!(engine.faults(), 1);
}

#[test]
fn counts_each_request_towards_its_clients_rate() {
    let engine = Engine::new(EngineLimits::default());
    engine.install(model(-4_000));
    let headers = HeaderMap::new();
    let scores: Vec<bool> = (0..5)
        .map(|_| {
            engine.evaluate_at(&request("/", &headers), Duration::from_secs(9)).score.get() < 50
        })
        .collect();
    assert_eq!(scores, [false, false, false, true, true], "over 3, not at 3");
    let later = engine.evaluate_at(&request("/", &headers), Duration::from_secs(11));
    assert!(later.score.get() > 50);
    let unknown = RequestView { client: None, ..request("/", &headers) };
    for _ in 0..9 {
        assert!(
            engine.evaluate_at(&unknown, Duration::from_secs(11)).score.get() > 50,
            "no client, no rate"
        );
    }
}

/// The rows that fire at a request for `path` at `now`, of a model with this one row.
fn fires(engine: &Engine, path: &str, now: Duration) -> bool {
    engine.evaluate_at(&request(path, &HeaderMap::new()), now).fired.len() == 1
}

/// An engine that runs this one row.
fn engine_with(kind: &str, argument: &str) -> Engine {
    let feature = Feature::parse(kind, argument).unwrap();
    let rows = vec![Row::of(Key::from_text("row", 0).unwrap(), &feature, 100)];
    let draft = Draft { intercept: 0, engine: 1, created_at: 0, label: String::new(), rows };
    let engine = Engine::for_replay(EngineLimits::default());
    engine.install(CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap());
    engine
}

#[test]
fn a_row_about_paths_fires_past_its_number_of_paths() {
    let engine = engine_with("distinct-paths-over", "3");
    let fired: Vec<bool> =
        (0..5).map(|path| fires(&engine, &format!("/{path}"), Duration::ZERO)).collect();
    assert_eq!(fired, [false, false, false, true, true]);
}

#[test]
fn a_row_about_errors_fires_once_the_origin_answered_with_enough_of_them() {
    let engine = engine_with("error-ratio-over", "40");
    let client = Some([192, 0, 2, 1].into());
    assert!(!fires(&engine, "/", Duration::ZERO));
    for status in [404; 10].into_iter().chain([200; 10]) {
        assert!(!fires(&engine, "/", Duration::ZERO), "too few answers");
        engine.answered_at(client, status, Duration::ZERO);
        engine.answered_at(None, 404, Duration::ZERO);
    }
    assert!(fires(&engine, "/", Duration::ZERO));
}

#[test]
fn a_row_about_gaps_fires_for_a_loop() {
    let engine = engine_with("gap-variation-under", "10");
    let fired: Vec<bool> =
        (0..10).map(|request| fires(&engine, "/", Duration::from_secs(request))).collect();
    assert_eq!(fired, [false, false, false, false, false, false, false, false, true, true]);
}

#[test]
fn what_no_row_asks_for_is_not_recorded() {
    let engine = engine_with("request-rate", "1000");
    (0..9).for_each(|path| {
        let _ = fires(&engine, &format!("/{path}"), Duration::ZERO);
    });
    let feature = Feature::parse("distinct-paths-over", "1").unwrap();
    let rows = vec![Row::of(Key::from_text("row", 0).unwrap(), &feature, 100)];
    let draft = Draft { intercept: 0, engine: 1, created_at: 0, label: String::new(), rows };
    engine.install(CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap());
    assert!(!fires(&engine, "/first", Duration::ZERO));
    assert!(fires(&engine, "/second", Duration::ZERO));
}

#[test]
fn no_request_sees_half_of_a_swap() {
    let engine = Engine::new(EngineLimits::default());
    let models: Vec<Arc<CompiledModel>> =
        [-5_000, 0, 5_000].into_iter().map(|logit| Arc::new(model(logit))).collect();
    let expected: Vec<_> = models
        .iter()
        .map(|model| (Some(model.digest()), i64::from(model.intercept())))
        .chain([(None, 0)])
        .collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let headers = HeaderMap::new();
                let anonymous = RequestView { client: None, ..request("/", &headers) };
                while !done.load(Ordering::Relaxed) {
                    let evaluation = engine.evaluate(&anonymous);
                    assert!(
                        expected.contains(&(evaluation.digest, evaluation.logit_milli)),
                        "{evaluation:?}"
                    );
                }
            });
        }
        for turn in 0..2_000 {
            match models.get(turn % 4) {
                Some(model) => engine.install(Arc::clone(model)),
                None => engine.allow_all(),
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(engine.faults(), 0);
}
