//! Readiness, the fleet, issues, and the box that failed too often, as callers see them.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::Value;
use smartbox_control::Cause;
use smartbox_core::issue::Kind as About;
use smartbox_core::smartbox::{Base, Kind, State};
use smartbox_core::store;
use smartbox_runtime::sim::Call;

use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

async fn get(world: &World, token: &str, path: &str) -> Value {
    let answer = world.ask(Method::GET, path).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

/// A box that was started until the breaker opened.
async fn trip(world: &World) {
    world.sim.faults().fail(Call::Start, 1_000);
    let tripped = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let wake = world.as_owner(Method::POST, "/api/v1/boxes/pa/wake");
            let answer = wake.json(&serde_json::json!({ "wait_ms": 60_000 })).send().await.unwrap();
            let problem: Value = answer.json().await.unwrap();
            if problem["code"] == "tripped" {
                return;
            }
        }
    });
    tripped.await.expect("five starts fail");
    world.sim.faults().fail(Call::Start, 0);
}

#[tokio::test]
async fn readiness_says_what_is_missing_and_life_goes_on() {
    let world = World::new().await;
    assert_eq!(world.ask(Method::GET, "/ready").send().await.unwrap().status(), 200);
    world.sim.faults().fail(Call::Observe, 1_000);
    // An answer holds for a second: the next one is waited for, not the clock.
    let refused = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let answer = world.ask(Method::GET, "/ready").send().await.unwrap();
            if answer.status() != 200 {
                return answer;
            }
        }
    });
    let refused = refused.await.unwrap();
    assert_eq!(refused.status(), 503);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "not-ready");
    assert_eq!(problem["detail"], "the runtime does not answer");
    assert_eq!(world.ask(Method::GET, "/health").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_box_that_failed_too_often_says_so_and_is_reset_by_hand() {
    let world = World::new().await;
    trip(&world).await;
    for verb in ["wake", "restart", "start"] {
        let path = format!("/api/v1/boxes/pa/{verb}");
        let refused = world.as_owner(Method::POST, &path).send().await.unwrap();
        assert_eq!(refused.status(), 409, "{verb}");
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["code"], "tripped");
        assert!(problem["hint"].as_str().unwrap().contains("smartbox reset pa"), "{problem}");
    }
    let starts = world.sim.faults().calls(Call::Start);
    let state = get(&world, &world.token, "/api/v1/boxes/pa").await;
    assert_eq!(state["state"], "failed");
    assert_eq!(state["vitals"]["breaker"]["strikes"].as_array().unwrap().len(), 5);
    assert!(state["vitals"]["breaker"]["open"]["message"].is_string(), "{state}");
    assert_eq!(state["issues"][0]["kind"], "breaker-open");
    assert!(state["limits"]["pids"].is_number() && state["home"]["used"].is_number());
    assert_eq!(world.sim.faults().calls(Call::Start), starts, "asking starts nothing");
    let fleet = get(&world, &world.token, "/api/v1/dashboard").await;
    assert_eq!((&fleet["attention"], &fleet["issues"]["critical"]), (&1.into(), &1.into()));
    assert_eq!(fleet["boxes"]["items"][0]["tripped"], true);
    let reset = world.as_owner(Method::POST, "/api/v1/boxes/pa/reset").send().await.unwrap();
    assert_eq!(reset.status(), 200);
    let wake = world.as_owner(Method::POST, "/api/v1/boxes/pa/wake");
    let woken = wake.json(&serde_json::json!({ "wait_ms": 60_000 })).send().await.unwrap();
    let view: Value = woken.json().await.unwrap();
    assert_eq!(view["state"], "running", "{view}");
    let issues = get(&world, &world.token, "/api/v1/issues").await;
    assert_eq!(issues["items"], serde_json::json!([]), "resolved with its cause");
}

#[tokio::test]
async fn an_account_sees_its_own_and_an_operator_everything() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let hers = ann.smartbox(&world, "hers", Kind::CUSTOM).await;
    let cause = |account, smartbox, kind| Cause {
        kind,
        account,
        smartbox,
        about: String::new(),
        message: "m".into(),
        hint: "h".into(),
    };
    let control = &world.app.control;
    let account = Some(ann.account.id.clone());
    control.raise(cause(account, Some(hers.id.clone()), About::HomeFull)).await;
    control.raise(cause(None, None, About::ProviderKey)).await;
    for (token, boxes, issues) in [
        (MASTER, vec!["hers", "pa"], 2),
        (&ann.token, vec!["hers"], 1),
        (&world.token, vec!["pa"], 0),
    ] {
        let fleet = get(&world, token, "/api/v1/dashboard").await;
        assert_eq!(names(&fleet["boxes"]["items"]), boxes, "those that need somebody first");
        assert_eq!(fleet["counts"]["boxes"], boxes.len());
        let list = get(&world, token, "/api/v1/issues").await;
        assert_eq!(list["items"].as_array().unwrap().len(), issues);
    }
    let list = get(&world, &ann.token, "/api/v1/issues?box=hers&severity=high").await;
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/issues/{id}/resolve");
    let foreign = world.as_owner(Method::POST, &path).send().await.unwrap();
    assert_eq!(foreign.status(), 404, "another account's issue is not there");
    let own = world.ask(Method::POST, &path).bearer_auth(&ann.token).send().await.unwrap();
    let issue: Value = own.json().await.unwrap();
    assert!(issue["resolved"].is_number(), "{issue}");
    let open = get(&world, &ann.token, "/api/v1/issues").await;
    assert_eq!(open["items"], serde_json::json!([]));
    let past = get(&world, &ann.token, "/api/v1/issues?state=resolved").await;
    assert_eq!(past["items"][0]["id"], *id);
    for query in ["?state=x", "?severity=grave", "?cursor=x", "?limit=0"] {
        let path = format!("/api/v1/issues{query}");
        let answer = world.as_owner(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{query}");
    }
}

/// Tells how long each page took with `--nocapture`.
#[tokio::test]
async fn a_dashboard_of_a_thousand_boxes_is_walked_and_asks_no_sandbox() {
    let world = World::new().await;
    let account = &world.app.account.id;
    let mut row = world.pa().await;
    store::write(&*world.app.store, {
        let entropy = world.app.entropy.clone();
        move |tx| {
            Box::pin(async move {
                for n in 1..1_000_u32 {
                    row.id = smartbox_core::id::SmartboxId::generate(&*entropy);
                    (row.kind, row.base) = (Kind::CUSTOM, Base::Custom);
                    (row.name, row.label, row.slot) = (format!("b{n:03}"), format!("b{n:03}"), n);
                    row.state = if n == 500 { State::Failed } else { State::Stopped };
                    tx.boxes().add(row.clone()).await?;
                }
                Ok(())
            })
        }
    })
    .await
    .unwrap();
    assert_eq!(world.app.control.list(account).await.unwrap().len(), 1_000);
    let looks = world.sim.faults().calls(Call::Observe);
    let (mut seen, mut cursor, mut took) = (Vec::new(), String::new(), Vec::new());
    loop {
        let began = Instant::now();
        let path = format!("/api/v1/dashboard?limit=200{cursor}");
        let fleet = get(&world, &world.token, &path).await;
        took.push(began.elapsed());
        seen.extend(names(&fleet["boxes"]["items"]).into_iter().map(str::to_owned));
        match fleet["boxes"]["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen.len(), took.len()), (1_000, 5));
    assert_eq!(seen[0], "b500", "the failed one first");
    // Its own keeper looks at the one box that has one.
    assert!(world.sim.faults().calls(Call::Observe) < looks + 50, "no sandbox was asked");
    println!("five pages of two hundred: {took:?}");
}
