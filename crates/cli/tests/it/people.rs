//! Tokens, keys, people and what they are given: what the commands ask, and what they show.

use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::run::run;

fn made() -> Json<Value> {
    Json(
        json!({ "id": "tok_00000000000000000001", "token": "sba_value", "right": "chat", "expires": 1 }),
    )
}

fn member() -> Json<Value> {
    Json(json!({ "person": "per_00000000000000000001", "name": "Ann", "email": "ann@example.com",
        "disabled": false, "role": "owner" }))
}

fn share() -> Json<Value> {
    Json(
        json!({ "person": "per_00000000000000000001", "name": "Ann", "disabled": true, "right": "chat" }),
    )
}

fn played() -> Router {
    let page = |item: Json<Value>| async move { Json(json!({ "items": [item.0] })) };
    let token = Json(json!({ "id": "tok_00000000000000000001", "name": "ci", "right": "chat",
        "box": "box_00000000000000000001", "created": 1, "expires": 4_000_000_000_000_i64 }));
    let (tokens, keys) = (token.clone(), token);
    let whoami = json!({ "by": "token", "actor": "token:tok_1", "account": "ann",
        "account_id": "acc_00000000000000000001", "right": "own", "most": "own" });
    let gone = || async { StatusCode::NO_CONTENT };
    Router::new()
        .route("/api/v1/tokens", get(move || page(tokens)).post(|| async { made() }).delete(gone))
        .route("/api/v1/tokens/{id}", delete(gone))
        .route("/api/v1/tokens/{id}/rotate", post(|| async { made() }))
        .route("/api/v1/operator-keys", get(move || page(keys)).post(|| async { made() }))
        .route("/api/v1/whoami", get(move || async { Json(whoami) }))
        .route("/api/v1/accounts/{account}/members", get(move || page(member())))
        .route("/api/v1/accounts/{account}/members/{p}", put(|| async { member() }).delete(gone))
        .route("/api/v1/boxes/{name}/shares", get(move || page(share())))
        .route("/api/v1/boxes/{name}/shares/{p}", put(|| async { share() }).delete(gone))
}

#[tokio::test]
async fn a_tokens_value_alone_is_on_standard_output() {
    let fake = Fake::new(played());
    let words = ["token", "create", "ci", "--right", "chat", "--box", "site", "--expires", "30d"];
    let ended = run(fake.dir(), &words).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "sba_value\n"), "{ended:?}");
    assert!(ended.err.contains("not shown again"), "{ended:?}");
    let body: Value = serde_json::from_str(&fake.seen_like("POST")[0].body).unwrap();
    let asked = json!({ "name": "ci", "right": "chat", "box": "site", "expires_secs": 2_592_000 });
    assert_eq!(body, asked);
    // As it was called before.
    assert_eq!(run(fake.dir(), &["token", "new"]).await.out, "sba_value\n");
    let ended = run(fake.dir(), &["token", "rotate", "tok_1", "--grace", "10m", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["token"], "sba_value");
    assert_eq!(fake.seen_like("POST")[2].body, r#"{"grace_secs":600}"#);
    assert_eq!(run(fake.dir(), &["token", "create", "--right", "root"]).await.code, Some(2));
    let key = ["operator", "key", "create", "ci", "--right", "read"];
    assert_eq!(run(fake.dir(), &key).await.out, "sba_value\n");
    assert_eq!(run(fake.dir(), &key[..4]).await.code, Some(2), "how much is never guessed");
}

#[tokio::test]
async fn tokens_are_listed_and_revoked_and_the_latter_asks_first() {
    let fake = Fake::new(played());
    for words in [&["token", "ls"][..], &["operator", "key", "ls"]] {
        let ended = run(fake.dir(), words).await;
        assert!(ended.out.contains("chat") && ended.out.contains("never"), "{ended:?}");
    }
    assert_eq!(
        run(fake.dir(), &["token", "revoke", "tok_1"]).await.code,
        Some(2),
        "nobody answers"
    );
    assert!(fake.seen_like("DELETE").is_empty());
    let ended = run(fake.dir(), &["token", "revoke", "tok_1", "--yes"]).await;
    assert_eq!(ended.out, "tok_1 is revoked\n");
    assert_eq!(run(fake.dir(), &["token", "revoke", "-y"]).await.out, "every token is revoked\n");
    let lines: Vec<_> = fake.seen_like("DELETE").into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["DELETE /api/v1/tokens/tok_1", "DELETE /api/v1/tokens"]);
}

#[tokio::test]
async fn members_are_those_of_the_account_that_is_acted_for() {
    let fake = Fake::new(played());
    let ended = run(fake.dir(), &["member", "add", "ann@example.com", "--role", "owner"]).await;
    assert_eq!(ended.out, "Ann is owner of the account\n", "{ended:?}");
    let put = &fake.seen_like("PUT")[0];
    let path = "PUT /api/v1/accounts/acc_00000000000000000001/members/ann%40example%2Ecom";
    assert_eq!((put.line.as_str(), put.body.as_str()), (path, r#"{"role":"owner"}"#));
    assert!(run(fake.dir(), &["member", "ls"]).await.out.contains("ann@example.com"));
    let who = run(fake.dir(), &["whoami"]).await.out;
    assert!(who.contains("ann") && who.contains("token:tok_1"), "{who}");
}

#[tokio::test]
async fn a_box_is_shared_for_what_is_said() {
    let fake = Fake::new(played());
    let words = ["share", "add", "site", "ann@example.com", "--right", "chat"];
    assert_eq!(run(fake.dir(), &words).await.out, "Ann may chat site\n");
    assert_eq!(run(fake.dir(), &words[..4]).await.code, Some(2), "how much is never guessed");
    assert!(run(fake.dir(), &["share", "ls", "site"]).await.out.contains("disabled"));
    let ended = run(fake.dir(), &["share", "rm", "site", "per_1", "-y"]).await;
    assert_eq!(ended.out, "site is shared with per_1 no more\n");
}

#[tokio::test]
async fn an_export_is_checked_with_no_platform_at_hand() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.jsonl");
    std::fs::write(&file, "{\"line\":\"head\"}\n").unwrap();
    let ended = run(dir.path(), &["audit", "verify", file.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("not to be believed") && ended.err.contains("line 1"), "{ended:?}");
    assert_eq!(run(dir.path(), &["audit", "verify", "/nowhere"]).await.code, Some(1));
}
