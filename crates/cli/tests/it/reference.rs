//! The page of all commands is what the commands say, and the small commands work.

use std::path::Path;

use crate::run::run;

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

#[tokio::test]
async fn completions_know_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let ended = run(dir.path(), &["completions", shell]).await;
        assert!(ended.code == Some(0) && ended.out.contains("doctor"), "{shell}");
        assert!(!ended.out.contains("__reference"), "hidden commands stay hidden");
    }
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
