//! Both logs of a box as lines.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use smartbox_api::problem::{Code, Problem};
use smartbox_control::Actor;
use smartbox_core::smartbox::{Rest, State};

use crate::world::World;

/// A box that ran, said something, and sleeps deeply.
async fn asleep() -> World {
    let world = World::new().await;
    let pa = world.pa().await;
    let settled = async |state| {
        world.app.control.settle(&pa.id, &[state], Duration::from_secs(60)).await.unwrap()
    };
    settled(State::Running).await;
    world.sim.log(&pa.id, "2020-01-01T00:00:00.000+00:00 [gateway] old");
    world.sim.log(&pa.id, "- and its second line");
    world.sim.log(&pa.id, "2099-01-01T00:00:00.000+00:00 [gateway] new");
    world.app.control.sleep(&Actor::platform(), &pa.id, Rest::Stopped).await.unwrap();
    settled(State::Stopped).await;
    world
}

async fn lines(world: &World, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/boxes/pa/logs{query}");
    let answer = world.as_owner(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{query}");
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let text = answer.text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["text"].as_str().unwrap()).collect()
}

const ENGINE: [&str; 3] = ["[gateway] old", "- and its second line", "[gateway] new"];

#[tokio::test]
async fn lines_have_a_time_and_a_source_and_looking_wakes_nobody() {
    let world = asleep().await;
    let all = lines(&world, "").await;
    let of = |source: &str| -> Vec<Value> {
        all.iter().filter(|line| line["source"] == source).cloned().collect()
    };
    assert_eq!(texts(&of("engine")), ENGINE);
    assert_eq!(of("engine")[1]["time"], json!(1_577_836_800_000_i64), "as the line before");
    assert_eq!(of("engine")[1].get("level"), None);
    let platform = of("platform");
    for told in ["start: number 1", "state: starting → running", "rest: stopped"] {
        assert!(texts(&platform).contains(&told), "{told} in {platform:?}");
    }
    assert!(platform.iter().all(|line| line["level"] == "info" && line["time"].is_i64()));
    assert_eq!(texts(&all)[..2], ENGINE[..2], "by time");
    assert_eq!(texts(&all).last(), Some(&ENGINE[2]));
    assert_eq!(lines(&world, "?source=engine").await.len(), 3);
    assert_eq!(texts(&lines(&world, "?source=platform").await), texts(&platform));
    assert_eq!(texts(&lines(&world, "?tail=1").await), ["[gateway] new"]);
    assert_eq!(lines(&world, "?tail=0").await, Vec::<Value>::new());
    let pa = world.pa().await;
    assert_eq!((pa.state, pa.rest), (State::Stopped, Some(Rest::Stopped)));
}

#[tokio::test]
async fn since_leaves_out_what_is_older() {
    let world = asleep().await;
    let engine = async |since: &str| {
        texts(&lines(&world, &format!("?source=engine&since={since}")).await).join(", ")
    };
    assert_eq!(engine("10m").await, "[gateway] new");
    assert_eq!(engine("2000-01-01T00:00:00Z").await, ENGINE.join(", "));
    assert_eq!(engine("2020-01-01T01:00:00%2B01:00").await, ENGINE.join(", "));
    assert_eq!(engine("2100-01-01T00:00:00Z").await, "");
    let all = lines(&world, "?since=1h").await;
    assert!(texts(&all).contains(&"start: number 1"), "{all:?}");
    for (query, hint) in [
        ("?since=yesterday", "10m"),
        ("?since=2027-02-30T00:00:00Z", "10m"),
        ("?since=", "10m"),
        ("?after=here", "cursor"),
        ("?after=1.1&tail=3", ""),
        ("?source=both", ""),
        ("?tail=-1", ""),
        ("?what=ever", ""),
    ] {
        let path = format!("/api/v1/boxes/pa/logs{query}");
        let answer = world.as_owner(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{query}");
        let problem: Problem = answer.json().await.unwrap();
        assert_eq!(problem.code, Code::BadRequest.as_str(), "{query}");
        assert!(problem.hint.contains(hint), "{query}");
    }
}

#[tokio::test]
async fn since_loses_no_line_that_has_no_time() {
    let world = World::new().await;
    let pa = world.pa().await;
    let settled = world.app.control.settle(&pa.id, &[State::Running], Duration::from_secs(60));
    settled.await.unwrap();
    let engine = async |since: &str| {
        texts(&lines(&world, &format!("?source=engine&since={since}")).await).join(", ")
    };
    world.sim.log(&pa.id, "Error: it did not start");
    assert_eq!(engine("10m").await, "Error: it did not start", "nobody says when that was");
    world.sim.log(&pa.id, "2020-01-01T00:00:00.000+00:00 old");
    world.sim.log(&pa.id, "- and its second line");
    assert_eq!(engine("10m").await, "", "it was written before what is old");
    let all = "Error: it did not start, old, - and its second line";
    assert_eq!(engine("2020-01-01T00:00:00Z").await, all);
}

#[tokio::test]
async fn after_a_line_nothing_is_missed_and_nothing_comes_twice() {
    let world = asleep().await;
    let all = lines(&world, "").await;
    for (at, line) in all.iter().enumerate() {
        let query = format!("?after={}", line["cursor"].as_str().unwrap());
        assert_eq!(lines(&world, &query).await, all[at + 1..], "{query}");
    }
    for source in ["engine", "platform"] {
        let last = lines(&world, &format!("?source={source}")).await.pop().unwrap();
        let query = format!("?after={}", last["cursor"].as_str().unwrap());
        assert_eq!(lines(&world, &query).await, Vec::<Value>::new(), "{source}, and then both");
    }
}

#[tokio::test]
async fn a_followed_log_tells_of_a_wake_and_ends_with_the_box() {
    let world = asleep().await;
    let pa = world.pa().await;
    let path = "/api/v1/boxes/pa/logs?follow=true&tail=0";
    let mut following = world.as_owner(Method::GET, path).send().await.unwrap();
    let wake = json!({ "wait_ms": 60_000 });
    let waking = world.as_owner(Method::POST, "/api/v1/boxes/pa/wake").json(&wake);
    assert_eq!(waking.send().await.unwrap().status(), 200);
    world.sim.log(&pa.id, "said after the wake");
    let mut text = String::new();
    while !(text.contains("said after the wake") && text.contains("→ running")) {
        let part = tokio::time::timeout(Duration::from_secs(60), following.chunk());
        text += std::str::from_utf8(&part.await.unwrap().unwrap().unwrap()).unwrap();
    }
    assert!(!text.contains("[gateway]"), "what was there was not asked for: {text}");
    let gone = world.as_owner(Method::DELETE, "/api/v1/boxes/pa").send().await.unwrap();
    assert!(gone.status().is_success(), "{gone:?}");
    let rest = tokio::time::timeout(Duration::from_secs(60), following.text()).await.unwrap();
    rest.expect("it ends as a reply does, and does not break off");
}
