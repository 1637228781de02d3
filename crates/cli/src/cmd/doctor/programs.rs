//! The programs that install the engine, and the engine.

use std::path::Path;
use std::process::{Command, Stdio};

use super::check::Check;

pub(super) fn checks(_dir: &Path) -> Vec<Check> {
    vec![npm()]
}

fn npm() -> Check {
    const NAME: &str = "npm";
    let hint = "install Node.js with npm, for example: apt-get install -y npm";
    match version("npm") {
        Some(version) => Check::ok(NAME, format!("npm {version}")),
        None => Check::fail(NAME, "npm is not there, and the engine comes by it", hint),
    }
}

/// The first word that `program --version` prints.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.split_whitespace().next()?.trim_start_matches('v').to_owned())
}
