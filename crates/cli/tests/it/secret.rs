//! Secrets: in by a prompt or a pipe, never by the command line, never out.

use axum::routing::{delete, get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::run::{run, run_with};

fn keeping() -> Router {
    Router::new()
        .route("/api/v1/secrets/{name}", put(|| async { http::StatusCode::NO_CONTENT }))
        .route("/api/v1/secrets/{name}", delete(|| async { http::StatusCode::NO_CONTENT }))
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
    let ended = run(fake.dir(), &["secret", "rm", "A_KEY", "--box", "pa"]).await;
    assert_eq!(ended.code, Some(0));
    assert_eq!(fake.seen_like("DELETE")[0].line, "DELETE /api/v1/secrets/A_KEY?box=pa");
}
