#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{future::pending, path::Path};

use super::*;
use crate::scene::SOON;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[tokio::test]
async fn a_program_that_ends_is_read_to_its_end() {
    let output = run("sh", shell("echo out; echo err >&2; exit 3"), SOON).await.unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
}

#[tokio::test]
async fn a_program_without_an_end_is_killed_and_what_it_said_is_told() {
    let within = Duration::from_millis(500);
    let error = run("sh", shell("echo $$; exec sleep 600"), within).await.unwrap_err().to_string();
    assert!(error.contains("sh was not over within 500ms and was killed"), "{error}");
    let pid = error.lines().nth(1).unwrap().to_owned();
    // tokio reaps it in its own time.
    timeout(SOON, async {
        while Path::new("/proc").join(&pid).exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn what_is_not_over_in_time_is_an_error() {
    let error = limited(Duration::from_millis(10), pending::<Result<()>>()).await.unwrap_err();
    assert_eq!(error.to_string(), "not over after 10ms");
    assert_eq!(limited(SOON, async { Ok(7) }).await.unwrap(), 7);
}
