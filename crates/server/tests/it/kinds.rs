//! Kinds and tiers over HTTP.

use http::Method;
use serde_json::{Value, json};
use smartbox_api::page::Page;

use crate::world::World;

async fn list(world: &World, path: &str) -> Page<Value> {
    world.as_owner(Method::GET, path).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn kinds_are_shown_with_what_they_bring() {
    let world = World::new().await;
    let page = list(&world, "/api/v1/kinds").await;
    let names: Vec<_> = page.items.iter().map(|kind| kind["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"customer-service"), "{names:?}");
    let research = page.items.iter().find(|kind| kind["name"] == "research").unwrap();
    assert_eq!((&research["base"], &research["own"]), (&json!("custom"), &json!(false)));
    assert!(research["files"].as_array().unwrap().contains(&json!("SOUL.md")));
    assert!(!research["egress"].as_array().unwrap().is_empty());
    let first = list(&world, "/api/v1/kinds?limit=1").await;
    assert_eq!(first.items[0]["name"], names[0]);
}

#[tokio::test]
async fn a_box_is_made_from_a_kind_that_there_is() {
    let world = World::new().await;
    let make = |body: Value| world.as_owner(Method::POST, "/api/v1/boxes").json(&body).send();
    let infra =
        make(json!({ "name": "infra", "kind": "runtime", "desired": "off" })).await.unwrap();
    assert_eq!(infra.status(), 201);
    let infra = world.as_owner(Method::GET, "/api/v1/boxes/infra").send().await.unwrap();
    let infra: Value = infra.json().await.unwrap();
    assert!(infra["notice"].as_str().unwrap().contains("cannot reach any machine"));
    for (body, want) in [
        (json!({ "name": "x", "kind": "nothing" }), 422),
        (json!({ "name": "x", "kind": "../x" }), 400),
        (json!({ "name": "x", "kind": "pa" }), 422),
        (json!({ "name": "x", "labels": { "": "" } }), 400),
    ] {
        assert_eq!(make(body.clone()).await.unwrap().status(), want, "{body}");
    }
}

#[tokio::test]
async fn a_box_that_is_to_clone_a_repository_may_reach_its_host_and_is_told_to() {
    let world = World::new().await;
    let make = |body: Value| world.as_owner(Method::POST, "/api/v1/boxes").json(&body).send();
    let url = "https://git.example.com:8443/me/blog.git";
    for (repository, desired) in
        [("/etc", "auto"), ("https://me:token@git.example.com/me/blog", "auto"), (url, "off")]
    {
        let body = json!({ "name": "blog", "repository": repository, "desired": desired });
        assert_eq!(make(body).await.unwrap().status(), 400, "{repository}");
    }
    let none = world.as_owner(Method::GET, "/api/v1/boxes/blog").send().await.unwrap();
    assert_eq!(none.status(), 404, "what is refused makes nothing");
    let body = json!({ "name": "blog", "kind": "project", "repository": url, "desired": "auto" });
    assert_eq!(make(body).await.unwrap().status(), 201);
    let rules = list(&world, "/api/v1/egress/rules?box=blog").await;
    let rule = rules.items.iter().find(|rule| rule["host"] == "git.example.com").unwrap();
    assert_eq!((&rule["ports"], &rule["source"]), (&json!([8443]), &json!("smartbox")));
    let commands = list(&world, "/api/v1/boxes/blog/execs").await;
    let argv = commands.items[0]["argv"].as_array().unwrap();
    assert!(argv.contains(&json!(url)) && argv.contains(&json!("blog")), "{argv:?}");
}

#[tokio::test]
async fn tiers_are_shown_and_one_is_the_default() {
    let world = World::new().await;
    let page = list(&world, "/api/v1/tiers").await;
    assert_eq!(page.items[0]["name"], "small");
    assert_eq!(page.items[0]["default"], true);
}
