//! A patch over many configurations over HTTP: planned, made, refused, and never shown again.

use http::Method;
use serde_json::{Value, json};
use smartbox_api::job::{JobState, JobView};
use smartbox_core::smartbox::Kind;

use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

const LONG: std::time::Duration = std::time::Duration::from_secs(60);
const PATH: &str = "/api/v1/bulk/config";
const CANARY: &str = "sk-canary-0123456789";

async fn fleet() -> World {
    let world = World::new().await;
    for name in ["one", "two"] {
        let new = json!({"name": name, "kind": "custom", "labels": {"team": name}});
        let made = world.as_owner(Method::POST, "/api/v1/boxes").json(&new).send().await.unwrap();
        assert_eq!(made.status(), 201);
        stop(&world, name).await;
    }
    stop(&world, "pa").await;
    world
}

async fn stop(world: &World, name: &str) {
    let stop = world.as_owner(Method::POST, &format!("/api/v1/boxes/{name}/stop"));
    assert_eq!(stop.json(&json!({"wait_ms": 60_000})).send().await.unwrap().status(), 200);
}

async fn ask(world: &World, body: &Value) -> (u16, Value) {
    let answer = world.as_owner(Method::POST, PATH).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn text(world: &World, path: &str) -> String {
    let answer = world.as_owner(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

async fn document(world: &World, name: &str) -> Value {
    let text = text(world, &format!("/api/v1/boxes/{name}/config")).await;
    serde_json::from_str::<Value>(&text).unwrap()["document"].clone()
}

#[tokio::test]
async fn a_patch_is_planned_made_and_not_shown_again() {
    let world = fleet().await;
    let patch = json!({"env": {"vars": {"API_KEY": CANARY}}});
    let dry = json!({"selector": {"kind": "custom"}, "patch": patch, "dry_run": true});
    let (status, plan) = ask(&world, &dry).await;
    assert_eq!(status, 200, "{plan}");
    let told: Vec<_> = plan["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["name"], &item["state"], item["changes"].as_array().unwrap().len()))
        .collect();
    let stopped = json!("stopped");
    assert_eq!(told, [(&json!("one"), &stopped, 1), (&json!("two"), &stopped, 1)]);
    assert!(!plan.to_string().contains(CANARY), "{plan}");
    assert_eq!(document(&world, "one").await, json!({}), "a plan changes nothing");
    let jobs: Value = serde_json::from_str(&text(&world, "/api/v1/jobs").await).unwrap();
    assert_eq!(jobs["items"], json!([]), "a plan makes no job");

    let (status, job) = ask(&world, &json!({"selector": {"kind": "custom"}, "patch": patch})).await;
    assert_eq!((status, &job["kind"]), (202, &json!("bulk.config")), "{job}");
    let id = job["id"].as_str().unwrap().to_owned();
    let over: JobView =
        world.app.control.job_over(&id.parse().unwrap(), LONG).await.unwrap().into();
    assert_eq!(over.state, JobState::Succeeded);
    assert_eq!(over.result, Some(json!({"ok": 2, "failed": 0, "skipped": 0})));
    assert_eq!(over.input.as_ref().unwrap()["keys"], json!(["env.vars.API_KEY"]));
    for name in ["one", "two"] {
        assert_eq!(document(&world, name).await, patch, "{name}");
    }
    assert_eq!(document(&world, "pa").await, json!({}), "it was not meant");
    for path in ["", "/items", "/events"] {
        let shown = text(&world, &format!("/api/v1/jobs/{id}{path}")).await;
        assert!(!shown.contains(CANARY), "{path}: {shown}");
    }
    assert!(!text(&world, "/api/v1/jobs").await.contains(CANARY));
    let items = text(&world, &format!("/api/v1/jobs/{id}/items")).await;
    assert!(items.contains("revision 1, in force at the next start"), "{items}");
}

#[tokio::test]
async fn a_box_that_the_patch_does_not_fit_is_said_before_and_left_alone() {
    let world = fleet().await;
    let bad = json!({"agents": {"defaults": {"modle": CANARY}}});
    let (status, plan) = ask(&world, &json!({"all": true, "patch": bad, "dry_run": true})).await;
    assert_eq!((status, plan["items"].as_array().unwrap().len()), (200, 3), "{plan}");
    for item in plan["items"].as_array().unwrap() {
        assert_eq!(item["errors"][0]["path"], "agents.defaults.modle", "{item}");
    }
    let (status, job) = ask(&world, &json!({"all": true, "patch": bad})).await;
    assert_eq!(status, 202, "{job}");
    let id = job["id"].as_str().unwrap();
    let over = world.app.control.job_over(&id.parse().unwrap(), LONG).await.unwrap();
    assert_eq!(over.result.unwrap(), json!({"ok": 0, "failed": 3, "skipped": 0}));
    assert!(!text(&world, &format!("/api/v1/jobs/{id}/items")).await.contains(CANARY));
    assert_eq!(document(&world, "one").await, json!({}));
}

#[tokio::test]
async fn what_is_not_meant_or_no_patch_is_refused() {
    let world = fleet().await;
    let ann = Tenant::new(&world, "ann").await;
    let theirs = ann.smartbox(&world, "secret", Kind::PROJECT).await;
    let patch = json!({"ui": {"a": 1}});
    for (body, status) in [
        (json!({"patch": patch}), 400),
        (json!({"all": true}), 400),
        (json!({"all": true, "patch": patch, "boxes": ["pa"]}), 400),
        (json!({"all": true, "patch": patch, "force": true}), 400),
        (json!({"all": true, "patch": [1]}), 422),
        (json!({"all": true, "patch": [1], "dry_run": true}), 422),
        (json!({"all": true, "patch": "x"}), 422),
        (json!({"all": true, "patch": {"a": "x".repeat(600_000)}}), 422),
        (json!({"boxes": [theirs.id], "patch": patch}), 422),
        (json!({"selector": {"account": "ann"}, "patch": patch}), 404),
        (json!({"selector": {"label": "team=nobody"}, "patch": patch}), 422),
        (json!({"all": true, "patch": patch, "concurrency": 51}), 422),
        (json!({"all": true, "patch": patch, "delay_ms": 3_600_001}), 422),
    ] {
        let (found, said) = ask(&world, &body).await;
        assert_eq!(found, status, "{said}");
    }
    let request = world.ask(Method::POST, PATH).bearer_auth(MASTER);
    let all = json!({"selector": {"account": "*"}, "patch": patch, "dry_run": true});
    let plan: Value = request.json(&all).send().await.unwrap().json().await.unwrap();
    assert_eq!(plan["items"].as_array().unwrap().len(), 4, "an operator may mean everybody's");
}
