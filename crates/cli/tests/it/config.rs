//! The configuration of a smartbox's engine: read, changed, compared, and what is refused says why.

use axum::Json;
use axum::Router;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use smartbox_api::problem::Code;

use crate::fake::{Fake, Seen, refuse};
use crate::run::{Ended, command, end, run, run_with};

const CONFIG: &str = "/api/v1/boxes/pa/config";

fn view() -> Value {
    json!({
        "digest": "d1", "revision": 2, "document": { "agents": { "list": [1] }, "models": { "a.b": "x" } },
        "effective": { "gateway": { "port": 1 } }, "platform": ["gateway.port"],
        "overridden": ["gateway.\u{1b}port"], "unreadable": "line 1\u{1b}",
    })
}

fn changed(query: &[(String, String)]) -> Json<Value> {
    let dry = query.contains(&("dry_run".into(), "true".into()));
    let changes = json!([
        { "path": "a.b", "before": 1, "after": null },
        { "path": "c", "after": "\u{1b}[2J" },
    ]);
    let mut said = json!({ "digest": "d2", "changes": changes, "overridden": ["gateway.port"] });
    if dry {
        said["errors"] = json!([{ "path": "c", "message": "no such key", "hint": "d" }]);
    } else {
        said["revision"] = 3.into();
        said["applied"] = "restart-needed".into();
    }
    Json(said)
}

fn revision(n: u64) -> Value {
    let refused = (n == 2).then_some("c: no such key\nand more");
    json!({ "revision": n, "at": 1, "actor": "cli:uid=0", "how": "patched", "digest": "d", "refused": refused })
}

/// A platform whose box can be changed.
fn good() -> Router {
    type Q = Query<Vec<(String, String)>>;
    let change = |Query(query): Q| async move { changed(&query) };
    let history = |Query(query): Q| async move {
        let next = query.iter().any(|(key, _)| key == "cursor");
        let page = match next {
            false => json!({ "items": [revision(3), revision(2)], "next": "n" }),
            true => json!({ "items": [revision(1)] }),
        };
        Json(page)
    };
    let one = || async {
        let mut detail = revision(3);
        detail["document"] = json!({});
        detail["changes"] = json!([{ "path": "a", "before": 1, "after": 2 }]);
        Json(detail)
    };
    Router::new()
        .route(CONFIG, get(|| async { Json(view()) }).put(change).patch(change))
        .route(&format!("{CONFIG}/history"), get(history))
        .route(&format!("{CONFIG}/history/{{n}}"), get(one))
        .route(&format!("{CONFIG}/rollback"), post(|| async { changed(&[]) }))
        .route(
            &format!("{CONFIG}/reload"),
            post(|| async { Json(json!({ "applied": "on-wake" })) }),
        )
}

async fn asked(fake: &Fake, args: &[&str]) -> Ended {
    let ended = run(fake.dir(), args).await;
    assert!(!format!("{}{}", ended.out, ended.err).contains('\u{1b}'), "{ended:?}");
    ended
}

fn body(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap()
}

#[tokio::test]
async fn it_is_read_whole_by_key_and_as_the_engine_has_it() {
    let fake = Fake::new(good());
    let whole = asked(&fake, &["config", "get", "pa"]).await;
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert_eq!(serde_json::from_str::<Value>(&whole.out).unwrap(), view()["document"]);
    for words in ["cannot be read: line 1", "is the platform's"] {
        assert!(whole.err.contains(words), "{whole:?}");
    }
    for (key, found) in [("agents.list", "[\n  1\n]\n"), ("models[\"a.b\"]", "\"x\"\n")] {
        let ended = asked(&fake, &["config", "get", "pa", key]).await;
        assert_eq!((ended.code, &*ended.out), (Some(0), found), "{key}: {ended:?}");
    }
    let ended = asked(&fake, &["config", "get", "pa", "gateway.port", "--effective"]).await;
    assert_eq!((ended.code, &*ended.out), (Some(0), "1\n"), "{ended:?}");
    let ended = run(fake.dir(), &["config", "get", "pa", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), view());
    let ended = asked(&fake, &["config", "get", "pa", "no.such"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("nothing is set at") && ended.err.contains("hint: "), "{ended:?}");
    let before = fake.seen().len();
    let ended = asked(&fake, &["config", "get", "pa", "a", "--json"]).await;
    assert_eq!((ended.code, fake.seen().len()), (Some(2), before), "{ended:?}");
}

#[tokio::test]
async fn a_patch_and_a_key_are_merged_and_what_came_of_it_is_told() {
    let fake = Fake::new(good());
    let ended = asked(&fake, &["config", "patch", "pa", r#"{"c": 1}"#]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in ["- a.b: 1\n", "+ a.b: null\n", "pa: revision 3, in force after"] {
        assert!(ended.out.contains(line), "{line}: {ended:?}");
    }
    assert!(ended.err.contains("`gateway.port` is the platform's"), "{ended:?}");
    let seen = fake.seen().pop().unwrap();
    assert_eq!((&*seen.line, body(&seen)), (&*format!("PATCH {CONFIG}"), json!({ "c": 1 })));
    let ended = run_with(fake.dir(), &["config", "patch", "pa", "--json"], br#"{"d": null}"#).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["applied"], "restart-needed");
    assert_eq!(body(&fake.seen().pop().unwrap()), json!({ "d": null }));
    for (value, meant) in [("30m", json!("30m")), ("3", json!(3)), ("null", json!(null))] {
        let ended = asked(&fake, &["config", "set", "pa", "a.b", value]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(body(&fake.seen().pop().unwrap()), json!({ "a": { "b": meant } }));
    }
}

#[tokio::test]
async fn a_dry_run_says_what_is_wrong_and_ends_so() {
    let fake = Fake::new(good());
    for args in [
        &["config", "patch", "pa", "{}", "--dry-run"][..],
        &["config", "set", "pa", "a", "1", "--dry-run"],
    ] {
        let ended = asked(&fake, args).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for words in ["error: c: no such key (d)", "nothing was changed"] {
            assert!(ended.err.contains(words), "{ended:?}");
        }
        assert!(fake.seen().pop().unwrap().line.ends_with("?dry_run=true"));
    }
}

#[tokio::test]
async fn what_is_no_patch_or_no_key_is_not_sent_and_not_repeated() {
    let fake = Fake::new(good());
    for args in [
        &["config", "patch", "pa", "[1]"][..],
        &["config", "patch", "pa", "{\"token\": \"hunter2"],
        &["config", "set", "pa", "a..b", "1"],
        &["config", "set", "pa", "a[0]", "1"],
        &["config", "rollback", "pa", "first"],
    ] {
        let ended = asked(&fake, args).await;
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(!ended.err.contains("hunter2"), "{ended:?}");
    }
    assert!(fake.seen().is_empty(), "nothing was asked for");
}

#[tokio::test]
async fn the_history_is_listed_compared_and_gone_back_in() {
    let fake = Fake::new(good());
    let ended = asked(&fake, &["config", "history", "pa"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.starts_with("REVISION") && ended.out.lines().count() == 4, "{ended:?}");
    assert!(ended.out.contains("refused: c: no such key") && !ended.out.contains("and more"));
    let ended = asked(&fake, &["config", "history", "pa", "--json"]).await;
    let list: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((list.as_array().unwrap().len(), &list[2]["revision"]), (3, &json!(1)), "all pages");
    let ended = asked(&fake, &["config", "diff", "pa", "3", "1"]).await;
    assert_eq!((ended.code, &*ended.out), (Some(0), "- a: 1\n+ a: 2\n"), "{ended:?}");
    assert!(fake.seen().pop().unwrap().line.ends_with("/history/3?against=1"));
    let ended = asked(&fake, &["config", "rollback", "pa", "1"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(body(&fake.seen().pop().unwrap()), json!({ "revision": 1 }));
    let ended = asked(&fake, &["config", "reload", "pa"]).await;
    assert_eq!((ended.code, &*ended.out), (Some(0), "pa: in force when it wakes\n"));
    let ended = asked(&fake, &["config", "reload", "pa", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), json!({ "applied": "on-wake" }));
}

#[tokio::test]
async fn a_refusal_is_told_with_its_hint_and_its_code() {
    for (code, exit) in [
        (Code::NotFound, 3),
        (Code::PreconditionFailed, 4),
        (Code::InvalidConfig, 1),
        (Code::Refused, 1),
        (Code::Upstream, 8),
        (Code::Draining, 6),
    ] {
        let no = move || async move { refuse(code, "it is not so", "do this") };
        let fake = Fake::new(Router::new().fallback(no));
        for args in [
            &["config", "get", "pa"][..],
            &["config", "set", "pa", "a", "1"],
            &["config", "patch", "pa", "{}", "--json"],
            &["config", "history", "pa"],
            &["config", "diff", "pa", "1"],
            &["config", "rollback", "pa", "1"],
            &["config", "reload", "pa"],
        ] {
            let ended = asked(&fake, args).await;
            assert_eq!(ended.code, Some(exit), "{code:?} {args:?}: {ended:?}");
            assert!(ended.err.contains("error: it is not so"), "{ended:?}");
            assert!(ended.err.contains("hint: do this") && ended.out.is_empty(), "{ended:?}");
        }
    }
}

#[tokio::test]
async fn an_editor_changes_what_was_seen_and_nothing_else() {
    let put = || async { refuse(Code::PreconditionFailed, "it has changed", "look again") };
    let answer = || async {
        Json(
            json!({ "document": {}, "digest": "d1", "effective": {}, "platform": [], "overridden": [] }),
        )
    };
    let fake = Fake::new(Router::new().route(CONFIG, get(answer).put(put)));
    let edit = async |editor: &str| {
        let mut edit = command(fake.dir(), &["config", "edit", "pa"]);
        edit.env("EDITOR", editor);
        end(edit.spawn().unwrap()).await
    };
    let ended = edit("true").await;
    assert_eq!((ended.code, fake.seen_like("PUT").len()), (Some(0), 0), "{ended:?}");
    let ended = edit("false").await;
    assert_eq!((ended.code, fake.seen_like("PUT").len()), (Some(1), 0), "{ended:?}");
    let ended = edit("cp /etc/hostname").await;
    assert_eq!((ended.code, fake.seen_like("PUT").len()), (Some(2), 0), "no JSON: {ended:?}");
    let new = fake.dir().join("new.json");
    std::fs::write(&new, r#"{"a": 1}"#).unwrap();
    let ended = edit(&format!("cp {}", new.display())).await;
    assert_eq!(ended.code, Some(4), "somebody else was faster: {ended:?}");
    let seen = fake.seen_like("PUT").pop().unwrap();
    assert_eq!(body(&seen), json!({ "a": 1 }));
    assert_eq!(seen.headers["if-match"], "\"d1\"");
    let mut none = command(fake.dir(), &["config", "edit", "pa"]);
    none.env_remove("EDITOR").env_remove("VISUAL");
    assert_eq!(end(none.spawn().unwrap()).await.code, Some(2), "no editor");
}

#[tokio::test]
async fn nobody_has_changed_it_is_said_so() {
    let none = || async { Json(json!({ "items": [] })).into_response() as Response };
    let fake = Fake::new(Router::new().route(&format!("{CONFIG}/history"), get(none)));
    let ended = asked(&fake, &["config", "history", "pa"]).await;
    assert_eq!((ended.code, &*ended.out), (Some(0), "Nobody has changed its configuration yet.\n"));
}
