//! What may leave a smartbox, from the command line.

use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::run::run;

fn platform() -> Router {
    let use_of = |host: &str, refused: u64, allowed: bool| {
        json!({
            "host": host, "port": 443, "day": 0, "opened": 1, "bytes_out": 10, "bytes_in": 2048,
            "refused": refused, "why": "not-listed", "last": 1, "allowed": allowed,
        })
    };
    let uses =
        [use_of("a.test", 2, false), use_of("b.test\u{1b}[2J", 1, true), use_of("c.test", 0, true)];
    let rule = json!({
        "id": "egr_00000000000000000001", "source": "smartbox", "effect": "allow",
        "host": "a.test", "ports": [8443], "methods": ["GET"], "once": false, "added": 1,
    });
    let preset =
        json!({ "name": "git", "description": "Git hosts", "rules": ["github.com:443,22"] });
    let (added, listed) = (rule.clone(), rule);
    Router::new()
        .route(
            "/api/v1/boxes/{name}/egress",
            get(move || async move { Json(json!({ "items": uses })) }),
        )
        .route(
            "/api/v1/egress/rules",
            post(move || async move { (http::StatusCode::CREATED, Json(added)) })
                .get(move || async move { Json(json!({ "items": [listed] })) }),
        )
        .route("/api/v1/egress/rules/{id}", delete(|| async { http::StatusCode::NO_CONTENT }))
        .route(
            "/api/v1/egress/presets",
            get(move || async move { Json(json!({ "items": [preset] })) }),
        )
}

#[tokio::test]
async fn what_was_refused_is_shown_with_the_command_that_allows_it() {
    let fake = Fake::new(platform());
    let ended = run(fake.dir(), &["egress", "pa"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.out.ends_with(
            "\nTo allow what was refused (with --once or --for 1h for a while):\n  \
             smartbox egress allow pa a.test\n"
        ),
        "{ended:?}"
    );
    assert!(!ended.out.contains('\u{1b}'), "{ended:?}");
    assert!(
        fake.seen()[0].line.starts_with("GET /api/v1/boxes/pa/egress?since="),
        "{:?}",
        fake.seen()
    );
    assert!(!ended.out.contains("out_per_day"), "{ended:?}");
    let much = json!({ "items": [{
        "host": "a.test", "port": 443, "day": 0, "opened": 1, "bytes_out": 10, "bytes_in": 2048,
        "refused": 1, "why": "volume", "last": 1, "allowed": true,
    }]});
    let path = "/api/v1/boxes/{name}/egress";
    let other = Fake::new(Router::new().route(path, get(move || async move { Json(much) })));
    let ended = run(other.dir(), &["egress", "pa"]).await;
    assert!(ended.out.contains("out_per_day") && !ended.out.contains("To allow"), "{ended:?}");
    let ended = run(fake.dir(), &["egress", "pa", "--refused", "--json"]).await;
    let rows: Vec<Value> = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
}

#[tokio::test]
async fn rules_go_for_a_box_or_for_all_and_are_read_before_the_first_is_added() {
    let fake = Fake::new(platform());
    let args = ["egress", "allow", "pa", "git", "https://a.test/", "*.b.test:22", "--for", "1h"];
    let ended = run(fake.dir(), &args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.starts_with("pa: allow a.test:8443 GET\n"), "{ended:?}");
    let bodies: Vec<Value> =
        fake.seen().iter().map(|seen| serde_json::from_str(&seen.body).unwrap()).collect();
    let rule = |more: Value| {
        let mut rule = json!({ "box": "pa", "effect": "allow", "for_ms": 3_600_000 });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    assert_eq!(
        bodies,
        [
            rule(json!({ "preset": "git" })),
            rule(json!({ "host": "a.test" })),
            rule(json!({ "host": "*.b.test", "ports": [22] })),
        ]
    );
    let fake = Fake::new(platform());
    for bad in [&["egress", "allow", "pa"][..], &["egress", "deny", "pa", "a.test", "no/host"]] {
        assert_eq!(run(fake.dir(), bad).await.code, Some(2), "{bad:?}");
    }
    assert!(fake.seen().is_empty());
    run(fake.dir(), &["egress", "deny", "--all", "a.test"]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&fake.seen()[0].body).unwrap(),
        json!({ "effect": "deny", "host": "a.test" })
    );
}

#[tokio::test]
async fn rules_and_presets_are_listed_and_rules_are_removed() {
    let fake = Fake::new(platform());
    let ended = run(fake.dir(), &["egress", "rules", "pa"]).await;
    assert!(ended.out.contains("allow a.test:8443 GET  smartbox"), "{ended:?}");
    let ended = run(fake.dir(), &["egress", "presets"]).await;
    assert!(ended.out.contains("git   1      Git hosts"), "{ended:?}");
    let id = "egr_00000000000000000001";
    let ended = run(fake.dir(), &["egress", "remove", "pa", "--rule", id]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let deleted = |fake: &Fake| {
        let lines = fake.seen().into_iter().map(|seen| seen.line);
        lines.filter(|line| line.starts_with("DELETE")).collect::<Vec<_>>()
    };
    assert_eq!(deleted(&fake), [format!("DELETE /api/v1/egress/rules/{id}?box=pa")]);
    // By host, at any port or at these.
    for host in ["a.test", "a.test:8443"] {
        let fake = Fake::new(platform());
        let ended = run(fake.dir(), &["egress", "remove", "pa", host]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.out, "allow a.test:8443 GET: removed\n");
        assert_eq!(deleted(&fake), [format!("DELETE /api/v1/egress/rules/{id}?box=pa")]);
    }
    // Not another's, not at other ports, and nothing at all if one of them is none.
    let fake = Fake::new(platform());
    for (args, code) in [
        (&["remove", "pa", "b.test"][..], 1),
        (&["remove", "pa", "a.test:443"], 1),
        (&["remove", "pa", "a.test", "b.test"], 1),
        (&["remove", "--all", "a.test"], 1),
        (&["remove", "pa", "git"], 1),
        (&["remove", "pa", "a.test/x"], 2),
        (&["remove", "pa"], 2),
        (&["remove"], 2),
        (&["remove", "pa", "--rule", "x"], 2),
    ] {
        let ended = run(fake.dir(), &[&["egress"], args].concat()).await;
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
    }
    assert_eq!(deleted(&fake), [""; 0]);
    run(fake.dir(), &["egress", "rules", "--all"]).await;
    let line = fake.seen().pop().unwrap().line;
    assert!(line.starts_with("GET /api/v1/egress/rules") && !line.contains("box="), "{line}");
}

#[tokio::test]
async fn what_was_refused_last_is_allowed_and_said() {
    let fake = Fake::new(platform());
    // Nobody is there to say that it is the one that is meant.
    let ended = run(fake.dir(), &["egress", "allow", "pa", "--last"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(fake.seen().iter().all(|seen| seen.line.starts_with("GET")), "{:?}", fake.seen());
    let args = ["egress", "allow", "pa", "--last", "--yes", "--for", "1h"];
    let ended = run(fake.dir(), &args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.starts_with("pa: allow a.test"), "{ended:?}");
    let body: Value = serde_json::from_str(&fake.seen().pop().unwrap().body).unwrap();
    let wanted = json!({ "box": "pa", "effect": "allow", "host": "a.test", "for_ms": 3_600_000 });
    assert_eq!(body, wanted, "b.test is allowed by now, and c.test was not refused");
}
