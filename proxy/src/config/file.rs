//! Files that the configuration names and that are read with it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// A file's bytes.
///
/// # Errors
/// What was found instead of a regular file of at most `most` bytes: a device or a file without end would fill the
/// memory, and to open a pipe is to wait for its writer.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| error.to_string();
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("something else than a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        Ok(bytes)
    } else {
        Err(format!("more than {most} bytes"))
    }
}
