//! `[record]`: which requests are recorded, and where. Off without the section.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::reader::Section;
use super::sections::path;
use super::values;

/// Requests that are recorded for replays.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) file: PathBuf,
    /// The share of requests that is recorded, above 0 and at most 1.
    pub(crate) sample: f64,
    /// Size of the file at which recording stops.
    pub(crate) max_bytes: u64,
    /// Requests that are recorded in one second.
    pub(crate) max_per_second: u32,
}

pub(super) fn record(section: Section<'_, '_>, folder: &Path) -> Option<Record> {
    let file = section.required("file", "the path of a file", path(folder));
    if let Some(file) = &file
        && let Err(found) = usable(file)
    {
        section.mistake("\"file\", a regular file or a new one in a folder that exists", found);
    }
    let sample = section.or("sample", 0.01, "a share above 0 and at most 1, such as 0.01", share);
    let max_bytes = section.or(
        "max_bytes",
        64 << 20,
        "a number of bytes from 65536 to 1099511627776",
        values::integer(1 << 16, 1 << 40),
    );
    let max_per_second = section.or(
        "max_per_second",
        100,
        "a number of requests from 1 to 10000",
        values::integer(1, 10_000),
    );
    section.finish();
    Some(Record {
        file: file?,
        sample: sample?,
        max_bytes: max_bytes?,
        max_per_second: u32::try_from(max_per_second?).ok()?,
    })
}

fn usable(file: &Path) -> Result<(), String> {
    match file.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(format!("something else at {}", file.display())),
        Err(_) if file.parent().is_some_and(Path::is_dir) => Ok(()),
        Err(_) => Err(format!("no folder for {}", file.display())),
    }
}

fn share(value: &DeValue<'_>) -> Option<f64> {
    let share: f64 = match (value.as_float(), value.as_integer()) {
        (Some(float), _) => float.as_str().parse().ok()?,
        (None, Some(integer)) => integer.as_str().parse().ok()?,
        (None, None) => return None,
    };
    (share > 0.0 && share <= 1.0).then_some(share)
}
