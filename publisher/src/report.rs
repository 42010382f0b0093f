//! What a command says at its end: for people, or one JSON object for machines.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Exit};

/// The outcome of a command that did what it was asked.
pub(crate) struct Report {
    human: String,
    json: Value,
    exit: Exit,
}

impl Report {
    /// What `outcome` says of itself.
    pub(crate) fn of(outcome: &(impl Display + Serialize)) -> Self {
        let json = serde_json::to_value(outcome)
            .unwrap_or_else(|error| json!({ "report": error.to_string() }));
        Self { human: outcome.to_string(), json, exit: Exit::Ok }
    }

    /// The same, with another exit code.
    pub(crate) fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }
}

/// Prints the end of `command` and says how to exit. A reader that went away does not change the outcome.
pub(crate) fn print(command: &'static str, outcome: Result<Report, Error>, as_json: bool) -> Exit {
    let (human, body, exit) = match outcome {
        Ok(report) => (Ok(report.human), report.json, report.exit),
        Err(error) => (Err(error.to_string()), json!({ "error": describe(&error) }), error.exit()),
    };
    if as_json {
        let mut object = json!({ "command": command });
        if let (Value::Object(object), Value::Object(body)) = (&mut object, body) {
            object.extend(body);
        }
        let _ = writeln!(io::stdout(), "{object}");
    }
    let _ = match human {
        Ok(text) if !as_json => writeln!(io::stdout(), "{text}"),
        Ok(_) => Ok(()),
        Err(text) => writeln!(io::stderr(), "greenlightctl {command}: {text}"),
    };
    exit
}

fn describe(error: &Error) -> Value {
    let mut object = json!({
        "reason": error.reason(),
        "class": error.exit(),
        "exit_code": error.exit() as u8,
        "message": error.to_string(),
    });
    if let Some((defect, row)) = error.defect() {
        insert(&mut object, "defect", defect);
        if let Some(row) = row {
            insert(&mut object, "row", row);
        }
    }
    if let Some(id) = error.artifact() {
        insert(&mut object, "id", id);
    }
    if let Some(transaction) = error.transaction() {
        insert(&mut object, "transaction", transaction);
    }
    object
}

fn insert(object: &mut Value, name: &str, value: impl Serialize) {
    if let (Value::Object(object), Ok(value)) = (object, serde_json::to_value(value)) {
        object.insert(name.into(), value);
    }
}

/// Unix seconds as RFC 3339 in UTC.
pub(crate) fn time(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| format!("{seconds} s"), |time| time.to_string())
}

/// A time span in the largest unit that it is a multiple of.
pub(crate) fn duration(seconds: u64) -> String {
    for (length, name) in [(86_400, "d"), (3600, "h"), (60, "min")] {
        if seconds > 0 && seconds.checked_rem(length) == Some(0) {
            return format!("{} {name}", seconds.checked_div(length).unwrap_or_default());
        }
    }
    format!("{seconds} s")
}

/// Says on stderr how a longer wait goes.
pub(crate) fn progress(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
