//! Running the command.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// Longer than anything here takes; only a test that fails waits for it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The command for a data directory, with an environment of its own.
pub(crate) fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smartbox"));
    command
        .args(args)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SMARTBOX_DATA_DIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Starts it.
pub(crate) fn start(dir: &Path, args: &[&str]) -> Child {
    command(dir, args).stdin(Stdio::piped()).spawn().unwrap()
}

/// Waits for its end.
pub(crate) async fn end(child: Child) -> Ended {
    let output = tokio::time::timeout(LONG, child.wait_with_output()).await.unwrap().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it to its end, without standard input.
pub(crate) async fn run(dir: &Path, args: &[&str]) -> Ended {
    end(command(dir, args).spawn().unwrap()).await
}

/// The same, with this on standard input.
pub(crate) async fn run_with(dir: &Path, args: &[&str], input: &[u8]) -> Ended {
    let mut child = start(dir, args);
    let mut stdin = child.stdin.take().unwrap();
    // It may end without reading all of it.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    end(child).await
}

/// Sends a signal to it.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
