//! Files of a smartbox: listed, shown, changed, copied, and what is refused says why.

use std::path::Path;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use smartbox_api::file::digest_header;
use smartbox_api::problem::Code;

use crate::fake::{Fake, Seen, refuse};
use crate::run::{Ended, run, run_with};

const FILES: &str = "/api/v1/boxes/pa/files";
const TEXT: &[u8] = b"what is in it\n";

fn sha(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file(name: &str, kind: &str) -> Value {
    let target = (kind == "link").then_some("/etc/\u{1b}passwd");
    json!({
        "name": name, "kind": kind, "size": 14, "mode": "0600", "modified": 1, "etag": "\"e\"",
        "target": target,
    })
}

/// A home in which `a` is a file, `d` a directory, and nothing else is.
pub(crate) fn home() -> Router {
    let stat = |uri: http::Uri| async move {
        let path = uri.query().unwrap_or_default().trim_start_matches("path=");
        match path {
            "a" => Json(file("a", "file")).into_response(),
            "d" | "" => Json(file(path, "directory")).into_response(),
            _ => refuse(Code::NotFound, "there is no such file", "look"),
        }
    };
    let list = |uri: http::Uri| async move {
        let page = match uri.query().is_some_and(|query| query.contains("cursor")) {
            false => json!({ "items": [file("a", "file"), file("d", "directory")], "next": "n" }),
            true => json!({ "items": [file("e\u{1b}vil\n", "link"), file("pipe", "other")] }),
        };
        Json(page)
    };
    let written = |body: Bytes| async move {
        Json(json!({ "file": file("a", "file"), "sha256": hex(&sha(&body)) }))
    };
    let read = || async { ([("repr-digest", digest_header(&sha(TEXT)))], TEXT) };
    let gone = || async { StatusCode::NO_CONTENT };
    Router::new()
        .route(FILES, get(list).delete(gone))
        .route(&format!("{FILES}/stat"), get(stat))
        .route(&format!("{FILES}/content"), get(read).put(written))
        .route(&format!("{FILES}/mkdir"), post(|| async { Json(file("n", "directory")) }))
        .route(&format!("{FILES}/rename"), post(|| async { Json(file("b", "file")) }))
}

fn body(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap()
}

async fn asked(fake: &Fake, args: &[&str]) -> Ended {
    let ended = run(fake.dir(), args).await;
    assert!(!format!("{}{}", ended.out, ended.err).contains('\u{1b}'), "{ended:?}");
    ended
}

#[tokio::test]
async fn they_are_listed_and_shown_whatever_the_box_calls_them() {
    let fake = Fake::new(home());
    let ended = asked(&fake, &["files", "ls", "pa", "~/notes"]).await;
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), 5), "{ended:?}");
    assert!(ended.out.starts_with("MODE") && ended.out.contains("d/"), "{ended:?}");
    assert!(ended.out.contains("pipe (no file)"), "{ended:?}");
    assert!(fake.seen()[0].line.ends_with("path=notes"), "{:?}", fake.seen()[0]);
    let ended = asked(&fake, &["files", "ls", "pa", "--json"]).await;
    let list: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (list.as_array().unwrap().len(), &list[3]["kind"]),
        (4, &json!("other")),
        "all pages"
    );
    let ended = asked(&fake, &["files", "stat", "pa", "a"]).await;
    assert!(ended.code == Some(0) && ended.out.contains("0600"), "{ended:?}");
    let ended = asked(&fake, &["files", "stat", "pa", "a", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["size"], 14);
    let ended = asked(&fake, &["files", "cat", "pa", "a"]).await;
    assert_eq!((ended.code, ended.out.as_bytes()), (Some(0), TEXT), "{ended:?}");
}

#[tokio::test]
async fn they_are_made_renamed_and_removed() {
    let fake = Fake::new(home());
    let ended = asked(&fake, &["files", "mkdir", "-p", "pa", "/home/box/n"]).await;
    assert_eq!((ended.code, &*ended.out), (Some(0), ""), "{ended:?}");
    assert_eq!(body(&fake.seen()[0]), json!({ "path": "n", "parents": true }));
    let ended = asked(&fake, &["files", "mv", "pa", "a", "b", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["name"], "b");
    assert_eq!(body(&fake.seen()[1]), json!({ "from": "a", "to": "b", "replace": false }));
    let ended = asked(&fake, &["files", "rm", "-r", "pa", "d e"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fake.seen()[2].line, format!("DELETE {FILES}?path=d%20e&recursive=true"));
}

#[tokio::test]
async fn a_refusal_is_told_with_its_hint_and_its_code() {
    for (code, exit) in [
        (Code::NotFound, 3),
        (Code::Exists, 4),
        (Code::Forbidden, 5),
        (Code::Refused, 1),
        (Code::Draining, 6),
    ] {
        let no = move || async move { refuse(code, "it is not so", "do this") };
        let fake = Fake::new(Router::new().fallback(no));
        let target = fake.dir().join("out");
        let target = target.to_str().unwrap();
        for args in [
            &["files", "ls", "pa"][..],
            &["files", "stat", "pa", "a"],
            &["files", "cat", "pa", "a"],
            &["files", "rm", "pa", "a"],
            &["files", "mkdir", "pa", "a"],
            &["files", "mv", "pa", "a", "b"],
            &["cp", "pa:a", target],
            &["cp", "-r", "pa:", target],
        ] {
            let ended = asked(&fake, args).await;
            assert_eq!(ended.code, Some(exit), "{code:?} {args:?}: {ended:?}");
            assert!(ended.err.contains("error: it is not so"), "{args:?}: {ended:?}");
            assert!(ended.err.contains("hint: do this") && ended.out.is_empty(), "{ended:?}");
            assert!(!Path::new(target).exists(), "nothing is left of it");
        }
    }
}

#[tokio::test]
async fn a_copy_in_says_its_digest_and_lands_under_its_name() {
    let fake = Fake::new(home());
    let here = fake.dir().join("report.pdf");
    std::fs::write(&here, TEXT).unwrap();
    let here = here.to_str().unwrap();
    for (to, path) in
        [("pa:d", "d%2Freport%2Epdf"), ("pa:new/x", "new%2Fx"), ("pa:", "report%2Epdf")]
    {
        let ended = asked(&fake, &["cp", "--quiet", here, to]).await;
        assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{to}: {ended:?}");
        let put = fake.seen_like("PUT").pop().unwrap();
        assert_eq!(put.line, format!("PUT {FILES}/content?path={path}&parents=true"));
        assert_eq!(put.headers["repr-digest"].to_str().unwrap(), digest_header(&sha(TEXT)));
        assert_eq!(put.body.as_bytes(), TEXT);
    }
    let ended = run_with(fake.dir(), &["cp", "-q", "-", "pa:notes/in"], b"piped").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let put = fake.seen_like("PUT").pop().unwrap();
    assert_eq!((&*put.body, put.headers.contains_key("repr-digest")), ("piped", false));
}

#[tokio::test]
async fn a_copy_out_is_whole_and_checked_or_not_there() {
    let fake = Fake::new(home());
    let target = fake.dir().join("out");
    let path = target.to_str().unwrap();
    let ended = asked(&fake, &["cp", "-q", "pa:a", path]).await;
    assert_eq!(
        (ended.code, std::fs::read(&target).unwrap()),
        (Some(0), TEXT.to_vec()),
        "{ended:?}"
    );
    let ended = asked(&fake, &["cp", "pa:a", "-"]).await;
    assert_eq!((ended.code, ended.out.as_bytes()), (Some(0), TEXT), "{ended:?}");

    let other = || async { ([("repr-digest", digest_header(&sha(b"other")))], TEXT) };
    let router = Router::new()
        .route(&format!("{FILES}/stat"), get(|| async { Json(file("a", "file")) }))
        .route(&format!("{FILES}/content"), get(other));
    let fake = Fake::new(router);
    let target = fake.dir().join("out");
    let ended = asked(&fake, &["cp", "-q", "pa:a", target.to_str().unwrap()]).await;
    assert!(ended.code == Some(1) && ended.err.contains("changed while it was read"), "{ended:?}");
    let left: Vec<_> =
        std::fs::read_dir(fake.dir()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["control.sock"], "nothing stays beside it either");
}

#[tokio::test]
async fn what_makes_no_sense_is_not_asked_for() {
    let fake = Fake::new(home());
    let folder = fake.dir().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    for (args, code) in [
        (&["cp", "a", "b"][..], 2),
        (&["cp", "pa:a", "pa:b"], 2),
        (&["cp", "-", "pa:d/"], 2),
        (&["cp", folder, "pa:x"], 2),
        (&["cp", "/no/such/file", "pa:x"], 1),
        (&["cp", "pa:d", "out"], 2),
        (&["cp", "-r", "pa:d", folder], 1),
        (&["cp", "-r", "pa:d", "-"], 2),
        (&["files", "ls"], 2),
    ] {
        let ended = asked(&fake, args).await;
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
        assert!(ended.err.contains("error: "), "{ended:?}");
    }
    assert!(fake.seen().iter().all(|seen| seen.line.starts_with("GET")), "nothing was changed");
}

#[tokio::test]
async fn an_upload_that_broke_off_says_what_the_platform_found() {
    let broken = || async {
        let (pieces, body) = crate::fake::pieces();
        pieces.send(Ok("{".into())).unwrap();
        pieces.send(Err(crate::fake::BrokenOff)).unwrap();
        Response::new(body)
    };
    let there = || async { ([("repr-digest", digest_header(&sha(TEXT)))], TEXT).into_response() };
    let other = || async { ([("repr-digest", digest_header(&sha(b"x")))], "x").into_response() };
    let none = || async { refuse(Code::NotFound, "there is no such file", "") };
    let content = [
        (put(broken).get(there), Some(0), "arrived whole"),
        (put(broken).get(other), Some(6), "it is what it was before"),
        (put(broken).get(none), Some(6), "nothing of it stays"),
    ];
    for (content, code, words) in content {
        let router = Router::new()
            .route(&format!("{FILES}/stat"), get(none))
            .route(&format!("{FILES}/content"), content);
        let fake = Fake::new(router);
        let here = fake.dir().join("a");
        std::fs::write(&here, TEXT).unwrap();
        let ended = asked(&fake, &["cp", "-q", here.to_str().unwrap(), "pa:a"]).await;
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.err.contains(words), "{ended:?}");
    }
}
