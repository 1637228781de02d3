//! The programs that install the engine, and the engine.

use std::path::Path;
use std::process::{Command, Stdio};

use super::check::Check;

/// `own` is where the settings say that an engine is, if they do.
pub(super) fn checks(dir: &Path, own: Option<&Path>) -> Vec<Check> {
    let engines = engines(dir);
    let npm = match (version("npm"), engines.is_empty()) {
        (Some(npm), _) => Check::ok("npm", format!("npm {npm}")),
        (None, true) => Check::fail(
            "npm",
            "npm is not there, and the engine comes by it",
            "install Node.js with npm, for example: apt-get install -y npm",
        ),
        (None, false) => Check::warn(
            "npm",
            "npm is not there; the engine is, so it is needed only for the next one",
            "install Node.js with npm, for example: apt-get install -y npm",
        ),
    };
    // The engine brings its own Node.js; the machine's only has to run npm.
    let node = match version("node") {
        Some(node) => Check::ok("node", format!("Node.js {node} runs npm; the engine has its own")),
        None => Check { name: "node".into(), what: "Node.js is not there".into(), ..npm.clone() },
    };
    let engine = if let Some(path) = own {
        match path.exists() {
            true => Check::ok("engine", format!("the one at {}", path.display())),
            false => Check::fail(
                "engine",
                format!("there is nothing at {}", path.display()),
                "correct engine.path in smartbox.toml, or take it out to have one installed",
            ),
        }
    } else if engines.is_empty() {
        Check::ok("engine", "not installed yet; the first `smartbox up` does it (about 650 MB)")
    } else {
        Check::ok("engine", format!("installed: {}", engines.join(", ")))
    };
    vec![npm, node, engine]
}

/// The engines that are installed. What is half-made has a name that begins with a dot.
fn engines(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.join("engines")) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
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
