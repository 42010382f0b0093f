//! A scorer that keeps what it is shown.

use std::sync::{Arc, Mutex};

use greenlight_artifact::{Digest, Key};

use crate::{ClientActivity, Engine, Fired, RequestView, Score, Scored, engine::Scorer};

struct Spy<T> {
    look: fn(&RequestView<'_>) -> T,
    fired: Fired,
    seen: Arc<Mutex<Vec<T>>>,
}

impl<T: Send> Scorer for Spy<T> {
    fn digest(&self) -> Digest {
        Digest([1; 32])
    }

    fn reads_activity(&self) -> bool {
        false
    }

    fn score(&self, request: &RequestView<'_>, _activity: &ClientActivity) -> Scored {
        self.seen.lock().unwrap().push((self.look)(request));
        Scored { score: Score::of_logit_milli(0), logit_milli: 0, fired: self.fired }
    }

    fn row(&self, _row: u8) -> Option<(Key, i16)> {
        None
    }
}

/// Has `engine` keep what `look` sees of each request, and say of each that these rows fired.
pub(crate) fn spy_on<T: Send + 'static>(
    engine: &Engine,
    fired: Fired,
    look: fn(&RequestView<'_>) -> T,
) -> Arc<Mutex<Vec<T>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    engine.install_scorer(Arc::new(Spy { look, fired, seen: Arc::clone(&seen) }));
    seen
}
