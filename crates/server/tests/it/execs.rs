//! Commands that are jobs: taken in, waited for, listed, stopped.

use http::Method;
use serde_json::{Value, json};
use smartbox_api::execs::{ExecState, ExecView};
use smartbox_api::page::Page;
use smartbox_core::smartbox::{Rest, State};

use crate::world::World;

const PATH: &str = "/api/v1/boxes/pa/execs";

async fn post(world: &World, body: Value) -> (u16, ExecView) {
    let answer = world.as_owner(Method::POST, PATH).json(&body).send().await.unwrap();
    let status = answer.status().as_u16();
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let view: ExecView = answer.json().await.unwrap();
    assert_eq!(location, format!("{PATH}/{}", view.id));
    (status, view)
}

async fn get(world: &World, path: &str) -> ExecView {
    let answer = world.as_owner(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn one_that_ends_in_time_is_answered_with_its_result() {
    let world = World::new().await;
    let body = json!({ "argv": ["cat"], "stdin": "typed", "env": { "KEY": "canary-1234" },
        "wait_ms": 60_000 });
    let (status, view) = post(&world, body).await;
    assert_eq!((status, view.state), (200, ExecState::Ended));
    assert_eq!(view.exit.unwrap().code, Some(0));
    assert_eq!(view.stdout.as_ref().unwrap().text, "typed");
    let shown = world.as_owner(Method::GET, &format!("{PATH}/{}", view.id)).send().await.unwrap();
    let shown = shown.text().await.unwrap();
    assert!(shown.contains("KEY") && !shown.contains("canary-1234"), "{shown}");
    let (_, view) = post(&world, json!({ "argv": ["exit", "7"], "wait_ms": u64::MAX })).await;
    assert_eq!((view.state, view.exit.unwrap().code), (ExecState::Ended, Some(7)));
}

#[tokio::test]
async fn one_that_takes_longer_is_a_job_that_can_be_waited_for_and_stopped() {
    let world = World::new().await;
    let (status, view) = post(&world, json!({ "argv": ["hang"], "wait_ms": 10 })).await;
    assert_eq!(status, 202);
    assert!(!view.state.is_final() && view.exit.is_none());
    let path = format!("{PATH}/{}", view.id);
    assert!(!get(&world, &format!("{path}?wait_ms=10")).await.state.is_final());
    let stopped = world.as_owner(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(stopped.json::<ExecView>().await.unwrap().state, ExecState::Cancelled);
    assert_eq!(get(&world, &path).await.state, ExecState::Cancelled);
    // It is a job like every other.
    let job = world.app.control.job(&view.id).await.unwrap();
    assert_eq!(job.kind, "box.exec");
}

#[tokio::test]
async fn looking_at_them_wakes_nobody() {
    let world = World::new().await;
    for n in 0..3 {
        let body = json!({ "argv": ["exit", n.to_string()], "wait_ms": 60_000 });
        assert_eq!(post(&world, body).await.0, 200);
    }
    let pa = world.pa().await;
    let actor = smartbox_control::Actor::platform();
    world.app.control.sleep(&actor, &pa.id, Rest::Frozen).await.unwrap();
    let long = std::time::Duration::from_secs(60);
    world.app.control.settle(&pa.id, &[State::Frozen], long).await.unwrap();
    let mut seen = Vec::new();
    let mut path = format!("{PATH}?limit=2");
    loop {
        let answer = world.as_owner(Method::GET, &path).send().await.unwrap();
        let page: Page<ExecView> = answer.json().await.unwrap();
        seen.extend(page.items);
        let Some(next) = page.next else { break };
        path = format!("{PATH}?limit=2&cursor={next}");
    }
    let codes: Vec<_> = seen.iter().map(|view| view.exit.unwrap().code.unwrap()).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 1, 2], "each once: {codes:?}");
    assert!(seen.iter().all(|view| view.stdout.is_none()));
    let one = get(&world, &format!("{PATH}/{}", seen[0].id)).await;
    assert!(one.stdout.is_some());
    assert_eq!(world.pa().await.state, State::Frozen);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_a_problem() {
    let world = World::new().await;
    for (body, status) in [
        (json!({}), 400),
        (json!({ "argv": ["x"], "shell": true }), 400),
        (json!({ "argv": [] }), 422),
        (json!({ "argv": ["a\u{0}"] }), 422),
        (json!({ "argv": ["x", "y".repeat(100_000)] }), 422),
        (json!({ "argv": ["x"], "stdin": "y".repeat((1 << 20) + 1) }), 413),
        (json!({ "argv": ["x"], "stdin": "y".repeat(3 << 20) }), 413),
    ] {
        let answer = world.as_owner(Method::POST, PATH).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{:.60}", body.to_string());
    }
    for (method, path) in [
        (Method::GET, "/api/v1/boxes/pa/execs/nothing"),
        (Method::GET, "/api/v1/boxes/pa/execs/job_00000000000000000001"),
        (Method::DELETE, "/api/v1/boxes/pa/execs/job_00000000000000000001"),
        (Method::GET, "/api/v1/boxes/nobody/execs"),
    ] {
        assert_eq!(world.as_owner(method, path).send().await.unwrap().status(), 404, "{path}");
    }
    let stop = world.as_owner(Method::POST, "/api/v1/boxes/pa/stop").send().await.unwrap();
    assert!(stop.status().is_success());
    let off = world.as_owner(Method::POST, PATH).json(&json!({ "argv": ["x"] })).send();
    assert_eq!(off.await.unwrap().status(), 503);
}
