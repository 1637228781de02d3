//! Finding the platform, and being refused by it.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use smartbox_api::problem::Code;

use crate::fake::{Fake, refuse, smartbox};
use crate::run::{command, end, run};

#[tokio::test]
async fn without_a_platform_the_command_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["ls"][..], &["chat", "pa", "hello"], &["wake", "pa"], &["logs", "pa"]] {
        let ended = run(dir.path(), args).await;
        assert_eq!(ended.code, Some(6), "{args:?} {ended:?}");
        let socket = dir.path().join("control.sock");
        let says = format!("error: no platform is running on {}\n", socket.display());
        assert!(ended.err.starts_with(&says), "{ended:?}");
        assert!(ended.err.contains("hint: start it with `smartbox up`"), "{ended:?}");
    }
    // A socket that nobody listens on any more is no platform either.
    drop(std::os::unix::net::UnixListener::bind(dir.path().join("control.sock")).unwrap());
    assert_eq!(run(dir.path(), &["ls"]).await.code, Some(6));
}

#[tokio::test]
async fn a_data_directory_may_have_a_long_name() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("d".repeat(120));
    std::fs::create_dir(&dir).unwrap();
    let ended = run(&dir, &["ls"]).await;
    assert_eq!(ended.code, Some(6), "{ended:?}");
}

#[tokio::test]
async fn every_refusal_has_its_code_and_says_what_helps() {
    for (code, exit) in [
        (Code::NotFound, 3),
        (Code::Conflict, 4),
        (Code::Forbidden, 5),
        (Code::Draining, 6),
        (Code::Off, 7),
        (Code::Failed, 8),
        (Code::Late, 9),
        (Code::DiskFull, 28),
    ] {
        let route = get(move || async move { refuse(code, "It is so.", "Do this.") });
        let fake = Fake::new(Router::new().route("/api/v1/boxes/pa", route));
        let ended = run(fake.dir(), &["status", "pa"]).await;
        assert_eq!(ended.code, Some(exit), "{code:?} {ended:?}");
        assert_eq!(ended.err, "error: It is so.\nhint: Do this.\n");
        assert_eq!(ended.out, "");
    }
}

#[tokio::test]
async fn what_is_no_platform_is_told_from_one() {
    let fake =
        Fake::new(Router::new().fallback(|| async { (http::StatusCode::BAD_GATEWAY, "<p>") }));
    let ended = run(fake.dir(), &["ls"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("status 502"), "{ended:?}");
    let garbled = Fake::new(Router::new().fallback(|| async { "not JSON" }));
    assert!(run(garbled.dir(), &["ls"]).await.err.contains("not understood"));
}

#[tokio::test]
async fn over_tcp_a_token_goes_along() {
    let list = || async { Json(json!({ "items": [smartbox("pa", "running", "")] })) };
    let (fake, url) = Fake::tcp(Router::new().route("/api/v1/boxes", get(list))).await;
    let mut there = command(fake.dir(), &["--server", &url, "ls"]);
    let ended = end(there.env("SMARTBOX_TOKEN", "a-token-of-ours").spawn().unwrap()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let seen = &fake.seen()[0];
    assert_eq!(seen.headers["authorization"], "Bearer a-token-of-ours");
    assert_eq!(seen.headers["host"].to_str().unwrap(), url.strip_prefix("http://").unwrap());
}

#[tokio::test]
async fn an_operator_says_for_which_account() {
    let list = || async { Json(json!([smartbox("pa", "running", "")])) };
    let fake = Fake::new(Router::new().route("/api/v1/boxes", get(list)));
    run(fake.dir(), &["ls", "--account", "ann"]).await;
    let mut by_variable = command(fake.dir(), &["ls"]);
    end(by_variable.env("SMARTBOX_ACCOUNT", "bob").spawn().unwrap()).await;
    run(fake.dir(), &["ls"]).await;
    let named = fake.seen().into_iter().map(|seen| seen.headers.get("smartbox-account").cloned());
    let named: Vec<_> = named.map(|v| v.map(|v| v.to_str().unwrap().to_owned())).collect();
    assert_eq!(named, [Some("ann".to_owned()), Some("bob".to_owned()), None]);
    let bad = run(fake.dir(), &["ls", "--account", "a\nb"]).await;
    assert_eq!(bad.code, Some(2), "{bad:?}");
}

#[tokio::test]
async fn without_a_token_the_hint_says_where_one_comes_from() {
    let no = || async { refuse(Code::Unauthenticated, "Sign-in is needed.", "") };
    let (fake, url) = Fake::tcp(Router::new().fallback(no)).await;
    let ended = run(fake.dir(), &["ls", "--server", &url]).await;
    assert_eq!(ended.code, Some(5));
    assert!(ended.err.contains("SMARTBOX_TOKEN") && ended.err.contains("smartbox token create"));
    assert!(ended.err.contains(&format!("`smartbox login {url}`")), "{ended:?}");
    assert!(!fake.seen()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_token_is_never_told_where_nobody_answers() {
    let dir = tempfile::tempdir().unwrap();
    for url in ["http://127.0.0.1:1", "https://127.0.0.1:1"] {
        let mut gone = command(dir.path(), &["--server", url, "ls"]);
        let ended = end(gone.env("SMARTBOX_TOKEN", "a-token-of-ours").spawn().unwrap()).await;
        assert_eq!(ended.code, Some(6));
        assert!(!ended.err.contains("a-token-of-ours"));
    }
}
