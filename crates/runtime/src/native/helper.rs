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
    Ok(last_word(&answer))
}

/// The last reply. A helper that did not get to it has failed, with the process it told of before.
fn last_word(answer: &[u8]) -> Reply {
    let replies = serde_json::Deserializer::from_slice(answer).into_iter::<Reply>();
    let last = replies.map_while(Result::ok).last().unwrap_or_default();
    if last.done {
        return last;
    }
    let fault = Fault {
        doing: "running the sandbox helper".to_owned(),
        text: "it ended without an answer (killed, or not a program that calls `nest_main`)"
            .to_owned(),
        errno: None,
    };
    Reply { fault: Some(fault), ..last }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_cut_off_has_failed_but_told_of_its_process() {
        let whole = r#"{"done":false,"pid":7,"fault":null}{"done":true,"pid":7,"fault":null}"#;
        let reply = last_word(whole.as_bytes());
        assert!(reply.done && reply.pid == Some(7) && reply.fault.is_none());
        for cut in 35..whole.len() {
            let reply = last_word(&whole.as_bytes()[..cut]);
            assert!(reply.pid == Some(7) && reply.fault.is_some(), "{cut}");
        }
        assert!(last_word(b"").fault.is_some());
    }
}
