//! What is counted: who may see it, that it moves with what happens, and that looking wakes nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use smartbox_core::smartbox::State;
use smartbox_runtime::sim::Call;

use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

/// Every sample by its name with labels, after the text was checked line by line.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let (body, end) = text.split_at(text.len() - "# EOF\n".len());
    assert_eq!(end, "# EOF\n");
    let mut samples = BTreeMap::new();
    let mut family = String::new();
    let mut families = BTreeSet::new();
    for line in body.lines() {
        if let Some(about) = line.strip_prefix("# ") {
            let mut words = about.splitn(3, ' ');
            let (word, name) = (words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE", "UNIT"].contains(&word), "{line}");
            assert!(words.next().is_some_and(|rest| !rest.is_empty()), "{line}");
            if name != family {
                assert!(families.insert(name.to_owned()), "{name} comes twice");
                name.clone_into(&mut family);
            }
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let bare = name.split('{').next().unwrap();
        let suffix = bare.strip_prefix(&family).unwrap_or_else(|| panic!("{line} after {family}"));
        assert!(["", "_total", "_bucket", "_sum", "_count", "_info"].contains(&suffix), "{line}");
        assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} twice");
    }
    samples
}

async fn scrape(world: &World) -> BTreeMap<String, f64> {
    let answer = world.ask(Method::GET, "/metrics").bearer_auth(MASTER).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    parse(&answer.text().await.unwrap())
}

/// Has the box `pa` do something, and waits until it has.
async fn act(world: &World, verb: &str, how: Value) {
    let request = world.as_owner(Method::POST, &format!("/api/v1/boxes/pa/{verb}"));
    let answer = request.json(&how).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{verb}: {}", answer.text().await.unwrap());
}

#[tokio::test]
async fn an_operator_sees_what_is_counted_and_nobody_else_does() {
    let world = World::new().await;
    let nobody = world.ask(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    let owner = world.as_owner(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(owner.status(), 403, "an owner is no operator");
    assert!(!owner.text().await.unwrap().contains("smartbox_boxes"));
    let session = world.ask(Method::GET, "/metrics").header("cookie", world.sign_in().await);
    assert_eq!(session.send().await.unwrap().status(), 403);
    let tenant = Tenant::new(&world, "ann").await;
    let stranger = world.ask(Method::GET, "/metrics").bearer_auth(&tenant.token);
    assert_eq!(stranger.send().await.unwrap().status(), 403);
    // A box's host has no metrics of the platform.
    let page =
        world.to_box(Method::GET, "pa", "/metrics").bearer_auth(MASTER).send().await.unwrap();
    assert_ne!(page.status(), 200);
    assert!(scrape(&world).await.contains_key(r#"smartbox_boxes{state="stopped"}"#));
}

#[tokio::test]
async fn counters_move_with_what_happens() {
    let world = World::new().await;
    act(&world, "wake", json!({ "wait_ms": 60_000 })).await;
    act(&world, "sleep", json!({ "wait_ms": 60_000 })).await;
    let before = scrape(&world).await;
    act(&world, "wake", json!({ "wait_ms": 60_000 })).await;
    act(&world, "sleep", json!({ "wait_ms": 60_000, "deep": true })).await;
    act(&world, "wake", json!({ "wait_ms": 60_000 })).await;
    let turn = world.as_owner(Method::POST, "/api/v1/boxes/pa/messages");
    let turn = turn.json(&json!({ "text": "hello" })).send().await.unwrap();
    let message: Value = turn.json().await.unwrap();
    let events = format!("/api/v1/messages/{}/events", message["id"].as_str().unwrap());
    // The stream ends with the answer.
    world.as_owner(Method::GET, &events).send().await.unwrap().text().await.unwrap();
    world.ask(Method::GET, "/no/such/path-of-a-caller").send().await.unwrap();
    world.to_box(Method::GET, "pa", "/").send().await.unwrap();

    let after = scrape(&world).await;
    let grew = |name: &str| {
        after.get(name).unwrap_or_else(|| panic!("{name} in {after:#?}"))
            - before.get(name).copied().unwrap_or(0.0)
    };
    for from in ["frozen", "stopped"] {
        let wakes = format!(r#"smartbox_wake_duration_seconds_count{{from="{from}"}}"#);
        assert_eq!(grew(&wakes), 1.0, "{from}");
    }
    let post = r#"{route="/api/v1/boxes/{name}/wake",method="POST",status="200"}"#;
    assert_eq!(grew(&format!("smartbox_http_requests_total{post}")), 2.0);
    let lost = r#"smartbox_http_requests_total{route="",method="GET",status="404"}"#;
    assert_eq!(grew(lost), 1.0, "a path that leads nowhere is no label");
    assert_eq!(grew(r#"smartbox_turn_duration_seconds_count{outcome="answered"}"#), 1.0);
    assert_eq!(grew(r#"smartbox_edge_requests_total{class="4xx"}"#), 1.0);
    assert!(grew(r#"smartbox_store_write_duration_seconds_count{outcome="done"}"#) > 0.0);
    assert_eq!(grew(r#"smartbox_boxes{state="running"}"#), 1.0);
    assert_eq!(grew(r#"smartbox_boxes{state="frozen"}"#), -1.0);
    assert_eq!(grew(r#"smartbox_sandboxes{state="awake"}"#), 1.0);
    assert!(after["smartbox_edge_connections"] >= 1.0, "this one at least");
    assert!(after["process_resident_memory_bytes"] > 1e6);
    let (pa, me) = (world.pa().await.id, &world.app.account.id);
    let told = |what: &str| after.keys().any(|name| name.contains(what));
    assert!(!told(pa.as_str()) && !told(me.as_str()) && !told("path-of-a-caller"), "{after:#?}");
}

#[tokio::test]
async fn a_start_that_fails_is_counted_by_its_reason() {
    let world = World::new().await;
    act(&world, "stop", json!({ "wait_ms": 60_000 })).await;
    world.sim.faults().fail(Call::Start, 1);
    act(&world, "start", json!({})).await;
    let counted = tokio::time::timeout(Duration::from_secs(60), async {
        while scrape(&world).await[r#"smartbox_start_failures_total{reason="runtime"}"#] < 1.0 {
            tokio::task::yield_now().await;
        }
    });
    counted.await.expect("the start that failed is counted");
}

#[tokio::test]
async fn looking_wakes_nobody() {
    let world = World::new().await;
    act(&world, "stop", json!({ "wait_ms": 60_000 })).await;
    let starts = world.sim.faults().calls(Call::Start);
    for _ in 0..20 {
        scrape(&world).await;
    }
    assert_eq!(world.sim.faults().calls(Call::Start), starts);
    assert_eq!(world.pa().await.state, State::Stopped);
    // And where no sandbox answers it is answered all the same.
    world.sim.faults().fail(Call::Observe, 1_000);
    scrape(&world).await;
}

#[tokio::test]
async fn what_is_written_is_on_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page == smartbox_server::metrics::page::page(), "scripts/generate.sh writes the page");
    let world = World::new().await;
    for name in scrape(&world).await.keys() {
        let bare = name.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| bare.strip_suffix(end));
        let row = format!("| `{}` |", family.unwrap_or(bare));
        assert!(page.contains(&row), "{name} is not on the page");
    }
}
