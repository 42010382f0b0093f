//! Reads a file of lines, whatever is in it.

use std::io::{self, BufRead};

use super::{LineError, RecordedRequest};

/// Longest line, in bytes without its end. The headers of a request that a proxy accepts are far shorter; a file without
/// line ends must not fill the memory.
pub const MAX_LINE: usize = 1 << 20;

/// A line of a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NumberedLine {
    /// Which one, from 1.
    pub number: u64,
    /// The request on it, or what is wrong with it.
    pub request: Result<RecordedRequest, LineError>,
}

/// Reads the lines of `R` in their order; empty ones are passed over. Ends with the file or the first failure to read.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    failed: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `input`.
    #[must_use]
    pub const fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0, failed: false }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<NumberedLine>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            let line = match read_line(&mut self.input, &mut self.buffer) {
                Ok(line) => line,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            };
            self.number = self.number.saturating_add(1);
            let request = match line {
                Line::End => return None,
                Line::TooLong => Err(LineError::TooLong),
                Line::Text if self.buffer.trim_ascii().is_empty() => continue,
                Line::Text => RecordedRequest::parse(&self.buffer),
            };
            return Some(Ok(NumberedLine { number: self.number, request }));
        }
        None
    }
}

#[derive(Debug)]
pub(super) enum Line {
    Text,
    TooLong,
    End,
}

/// Reads a line into `buffer`, without its end and never beyond [`MAX_LINE`]; what is longer is skipped as a whole.
pub(super) fn read_line(input: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Line> {
    buffer.clear();
    let mut too_long = false;
    loop {
        let chunk = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            chunk => chunk?,
        };
        if chunk.is_empty() {
            return Ok(match (too_long, buffer.is_empty()) {
                (true, _) => Line::TooLong,
                (false, true) => Line::End,
                (false, false) => Line::Text,
            });
        }
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let text = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        too_long |= buffer.len().saturating_add(text.len()) > MAX_LINE;
        if !too_long {
            buffer.extend_from_slice(text);
        }
        let used = text.len().saturating_add(usize::from(end.is_some()));
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Text });
        }
    }
}
