//! Moving in from a bucket: an operator alone, and nothing of what opens it comes out.

use http::Method;
use serde_json::{Value, json};
use smartbox_core::store;

use crate::world::{MASTER, World};

const KEY: &str = "a-key-that-nobody-may-see";

async fn ask(world: &World, token: &str, body: Value) -> (u16, String) {
    let asked = world.ask(Method::POST, "/api/v1/imports/bucket").bearer_auth(token).json(&body);
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn from(endpoint: &str) -> Value {
    json!({
        "bucket": "moltbot-data",
        "prefix": "users/1234",
        "endpoint": endpoint,
        "key": { "id": "AKID", "secret": "OLD_KEY" },
        "name": "moved",
    })
}

async fn with_key() -> World {
    let world = World::new().await;
    let set = world.as_owner(Method::PUT, "/api/v1/secrets/OLD_KEY").json(&json!({ "value": KEY }));
    assert_eq!(set.send().await.unwrap().status(), 204);
    world
}

#[tokio::test]
async fn an_operator_moves_a_box_in_from_a_bucket() {
    let world = with_key().await;
    let (status, text) = ask(&world, MASTER, from("https://s3.example.com")).await;
    assert_eq!(status, 201, "{text}");
    let moved: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&moved["smartbox"]["name"], &moved["files"]), (&json!("moved"), &json!(2)));
    assert!(!text.contains(KEY));
    let account = world.app.account.id.clone();
    let acts = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(account, 0, 100).await })
    });
    let acts = acts.await.unwrap();
    let opened = acts.iter().find(|entry| entry.act.action == "bucket.open").unwrap();
    assert!(opened.act.detail.ends_with("at https://s3.example.com, with OLD_KEY"), "{opened:?}");
    assert!(!format!("{acts:?}").contains(KEY));
}

#[tokio::test]
async fn nobody_else_sends_the_platform_anywhere() {
    let world = with_key().await;
    let (status, text) = ask(&world, &world.token, from("http://169.254.169.254")).await;
    assert_eq!(status, 403, "{text}");
    let (status, _) = ask(&world, "no-token-at-all", from("http://169.254.169.254")).await;
    assert_eq!(status, 401);
    let boxes = world.as_owner(Method::GET, "/api/v1/boxes").send().await.unwrap();
    assert!(!boxes.text().await.unwrap().contains("moved"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_reason() {
    let world = with_key().await;
    for endpoint in
        ["file:///etc/passwd", "https://user:pass@s3.example.com", "https://s3.example.com/a?b", ""]
    {
        let (status, text) = ask(&world, MASTER, from(endpoint)).await;
        assert_eq!(status, 422, "{endpoint}: {text}");
        assert!(text.contains("not the address of a server"), "{text}");
    }
    let mut bad = from("https://s3.example.com");
    bad["bucket"] = json!("../other");
    let (status, text) = ask(&world, MASTER, bad).await;
    assert!(status == 422 && text.contains("not a bucket's name"), "{text}");
    let mut unknown = from("https://s3.example.com");
    unknown["key"]["secret"] = json!("NO_SUCH");
    let (status, text) = ask(&world, MASTER, unknown).await;
    assert!(status == 422 && text.contains("there is no secret NO_SUCH"), "{text}");
    // Of the platform's own there is none here.
    let (status, text) = ask(&world, MASTER, json!({ "bucket": "moltbot-data" })).await;
    assert!(status == 422 && text.contains("no bucket of its own"), "{text}");
    let (status, text) = ask(&world, MASTER, from("https://refuses.example.com")).await;
    assert!(status == 422 && !text.contains(KEY), "{text}");
}
