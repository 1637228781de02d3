//! `ETag` and `If-Match`: a change that somebody else made in between is not lost.

use http::Method;
use serde_json::{Value, json};

use crate::world::World;

const KEY: &str = "/api/v1/secrets/KEY";

async fn put(world: &World, seen: Option<&str>) -> (u16, Option<String>) {
    let mut request = world.as_owner(Method::PUT, KEY).json(&json!({ "value": "v" }));
    if let Some(seen) = seen {
        request = request.header("if-match", seen);
    }
    let answer = request.send().await.unwrap();
    let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
    (answer.status().as_u16(), tag)
}

#[tokio::test]
async fn a_change_of_what_was_not_seen_is_refused() {
    let world = World::new().await;
    assert_eq!(put(&world, Some("*")).await, (412, None));
    assert_eq!(put(&world, None).await, (204, Some("\"1\"".into())));
    assert_eq!(put(&world, Some("\"1\"")).await, (204, Some("\"2\"".into())));
    assert_eq!(put(&world, Some("\"1\"")).await, (412, None));
    assert_eq!(put(&world, Some("W/\"2\"")).await, (412, None));
    assert_eq!(put(&world, Some("2")).await, (400, None));
    assert_eq!(put(&world, Some("*")).await, (204, Some("\"3\"".into())));
    let list = world.as_owner(Method::GET, "/api/v1/secrets").send().await.unwrap();
    assert_eq!(list.json::<Value>().await.unwrap()["items"][0]["revision"], 3);

    let remove =
        |seen: &'static str| world.as_owner(Method::DELETE, KEY).header("if-match", seen).send();
    let refused = remove("\"2\"").await.unwrap();
    assert_eq!(refused.status(), 412);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "precondition-failed");
    assert_eq!(remove("\"3\"").await.unwrap().status(), 204);
    assert_eq!(remove("\"3\"").await.unwrap().status(), 404);
}
