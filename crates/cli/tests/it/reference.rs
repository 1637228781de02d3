//! The page of all commands is what the commands say, and the small commands work.

use std::path::Path;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::fake::{Fake, smartbox};
use crate::run::{command, end, run};

#[tokio::test]
async fn the_reference_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let dir = tempfile::tempdir().unwrap();
    let ended = run(dir.path(), &["__reference"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        ended.out == written,
        "docs/reference/cli.md is not what the commands say; scripts/generate.sh writes it"
    );
    for verb in ["up", "chat", "secret set", "exec", "doctor"] {
        assert!(written.contains(&format!("## `smartbox {verb}`")), "{verb}");
    }
}

/// What bash is offered for the last of these words.
async fn offered(dir: &Path, words: &[&str]) -> Vec<String> {
    let args: Vec<&str> = ["--"].iter().chain(words).copied().collect();
    let mut bash = command(dir, &args);
    bash.env("COMPLETE", "bash").env("_CLAP_IFS", "\n");
    bash.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    let ended = end(bash.spawn().unwrap()).await;
    assert!(ended.code == Some(0) && ended.err.is_empty(), "{ended:?}");
    ended.out.lines().map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn completions_know_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run(dir.path(), &["completions", shell]).await;
        assert!(ended.code == Some(0) && ended.out.contains("COMPLETE"), "{shell} {ended:?}");
    }
    assert_eq!(offered(dir.path(), &["smartbox", "doc"]).await, ["doctor"]);
    assert!(offered(dir.path(), &["smartbox", "__"]).await.is_empty(), "hidden ones stay hidden");
}

#[tokio::test]
async fn completions_know_the_boxes_of_a_platform_that_runs_and_are_silent_without_one() {
    let list = || async {
        let boxes = ["pa", "paper", "work", "pa$(evil)"].map(|name| smartbox(name, "running", ""));
        Json(json!({ "items": boxes }))
    };
    let fake = Fake::new(Router::new().route("/api/v1/boxes", get(list)));
    assert_eq!(offered(fake.dir(), &["smartbox", "wake", "pa"]).await, ["pa", "paper"]);
    assert_eq!(offered(fake.dir(), &["smartbox", "status", "w"]).await, ["work"]);
    let nobody = tempfile::tempdir().unwrap();
    assert!(offered(nobody.path(), &["smartbox", "wake", "pa"]).await.is_empty());
    // One that does not answer is not waited for.
    let mute = Fake::new(Router::new().fallback(std::future::pending::<()>));
    assert!(offered(mute.dir(), &["smartbox", "wake", "pa"]).await.is_empty());
}

#[tokio::test]
async fn each_command_has_a_manual_page() {
    let dir = tempfile::tempdir().unwrap();
    let man = dir.path().join("man1");
    let ended = run(dir.path(), &["man", "--dir", man.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for page in ["smartbox.1", "smartbox-up.1", "smartbox-secret-set.1", "smartbox-context-add.1"] {
        let text = std::fs::read_to_string(man.join(page)).unwrap();
        assert!(text.contains(".TH") && text.contains("SYNOPSIS"), "{page}");
    }
    std::fs::write(dir.path().join("file"), "").unwrap();
    let taken = dir.path().join("file");
    let ended = run(dir.path(), &["man", "--dir", taken.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[tokio::test]
async fn config_check_shows_who_says_what_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("smartbox.toml"), "[sleep]\nstop_after = \"2d\"\n").unwrap();
    let check = |args: &'static [&'static str]| {
        let mut check = command(dir.path(), args);
        check.env("ANTHROPIC_API_KEY", "sk-canary").env("TELEGRAM_BOT_TOKEN", "canary-2");
        end(check.spawn().unwrap())
    };
    let ended = check(&["config", "check", "--listen", "7070"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let row = |key: &str| {
        let line = ended.out.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("sleep.stop_after"), ["sleep.stop_after", "2d", "smartbox.toml:2"]);
    assert_eq!(row("http.listen"), ["http.listen", "127.0.0.1:7070", "--listen"]);
    assert_eq!(row("secret ANTHROPIC")[2..], ["given", "ANTHROPIC_API_KEY"]);
    assert!(ended.out.contains("note: TELEGRAM_BOT_TOKEN is understood"), "{ended:?}");
    let json = check(&["config", "check", "--json"]).await;
    let seen: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let settings = seen["settings"].as_array().unwrap();
    let stop = settings.iter().find(|setting| setting["key"] == "sleep.stop_after").unwrap();
    assert_eq!(stop["source"], json!({ "from": "file", "line": 2 }));
    assert!(!format!("{ended:?}{json:?}").contains("canary"));
}

#[tokio::test]
async fn a_wrong_command_line_is_2_and_names_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(dir.path(), &["statsu"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("status"), "{ended:?}");
    assert_eq!(run(dir.path(), &["wake"]).await.code, Some(2));
    assert_eq!(run(dir.path(), &["wake", "pa", "--timeout", "soon"]).await.code, Some(2));
}
