//! Running the helper and understanding what it says.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use smartbox_core::sandbox::port::RuntimeError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::error::broken;
use crate::nest::spec::{Fault, Order, Reply};

/// Longer than any order takes on a machine that is not broken.
const DEADLINE: Duration = Duration::from_secs(60);
/// No reply is longer.
const REPLY: u64 = 64 << 10;

/// Sends an order to a new helper and waits for its reply and its end.
pub(super) async fn run(helper: &[OsString], order: &Order) -> Result<Reply, RuntimeError> {
    let doing = "running the sandbox helper";
    let fail = |e: std::io::Error| broken(doing, e);
    let text = serde_json::to_vec(order).map_err(|e| fail(e.into()))?;
    let (program, arguments) =
        helper.split_first().ok_or_else(|| fail(std::io::ErrorKind::InvalidInput.into()))?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A Ctrl-C at the platform's terminal is not meant for it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(fail)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let talk = async {
        if let Some(mut stdin) = stdin {
            stdin.write_all(&text).await?;
        }
        let mut answer = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(REPLY).read_to_end(&mut answer).await?;
        }
        child.wait().await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(DEADLINE, talk)
        .await
        .map_err(|_| fail(std::io::ErrorKind::TimedOut.into()))?
        .map_err(fail)?;
    serde_json::from_slice(&answer).map_err(|e| fail(e.into()))
}

/// What a fault in making a sandbox means.
pub(super) fn explain(fault: Fault) -> RuntimeError {
    match fault.errno {
        Some(libc::ENOSPC | libc::EDQUOT) if !fault.doing.contains("namespace") => {
            RuntimeError::Full
        }
        _ => RuntimeError::Broken { doing: "making the sandbox", source: Box::new(fault) },
    }
}
