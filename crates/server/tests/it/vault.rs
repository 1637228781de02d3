//! The vault's keys: changed by an operator, while everything goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store::{self, Store};
use smartbox_server::app::{App, Inner};
use smartbox_server::http::{Peer, router};
use smartbox_store::Sqlite;
use sqlx::{Connection, Executor};
use tower::ServiceExt;

use crate::world::{MASTER, MasterKey, World, open};

/// More than are sealed anew in one unit of work.
const SECRETS: usize = 450;

async fn ask(world: &World, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = world.ask(method, path).bearer_auth(MASTER);
    let request = body.iter().fold(request, |request, body| request.json(body));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn show(world: &World) -> Value {
    let (status, view) = ask(world, Method::GET, "/api/v1/vault", None).await;
    assert_eq!(status, 200, "{view}");
    view
}

async fn rotate(world: &World, what: &str) -> (u16, Value) {
    ask(world, Method::POST, "/api/v1/vault/rotate", Some(json!({ "what": what }))).await
}

async fn fill(world: &World) -> Scope {
    let scope = Scope::Account(world.app.account.id.clone());
    // Not all in one: a unit of work has its time, which so many take on a slow machine.
    for first in (0..SECRETS).step_by(50) {
        let of = scope.clone();
        let kept = store::write(&*world.app.store, move |tx| {
            Box::pin(async move {
                for n in first..first + 50 {
                    let value = Secret::new(format!("value-{n}"));
                    tx.secrets().set(of.clone(), format!("K{n}"), value).await?;
                }
                Ok(())
            })
        });
        kept.await.unwrap();
    }
    scope
}

async fn opens(store: &dyn Store, scope: &Scope, n: usize) -> bool {
    let of = scope.clone();
    let opened = store::read(store, move |tx| {
        Box::pin(async move { tx.secrets().open(of, format!("K{n}")).await })
    });
    opened.await.unwrap().is_some_and(|value| *value.expose() == format!("value-{n}"))
}

#[tokio::test]
async fn keys_are_changed_while_a_reader_reads_without_pause() {
    let world = World::on_disk(MasterKey::File).await;
    let scope = fill(&world).await;
    let before = show(&world).await;
    assert_eq!((&before["data_key"], &before["left"]), (&json!(1), &json!(0)));
    assert_eq!(before["kept_in"], "file");
    let file = || std::fs::read(world.dir.path().join("master.key")).unwrap();
    let old_file = file();

    let (over, read) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (store, of) = (world.app.store.clone(), scope.clone());
    let (ends, counts) = (over.clone(), read.clone());
    let reader = tokio::spawn(async move {
        for n in (0..SECRETS).cycle() {
            if ends.load(Relaxed) {
                break;
            }
            assert!(opens(&*store, &of, n).await, "K{n}");
            counts.fetch_add(1, Relaxed);
        }
    });
    let more = async || {
        let seen = read.load(Relaxed);
        let later = async {
            while read.load(Relaxed) <= seen + 10 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), later).await.expect("it reads on");
    };
    for (what, data_key) in [("data", 2), ("master", 2), ("data", 3), ("master", 3)] {
        more().await;
        let (status, done) = rotate(&world, what).await;
        assert_eq!((status, &done["data_key"]), (200, &json!(data_key)), "{what}: {done}");
        assert_eq!(done["resealed"].as_u64().unwrap() >= SECRETS as u64, what == "data", "{done}");
        assert_eq!(done["resumed"], false);
        more().await;
    }
    over.store(true, Relaxed);
    reader.await.unwrap();
    let after = show(&world).await;
    assert_ne!(after["master"], before["master"]);
    assert_eq!((&after["data_key"], &after["left"]), (&json!(3), &json!(0)));
    assert_ne!(file(), old_file);

    let account = world.app.account.id.clone();
    let acts = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(account, 0, 100).await })
    });
    let acts = acts.await.unwrap();
    let rotated: Vec<_> = acts.iter().filter(|entry| entry.act.action == "vault.rotate").collect();
    assert_eq!(rotated.len(), 4);
    assert!(rotated.iter().all(|entry| entry.act.actor == "master-token from 127.0.0.1"));
}

/// Cut off after some of the values, and killed there: the next process shows it and goes on with it.
#[tokio::test]
async fn a_change_that_was_cut_off_is_shown_and_finished_by_the_next() {
    let world = World::on_disk(MasterKey::File).await;
    let scope = fill(&world).await;
    let url = format!("sqlite://{}", world.dir.path().join("smartbox.db").display());
    let mut raw = sqlx::SqliteConnection::connect(&url).await.unwrap();
    // In the middle of the second batch, even if the platform seals some of its own meanwhile.
    let stop = "CREATE TRIGGER stop BEFORE UPDATE OF sealed ON secrets WHEN
         (SELECT count(*) FROM secrets WHERE data_key = 2) >= 300
         BEGIN SELECT RAISE(ABORT, 'stopped'); END";
    raw.execute(stop).await.unwrap();
    let (status, problem) = rotate(&world, "data").await;
    assert_eq!(status, 500, "{problem}");
    assert_eq!(show(&world).await["left"], 1);
    raw.execute("DROP TRIGGER stop").await.unwrap();
    raw.close().await.unwrap();

    // Another process over the same files, as after a kill: everything opens, and it knows of it.
    let next = open(world.dir.path(), MasterKey::File, &world.app.clock).await;
    for n in 0..SECRETS {
        assert!(opens(&*next, &scope, n).await, "K{n}");
    }
    let router = over(&world, &next);
    let view = local(&router, Request::get("/api/v1/vault").body(Body::empty()).unwrap()).await;
    assert_eq!((&view["left"], &view["data_key"]), (&json!(1), &json!(2)));
    let again = || {
        let request = Request::post("/api/v1/vault/rotate");
        let request = request.header("content-type", "application/json");
        request.body(Body::from(json!({ "what": "data" }).to_string())).unwrap()
    };
    let done = local(&router, again()).await;
    assert_eq!((&done["resumed"], &done["data_key"]), (&json!(true), &json!(2)), "{done}");
    // A batch was done before.
    assert!(done["resealed"].as_u64().unwrap() < SECRETS as u64, "{done}");
    let view = local(&router, Request::get("/api/v1/vault").body(Body::empty()).unwrap()).await;
    assert_eq!(view["left"], 0);
    let done = local(&router, again()).await;
    assert_eq!((&done["resumed"], &done["data_key"]), (&json!(false), &json!(3)), "{done}");
    for n in 0..SECRETS {
        assert!(opens(&*next, &scope, n).await, "K{n}");
    }
}

/// Another run of the platform, over these records.
fn over(world: &World, records: &Arc<Sqlite>) -> Router {
    let app = &world.app;
    router(&App::new(Inner {
        denials: Default::default(),
        control: app.control.clone(),
        store: records.clone(),
        meter: app.meter.clone(),
        rotation: records.clone(),
        buckets: app.buckets.clone(),
        access: app.access.clone(),
        clock: app.clock.clone(),
        entropy: app.entropy.clone(),
        sign_in: app.sign_in.clone(),
        site: app.site.clone(),
        account: app.account.clone(),
        about: app.about.clone(),
        devices: world.app.devices,
        dev: false,
        ready: Default::default(),
        metrics: app.metrics.clone(),
        edge: app.edge.clone(),
        draining: app.draining.clone(),
    }))
}

async fn local(router: &Router, mut request: Request<Body>) -> Value {
    request.extensions_mut().insert(Peer::Local { uid: 1 });
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_master_key_that_the_operator_gives_is_the_operators_to_change() {
    let world = World::on_disk(MasterKey::Given).await;
    let before = show(&world).await;
    assert_eq!(before["kept_in"], "env");
    let (status, problem) = rotate(&world, "master").await;
    assert_eq!((status, &problem["code"]), (422, &json!("refused")), "{problem}");
    let hint = problem["hint"].as_str().unwrap();
    assert!(hint.contains("SMARTBOX_MASTER_KEY_OLD"), "{hint}");
    assert_eq!(show(&world).await, before);
    assert_eq!(rotate(&world, "data").await.0, 200, "the data key is the platform's own");
    assert_eq!(rotate(&world, "other").await.0, 400);
}
