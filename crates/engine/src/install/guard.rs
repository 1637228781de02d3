//! A child process that does not outlive us, whatever ends us: it holds a pipe from us, and when
//! that closes it kills its whole process group. (A parent-death signal would follow the thread, not
//! the process.)

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::{InstallError, STEP};

/// Runs a program for as long as standard input is open. Node.js is there wherever npm is.
const SCRIPT: &str = r#"
const { spawn } = require("node:child_process");
const [program, ...args] = process.argv.slice(1);
const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });
child.on("error", (error) => { console.error(String(error)); process.exit(127); });
const { signals } = require("node:os").constants;
child.on("exit", (code, signal) => process.exit(signal ? 128 + signals[signal] : code ?? 1));
process.stdin.on("close", () => process.kill(0, "SIGKILL"));
process.stdin.resume();
"#;

/// The most of the output that is kept.
const MAX_OUTPUT: usize = 64 << 10;

/// How it ended and what it wrote.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) output: String,
}

impl Ended {
    /// The signal that ended the program, or what ran it.
    pub(super) fn signal(&self) -> Option<i32> {
        let told = self.status.code().filter(|code| (129..=192).contains(code));
        self.status.signal().or(told.map(|code| code - 128))
    }
}

struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended just now.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Runs a program in a directory until it ends; the future's end is its end. `watch` is called
/// while it runs.
pub(super) async fn run(
    argv: &[&str],
    dir: &Path,
    path: &std::ffi::OsStr,
    watch: impl Fn(),
) -> Result<Ended, InstallError> {
    let io = InstallError::io("running npm");
    let mut command = Command::new("node");
    command.arg("-e").arg(SCRIPT).args(argv).current_dir(dir).env("PATH", path);
    for (name, _) in std::env::vars_os() {
        if is_ours(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let mut group = Group(command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => InstallError::NpmMissing,
        _ => io(error),
    })?);
    let _alive = group.0.stdin.take();
    let errors = group.0.stderr.take();
    let reading = async {
        let mut text = Vec::new();
        if let Some(mut errors) = errors {
            let mut part = vec![0; 8 << 10];
            while let Ok(n @ 1..) = errors.read(&mut part).await {
                text.extend_from_slice(&part[..n]);
                let extra = text.len().saturating_sub(MAX_OUTPUT);
                text.drain(..extra);
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    };
    let mut reading = std::pin::pin!(reading);
    let mut steps = tokio::time::interval(STEP);
    let output = loop {
        tokio::select! {
            output = &mut reading => break output,
            _ = steps.tick() => watch(),
        }
    };
    watch();
    let status = group.0.wait().await.map_err(io)?;
    Ok(Ended { status, output })
}

/// Secrets of the platform's are none of npm's business.
fn is_ours(name: &str) -> bool {
    ["ANTHROPIC_", "OPENAI_", "MOLTBOT_", "SMARTBOX_"].iter().any(|p| name.starts_with(p))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn path() -> std::ffi::OsString {
        std::env::var_os("PATH").unwrap_or_default()
    }

    #[tokio::test]
    async fn output_and_exit_come_back() {
        let argv = ["node", "-e", "console.error('npm error x'); process.exit(3)"];
        let ended = run(&argv, Path::new("/"), &path(), || {}).await.unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert!(ended.output.contains("npm error x"));
    }

    #[tokio::test]
    async fn cancelling_ends_the_whole_group() {
        let dir = tempfile::tempdir().unwrap();
        let script = "require('fs').writeFileSync('pid', String(process.pid)); \
                      setInterval(() => {}, 1000)";
        let argv = ["node", "-e", script];
        let path = path();
        let file = dir.path().join("pid");
        let work = run(&argv, dir.path(), &path, || {});
        let mut work = Box::pin(work);
        let pid = loop {
            let step = tokio::time::timeout(Duration::from_millis(20), &mut work).await;
            assert!(step.is_err(), "it ended by itself");
            if let Some(pid) = read_pid(&file) {
                break pid;
            }
        };
        drop(work);
        let gone = async {
            while std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z "))
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
    }

    fn read_pid(file: &Path) -> Option<u32> {
        std::fs::read_to_string(file).ok()?.parse().ok()
    }
}
