//! The configuration of the real engine: its model is changed by either API and used in the next turn, one
//! that it does not start with is left for the last that worked, and the history leads back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::original::{SECRET, call};
use crate::platform::Platform;
use crate::provider::{Provider, SAID};

const BOOT: Duration = Duration::from_secs(300);
const SOON: Duration = Duration::from_secs(60);
const SUPERSEDED: &str = "prepared model runtime plugin generation was superseded";

/// A chapter: of a platform whose box `pa` runs and talks to this provider.
pub fn the_configuration_is_changed_and_told(platform: &Platform, provider: &Provider) {
    platform.ok(["config", "patch", "pa", r#"{"model": "claude-haiku-4-5"}"#]);
    let haiku = newest(platform);
    answers_by(platform, provider, "claude-haiku-4-5");

    let patch = json!({ "model": "claude-opus-4-1" });
    let (status, patched) =
        call(platform, "PATCH", "/api/super/users/me/config", SECRET, Some(&patch));
    assert_eq!((status, &patched["success"]), (200, &json!(true)), "{patched}");
    let opus = newest(platform);
    answers_by(platform, provider, "claude-opus-4-1");

    what_the_schema_does_not_know_is_refused_by_the_engine(platform);
    answers_by(platform, provider, "claude-opus-4-1");

    platform.ok(["config", "rollback", "pa", &haiku.to_string()]);
    answers_by(platform, provider, "claude-haiku-4-5");
    the_history_tells_it(platform, haiku, opus);
}

/// Turns are answered, and soon by this model: the engine says that an edit is applied a little before it
/// is. A turn that begins then may be one of the model before, or end with this complaint.
fn answers_by(platform: &Platform, provider: &Provider, model: &str) {
    let end = Instant::now() + SOON;
    loop {
        let before = provider.asked().len();
        let turn = platform.run(["chat", "pa", "hi"]);
        let (answer, complaint) =
            (String::from_utf8_lossy(&turn.stdout), String::from_utf8_lossy(&turn.stderr));
        let superseded = complaint.contains(SUPERSEDED);
        assert!(answer.contains(SAID) || superseded, "{answer}{complaint}");
        let asked = provider.asked().split_off(before);
        let models: Vec<Value> = asked.iter().filter_map(|request| asked_for(request)).collect();
        if !superseded && models.iter().any(|asked| asked == model) {
            return;
        }
        assert!(Instant::now() < end, "{model} was to be asked: {models:?}");
    }
}

/// The model that a request names.
fn asked_for(request: &str) -> Option<Value> {
    let (head, body) = request.split_once("\r\n\r\n")?;
    let body: Value = serde_json::from_str(body).ok()?;
    head.starts_with("POST /v1/messages ").then(|| body["model"].clone())
}

/// A text that is no duration: any text fits the schema, and this one no engine starts with.
fn what_the_schema_does_not_know_is_refused_by_the_engine(platform: &Platform) {
    platform.ok(["sleep", "--deep", "pa"]);
    platform.wait_for("pa", "stopped", BOOT);
    platform.ok(["config", "set", "pa", "cron.sessionRetention", "nonsense"]);
    let bad = newest(platform);
    platform.ok(["wake", "pa"]);
    platform.wait_for("pa", "running", BOOT);

    let revision = history(platform).into_iter().find(|row| row["revision"] == bad).unwrap();
    assert!(
        revision["refused"].as_str().is_some_and(|why| why.contains("cron.sessionRetention")),
        "{revision}"
    );
    let now = config(platform);
    assert_eq!(now["document"].pointer("/cron/sessionRetention"), None, "{now}");
    let (_, issues) =
        crate::api::call(platform.data.path(), "GET", "/api/v1/issues?box=pa", None).unwrap();
    let told = issues["items"].as_array().unwrap();
    let told = told.iter().find(|issue| issue["kind"] == "config-refused");
    let message = told.unwrap_or_else(|| panic!("no issue says so: {issues}"));
    assert!(message["message"].as_str().unwrap().contains("the last one that worked"), "{message}");
}

fn the_history_tells_it(platform: &Platform, haiku: u64, opus: u64) {
    let told = platform.ok(["config", "history", "pa"]);
    for words in [
        "patched",
        "fell back to the last that worked",
        &format!("rolled back to {haiku}"),
        "refused: ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let diff = platform.ok(["config", "diff", "pa", &opus.to_string(), &haiku.to_string()]);
    let lines: Vec<&str> = diff.lines().collect();
    assert!(
        lines.iter().any(|line| line.starts_with("- ") && line.contains("claude-haiku-4-5"))
            && lines.iter().any(|line| line.starts_with("+ ") && line.contains("claude-opus-4-1")),
        "{diff}"
    );
    let same =
        platform.ok(["config", "diff", "pa", &newest(platform).to_string(), &haiku.to_string()]);
    assert_eq!(same.trim(), "Nothing differs.");
}

fn config(platform: &Platform) -> Value {
    serde_json::from_str(&platform.ok(["config", "get", "pa", "--json"])).unwrap()
}

fn history(platform: &Platform) -> Vec<Value> {
    serde_json::from_str(&platform.ok(["config", "history", "pa", "--json"])).unwrap()
}

fn newest(platform: &Platform) -> u64 {
    history(platform)[0]["revision"].as_u64().unwrap()
}
