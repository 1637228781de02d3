//! Lists come in pages.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;
use smartbox_api::page::Page;

use crate::world::World;

async fn page(world: &World, query: &str) -> Page<Value> {
    let path = format!("/api/v1/boxes{query}");
    world.as_owner(Method::GET, &path).send().await.unwrap().json().await.unwrap()
}

fn names(page: &Page<Value>) -> Vec<&str> {
    page.items.iter().map(|view| view["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_is_walked_page_by_page_while_it_changes() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        let new = serde_json::json!({ "name": name });
        let made = world.as_owner(Method::POST, "/api/v1/boxes").json(&new).send().await.unwrap();
        assert_eq!(made.status(), 201);
    }
    let first = page(&world, "?limit=2").await;
    assert_eq!(names(&first), ["a", "b"]);
    // What the cursor speaks of may go.
    let gone = world.as_owner(Method::DELETE, "/api/v1/boxes/b").send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let second = page(&world, &format!("?limit=2&cursor={}", first.next.unwrap())).await;
    assert_eq!(names(&second), ["c", "pa"]);
    assert_eq!(second.next, None);
    assert_eq!(names(&page(&world, "").await), ["a", "c", "pa"]);
}

#[tokio::test]
async fn names_of_secrets_come_in_pages_too() {
    let world = World::new().await;
    for name in ["B", "A"] {
        let put = world.as_owner(Method::PUT, &format!("/api/v1/secrets/{name}"));
        let put = put.json(&serde_json::json!({ "value": "v" })).send().await.unwrap();
        assert_eq!(put.status(), 204);
    }
    let page = |query: String| {
        let ask = world.as_owner(Method::GET, &format!("/api/v1/secrets?limit=1{query}"));
        async move { ask.send().await.unwrap().json::<Page<Value>>().await.unwrap() }
    };
    let first = page(String::new()).await;
    let second = page(format!("&cursor={}", first.next.as_deref().unwrap())).await;
    assert_eq!((names(&first), names(&second)), (vec!["A"], vec!["B"]));
    assert_eq!(second.next, None);
    // Another list's cursor is none of this one's.
    let boxes = format!("/api/v1/boxes?cursor={}", first.next.unwrap());
    let answer = world.as_owner(Method::GET, &boxes).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn a_page_that_cannot_be_is_400() {
    let world = World::new().await;
    let mut said = BTreeSet::new();
    for query in ["?limit=0", "?limit=201", "?limit=-1", "?limit=x", "?cursor=x", "?offset=2"] {
        let answer = world.as_owner(Method::GET, &format!("/api/v1/boxes{query}")).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 400, "{query}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "bad-request", "{query}");
        said.insert(problem["detail"].as_str().unwrap().to_owned());
    }
    assert!(said.len() >= 4, "{said:?}");
}
