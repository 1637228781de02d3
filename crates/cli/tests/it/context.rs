//! Platforms elsewhere by name: kept for this person alone, meant where they are named.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::fake::{Fake, smartbox};
use crate::office::{Like, Office};
use crate::run::{Ended, command, end, run};

const TOKEN: &str = "sbt_a-token-that-nobody-sees";

/// A home of its own, and no data directory named.
fn at_home(home: &Path, args: &[&str]) -> tokio::process::Command {
    let mut command = command(home, args);
    command.env_remove("SMARTBOX_DATA_DIR").env("HOME", home);
    command.env("XDG_DATA_HOME", home.join("data"));
    command
}

async fn ran(home: &Path, args: &[&str]) -> Ended {
    end(at_home(home, args).spawn().unwrap()).await
}

async fn add(home: &Path, name: &str, url: &str, more: &[&str]) -> Ended {
    let args: Vec<&str> = ["context", "add", name, url].iter().chain(more).copied().collect();
    let mut child = at_home(home, &args).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(format!("{TOKEN}\n").as_bytes()).await;
    drop(stdin);
    end(child).await
}

fn file(home: &Path) -> std::path::PathBuf {
    home.join(".config/smartbox/contexts.json")
}

async fn platform() -> (Fake, String) {
    let list = || async { Json(json!({ "items": [smartbox("there", "running", "")] })) };
    Fake::tcp(Router::new().route("/api/v1/boxes", get(list))).await
}

#[tokio::test]
async fn a_platform_is_added_used_and_forgotten_and_its_token_is_never_shown() {
    let home = tempfile::tempdir().unwrap();
    let (fake, url) = platform().await;
    let mut said = vec![add(home.path(), "work", &url, &[]).await];
    assert_eq!(said[0].code, Some(0), "{said:?}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file(home.path())), 0o600);
    assert_eq!(mode(file(home.path()).parent().unwrap()), 0o700);

    // Named once, it is meant once.
    said.push(ran(home.path(), &["--context", "work", "ls"]).await);
    assert!(said[1].out.contains("there"), "{said:?}");
    assert_eq!(fake.seen()[0].headers["authorization"], format!("Bearer {TOKEN}"));
    said.push(ran(home.path(), &["ls"]).await);
    assert_eq!(said[2].code, Some(6), "the platform of this machine is meant: {said:?}");

    said.push(ran(home.path(), &["context", "use", "work"]).await);
    said.push(ran(home.path(), &["ls"]).await);
    assert!(said[4].out.contains("there"), "{said:?}");
    said.push(ran(home.path(), &["context", "ls", "--json"]).await);
    let list: Value = serde_json::from_str(&said[5].out).unwrap();
    assert_eq!(
        list,
        json!([
            { "name": "local", "server": null, "token": false, "current": false },
            { "name": "work", "server": url, "token": true, "current": true },
        ])
    );
    said.push(ran(home.path(), &["context", "ls"]).await);
    assert!(said[6].out.contains("kept"), "{said:?}");

    said.push(ran(home.path(), &["context", "rm", "work"]).await);
    said.push(ran(home.path(), &["--context", "work", "ls"]).await);
    assert_eq!(said[8].code, Some(3), "{said:?}");
    assert_eq!(ran(home.path(), &["ls"]).await.code, Some(6), "`local` is in use again");
    assert!(said.iter().all(|s| !s.out.contains(TOKEN) && !s.err.contains(TOKEN)), "{said:?}");
    assert!(!std::fs::read_to_string(file(home.path())).unwrap().contains(TOKEN));
}

#[tokio::test]
async fn what_is_said_nearer_wins() {
    let home = tempfile::tempdir().unwrap();
    let (fake, url) = platform().await;
    add(home.path(), "work", &url, &["--use"]).await;
    // A data directory that is named means this machine's platform.
    let dir = home.path().join("data");
    let ended = ran(home.path(), &["--data-dir", dir.to_str().unwrap(), "ls"]).await;
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_eq!(run(&dir, &["ls"]).await.code, Some(6), "in the environment too");
    assert_eq!(ran(home.path(), &["--context", "local", "ls"]).await.code, Some(6));
    let mut by_variable = at_home(home.path(), &["ls"]);
    by_variable.env("SMARTBOX_CONTEXT", "local");
    assert_eq!(end(by_variable.spawn().unwrap()).await.code, Some(6));
    assert!(fake.seen().is_empty());
    // The option wins over the address in the environment; its own token goes there, not another's.
    let mut both = at_home(home.path(), &["--context", "work", "ls"]);
    both.env("SMARTBOX_SERVER", "http://127.0.0.1:1").env("SMARTBOX_TOKEN", "another-token");
    assert_eq!(end(both.spawn().unwrap()).await.code, Some(0));
    assert_eq!(fake.seen()[0].headers["authorization"], format!("Bearer {TOKEN}"));
    let ended = ran(home.path(), &["--context", "work", "--server", &url, "ls"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ran(home.path(), &["--context", "work", "up"]).await.code, Some(2));
}

#[tokio::test]
async fn a_file_that_others_may_read_is_not_used() {
    let home = tempfile::tempdir().unwrap();
    add(home.path(), "work", "http://127.0.0.1:1", &[]).await;
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(file(home.path()), open).unwrap();
    let ended = ran(home.path(), &["--context", "work", "ls"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("hint: make it yours alone: chmod 600"), "{ended:?}");
    // Nor is one that says something else, and nothing of it is repeated.
    std::fs::write(file(home.path()), format!("{{\"contexts\": \"{TOKEN}\"}}")).unwrap();
    std::fs::set_permissions(file(home.path()), std::fs::Permissions::from_mode(0o600)).unwrap();
    let ended = ran(home.path(), &["context", "ls"]).await;
    assert!(ended.code == Some(1) && !ended.err.contains(TOKEN), "{ended:?}");
}

#[tokio::test]
async fn names_and_addresses_are_checked_before_a_token_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    for (name, url) in
        [("local", "http://x"), ("Work", "http://x"), ("../x", "http://x"), ("a", "nowhere")]
    {
        let ended = ran(home.path(), &["context", "add", name, url]).await;
        assert_eq!(ended.code, Some(2), "{name} {url} {ended:?}");
    }
    assert_eq!(ran(home.path(), &["context", "add", "a", "http://x"]).await.code, Some(2));
    assert_eq!(ran(home.path(), &["context", "use", "nobody"]).await.code, Some(3));
    assert_eq!(ran(home.path(), &["context", "rm", "local"]).await.code, Some(2));
    assert!(!file(home.path()).exists());
}

#[tokio::test]
async fn an_authority_is_kept_with_its_platform() {
    let home = tempfile::tempdir().unwrap();
    let office = Office::new("ours");
    let list = || async { Json(json!({ "items": [smartbox("there", "running", "")] })) };
    let router = Router::new().route("/api/v1/boxes", get(list));
    let (_fake, port) = Fake::tls(router, office.signed(&Like::default())).await;
    let url = format!("https://localhost:{port}");
    let ca = office.ca();
    let added = add(home.path(), "work", &url, &["--ca", ca.to_str().unwrap()]).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    // The file may go.
    std::fs::remove_file(&ca).unwrap();
    assert_eq!(ran(home.path(), &["--context", "work", "ls"]).await.code, Some(0));
    // What is kept is this platform's; the variable may mean another's.
    let mut other = at_home(home.path(), &["--context", "work", "ls"]);
    other.env("SMARTBOX_CA", "/nowhere.pem");
    assert_eq!(end(other.spawn().unwrap()).await.code, Some(0));
    // What is no authority is not kept.
    let added = add(home.path(), "bad", &url, &["--ca", "/nowhere.pem"]).await;
    assert_eq!(added.code, Some(2), "{added:?}");
    assert_eq!(ran(home.path(), &["--context", "bad", "ls"]).await.code, Some(3));
}

#[tokio::test]
async fn ten_at_once_are_ten() {
    let home = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10).map(|n| format!("c{n}")).collect();
    let all = names.iter().map(|name| add(home.path(), name, "http://127.0.0.1:1", &[]));
    for ended in futures_util::future::join_all(all).await {
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let listed = ran(home.path(), &["context", "ls", "--json"]).await;
    let list: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 11);
}
