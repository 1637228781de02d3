//! Accounts over HTTP.

use http::{Method, StatusCode};
use reqwest::Response;
use serde_json::{Value, json};
use smartbox_api::account::AccountView;
use smartbox_api::page::Page;
use smartbox_core::smartbox::{Kind, State};

use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

async fn operate(world: &World, method: Method, path: &str, body: Option<Value>) -> Response {
    let request = world.ask(method, path).bearer_auth(MASTER);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.unwrap()
}

#[tokio::test]
async fn an_account_is_made_with_its_pa_listed_changed_and_removed() {
    let world = World::new().await;
    let new = json!({ "name": "ann", "display_name": "Ann & Co", "labels": { "plan": "pro" } });
    let made = operate(&world, Method::POST, "/api/v1/accounts", Some(new.clone())).await;
    assert_eq!(made.status(), 201);
    assert_eq!(made.headers()["location"], "/api/v1/accounts/ann");
    let made: AccountView = made.json().await.unwrap();
    assert_eq!((made.display_name.as_str(), made.labels.get("plan")), ("Ann & Co", Some("pro")));
    let again = operate(&world, Method::POST, "/api/v1/accounts", Some(new)).await;
    assert_eq!(again.status(), 409);
    let pa = operate(&world, Method::GET, "/api/v1/boxes/openclaw-ann", None).await;
    let pa: Value = pa.json().await.unwrap();
    assert_eq!(
        (&pa["name"], &pa["base"], &pa["account"]),
        (&json!("pa"), &json!("pa"), &json!(made.id))
    );
    assert_eq!(pa["engine_version"], "1");

    let list = operate(&world, Method::GET, "/api/v1/accounts?limit=1", None).await;
    let first: Page<AccountView> = list.json().await.unwrap();
    assert_eq!(first.items[0].name, "ann");
    let path = format!("/api/v1/accounts?cursor={}", first.next.unwrap());
    let second: Page<AccountView> =
        operate(&world, Method::GET, &path, None).await.json().await.unwrap();
    assert_eq!((second.items.len(), second.items[0].name.as_str()), (1, "me"));

    let change = json!({ "display_name": "", "labels": { "plan": null, "team": "a" } });
    let path = format!("/api/v1/accounts/{}", made.id);
    let changed = operate(&world, Method::PATCH, &path, Some(change)).await;
    let changed: AccountView = changed.json().await.unwrap();
    assert_eq!((changed.revision, changed.display_name.as_str()), (2, ""));
    assert_eq!((changed.labels.get("plan"), changed.labels.get("team")), (None, Some("a")));

    let kept = operate(&world, Method::DELETE, "/api/v1/accounts/ann", None).await;
    assert_eq!(kept.status(), 422);
    let gone = operate(&world, Method::DELETE, "/api/v1/accounts/ann?boxes=remove", None).await;
    assert_eq!(gone.status(), 204);
    assert_eq!(operate(&world, Method::GET, &path, None).await.status(), 404);
}

#[tokio::test]
async fn what_makes_no_account_is_refused() {
    let world = World::new().await;
    for (body, want) in [
        (json!({}), 400),
        (json!({ "name": "A" }), 400),
        (json!({ "name": "www" }), 400),
        (json!({ "name": "a", "labels": { "-": "x" } }), 400),
        (json!({ "name": "a", "labels": { "a": 1 } }), 400),
        (json!({ "name": "a", "id": "acc_00000000000000000001" }), 400),
        (json!({ "name": "a", "display_name": "x\u{1b}[2J" }), 422),
        (json!({ "name": "me" }), 409),
    ] {
        let made = operate(&world, Method::POST, "/api/v1/accounts", Some(body.clone())).await;
        assert_eq!(made.status(), want, "{body}");
    }
    for (method, query) in [(Method::PATCH, ""), (Method::DELETE, "?boxes=remove")] {
        let body = (method == Method::PATCH).then(|| json!({ "disabled": true }));
        let path = format!("/api/v1/accounts/me{query}");
        let own = operate(&world, method.clone(), &path, body).await;
        assert_eq!(own.status(), 422, "{method} of the platform's own account");
    }
    let keep = operate(&world, Method::DELETE, "/api/v1/accounts/me?boxes=keep", None).await;
    assert_eq!(keep.status(), 400);
}

#[tokio::test]
async fn an_account_may_look_at_itself_and_at_no_other() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let ask = |path: &str| world.ask(Method::GET, path).bearer_auth(&ann.token).send();
    let own = ask("/api/v1/accounts/ann").await.unwrap();
    assert_eq!(own.json::<AccountView>().await.unwrap().id, ann.account.id);
    for other in ["me", "nobody", world.app.account.id.as_str()] {
        let answer = ask(&format!("/api/v1/accounts/{other}")).await.unwrap();
        assert_eq!(answer.status(), 404, "{other}");
    }
    for own in ["ann", ann.account.id.as_str()] {
        let answer = ask(&format!("/api/v1/boxes?account={own}")).await.unwrap();
        assert_eq!(answer.status(), 200, "{own}");
    }
}

#[tokio::test]
async fn a_disabled_accounts_tokens_and_sessions_are_refused_at_once() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let pa = ann.smartbox(&world, "pa", Kind::PA).await;
    // A browser of hers, which the platform remembers.
    let signed_in = world.ask(Method::GET, &format!("/?token={}", ann.token)).send().await.unwrap();
    let cookie = crate::world::cookie(&signed_in).unwrap();
    let by = |cookie: Option<&str>| {
        let request = world.ask(Method::GET, "/api/v1/boxes");
        match cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request.bearer_auth(&ann.token),
        }
    };
    let statuses = async || {
        let one = by(None).send().await.unwrap().status();
        (one, by(Some(&cookie)).send().await.unwrap().status())
    };
    assert_eq!(statuses().await, (StatusCode::OK, StatusCode::OK));
    let set = |disabled: bool| {
        operate(
            &world,
            Method::PATCH,
            "/api/v1/accounts/ann",
            Some(json!({ "disabled": disabled })),
        )
    };
    assert_eq!(set(true).await.status(), 200);
    assert_eq!(statuses().await, (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    let again = world.ask(Method::GET, &format!("/?token={}", ann.token)).send().await.unwrap();
    assert_eq!(again.status(), 401);
    // Nothing wakes her box, not even an operator, who is told why.
    let path = format!("/api/v1/boxes/{}/wake", pa.id);
    let wake = operate(&world, Method::POST, &path, None).await;
    assert_eq!(wake.status(), 422);
    assert!(wake.text().await.unwrap().contains("smartbox account set ann --enable"));
    assert_eq!(set(false).await.status(), 200);
    assert_eq!(statuses().await, (StatusCode::OK, StatusCode::OK));
    // A removed account's are gone for good.
    let path = "/api/v1/accounts/ann?boxes=remove";
    assert_eq!(operate(&world, Method::DELETE, path, None).await.status(), 204);
    assert_eq!(statuses().await, (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn boxes_are_listed_by_kind_state_label_and_account() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    ann.smartbox(&world, "pa", Kind::PA).await;
    ann.smartbox(&world, "site", Kind::PROJECT).await;
    let label = json!({ "labels": { "team": "a", "stage": "test" } });
    let path = "/api/v1/boxes/project-site-ann";
    assert_eq!(operate(&world, Method::PATCH, path, Some(label)).await.status(), 200);
    for (query, want) in [
        ("", vec!["pa"]),
        ("?account=ann", vec!["pa", "site"]),
        ("?account=*", vec!["pa", "pa", "site"]),
        ("?account=*&kind=project", vec!["site"]),
        ("?account=*&label=team%3Da", vec!["site"]),
        ("?account=*&label=team%3Da,stage%3Dtest", vec!["site"]),
        ("?account=*&label=team%3Da,stage%3Dlive", vec![]),
        ("?account=*&state=frozen", vec![]),
        ("?account=ann&state=stopped&kind=pa", vec!["pa"]),
        ("?account=*&kind=no%20kind", vec![]),
    ] {
        let answer = operate(&world, Method::GET, &format!("/api/v1/boxes{query}"), None).await;
        assert_eq!(answer.status(), 200, "{query}");
        let page: Page<Value> = answer.json().await.unwrap();
        let names: Vec<_> = page.items.iter().map(|view| view["name"].as_str().unwrap()).collect();
        assert_eq!(names, want, "{query}");
    }
    // Page by page through all accounts, although a name is there twice.
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let path = format!("/api/v1/boxes?account=*&limit=1{cursor}");
        let page: Page<Value> =
            operate(&world, Method::GET, &path, None).await.json().await.unwrap();
        seen.extend(page.items.iter().map(|view| view["id"].to_string()));
        let Some(next) = page.next else { break };
        cursor = format!("&cursor={next}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
    for bad in ["label=team", "label=a%3Db%3Dc", "state=asleep", "colour=red", "account=nobody"] {
        let answer = operate(&world, Method::GET, &format!("/api/v1/boxes?{bad}"), None).await;
        let want = if bad.starts_with("account") { 404 } else { 400 };
        assert_eq!(answer.status(), want, "{bad}");
    }
}

#[tokio::test]
async fn what_an_owner_decides_of_a_box_is_changed_and_shown() {
    let world = World::new().await;
    let patch = |body: Value| world.as_owner(Method::PATCH, "/api/v1/boxes/pa").json(&body).send();
    let change = json!({
        "display_name": "My PA", "labels": { "team": "a" }, "desired": "off",
        "sleep_after": "30s", "stop_after": "1h",
    });
    let view: Value = patch(change).await.unwrap().json().await.unwrap();
    assert_eq!((&view["display_name"], &view["revision"]), (&json!("My PA"), &json!(2)));
    assert_eq!(view["labels"], json!({ "team": "a" }));
    let times = json!({ "freeze_after_ms": 30_000, "stop_after_ms": 3_600_000, "own": true });
    assert_eq!((&view["sleep"], &view["desired"]), (&times, &json!("off")));
    let back =
        json!({ "sleep_after": "default", "stop_after": "default", "labels": { "team": null } });
    let view: Value = patch(back).await.unwrap().json().await.unwrap();
    assert_eq!((&view["sleep"]["own"], &view["labels"]), (&json!(false), &json!({})));
    for (bad, want) in [
        (json!({ "tier": "huge" }), 422),
        (json!({ "name": "other" }), 400),
        (json!({ "sleep_after": "soon" }), 400),
        (json!({ "sleep_after": "0s" }), 422),
        (json!({ "labels": { "a b": "c" } }), 422),
        (json!({ "display_name": "x".repeat(101) }), 422),
        (json!({ "desired": "maybe" }), 400),
    ] {
        let answer = patch(bad.clone()).await.unwrap();
        assert_eq!(answer.status(), want, "{bad}");
        let view = world.as_owner(Method::GET, "/api/v1/boxes/pa").send().await.unwrap();
        assert_eq!(view.json::<Value>().await.unwrap()["revision"], 3, "{bad}");
    }
    let pa = world.pa().await;
    let long = std::time::Duration::from_secs(60);
    world.app.control.settle(&pa.id, &[State::Stopped], long).await.unwrap();
}

#[tokio::test]
async fn a_change_of_a_revision_that_is_gone_is_refused() {
    let world = World::new().await;
    Tenant::new(&world, "ann").await;
    for path in ["/api/v1/accounts/ann", "/api/v1/boxes/pa"] {
        let look = operate(&world, Method::GET, path, None).await;
        assert_eq!(look.headers()["etag"], "\"1\"", "{path}");
        for (seen, want, now) in [("\"1\"", 200, "\"2\""), ("\"1\"", 412, ""), ("*", 200, "\"3\"")]
        {
            let request = world.ask(Method::PATCH, path).bearer_auth(MASTER);
            let body = json!({ "display_name": format!("called {now}") });
            let answer = request.header("if-match", seen).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), want, "{path} {seen}");
            let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap());
            assert_eq!(tag.unwrap_or_default(), now, "{path} {seen}");
        }
    }
    let gone = world.ask(Method::DELETE, "/api/v1/accounts/ann").bearer_auth(MASTER);
    assert_eq!(gone.header("if-match", "\"1\"").send().await.unwrap().status(), 412);
}
