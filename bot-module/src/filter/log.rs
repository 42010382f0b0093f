use pingora_proxy::Session;
use tracing::Level;

use super::{BotFilter, target};
use crate::{claim::CrawlerName, policy::Verdict};

/// Rows that a line names, at most.
const MAX_REASONS: usize = 8;

impl BotFilter {
    /// The operator's wish, so at `info`. Not the client's address; and its path escaped.
    pub(super) fn log(&self, session: &Session, verdict: &Verdict) {
        if !verdict.logged || !tracing::enabled!(target: "greenlight_bot::verdict", Level::INFO) {
            return;
        }
        let reasons = self.0.engine.reasons(verdict.digest, verdict.fired);
        let keys: Vec<String> = reasons
            .iter()
            .take(MAX_REASONS)
            .map(|reason| format!("{}{:+}", reason.key, reason.weight))
            .collect();
        let crawler = verdict.crawler.as_ref();
        tracing::info!(
            target: "greenlight_bot::verdict",
            verdict = verdict.as_str(),
            answered = verdict.answered,
            score = verdict.score.get(),
            logit_milli = verdict.logit_milli,
            artifact = verdict.digest.map(|digest| digest.short()),
            crawler = crawler.map(CrawlerName::as_str),
            claim = crawler.map(|_| verdict.claim.as_str()),
            path = ?target::path(session.req_header()),
            reasons = keys.join(" "),
        );
    }
}
