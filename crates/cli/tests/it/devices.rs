//! Being let in to a platform elsewhere, and letting others in.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use smartbox_api::dpop;
use smartbox_api::problem::Code;
use smartbox_core::device::{DeviceId, code};
use tokio::io::AsyncReadExt;

use crate::fake::{Fake, refuse, smartbox};
use crate::run::{Ended, LONG, command, end, run};

const ID: &str = "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793";

async fn ran(home: &Path, args: &[&str]) -> Ended {
    let mut command = command(home, args);
    command.env_remove("SMARTBOX_DATA_DIR").env("HOME", home);
    command.env("XDG_DATA_HOME", home.join("data"));
    end(command.spawn().unwrap()).await
}

/// Lets in whoever polls for the third time; nobody waits.
pub(crate) fn platform(last: (StatusCode, Value)) -> Router {
    let polls = Arc::new(AtomicUsize::new(0));
    let asked = json!({
        "device_code": "sbp_x", "user_code": "BCDF-GHJK", "verification_uri": "http://x/",
        "verification_uri_complete": "http://x/", "expires_in": 600, "interval": 0, "nonce": "n",
    });
    let token = move || {
        let n = polls.fetch_add(1, Ordering::SeqCst);
        let last = last.clone();
        async move {
            let waits = json!({ "error": "authorization_pending", "error_description": "wait" });
            if n < 2 { (StatusCode::BAD_REQUEST, Json(waits)) } else { (last.0, Json(last.1)) }
        }
    };
    let list = || async { Json(json!({ "items": [smartbox("there", "running", "")] })) };
    Router::new()
        .route("/api/v1/device/authorize", post(|| async move { Json(asked) }))
        .route("/api/v1/device/token", post(token))
        .route("/api/v1/boxes", get(list))
}

#[tokio::test]
async fn a_command_line_is_let_in_and_proves_its_key_from_then_on() {
    let home = tempfile::tempdir().unwrap();
    let granted = json!({
        "access_token": "sbd_a-token", "token_type": "DPoP", "scope": "chat", "device": ID,
    });
    let (fake, url) = Fake::tcp(platform((StatusCode::OK, granted))).await;
    let ended = ran(home.path(), &["login", &url, "--as", "work"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let file = home.path().join(".config/smartbox/contexts.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let seen = fake.seen();
    let proof = |n: usize| dpop::read(seen[n].headers["dpop"].to_str().unwrap()).unwrap();
    let (first, poll) = (proof(0), proof(1));
    assert_eq!((first.key, poll.claims.nonce.as_deref()), (poll.key, Some("n")));
    assert_eq!(first.claims.htu, format!("{url}/api/v1/device/authorize"));
    let digits = code::comparison(Some(&first.key), "n");
    assert!(ended.err.contains("BCDF-GHJK") && ended.err.contains(&digits), "{ended:?}");
    assert!(!format!("{ended:?}").contains("sbd_"), "nobody sees the token: {ended:?}");

    for args in [&["ls"][..], &["--server", &url, "ls"], &["--context", "work", "ls"]] {
        let ended = ran(home.path(), args).await;
        assert!(ended.out.contains("there"), "{args:?}: {ended:?}");
        let sent = fake.seen().pop().unwrap();
        assert_eq!(sent.headers["authorization"], "DPoP sbd_a-token");
        let proof = dpop::read(sent.headers["dpop"].to_str().unwrap()).unwrap();
        assert_eq!(DeviceId::of(&proof.key), DeviceId::of(&first.key));
        assert_eq!(proof.claims.ath, Some(dpop::token_hash("sbd_a-token")));
        assert_eq!(proof.claims.htu, format!("{url}/api/v1/boxes"), "without the query");
    }
    // The platform knows no such call here: it is forgotten all the same.
    let ended = ran(home.path(), &["logout", "work"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!std::fs::read_to_string(&file).unwrap().contains("sbd_"));
}

/// A platform that lets in whoever asks, and takes them out again.
async fn willing(token: &str) -> (Fake, String) {
    let granted = json!({
        "access_token": token, "token_type": "DPoP", "scope": "read", "device": ID,
    });
    let revoked = || async {
        Json(json!({
            "id": ID, "kind": "cli", "name": "laptop", "platform": "linux", "address": "192.0.2.1",
            "state": "revoked", "keyed": true, "created": 1,
        }))
    };
    let router = platform((StatusCode::OK, granted));
    Fake::tcp(router.route("/api/v1/devices/{id}/revoke", post(revoked))).await
}

fn contexts(home: &Path) -> Value {
    let text = std::fs::read_to_string(home.join(".config/smartbox/contexts.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Words of a command line, and variables of its environment.
type Way<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

#[tokio::test]
async fn logging_out_is_of_the_platform_that_every_other_command_means() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let ((first, one), (second, two)) = (willing("sbd_one").await, willing("sbd_two").await);
    assert_eq!(ran(home, &["login", &two, "--as", "two"]).await.code, Some(0));
    let logout = async |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(home, &[args, &["logout"]].concat());
        command.env_remove("SMARTBOX_DATA_DIR").env("HOME", home);
        command.env("XDG_DATA_HOME", home.join("data")).envs(variables.iter().copied());
        end(command.spawn().unwrap()).await
    };
    let revokes = |fake: &Fake| fake.seen().iter().filter(|it| it.line.contains("/revoke")).count();
    let ways: [Way<'_>; 6] = [
        (&["--context", "one"], &[("SMARTBOX_CONTEXT", "two")]),
        (&["--server", &one], &[("SMARTBOX_SERVER", &two)]),
        (&["--listen", &one], &[]),
        (&[], &[("SMARTBOX_CONTEXT", "one")]),
        (&[], &[("SMARTBOX_SERVER", &one), ("SMARTBOX_CONTEXT", "two")]),
        (&[], &[("SMARTBOX_LISTEN", &one)]),
    ];
    for (n, (args, variables)) in ways.into_iter().enumerate() {
        assert_eq!(ran(home, &["login", &one, "--as", "one"]).await.code, Some(0));
        assert_eq!(ran(home, &["context", "use", "two"]).await.code, Some(0));
        let ended = logout(args, variables).await;
        assert!(ended.out.contains("one: forgotten, and shut out"), "{args:?}: {ended:?}");
        let kept = contexts(home);
        assert!(kept["contexts"]["one"].is_null(), "{args:?} {variables:?}: {kept}");
        assert_eq!(kept["contexts"]["two"]["token"], json!("sbd_two"));
        assert_eq!((revokes(&first), revokes(&second)), (n + 1, 0));
    }
    // Where nothing was let in there is nothing to end, and what is in use is not meant.
    let here = home.join("data");
    let here = here.to_str().unwrap();
    let other: [Way<'_>; 4] = [
        (&["--server", &one], &[]),
        (&["--context", "local"], &[]),
        (&["--data-dir", here], &[]),
        (&[], &[("SMARTBOX_DATA_DIR", here)]),
    ];
    for (args, variables) in other {
        let ended = logout(args, variables).await;
        assert_eq!(ended.code, Some(1), "{args:?}: {ended:?}");
        assert!(ended.err.contains("let in"), "{args:?}: {ended:?}");
    }
    assert_eq!(contexts(home)["contexts"]["two"]["token"], json!("sbd_two"));
    assert!(logout(&[], &[]).await.out.contains("two: forgotten, and shut out"));
    assert_eq!(revokes(&second), 1);
}

#[tokio::test]
async fn a_login_says_whether_other_commands_mean_it() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (_fake, one) = willing("sbd_one").await;
    let ended = ran(home, &["login", &one]).await;
    assert!(ended.out.contains("and in use"), "{ended:?}");
    let mut command = command(home, &["login", &one]);
    command.env("HOME", home).env("XDG_DATA_HOME", home.join("data"));
    let ended = end(command.env("SMARTBOX_DATA_DIR", home).spawn().unwrap()).await;
    assert!(ended.code == Some(0) && ended.out.contains("--context platform"), "{ended:?}");
    assert!(!ended.out.contains("in use"), "{ended:?}");
}

#[tokio::test]
async fn a_second_platform_does_not_take_the_name_of_the_first() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let ((_first, one), (second, two)) = (willing("sbd_one").await, willing("sbd_two").await);
    assert_eq!(ran(home, &["login", &one]).await.code, Some(0));
    let before = contexts(home);
    let ended = ran(home, &["login", &two]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in [one.as_str(), "--as", "--replace", "smartbox logout"] {
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
    assert_eq!(second.seen().len(), 0, "nothing was asked for that could not be kept");
    assert_eq!(contexts(home), before);
    assert_eq!(ran(home, &["login", &two, "--as", "other"]).await.code, Some(0));
    assert_eq!(contexts(home)["contexts"]["platform"]["token"], json!("sbd_one"));
    // To the same one again, and to another one if that is meant.
    assert_eq!(ran(home, &["login", &one]).await.code, Some(0));
    assert_eq!(ran(home, &["login", &two, "--replace"]).await.code, Some(0));
    assert_eq!(contexts(home)["contexts"]["platform"]["server"], json!(two));
}

#[tokio::test]
async fn one_that_is_not_let_in_keeps_nothing() {
    let home = tempfile::tempdir().unwrap();
    let no = json!({ "error": "access_denied", "error_description": "somebody did not let it in" });
    let (_fake, url) = Fake::tcp(platform((StatusCode::BAD_REQUEST, no))).await;
    let ended = ran(home.path(), &["login", &url]).await;
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let kept = std::fs::read_to_string(home.path().join(".config/smartbox/contexts.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept, json!({ "current": null, "contexts": {} }), "nor its key");
}

#[tokio::test]
async fn one_that_is_killed_asks_on_with_the_same_key_and_then_is_let_in_without_asking() {
    let home = tempfile::tempdir().unwrap();
    let granted = json!({
        "access_token": "sbd_a-token", "token_type": "DPoP", "scope": "chat", "device": ID,
    });
    let patient = Arc::new(AtomicUsize::new(0));
    let asked = json!({
        "device_code": "sbp_x", "user_code": "BCDF-GHJK", "verification_uri": "http://x/device",
        "verification_uri_complete": "http://x/device?code=BCDF-GHJK", "expires_in": 600,
        "interval": 600, "nonce": "n",
    });
    let turn = patient.clone();
    let token = move || {
        let waits = json!({ "error": "authorization_pending", "error_description": "wait" });
        let first = turn.fetch_add(1, Ordering::SeqCst) == 0;
        let answer = if first {
            (StatusCode::BAD_REQUEST, waits)
        } else {
            (StatusCode::OK, granted.clone())
        };
        async move { (answer.0, Json(answer.1)) }
    };
    let router = Router::new()
        .route("/api/v1/device/authorize", post(|| async move { Json(asked) }))
        .route("/api/v1/device/token", post(token));
    let (fake, url) = Fake::tcp(router).await;
    let args = ["login", &url, "--as", "work", "--qr"];
    let mut killed = command(home.path(), &args);
    killed.env_remove("SMARTBOX_DATA_DIR").env("HOME", home.path());
    let mut killed = killed.spawn().unwrap();
    let mut shown = String::new();
    let mut err = killed.stderr.take().unwrap();
    while !shown.contains("devices approve") {
        let mut more = [0; 512];
        let n = tokio::time::timeout(LONG, err.read(&mut more)).await.unwrap().unwrap();
        assert!(n > 0, "{shown}");
        shown += std::str::from_utf8(&more[..n]).unwrap();
    }
    for part in ["http://x/device\n", "http://x/device?code=BCDF-GHJK\n", "digits   "] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains('\u{2580}'), "no code for cameras in a pipe: {shown}");
    killed.kill().await.unwrap();

    for again in ["the first", "the second"] {
        let ended = ran(home.path(), &args).await;
        assert_eq!(ended.code, Some(0), "{again} {ended:?}");
        assert!(!ended.err.contains("BCDF"), "there is nothing to approve any more: {ended:?}");
    }
    let keys: std::collections::BTreeSet<String> = fake
        .seen()
        .iter()
        .map(|seen| dpop::read(seen.headers["dpop"].to_str().unwrap()).unwrap().key.to_hex())
        .collect();
    assert_eq!(keys.len(), 1, "it is one device all the time");
    // Of another place it is another one.
    let (other, there) = Fake::tcp(platform((StatusCode::OK, Value::Null))).await;
    ran(home.path(), &["login", &there, "--as", "work", "--replace"]).await;
    let theirs = dpop::read(other.seen()[0].headers["dpop"].to_str().unwrap()).unwrap().key;
    assert!(!keys.contains(&theirs.to_hex()));
}

#[tokio::test]
async fn who_is_shut_out_is_told_how_to_ask_again() {
    let home = tempfile::tempdir().unwrap();
    let granted = json!({
        "access_token": "sbd_a-token", "token_type": "DPoP", "scope": "chat", "device": ID,
    });
    let no = || async { refuse(Code::Unauthenticated, "this needs a sign-in", "open the link") };
    let clock = || async { refuse(Code::Unauthenticated, "the DPoP proof is old", "the clocks") };
    let router = platform((StatusCode::OK, granted))
        .route("/api/v1/boxes/pa", get(no))
        .route("/api/v1/boxes/pb", get(clock));
    let (_fake, url) = Fake::tcp(router).await;
    assert_eq!(ran(home.path(), &["login", &url]).await.code, Some(0));
    let ended = ran(home.path(), &["status", "pa"]).await;
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(
        ended.err.contains("not let in") && ended.err.contains(&format!("smartbox login {url}"))
    );
    let ended = ran(home.path(), &["status", "pb"]).await;
    assert!(ended.err.contains("DPoP proof is old\nhint: the clocks"), "{ended:?}");
}

#[tokio::test]
async fn a_device_is_found_by_its_code_and_let_in() {
    let device = json!({
        "id": ID, "kind": "cli", "name": "laptop", "platform": "linux", "address": "192.0.2.1",
        "state": "pending", "keyed": true, "created": 1,
        "asks": { "right": "manage", "ask": "m", "comparison": "012345", "at": 1, "expires": 2 },
    });
    let (one, all) = (device.clone(), json!({ "items": [device.clone()] }));
    let approved = device.clone();
    let fake = Fake::new(
        Router::new()
            .route("/api/v1/devices/find", post(|| async move { Json(one) }))
            .route("/api/v1/devices", get(|| async move { Json(all) }))
            .route("/api/v1/devices/{id}/approve", post(|| async move { Json(approved) })),
    );
    let args = ["devices", "approve", "bcdf ghjk", "--right", "chat", "--yes", "--json"];
    let ended = run(fake.dir(), &args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let seen = fake.seen();
    assert_eq!(
        serde_json::from_str::<Value>(&seen[0].body).unwrap(),
        json!({ "code": "BCDFGHJK" })
    );
    assert!(seen[1].line.contains(&format!("/devices/{ID}/approve")), "{}", seen[1].line);
    assert_eq!(
        serde_json::from_str::<Value>(&seen[1].body).unwrap(),
        json!({ "ask": "m", "right": "chat" })
    );
    let ended = run(fake.dir(), &["devices", "ls"]).await;
    assert!(ended.out.contains("laptop") && ended.out.contains("012345"), "{ended:?}");
    let ended = run(fake.dir(), &["devices", "show", "nothing-like-it"]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
}

#[tokio::test]
async fn an_invitation_is_asked_for_as_it_is_said_and_printed_once() {
    let url = "https://sb.example.com/invited#sbi_value";
    let made =
        json!({ "id": "tok_00000000000000000001", "url": url, "right": "read", "expires": 9 });
    let answer = made.clone();
    let fake = Fake::new(
        Router::new().route("/api/v1/devices/invite", post(|| async move { Json(answer) })),
    );
    let args = ["devices", "invite", "--smartbox", "pa", "--right", "read", "--name", "my phone"];
    let ended = run(fake.dir(), &args).await;
    assert_eq!((ended.code, ended.out.trim()), (Some(0), url), "{ended:?}");
    let asked: Value = serde_json::from_str(&fake.seen()[0].body).unwrap();
    let want = json!({ "box": "pa", "right": "read", "name": "my phone", "expires_secs": 600 });
    assert_eq!(asked, want);
    let own = run(fake.dir(), &["devices", "invite", "--right", "own"]).await;
    assert!(own.code == Some(2) && own.err.contains("read, chat or manage"), "{own:?}");
    let ended = run(fake.dir(), &["devices", "invite", "--expires", "1h", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), made);
    let asked: Value = serde_json::from_str(&fake.seen()[1].body).unwrap();
    assert_eq!((&asked["right"], &asked["expires_secs"]), (&json!("chat"), &json!(3600)));
}
