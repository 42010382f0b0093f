//! User-agent client hints (<https://wicg.github.io/ua-client-hints/>) against the user agent.
//!
//! Chromium sends `sec-ch-ua`, `sec-ch-ua-mobile` and `sec-ch-ua-platform` with every request to a secure origin:
//! Chrome since 89, Edge since 90, Opera since 75. Firefox, Safari and the browsers of iOS send none.

mod agent;
mod brands;

use http::Version;

use self::agent::{Agent, Platform};
use crate::request::RequestView;

/// The first version of Chromium whose browsers all send hints.
const FIRST_WITH_HINTS: u32 = 90;

/// The fields of a request that hints are about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hints<'a> {
    /// The user agent; of several the first.
    pub(crate) agent: Option<&'a [u8]>,
    /// `sec-ch-ua`.
    pub(crate) brands: Hint<'a>,
    /// `sec-ch-ua-mobile`.
    pub(crate) mobile: Hint<'a>,
    /// `sec-ch-ua-platform`.
    pub(crate) platform: Hint<'a>,
    /// There is an `upgrade`.
    pub(crate) upgrade: bool,
}

/// A field that is sent once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Hint<'a> {
    #[default]
    Absent,
    Once(&'a [u8]),
    Repeated,
}

impl<'a> Hint<'a> {
    pub(crate) const fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        };
    }

    /// Whether there is one, and `says_otherwise` of it. One that is repeated contradicts itself.
    fn contradicts(&self, says_otherwise: impl FnOnce(&'a [u8]) -> bool) -> bool {
        match self {
            Self::Absent => false,
            Self::Once(value) => says_otherwise(value),
            Self::Repeated => true,
        }
    }

    const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl Hints<'_> {
    /// Whether the user agent is one of a Chromium that sends hints, over TLS, and there is no `sec-ch-ua`.
    ///
    /// Such a user agent names `Chrome/` of 90 or later and one of the platforms that hints name. Not meant are web views
    /// and Electron, whose applications choose the user agent without the hints; and requests that Chromium itself sends
    /// without them, which are preflights (OPTIONS) and the handshakes of WebSocket (an `upgrade`, or CONNECT).
    pub(crate) fn missing(&self, request: &RequestView<'_>) -> bool {
        let sends_none = matches!(request.method, "OPTIONS" | "CONNECT")
            || self.upgrade && request.version <= Version::HTTP_11;
        if !request.tls || !self.brands.is_absent() || sends_none {
            return false;
        }
        self.agent.map(Agent::read).is_some_and(|agent| {
            agent.chrome.is_some_and(|version| version >= FIRST_WITH_HINTS)
                && agent.platform().is_some()
                && !agent.embedded
        })
    }

    /// Whether there are hints and a user agent, and they do not go together:
    ///
    /// - the user agent names no `Chrome/`, and so is none of a browser that sends hints;
    /// - `sec-ch-ua` is malformed, or its Chromium is of another major version than `Chrome/`; or it names
    ///   `HeadlessChrome` and the user agent does not, or `Google Chrome` where the user agent names Edge or Opera;
    /// - `sec-ch-ua-mobile` is neither `?0` nor `?1`, or not the one that the user agent's `Mobile` says;
    /// - `sec-ch-ua-platform` is no string, or another of Windows, macOS, Linux, Android and Chrome OS.
    ///
    /// Chromium sends what is well-formed, so that a malformed or repeated hint is somebody else's. Where either of the
    /// two names no platform that is known, their platforms are not compared. Without a user agent nothing is.
    pub(crate) fn contradict(&self) -> bool {
        let Some(agent) = self.agent.filter(|agent| !agent.is_empty()) else { return false };
        if self.brands.is_absent() && self.mobile.is_absent() && self.platform.is_absent() {
            return false;
        }
        let agent = Agent::read(agent);
        let Some(version) = agent.chrome else { return true };
        self.brands.contradicts(|value| brands::contradict(value, version, &agent))
            || self.mobile.contradicts(|value| match value {
                b"?0" => agent.mobile,
                b"?1" => !agent.mobile,
                _ => true,
            })
            || self.platform.contradicts(|value| match brands::only_string(value) {
                None => true,
                Some(name) => {
                    Platform::of_hint(name).zip(agent.platform()).is_some_and(|(a, b)| a != b)
                }
            })
    }
}

#[cfg(test)]
mod tests;
