//! Accounts, kinds, tiers, and changes of a box.

use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::{Fake, smartbox};
use crate::run::run;

fn account(name: &str) -> Value {
    json!({
        "id": "acc_00000000000000000001", "name": name, "display_name": "Ann & Co",
        "labels": { "plan": "pro" }, "disabled": false, "revision": 1, "created": 1,
    })
}

fn bob() -> Value {
    let mut bob = account("bob");
    bob["id"] = json!("acc_00000000000000000002");
    bob
}

fn platform() -> Router {
    let one = get(|| async { Json(account("ann")) })
        .patch(|| async { Json(account("ann")) })
        .delete(|| async { http::StatusCode::NO_CONTENT });
    let all = post(|| async { Json(account("ann")) })
        .get(|| async { Json(json!({ "items": [account("ann"), bob()] })) });
    let changed = patch(|| async {
        let mut view = smartbox("pa", "running", "");
        view["running_tier"] = json!("standard-1");
        view["tier"] = json!("standard-2");
        Json(view)
    });
    let boxes = get(|| async { Json(json!({ "items": [smartbox("pa", "running", "")] })) });
    Router::new()
        .route("/api/v1/accounts", all)
        .route("/api/v1/accounts/{account}", one)
        .route("/api/v1/boxes", boxes)
        .route("/api/v1/boxes/{name}", changed)
}

#[tokio::test]
async fn an_account_is_made_shown_changed_and_removed() {
    let fake = Fake::new(platform());
    let new = ["account", "new", "ann", "--display", "Ann & Co", "--label", "plan=pro"];
    let ended = run(fake.dir(), &new).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("smartbox token create --account ann"), "{ended:?}");
    let sent: Value = serde_json::from_str(&fake.seen()[0].body).unwrap();
    let want = json!({ "name": "ann", "display_name": "Ann & Co", "labels": { "plan": "pro" } });
    assert_eq!(sent, want);
    let ended = run(fake.dir(), &["account", "ls", "--json"]).await;
    let list: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&list[0]["name"], &list[1]["name"]), (&json!("ann"), &json!("bob")));
    let ended = run(fake.dir(), &["account", "ls"]).await;
    assert!(ended.out.contains("ann   active  Ann & Co  plan=pro"), "{ended:?}");
    let ended = run(fake.dir(), &["account", "show", "ann"]).await;
    assert!(ended.out.contains("acc_00000000000000000001"), "{ended:?}");
    let set = ["account", "set", "ann", "--disable", "--label", "plan-", "--label", "a=b"];
    run(fake.dir(), &set).await;
    let seen = fake.seen_like("PATCH /api/v1/accounts/ann");
    let sent: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(sent, json!({ "disabled": true, "labels": { "plan": null, "a": "b" } }));
    for refused in [
        vec!["account", "set", "ann"],
        vec!["account", "set", "ann", "--disable", "--enable"],
        vec!["account", "new", "Ann"],
        vec!["account", "rm", "ann"],
        vec!["set", "pa"],
        vec!["set", "pa", "--label", "a b=c"],
        vec!["ls", "--state", "asleep"],
    ] {
        assert_eq!(run(fake.dir(), &refused).await.code, Some(2), "{refused:?}");
    }
    let ended = run(fake.dir(), &["account", "rm", "ann", "--boxes", "--yes"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fake.seen_like("DELETE /api/v1/accounts/ann?boxes=remove").len(), 1);
}

#[tokio::test]
async fn a_box_is_changed_and_the_tier_that_waits_is_told() {
    let fake = Fake::new(platform());
    let set = ["set", "pa", "--tier", "standard-2", "--sleep-after", "10m", "--label", "a=b"];
    let ended = run(fake.dir(), &set).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("smartbox restart pa"), "{ended:?}");
    let sent: Value = serde_json::from_str(&fake.seen()[0].body).unwrap();
    assert_eq!(
        sent,
        json!({
            "tier": "standard-2", "sleep_after": "10m", "desired": "auto", "labels": { "a": "b" },
        })
    );
    run(fake.dir(), &["set", "pa", "--sleep-after", "never"]).await;
    let sent: Value = serde_json::from_str(&fake.seen()[1].body).unwrap();
    assert_eq!(sent, json!({ "desired": "on" }));
}

#[tokio::test]
async fn a_listing_is_asked_for_by_what_is_wanted() {
    let fake = Fake::new(platform());
    let list =
        ["ls", "--all", "--kind", "pa", "--state", "running", "--label", "a=b", "--label", "c=d"];
    let ended = run(fake.dir(), &list).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.starts_with("ACCOUNT  NAME  KIND  STATE"), "{ended:?}");
    assert!(ended.out.contains("ann      pa    pa    running"), "{ended:?}");
    let asked = &fake.seen()[0].line;
    assert_eq!(
        asked,
        "GET /api/v1/boxes?kind=pa&state=running&label=a%3Db%2Cc%3Dd&account=%2A&limit=200"
    );
}
