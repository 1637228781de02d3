//! `Idempotency-Key`: what is asked twice is done once.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use smartbox_core::reply::{Asked, MAX_REPLY};
use smartbox_core::store;
use smartbox_runtime::sim::Call;
use smartbox_server::app::{App, Inner};
use smartbox_server::http::{Peer, router};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::world::World;

const BOXES: &str = "/api/v1/boxes";
const LONG: Duration = Duration::from_secs(60);

fn post(world: &World, path: &str, key: &str, body: &Value) -> RequestBuilder {
    world.as_owner(Method::POST, path).header("idempotency-key", key).json(body)
}

async fn code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

async fn names(world: &World) -> Vec<String> {
    let rows = world.app.control.list(&world.app.account.id).await.unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

/// Another run of the platform over the same records.
fn again(world: &World) -> Router {
    let app = &world.app;
    router(&App::new(Inner {
        buckets: app.buckets.clone(),
        denials: Default::default(),
        control: app.control.clone(),
        store: app.store.clone(),
        rotation: app.rotation.clone(),
        access: app.access.clone(),
        meter: world.app.meter.clone(),
        clock: app.clock.clone(),
        entropy: app.entropy.clone(),
        sign_in: app.sign_in.clone(),
        site: app.site.clone(),
        account: app.account.clone(),
        about: app.about.clone(),
        devices: app.devices,
        dev: false,
        ready: Default::default(),
        metrics: app.metrics.clone(),
        edge: app.edge.clone(),
        draining: app.draining.clone(),
    }))
}

async fn ask_again(router: &Router, key: &str, body: &Value) -> http::Response<Body> {
    let request = Request::post(BOXES)
        .header("idempotency-key", key)
        .header("content-type", "application/json")
        .extension(Peer::Local { uid: 1 })
        .body(Body::from(body.to_string()));
    router.clone().oneshot(request.unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_same_key_gives_the_same_reply_and_does_nothing_again() {
    let world = World::new().await;
    let token = || post(&world, "/api/v1/tokens", "k", &json!({})).send();
    let first = token().await.unwrap();
    assert_eq!(first.status(), 201);
    assert!(!first.headers().contains_key("smartbox-replayed"));
    let id = first.headers()["smartbox-request-id"].clone();
    let first: Value = first.json().await.unwrap();
    let second = token().await.unwrap();
    assert_eq!(
        (second.status().as_u16(), second.headers()["smartbox-replayed"].as_bytes()),
        (201, &b"true"[..])
    );
    assert_eq!(second.headers()["content-type"], "application/json");
    assert_ne!(second.headers()["smartbox-request-id"], id);
    assert_eq!(second.json::<Value>().await.unwrap(), first);

    let box_of = |name: &str| post(&world, BOXES, "k", &json!({ "name": name })).send();
    let made = box_of("two").await.unwrap();
    assert_eq!(
        (made.status().as_u16(), made.headers()["location"].to_str().unwrap()),
        (201, "/api/v1/boxes/two")
    );
    let made = box_of("two").await.unwrap();
    assert_eq!(
        (made.status().as_u16(), made.headers()["location"].to_str().unwrap()),
        (201, "/api/v1/boxes/two")
    );
    assert_eq!(code(box_of("three").await.unwrap()).await, (422, "idempotency-mismatch".into()));
    assert_eq!(names(&world).await, ["pa", "two"]);
}

#[tokio::test]
async fn a_refusal_is_kept_with_a_new_id_and_one_that_passes_is_not() {
    let world = World::new().await;
    let bad = || post(&world, BOXES, "bad", &json!({ "name": "-" })).send();
    let first: Value = bad().await.unwrap().json().await.unwrap();
    let second: Value = bad().await.unwrap().json().await.unwrap();
    assert_eq!((&first["code"], &second["code"]), (&json!("bad-name"), &json!("bad-name")));
    assert_ne!(first["request_id"], second["request_id"]);

    let messages = "/api/v1/boxes/pa/messages";
    let say = || post(&world, messages, "say", &json!({ "text": "hi" })).send();
    world.as_owner(Method::POST, "/api/v1/boxes/pa/stop").send().await.unwrap();
    let off = say().await.unwrap();
    assert!(off.headers().contains_key("retry-after"));
    assert_eq!(code(off).await, (503, "off".into()));
    world.as_owner(Method::POST, "/api/v1/boxes/pa/start").send().await.unwrap();
    let first: Value = say().await.unwrap().json().await.unwrap();
    let second: Value = say().await.unwrap().json().await.unwrap();
    assert_eq!(first["state"], "queued");
    assert_eq!(first, second);
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let world = World::new().await;
    let new = json!({ "desired": "off", "name": "two" });
    let asks = (0..8).map(|_| post(&world, BOXES, "k", &new).send());
    let mut made = 0;
    for answer in futures_util::future::join_all(asks).await {
        let answer = answer.unwrap();
        let again_in = answer.headers().get("retry-after").cloned();
        match answer.status() {
            StatusCode::CREATED => made += 1,
            _ => {
                assert!(again_in.is_some());
                assert_eq!(code(answer).await, (409, "conflict".into()));
            }
        }
    }
    assert!(made >= 1);
    assert_eq!(names(&world).await, ["pa", "two"]);
    let late = post(&world, BOXES, "k", &new).send().await.unwrap();
    assert_eq!(late.headers()["smartbox-replayed"], "true");
}

#[tokio::test]
async fn a_platform_that_comes_back_knows_what_was_done_and_says_what_it_cannot_know() {
    let world = World::new().await;
    let new = json!({ "desired": "off", "name": "two" });
    assert_eq!(post(&world, BOXES, "done", &new).send().await.unwrap().status(), 201);
    let next = again(&world);
    let kept = ask_again(&next, "done", &new).await;
    assert_eq!(kept.status(), 201);
    assert_eq!(kept.headers()["smartbox-replayed"], "true");

    // The one before died after it had begun.
    let asked = Asked {
        account: world.app.account.id.clone(),
        route: format!("POST {BOXES}"),
        key: "begun".into(),
    };
    let (hash, app) = (digest(&new), world.app.clone());
    let now = app.clock.now();
    store::write(&*app.store, move |tx| {
        Box::pin(async move { tx.replies().begin(asked, hash, "another".into(), now).await })
    })
    .await
    .unwrap();
    let unknown = ask_again(&next, "begun", &new).await;
    assert_eq!(unknown.status(), 409);
    assert!(!unknown.headers().contains_key("retry-after"), "asking again would never help");
}

#[tokio::test]
async fn a_key_is_not_lost_when_its_asker_goes_away() {
    let world = World::new().await;
    let path = "/api/v1/boxes/pa/wake";
    let body = json!({ "wait_ms": 500 });
    world.sim.faults().hang(Call::Start, 1);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: {}\r\n\r\n{body}",
        world.token,
        body.to_string().len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let begun = async {
        while world.sim.faults().calls(Call::Start) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, begun).await.expect("it begins");
    drop(stream);
    // The box never starts, so the answer that nobody hears is `late`, and gives the key back.
    let again = async {
        loop {
            let answer = post(&world, path, "k", &body).send().await.unwrap();
            if answer.status() != 409 {
                return answer.status();
            }
            tokio::task::yield_now().await;
        }
    };
    let status = tokio::time::timeout(LONG, again).await.expect("its key is taken for ever");
    assert_eq!(status, 504);
}

/// Of a request without a query.
fn digest(body: &Value) -> String {
    use sha2::{Digest, Sha256};
    let kind = b"application/json";
    let mut hash = Sha256::new();
    hash.update(0_u64.to_be_bytes());
    hash.update((kind.len() as u64).to_be_bytes());
    hash.update(kind);
    hash.update(body.to_string());
    hex::encode(hash.finalize())
}

#[tokio::test]
async fn a_reply_that_is_too_long_says_so_and_is_not_made_again() {
    let world = World::new().await;
    let long = json!({ "text": "x".repeat(MAX_REPLY) });
    let say = || post(&world, "/api/v1/boxes/pa/messages", "k", &long).send();
    let first = say().await.unwrap();
    assert_eq!(
        (first.status().as_u16(), &first.headers()["smartbox-not-kept"]),
        (202, &"true".parse().unwrap())
    );
    assert_eq!(code(say().await.unwrap()).await, (409, "conflict".into()));
}

#[tokio::test]
async fn a_key_is_one_short_visible_word_and_each_accounts_own() {
    let world = World::new().await;
    let long = "x".repeat(256);
    for key in ["", "a b", &long] {
        let answer = post(&world, "/api/v1/tokens", key, &json!({})).send().await.unwrap();
        assert_eq!(code(answer).await, (400, "bad-request".into()), "{key}");
    }
    let two = post(&world, "/api/v1/tokens", "a", &json!({})).header("idempotency-key", "b");
    assert_eq!(two.send().await.unwrap().status(), 400);

    let ann = crate::tenancy::Tenant::new(&world, "ann").await;
    let new = json!({ "name": "two", "desired": "off" });
    let ours = post(&world, BOXES, "k", &new).send().await.unwrap();
    let theirs = world.ask(Method::POST, BOXES).bearer_auth(&ann.token);
    let theirs = theirs.header("idempotency-key", "k").json(&new).send().await.unwrap();
    assert_eq!((ours.status().as_u16(), theirs.status().as_u16()), (201, 201));
    assert!(!theirs.headers().contains_key("smartbox-replayed"));
}
