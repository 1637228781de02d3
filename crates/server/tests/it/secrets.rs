//! Secrets: the values that they had, and those of the platform.

use http::Method;
use reqwest::Response;
use serde_json::{Value, json};
use smartbox_core::egress::port::Rules as _;
use smartbox_core::id::AccountId;
use smartbox_core::secret::Scope;
use smartbox_core::store;

use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

const KEY: &str = "/api/v1/secrets/GITHUB_TOKEN";
const VALUES: [&str; 3] = ["canary-first-value", "canary-second-value", "canary-third-value"];

async fn set(world: &World, path: &str, body: Value) {
    let answer = world.as_owner(Method::PUT, path).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 204, "{}", answer.text().await.unwrap());
}

async fn versions(world: &World, path: &str) -> Vec<(u64, bool)> {
    let answer = world.as_owner(Method::GET, &format!("{path}/versions")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!(!text.contains("canary"), "no value is shown: {text}");
    let page: Value = serde_json::from_str(&text).unwrap();
    let of = |one: &Value| (one["revision"].as_u64().unwrap(), one["current"].as_bool().unwrap());
    page["items"].as_array().unwrap().iter().map(of).collect()
}

async fn roll_back(world: &World, path: &str, to: u64) -> Response {
    let request = world.as_owner(Method::POST, &format!("{path}/rollback"));
    request.json(&json!({ "to": to })).send().await.unwrap()
}

async fn value(world: &World, scope: Scope, name: &str) -> Option<String> {
    let name = name.to_owned();
    let opened = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.secrets().open(scope, name).await })
    });
    opened.await.unwrap().map(|value| value.expose().clone())
}

/// What was done in the account, and to what.
async fn acts(world: &World, account: &AccountId) -> Vec<(String, String)> {
    let account = account.clone();
    let listed = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(account, 0, 100).await })
    });
    let of = |entry: smartbox_core::audit::Entry| (entry.act.action, entry.act.detail);
    listed.await.unwrap().into_iter().map(of).collect()
}

#[tokio::test]
async fn a_secret_gets_a_value_again_that_it_had_and_whoever_uses_it_learns_of_it() {
    let world = World::new().await;
    let me = world.app.account.id.clone();
    for value in VALUES {
        set(&world, KEY, json!({ "value": value })).await;
    }
    let bound = world.as_owner(Method::PUT, &format!("{KEY}/bindings"));
    let bound = bound.json(&json!({ "service": "github" })).send().await.unwrap();
    assert_eq!(bound.status(), 204);
    assert_eq!(versions(&world, KEY).await, [(3, true), (2, false), (1, false)]);
    let pa = world.pa().await.id;
    let before = world.book.standing(&pa).await.unwrap();

    let answer = roll_back(&world, KEY, 1).await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["etag"].as_bytes()),
        (200, &b"\"4\""[..])
    );
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "revision": 4 }));
    let account = || Scope::Account(me.clone());
    assert_eq!(value(&world, account(), "GITHUB_TOKEN").await.as_deref(), Some(VALUES[0]));
    assert_eq!(versions(&world, KEY).await[0], (4, true));
    let after = world.book.standing(&pa).await.unwrap();
    assert_ne!(before.version, after.version, "connections that are open look again");
    assert_eq!(after.standins.held, before.standins.held, "and it is bound as it was");
    let done = acts(&world, &me).await.pop().unwrap();
    assert_eq!(done, ("secret.roll_back".into(), "GITHUB_TOKEN to 1".into()));

    // One that is not kept, and one that is of no secret: nothing changes.
    for (path, hint) in [(KEY, "secret versions"), ("/api/v1/secrets/OTHER", "")] {
        let answer = roll_back(&world, path, 99).await;
        assert_eq!(answer.status(), 404);
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["hint"].as_str().unwrap_or_default().contains(hint), "{problem}");
    }
    let missing = world.as_owner(Method::GET, "/api/v1/secrets/OTHER/versions").send().await;
    assert_eq!(missing.unwrap().status(), 404);
    assert_eq!(versions(&world, KEY).await[0], (4, true));
}

#[tokio::test]
async fn who_saw_another_value_does_not_roll_back() {
    let world = World::new().await;
    set(&world, KEY, json!({ "value": VALUES[0] })).await;
    set(&world, KEY, json!({ "value": VALUES[1] })).await;
    let request = world.as_owner(Method::POST, &format!("{KEY}/rollback"));
    let request = request.header("if-match", "\"1\"").json(&json!({ "to": 1 }));
    assert_eq!(request.send().await.unwrap().status(), 412);
    assert_eq!(versions(&world, KEY).await, [(2, true), (1, false)]);
}

#[tokio::test]
async fn a_smartboxs_own_and_the_accounts_have_each_their_versions() {
    let world = World::new().await;
    set(&world, KEY, json!({ "value": VALUES[0] })).await;
    set(&world, KEY, json!({ "value": VALUES[1], "box": "pa" })).await;
    set(&world, KEY, json!({ "value": VALUES[2], "box": "pa" })).await;
    assert_eq!(versions(&world, KEY).await, [(1, true)]);
    let request = world.as_owner(Method::POST, &format!("{KEY}/rollback"));
    let answer = request.json(&json!({ "to": 1, "box": "pa" })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let pa = Scope::Smartbox(world.pa().await.id);
    assert_eq!(value(&world, pa, "GITHUB_TOKEN").await.as_deref(), Some(VALUES[1]));
    assert_eq!(versions(&world, KEY).await, [(1, true)]);
}

#[tokio::test]
async fn only_an_operator_keeps_sees_and_forgets_what_is_the_platforms() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let key = "/api/v1/secrets/CF_ACCOUNT_ID";
    let body = json!({ "value": VALUES[0], "platform": true });
    let back = json!({ "to": 1, "platform": true });
    // The first account's own token, and a browser's session of it, are no operator's.
    let cookie = world.sign_in().await;
    for who in [&ann.token, &world.token] {
        for request in [
            world.ask(Method::PUT, key).json(&body),
            world.ask(Method::POST, &format!("{key}/rollback")).json(&back),
            world.ask(Method::DELETE, &format!("{key}?platform=true")),
            world.ask(Method::GET, &format!("{key}/versions?platform=true")),
            world.ask(Method::GET, "/api/v1/secrets?platform=true"),
        ] {
            assert_eq!(request.bearer_auth(who).send().await.unwrap().status(), 403);
        }
    }
    let listed = world.ask(Method::GET, "/api/v1/secrets?platform=true").header("cookie", cookie);
    assert_eq!(listed.send().await.unwrap().status(), 403);
    assert_eq!(value(&world, Scope::Platform, "CF_ACCOUNT_ID").await, None);

    let operate = |method, path: &str| world.ask(method, path).bearer_auth(MASTER);
    assert_eq!(operate(Method::PUT, key).json(&body).send().await.unwrap().status(), 204);
    let kept = value(&world, Scope::Platform, "CF_ACCOUNT_ID").await;
    assert_eq!(kept.as_deref(), Some(VALUES[0]));
    let text = operate(Method::GET, "/api/v1/secrets?platform=true").send().await.unwrap();
    let listed: Value = text.json().await.unwrap();
    assert_eq!(listed["items"][0]["scope"], "platform");
    assert!(!listed.to_string().contains("canary"), "{listed}");
    let own: Value =
        world.as_owner(Method::GET, "/api/v1/secrets").send().await.unwrap().json().await.unwrap();
    assert_eq!(own["items"], json!([]), "it is not among the account's");
    // It is of the platform, of a smartbox or of an account, and never of two of them.
    let both = json!({ "value": VALUES[1], "platform": true, "box": "pa" });
    assert_eq!(operate(Method::PUT, key).json(&both).send().await.unwrap().status(), 400);
    let acting = operate(Method::PUT, key).header("smartbox-account", "ann").json(&body);
    assert_eq!(acting.send().await.unwrap().status(), 400);
    let gone = operate(Method::DELETE, &format!("{key}?platform=true")).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let done = acts(&world, &world.app.account.id).await;
    let of = |action: &str| (action.to_owned(), "CF_ACCOUNT_ID of the platform".to_owned());
    assert_eq!(done[done.len() - 2..], [of("secret.set"), of("secret.remove")]);
}
