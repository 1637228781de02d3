//! The configuration of a box's engine over HTTP.

use http::Method;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use smartbox_core::home::port::Homes;
use smartbox_core::home::{HomeOf, WriteOrder};

use crate::world::World;

const CONFIG: &str = "/api/v1/boxes/pa/config";
const FILE: &str = "config";

/// A world whose box is turned off and at rest.
async fn asleep() -> World {
    let world = World::new().await;
    let stop = world.as_owner(Method::POST, "/api/v1/boxes/pa/stop");
    let answer = stop.json(&json!({"wait_ms": 60_000})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    world
}

async fn file(world: &World) -> Option<Vec<u8>> {
    world.sim.file(&world.pa().await.id, FILE)
}

async fn get(world: &World, path: &str) -> Value {
    let answer = world.as_owner(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

async fn patch(world: &World, patch: Value) -> Response {
    let request = world.as_owner(Method::PATCH, CONFIG);
    let request = request.header("content-type", "application/merge-patch+json");
    request.body(patch.to_string()).send().await.unwrap()
}

async fn problem(answer: Response, status: u16, code: &str) -> Value {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    problem
}

#[tokio::test]
async fn a_model_is_chosen_by_its_plain_name() {
    let world = asleep().await;
    let before = get(&world, CONFIG).await;
    assert_eq!(before["document"], json!({}));
    assert_eq!(before["effective"]["agents"]["defaults"]["model"]["primary"], "platform/default");
    let answer = patch(&world, json!({"model": "claude-x"})).await;
    assert_eq!(answer.status(), 200);
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let changed: Value = answer.json().await.unwrap();
    assert_eq!(
        (changed["revision"].clone(), changed["applied"].clone()),
        (json!(1), json!("at-next-start"))
    );
    assert_eq!(changed["changes"][0]["path"], "agents");
    let now = get(&world, CONFIG).await;
    assert_eq!(format!("\"{}\"", now["digest"].as_str().unwrap()), tag);
    let chosen = json!({"agents": {"defaults": {"model": {"primary": "platform/claude-x"}}}});
    assert_eq!(now["document"], chosen);
    let list = now["effective"]["models"]["providers"]["platform"]["models"].as_array().unwrap();
    assert!(list.iter().any(|model| model["id"] == "claude-x"), "it joins the list");
}

#[tokio::test]
async fn what_the_schema_does_not_allow_is_told_by_key_and_without_values() {
    let world = asleep().await;
    let before = file(&world).await;
    let bad = json!({
        "agents": {"defaults": {"modle": "canary"}},
        "channels": {"telegram": {"botToken": {"canary": 1}}},
    });
    let told = problem(patch(&world, bad.clone()).await, 422, "invalid-config").await;
    let errors = told["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2, "{told}");
    assert_eq!(errors[0]["path"], "agents.defaults.modle");
    assert_eq!(errors[0]["hint"], "did you mean `model`?");
    assert!(!told.to_string().contains("canary"), "{told}");
    assert_eq!(file(&world).await, before, "nothing was written");
    let dry = world.as_owner(Method::PATCH, &format!("{CONFIG}?dry_run=true"));
    let dry = dry.json(&bad).send().await.unwrap();
    assert_eq!(dry.status(), 200);
    let dry: Value = dry.json().await.unwrap();
    assert_eq!(dry["errors"].as_array().unwrap().len(), 2);
    assert!(dry["changes"].as_array().is_some_and(|changes| !changes.is_empty()));
}

#[tokio::test]
async fn an_owner_never_overwrites_what_they_have_not_seen() {
    let world = asleep().await;
    let tag = format!("\"{}\"", get(&world, CONFIG).await["digest"].as_str().unwrap());
    let put = |tag: &str, document: Value| {
        let request = world.as_owner(Method::PUT, CONFIG).header("if-match", tag);
        request.json(&document).send()
    };
    let first = put(&tag, json!({"logging": {"level": "debug"}})).await.unwrap();
    assert_eq!(first.status(), 200);
    let next = first.headers()["etag"].to_str().unwrap().to_owned();
    for stale in [tag.as_str(), "\"nonsense\"", "W/\"x\"", "x"] {
        let answer = put(stale, json!({})).await.unwrap();
        problem(answer, 412, "precondition-failed").await;
    }
    assert_eq!(put(&next, json!({})).await.unwrap().status(), 200);
    assert_eq!(put("*", json!({"ui": {}})).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_history_with_what_differs_and_the_way_back() {
    let world = asleep().await;
    for level in ["debug", "info", "warn"] {
        assert_eq!(patch(&world, json!({"logging": {"level": level}})).await.status(), 200);
    }
    let page = get(&world, &format!("{CONFIG}/history?limit=2")).await;
    let numbers = |page: &Value| -> Vec<u64> {
        page["items"].as_array().unwrap().iter().map(|r| r["revision"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers(&page), [3, 2]);
    let next = page["next"].as_str().unwrap();
    let page = get(&world, &format!("{CONFIG}/history?limit=2&cursor={next}")).await;
    assert_eq!((numbers(&page), page["next"].clone()), (vec![1], Value::Null));
    let three = get(&world, &format!("{CONFIG}/history/3")).await;
    let change = json!([{"path": "logging.level", "before": "info", "after": "warn"}]);
    assert_eq!((three["against"].clone(), three["changes"].clone()), (json!(2), change));
    let same = get(&world, &format!("{CONFIG}/history/3?against=3")).await;
    assert_eq!(same["changes"], json!([]));
    let back = world.as_owner(Method::POST, &format!("{CONFIG}/rollback"));
    let back: Value =
        back.json(&json!({"revision": 1})).send().await.unwrap().json().await.unwrap();
    assert_eq!(back["revision"], 4);
    assert_eq!(get(&world, CONFIG).await["document"], json!({"logging": {"level": "debug"}}));
    for gone in ["0", "99", "x", "-1", "99999999999999999999999"] {
        let answer = world.as_owner(Method::GET, &format!("{CONFIG}/history/{gone}"));
        problem(answer.send().await.unwrap(), 404, "not-found").await;
    }
}

#[tokio::test]
async fn hostile_bodies_are_refused_and_bounded() {
    let world = asleep().await;
    let before = file(&world).await;
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let nested = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let long = json!({"env": {"vars": {"A": "x".repeat(700_000)}}}).to_string();
    let huge = json!({"a": "x".repeat(3_000_000)}).to_string();
    for (body, status) in [
        ("{".to_owned(), 400),
        (String::new(), 400),
        (deep, 400),
        (nested, 422),
        (long, 422),
        (huge, 413),
        ("[]".to_owned(), 422),
        ("null".to_owned(), 422),
    ] {
        for method in [Method::PUT, Method::PATCH] {
            let request = world.as_owner(method, CONFIG).header("content-type", "application/json");
            let answer = request.body(body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), status, "{}", &body[..body.len().min(20)]);
        }
    }
    let text = world.as_owner(Method::PATCH, CONFIG).header("content-type", "text/plain");
    problem(text.body("{}").send().await.unwrap(), 415, "unsupported-media-type").await;
    let merge = world.as_owner(Method::PUT, CONFIG);
    let merge = merge.header("content-type", "application/merge-patch+json").body("{}");
    problem(merge.send().await.unwrap(), 415, "unsupported-media-type").await;
    assert_eq!(file(&world).await, before, "nothing was written");
}

#[tokio::test]
async fn a_file_that_is_none_is_told_and_can_be_replaced() {
    let world = asleep().await;
    let of = HomeOf { smartbox: world.pa().await.id, slot: 0, disk_bytes: 0 };
    let order = WriteOrder { parents: true, ..WriteOrder::default() };
    let mut draft = world.sim.write(of, FILE.into(), order).await.unwrap();
    draft.add("{ not json".into()).await.unwrap();
    draft.place().await.unwrap();
    let seen = get(&world, CONFIG).await;
    assert!(seen["unreadable"].is_string(), "{seen}");
    problem(patch(&world, json!({"ui": {}})).await, 422, "refused").await;
    let request = world.as_owner(Method::POST, &format!("{CONFIG}/reload"));
    problem(request.send().await.unwrap(), 422, "refused").await;
    let put = world.as_owner(Method::PUT, CONFIG).json(&json!({"ui": {}})).send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(get(&world, CONFIG).await["unreadable"], Value::Null);
}

#[tokio::test]
async fn a_reload_of_a_box_that_sleeps_wakes_nobody() {
    let world = asleep().await;
    let answer = world.as_owner(Method::POST, &format!("{CONFIG}/reload")).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"applied": "at-next-start"}));
}

#[tokio::test]
async fn the_engines_own_schema_is_given() {
    let world = asleep().await;
    let answer = world.as_owner(Method::GET, &format!("{CONFIG}/schema")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/schema+json");
    assert!(answer.json::<Value>().await.unwrap()["properties"]["agents"].is_object());
}

#[tokio::test]
async fn nobody_reads_or_writes_another_accounts() {
    let world = World::new().await;
    for (method, path) in [
        (Method::GET, ""),
        (Method::PUT, ""),
        (Method::PATCH, ""),
        (Method::GET, "/history"),
        (Method::GET, "/history/1"),
        (Method::POST, "/rollback"),
        (Method::POST, "/reload"),
        (Method::GET, "/schema"),
    ] {
        let json = || json!({"revision": 1});
        let nobody = world.ask(method.clone(), &format!("{CONFIG}{path}")).json(&json());
        assert_eq!(nobody.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{path}");
        let other = world.as_owner(method, &format!("/api/v1/boxes/theirs/config{path}"));
        let other = other.json(&json()).send().await.unwrap();
        problem(other, 404, "not-found").await;
    }
}

#[tokio::test]
async fn conversations_and_their_history_come_in_pages() {
    let world = World::new().await;
    let page = get(&world, "/api/v1/boxes/pa/sessions?limit=1").await;
    assert_eq!(page["items"][0]["key"], "agent:main:main");
    let next = page["next"].as_str().unwrap();
    let page = get(&world, &format!("/api/v1/boxes/pa/sessions?limit=1&cursor={next}")).await;
    assert_eq!(
        (page["items"][0]["key"].clone(), page["next"].clone()),
        (json!("agent:main:side"), Value::Null)
    );
    let mut all = Vec::new();
    let mut path = "/api/v1/boxes/pa/history?session=side&limit=10".to_owned();
    loop {
        let page = get(&world, &path).await;
        let texts = page["items"].as_array().unwrap().iter().map(|e| e["text"].clone());
        all.splice(0..0, texts);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/boxes/pa/history?session=side&limit=10&cursor={next}");
    }
    assert_eq!(all.len(), 25);
    assert_eq!((all[0].clone(), all[24].clone()), (json!("side 0"), json!("side 24")));
    let other = page["next"].as_str().unwrap_or(next).to_owned();
    for list in ["sessions", "messages"] {
        let crossed =
            world.as_owner(Method::GET, &format!("/api/v1/boxes/pa/{list}?cursor=x{other}"));
        problem(crossed.send().await.unwrap(), 400, "bad-request").await;
    }
}

#[tokio::test]
async fn messages_are_listed_newest_first() {
    let world = World::new().await;
    for n in 0..3 {
        let request = world.as_owner(Method::POST, "/api/v1/boxes/pa/messages");
        let answer = request.json(&json!({ "text": n.to_string() })).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }
    let page = get(&world, "/api/v1/boxes/pa/messages?limit=2").await;
    assert_eq!(
        (page["items"][0]["text"].clone(), page["items"][1]["text"].clone()),
        (json!("2"), json!("1"))
    );
    let next = page["next"].as_str().unwrap();
    let page = get(&world, &format!("/api/v1/boxes/pa/messages?limit=2&cursor={next}")).await;
    assert_eq!((page["items"].as_array().unwrap().len(), page["next"].clone()), (1, Value::Null));
}
