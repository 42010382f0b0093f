//! What a user agent says of its browser: as much of it as hints say too.

/// The platforms that both hints and user agents name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    Windows,
    MacOs,
    Linux,
    Android,
    ChromeOs,
}

impl Platform {
    /// The platform that `sec-ch-ua-platform` names.
    pub(super) const fn of_hint(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"Windows" => Self::Windows,
            b"macOS" => Self::MacOs,
            b"Linux" => Self::Linux,
            b"Android" => Self::Android,
            b"Chrome OS" | b"Chromium OS" => Self::ChromeOs,
            _ => return None,
        })
    }
}

/// A user agent as read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agent {
    /// The major version behind the first `Chrome/`, `HeadlessChrome/` included.
    pub(super) chrome: Option<u32>,
    /// `HeadlessChrome/`.
    pub(super) headless: bool,
    /// Edge or Opera: `Edg/`, `EdgA/`, `OPR/`.
    pub(super) other_brand: bool,
    /// `Mobile`.
    pub(super) mobile: bool,
    /// A web view (`; wv)`, or the `Version/` that Chromium's browsers do not have) or `Electron/`.
    pub(super) embedded: bool,
    windows: bool,
    macintosh: bool,
    x11: bool,
    linux: bool,
    android: bool,
    cros: bool,
}

impl Agent {
    /// Reads any bytes, once.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut agent = Self::default();
        let mut rest = text;
        while let [first, after @ ..] = rest {
            match first {
                b'A' if rest.starts_with(b"Android") => agent.android = true,
                b'C' => {
                    if let Some(version) = rest.strip_prefix(b"Chrome/") {
                        agent.chrome = agent.chrome.or_else(|| major(version));
                    } else if rest.starts_with(b"CrOS ") {
                        agent.cros = true;
                    }
                }
                b'E' if rest.starts_with(b"Edg/") || rest.starts_with(b"EdgA/") => {
                    agent.other_brand = true;
                }
                b'E' if rest.starts_with(b"Electron/") => agent.embedded = true,
                b'H' if rest.starts_with(b"HeadlessChrome/") => agent.headless = true,
                b'L' if rest.starts_with(b"Linux") => agent.linux = true,
                b'M' if rest.starts_with(b"Macintosh") => agent.macintosh = true,
                b'M' if rest.starts_with(b"Mobile") => agent.mobile = true,
                b'O' if rest.starts_with(b"OPR/") => agent.other_brand = true,
                b'V' if rest.starts_with(b"Version/") => agent.embedded = true,
                b'W' if rest.starts_with(b"Windows NT") => agent.windows = true,
                b'X' if rest.starts_with(b"X11") => agent.x11 = true,
                b';' if rest.starts_with(b"; wv)") => agent.embedded = true,
                _ => {}
            }
            rest = after;
        }
        agent
    }

    /// The platform, where it is one that hints name. Televisions and the like say `Linux` without `X11`.
    pub(super) const fn platform(&self) -> Option<Platform> {
        Some(if self.android {
            Platform::Android
        } else if self.windows {
            Platform::Windows
        } else if self.macintosh {
            Platform::MacOs
        } else if self.cros {
            Platform::ChromeOs
        } else if self.x11 && self.linux {
            Platform::Linux
        } else {
            return None;
        })
    }
}

/// The number that a version begins with; one too large for its type is the largest.
pub(super) fn major(version: &[u8]) -> Option<u32> {
    let end = version.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(version.len());
    let digits = version.get(..end).filter(|digits| !digits.is_empty())?;
    Some(digits.iter().fold(0, |number: u32, digit| {
        number.saturating_mul(10).saturating_add(u32::from(digit.wrapping_sub(b'0')))
    }))
}
