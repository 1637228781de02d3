//! Secrets: in by a prompt or a pipe, never by the command line, never out.

use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::run::{run, run_with};

fn keeping() -> Router {
    Router::new()
        .route("/api/v1/secrets/{name}", put(|| async { http::StatusCode::NO_CONTENT }))
        .route("/api/v1/secrets/{name}", delete(|| async { http::StatusCode::NO_CONTENT }))
        .route(
            "/api/v1/secrets/{name}/versions",
            get(|| async {
                let one = |n: u64| json!({ "revision": n, "updated": 1, "current": n == 3 });
                Json(json!({ "items": [one(3), one(2)] }))
            }),
        )
        .route("/api/v1/secrets/{name}/rollback", post(|| async { Json(json!({ "revision": 4 })) }))
        .route(
            "/api/v1/secrets",
            get(|| async {
                let secret = json!({ "name": "A_KEY", "scope": "account", "updated": 1 });
                Json(json!({ "items": [secret] }))
            }),
        )
}

#[tokio::test]
async fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let fake = Fake::new(keeping());
    for args in [
        &["secret", "set", "A_KEY", "sk-hunter2"][..],
        &["secret", "set", "A_KEY=sk-hunter2"],
        &["secret", "set", "A_KEY", "-sk-hunter2"],
        &["secret", "set", "A_KEY", "--sk-hunter2", "x"],
        &["secret", "set", "sk-hunter2=", "x"],
    ] {
        let ended = run(fake.dir(), args).await;
        assert_eq!(ended.code, Some(2), "{args:?} {ended:?}");
        assert!(ended.err.contains("every process of this machine"), "{args:?} {ended:?}");
        assert!(!ended.err.contains("hunter2"), "{args:?} {ended:?}");
    }
    assert!(fake.seen().is_empty(), "and it went nowhere");
}

#[tokio::test]
async fn a_value_comes_by_a_pipe_without_its_last_line_break() {
    let fake = Fake::new(keeping());
    let ended =
        run_with(fake.dir(), &["secret", "set", "A_KEY", "--box", "pa"], b"two\nlines\r\n").await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "A_KEY: kept\n"), "{ended:?}");
    let seen = &fake.seen()[0];
    assert_eq!(seen.line, "PUT /api/v1/secrets/A_KEY");
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body, json!({ "value": "two\nlines", "box": "pa" }));
}

#[tokio::test]
async fn what_cannot_be_a_secret_is_refused_here() {
    let fake = Fake::new(keeping());
    assert_eq!(run_with(fake.dir(), &["secret", "set", "A_KEY"], b" \n").await.code, Some(2));
    assert_eq!(run_with(fake.dir(), &["secret", "set", "a-key"], b"x").await.code, Some(2));
    let long = vec![b'x'; (64 << 10) + 1];
    assert_eq!(run_with(fake.dir(), &["secret", "set", "A_KEY"], &long).await.code, Some(2));
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn names_are_listed_and_forgotten() {
    let fake = Fake::new(keeping());
    let list: Value =
        serde_json::from_str(&run(fake.dir(), &["secret", "ls", "--json"]).await.out).unwrap();
    assert_eq!(list[0]["name"], "A_KEY");
    assert!(run(fake.dir(), &["secret", "ls"]).await.out.contains("A_KEY  account"));
    let unasked = run(fake.dir(), &["secret", "rm", "A_KEY", "--box", "pa"]).await;
    assert!(unasked.code == Some(2) && unasked.err.contains("add --yes"), "{unasked:?}");
    let ended = run(fake.dir(), &["secret", "rm", "A_KEY", "--box", "pa", "--yes"]).await;
    assert_eq!(ended.code, Some(0));
    assert_eq!(fake.seen_like("DELETE")[0].line, "DELETE /api/v1/secrets/A_KEY?box=pa");
}

#[tokio::test]
async fn versions_are_listed_and_one_comes_back() {
    let fake = Fake::new(keeping());
    let list = run(fake.dir(), &["secret", "versions", "A_KEY", "--box", "pa", "--json"]).await;
    let list: Value = serde_json::from_str(&list.out).unwrap();
    assert_eq!((&list[0]["revision"], &list[0]["current"]), (&json!(3), &json!(true)));
    let table = run(fake.dir(), &["secret", "versions", "A_KEY"]).await.out;
    assert!(
        table.lines().any(|line| line.starts_with("3 ") && line.contains("current")),
        "{table}"
    );
    let ended = run(fake.dir(), &["secret", "rollback", "A_KEY", "--to", "2", "--box", "pa"]).await;
    let want = "A_KEY: has the value of version 2 again, as version 4\n";
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), want));
    let told =
        run(fake.dir(), &["secret", "rollback", "A_KEY", "--to", "2", "--platform", "--json"])
            .await;
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told, json!({ "name": "A_KEY", "platform": true, "revision": 4 }));
    let sent: Vec<Value> = fake
        .seen_like("POST")
        .iter()
        .map(|seen| serde_json::from_str(&seen.body).unwrap())
        .collect();
    assert_eq!(sent, [json!({ "to": 2, "box": "pa" }), json!({ "to": 2, "platform": true })]);
    assert_eq!(run(fake.dir(), &["secret", "rollback", "A_KEY"]).await.code, Some(2));
}

#[tokio::test]
async fn a_secret_of_the_platform_says_when_it_counts_and_what_is_missing() {
    let fake = Fake::new(keeping());
    let set = |args: &'static [&'static str]| run_with(fake.dir(), args, b"value");
    let ended = set(&["secret", "set", "R2_ACCESS_KEY_ID", "--platform"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("next start"), "{ended:?}");
    let body: Value = serde_json::from_str(&fake.seen_like("PUT")[0].body).unwrap();
    assert_eq!(body, json!({ "value": "value", "platform": true }));
    // Of another one there is nothing to say.
    let ended = set(&["secret", "set", "A_KEY", "--platform"]).await;
    assert!(!ended.err.contains("next start"), "{ended:?}");
    let both = set(&["secret", "set", "A_KEY", "--platform", "--box", "pa"]).await;
    assert_eq!(both.code, Some(2));

    let one = Router::new()
        .route("/api/v1/secrets/{name}", put(|| async { http::StatusCode::NO_CONTENT }))
        .route(
            "/api/v1/secrets",
            get(|| async {
                let one = json!({ "name": "R2_ACCESS_KEY_ID", "scope": "platform", "updated": 1 });
                Json(json!({ "items": [one] }))
            }),
        );
    let fake = Fake::new(one);
    let args = &["secret", "set", "R2_ACCESS_KEY_ID", "--platform"];
    let ended = run_with(fake.dir(), args, b"value").await;
    let said = "R2_SECRET_ACCESS_KEY and CF_ACCOUNT_ID are not kept";
    assert!(ended.err.contains(said), "{ended:?}");
    assert_eq!(
        fake.seen_like("GET")[0].line.split('&').next().unwrap(),
        "GET /api/v1/secrets?platform=true"
    );
}
