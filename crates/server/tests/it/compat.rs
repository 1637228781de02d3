//! The original's admin calls, made as its README makes them.

use std::time::Duration;

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use smartbox_control::Actor;
use smartbox_core::person::Right;
use smartbox_core::smartbox::{Kind, Rest, Smartbox, State};
use smartbox_server::http::compat::answered::ANSWERED;
use smartbox_server::http::compat::gone::GONE;
use smartbox_server::http::route::Policy;
use smartbox_server::http::routes;

use crate::devices::Laptop;
use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

fn admin(world: &World, method: Method, path: &str) -> RequestBuilder {
    world.ask(method, path).header("x-admin-secret", MASTER)
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

/// A platform whose only box sleeps deeply.
async fn asleep() -> World {
    let world = World::new().await;
    let pa = world.pa().await;
    world.app.control.sleep(&Actor::platform(), &pa.id, Rest::Stopped).await.unwrap();
    settled(&world, State::Stopped).await;
    world
}

async fn settled(world: &World, state: State) -> Smartbox {
    let pa = world.pa().await;
    world.app.control.settle(&pa.id, &[state], Duration::from_secs(60)).await.unwrap()
}

#[tokio::test]
async fn the_dashboard_shows_every_user() {
    let world = asleep().await;
    let (status, before) = answer(admin(&world, Method::GET, "/api/super/state/dashboard")).await;
    assert_eq!((status, &before["summary"]["total"]), (200, &json!(1)), "{before}");
    assert_eq!(
        (&before["users"][0]["state"], &before["summary"]["stopped"]),
        (&json!("stopped"), &json!(1))
    );
    // An account that has no PA box yet is not in the way of the others.
    Tenant::new(&world, "ann").await;
    let (status, after) = answer(admin(&world, Method::GET, "/api/super/state/dashboard")).await;
    assert_eq!((status, &after["summary"]), (200, &before["summary"]));
}

#[tokio::test]
async fn a_state_is_asked_for_by_name_and_by_id_and_wakes_nobody() {
    let world = asleep().await;
    let id = world.app.account.id.to_string();
    for user in ["me", id.as_str()] {
        let path = format!("/api/super/users/{user}/state/v2");
        let (status, state) = answer(admin(&world, Method::GET, &path)).await;
        assert_eq!((status, &state["userId"]), (200, &json!(id)), "{state}");
        assert_eq!((&state["state"], &state["gatewayHealthy"]), (&json!("stopped"), &json!(false)));
        assert!(state["checkedAt"].is_i64() || state["checkedAt"].is_string(), "{state}");
    }
    let (status, missing) =
        answer(admin(&world, Method::GET, "/api/super/users/nobody/state/v2")).await;
    assert_eq!((status, &missing["error"]), (404, &json!("there is no such account")));
}

#[tokio::test]
async fn a_restart_is_answered_at_once_and_a_wake_when_it_is_there() {
    let world = asleep().await;
    let wake = || admin(&world, Method::POST, "/api/super/users/me/wake");
    let (status, woken) = answer(wake()).await;
    assert_eq!((status, &woken["action"]), (200, &json!("started")), "{woken}");
    assert_eq!(
        (&woken["previousState"], &woken["currentState"]),
        (&json!("stopped"), &json!("active"))
    );
    assert_eq!(answer(wake()).await.1["action"], "none");
    let before = world.pa().await.epoch;
    let path = "/api/super/users/me/restart-async";
    let (status, restarting) = answer(admin(&world, Method::POST, path)).await;
    assert_eq!((status, &restarting["success"]), (200, &json!(true)), "{restarting}");
    let url = restarting["checkStatusUrl"].as_str().unwrap();
    assert_eq!(answer(admin(&world, Method::GET, url)).await.0, 200);
    assert_eq!(settled(&world, State::Running).await.epoch, before + 1);
}

#[tokio::test]
async fn a_message_wakes_the_box_and_is_answered_and_kept() {
    let world = asleep().await;
    let path = "/api/super/users/me/message";
    let said = json!({ "message": "hello", "sessionKey": "ops" });
    let (status, heard) = answer(admin(&world, Method::POST, path).json(&said)).await;
    assert_eq!(
        (status, &heard["status"], &heard["reply"]),
        (200, &json!("complete"), &json!("you said: hello"))
    );
    assert_eq!(
        (&heard["sessionKey"], &heard["response"]["result"]["payloads"][0]["text"]),
        (&json!("ops"), &heard["reply"])
    );
    let later = world.ask(Method::GET, heard["checkStatusUrl"].as_str().unwrap());
    let (status, kept) = answer(later.bearer_auth(MASTER)).await;
    assert_eq!((status, &kept["reply"], &kept["channel"]), (200, &heard["reply"], &json!("admin")));
    let (status, refused) =
        answer(admin(&world, Method::POST, path).json(&json!({ "message": " " }))).await;
    assert_eq!((status, refused["error"].is_string()), (422, true), "{refused}");
    assert_eq!(answer(admin(&world, Method::GET, "/api/super/users/me/logs?tail=5")).await.0, 200);
    let (status, listed) = answer(admin(&world, Method::GET, "/api/super/users/me/sessions")).await;
    assert_eq!((status, &listed["userId"]), (200, &json!(world.app.account.id)), "{listed}");
    assert_eq!(listed["count"], json!(listed["sessions"].as_array().unwrap().len()));
}

#[tokio::test]
async fn without_the_secret_nothing_is_said_and_a_get_changes_nothing() {
    let world = asleep().await;
    let token = &world.token;
    let session = world.sign_in().await;
    let before = world.pa().await;
    for (method, path) in [
        (Method::GET, "/api/super/state/dashboard"),
        (Method::GET, "/api/super/users/me/state/v2"),
        (Method::POST, "/api/super/users/me/restart-async"),
        (Method::GET, "/api/super/users/me/force-restart"),
    ] {
        let ask = || world.ask(method.clone(), path);
        for request in [
            ask(),
            ask().header("x-admin-secret", "wrong"),
            ask().header("x-admin-secret", MASTER).header("x-admin-secret", "wrong"),
            ask().bearer_auth(token),
            ask().header("cookie", &session),
            ask().header("x-admin-secret", token),
        ] {
            let (status, refused) = answer(request).await;
            assert_eq!((status, &refused["code"]), (403, &json!("forbidden")), "{path}: {refused}");
            assert!(refused["error"].is_string() && !refused.to_string().contains(MASTER));
        }
    }
    assert_eq!(world.pa().await, before);
}

#[tokio::test]
async fn a_bulk_is_a_job_over_the_users_boxes() {
    let world = asleep().await;
    let ann = Tenant::new(&world, "ann").await;
    let theirs = ann.smartbox(&world, "pa", Kind::PA).await;
    let post = |path: &str, body: Value| {
        admin(&world, Method::POST, &format!("/api/super/bulk/{path}")).json(&body)
    };
    let canary = "sk-canary-0123456789";
    let patch = json!({"env": {"vars": {"API_KEY": canary}}});
    let (status, done) = answer(post("config-patch", json!({ "patch": patch }))).await;
    assert_eq!((status, &done["status"]), (200, &json!("complete")), "{done}");
    assert_eq!(
        (&done["total"], &done["succeeded"], &done["failed"]),
        (&json!(2), &json!(2), &json!(0))
    );
    let ids: Vec<_> = done["results"].as_array().unwrap().iter().map(|r| &r["userId"]).collect();
    assert!(ids.contains(&&json!(ann.account.id)), "{done}");
    assert!(!done.to_string().contains(canary), "{done}");
    let owner = world.app.control.config(&theirs.id).await.unwrap().owner;
    assert_eq!(owner, patch);
    let job = world.ask(Method::GET, done["checkStatusUrl"].as_str().unwrap()).bearer_auth(MASTER);
    assert_eq!(answer(job).await.1["state"], "succeeded", "its end can be read");

    let bad = json!({"patch": {"agents": {"defaults": {"modle": 1}}}, "userIds": ["ann", "ann"]});
    let (status, done) = answer(post("config-patch", bad)).await;
    assert_eq!((status, &done["total"], &done["failed"]), (200, &json!(1), &json!(1)), "{done}");
    assert!(done["results"][0]["error"].as_str().unwrap().starts_with("invalid-config"), "{done}");

    let (status, begun) = answer(post("restart", json!({"userIds": ["me"], "delayMs": 7}))).await;
    assert_eq!(
        (status, &begun["total"], &begun["delayMs"], &begun["estimatedDurationMs"]),
        (202, &json!(1), &json!(7), &json!(7)),
        "{begun}"
    );
    let id = begun["jobId"].as_str().unwrap().parse().unwrap();
    let over = world.app.control.job_over(&id, Duration::from_secs(60)).await.unwrap();
    assert_eq!(over.result.unwrap()["skipped"], 1, "it sleeps: its next start is a fresh one");
    let begun = answer(admin(&world, Method::POST, "/api/super/bulk/restart")).await;
    assert_eq!((begun.0, &begun.1["total"], &begun.1["delayMs"]), (202, &json!(2), &json!(5000)));

    for (path, body, status) in [
        ("restart", json!({"userIds": ["nobody"]}), 404),
        ("restart", json!({"userIds": []}), 422),
        ("restart", json!({"delay": 5}), 400),
        ("restart", json!({"delayMs": 3_600_001}), 422),
        ("config-patch", json!({"userIds": ["me"]}), 400),
        ("config-patch", json!({"patch": [1]}), 422),
    ] {
        let (found, refused) = answer(post(path, body)).await;
        assert!(found == status && refused["error"].is_string(), "{path}: {refused}");
    }
}

#[tokio::test]
async fn a_call_that_is_gone_says_what_replaces_it() {
    let world = asleep().await;
    for gone in GONE {
        let method = if gone.method == "*" { "GET" } else { gone.method };
        let path = gone.path.replace("{id}", "me").replace("{*rest}", "x").replace("{key}", "k");
        let request = admin(&world, method.parse().unwrap(), &path.replace("{issue}", "1"));
        let (status, refused) = answer(request).await;
        assert_eq!((status, &refused["code"]), (410, &json!("gone")), "{path}: {refused}");
        assert_eq!(refused["hint"], format!("use instead: {}", gone.instead), "{path}");
    }
}

#[test]
fn the_page_tells_of_every_call() {
    let mut told: Vec<_> = ANSWERED.iter().map(|(method, path, _)| (*method, *path)).collect();
    let routes = routes();
    let admin = routes
        .iter()
        .filter(|route| route.policy == Policy::Admin || route.path.starts_with("/api/admin/"));
    let mut there: Vec<_> = admin.map(|r| (r.method.as_str(), r.path.as_str())).collect();
    there.retain(|(_, path)| !GONE.iter().any(|gone| gone.path == *path));
    told.sort_unstable();
    there.sort_unstable();
    assert_eq!(told, there);
}

#[tokio::test]
async fn the_secrets_of_the_original_are_set_masked_and_forgotten() {
    let world = asleep().await;
    let ask = |method, path: &str| world.ask(method, path).bearer_auth(MASTER);
    let path = "/api/admin/secrets";
    let wanted =
        json!({ "OPENAI_API_KEY": "sk-0123456789-0123456789", "SLACK_BOT_TOKEN": "short" });
    let (status, set) = answer(ask(Method::PUT, path).json(&wanted)).await;
    assert_eq!((status, &set["success"]), (200, &json!(true)), "{set}");
    assert_eq!(set["configured"], json!(["SLACK_BOT_TOKEN", "OPENAI_API_KEY"]));
    assert_eq!(set["secrets"]["OPENAI_API_KEY"], "sk-0****6789");
    assert_eq!(set["secrets"]["SLACK_BOT_TOKEN"], "****");
    assert_eq!(set["secrets"]["DISCORD_BOT_TOKEN"], json!(null));
    let foreign = json!({ "OPENAI_API_KEY": "", "MASTER_KEY": "x" });
    let (status, _) = answer(ask(Method::PUT, path).json(&foreign)).await;
    assert_eq!(status, 400, "all or none");
    let (_, now) = answer(ask(Method::GET, path)).await;
    assert_eq!(now["secrets"]["OPENAI_API_KEY"], "sk-0****6789", "{now}");
    let (status, _) = answer(ask(Method::DELETE, &format!("{path}/SLACK_BOT_TOKEN"))).await;
    assert_eq!(status, 200);
    let (_, emptied) =
        answer(ask(Method::PUT, path).json(&json!({ "OPENAI_API_KEY": null }))).await;
    assert_eq!(emptied["configured"], json!([]), "{emptied}");
    let (status, _) = answer(world.ask(Method::GET, path)).await;
    assert_eq!(status, 401, "nobody sees them without a sign-in");
}

#[tokio::test]
async fn devices_are_listed_and_approved_as_the_original_did() {
    let world = World::new().await;
    let (ann, path) = (Tenant::new(&world, "ann").await, "/api/admin/devices");
    let as_owner = |method, path: &str| world.as_owner(method, path);
    let (status, listed) = answer(as_owner(Method::GET, path)).await;
    assert_eq!((status, listed), (200, json!({ "pending": [], "paired": [] })));
    let laptop = Laptop::new(1);
    let form = [("name", "laptop"), ("platform", "linux"), ("scope", "own")];
    let (_, asked) = laptop.asks(&world, &form).await;
    let (_, listed) = answer(as_owner(Method::GET, path)).await;
    let (id, one) = (laptop.id().to_string(), &listed["pending"][0]);
    for (field, value) in [
        ("requestId", json!(id)),
        ("deviceId", json!(id)),
        ("displayName", json!("laptop")),
        ("platform", json!("linux")),
        ("clientId", json!("cli")),
        ("clientMode", json!("cli")),
        ("role", json!("operator")),
        ("roles", json!(["operator"])),
        ("scopes", json!(["read", "chat", "manage", "own"])),
        ("remoteIp", json!("127.0.0.1")),
    ] {
        assert_eq!(one[field], value, "{field} of {one}");
    }
    assert!(one["ts"].is_i64() && one.get("approvedAtMs").is_none(), "{one}");
    // Another account's are not there, and who only looks decides nothing.
    let approve = format!("{path}/{id}/approve");
    let (_, theirs) = answer(world.ask(Method::GET, path).bearer_auth(&ann.token)).await;
    assert_eq!(theirs["pending"], json!([]));
    for missing in [approve.as_str(), "/api/admin/devices/%24%28id%29/approve"] {
        let (status, said) = answer(world.ask(Method::POST, missing).bearer_auth(&ann.token)).await;
        assert!(status == 404 && said["error"].is_string(), "{said}");
    }
    let viewer = Tenant::token(&world, &world.app.account, Right::Chat, None).await;
    for (method, path) in [(Method::GET, path), (Method::POST, approve.as_str())] {
        let (status, said) = answer(world.ask(method, path).bearer_auth(&viewer)).await;
        assert!(status == 403 && said["error"].is_string(), "{said}");
    }
    // A browser's session is enough on our own page, and not on another's.
    let session = world.sign_in().await;
    let by_page = |origin: &str| {
        let request = world.ask(Method::POST, &approve).header("cookie", &session);
        request.header("origin", origin.to_owned())
    };
    assert_eq!(answer(by_page("http://evil.example")).await.0, 403);
    let (status, done) = answer(by_page(&world.origin())).await;
    assert_eq!((status, &done["success"], &done["requestId"]), (200, &json!(true), &json!(id)));
    assert!(done["message"].as_str().unwrap().to_lowercase().contains("approved"), "{done}");
    let (status, again) = answer(as_owner(Method::POST, &approve)).await;
    assert!(status == 409 && again["error"].is_string(), "{again}");
    assert_eq!(laptop.polls(&world, &asked).await.1["scope"], json!("manage"), "never own");
    let (_, listed) = answer(as_owner(Method::GET, path)).await;
    assert_eq!(listed["pending"], json!([]));
    // The browser is paired, too.
    let paired = listed["paired"].as_array().unwrap();
    let one = paired.iter().find(|one| one["deviceId"] == json!(id)).unwrap();
    assert!(one["createdAtMs"].is_i64() && one["approvedAtMs"].is_i64(), "{one}");
    assert_eq!(one["scopes"], json!(["read", "chat", "manage"]));
    let all = "/api/admin/devices/approve-all";
    let (status, none) = answer(as_owner(Method::POST, all)).await;
    let message = "No pending devices to approve";
    assert_eq!((status, none), (200, json!({ "approved": [], "failed": [], "message": message })));
    for key in [2, 3] {
        Laptop::new(key).asks(&world, &[]).await;
    }
    let (_, theirs) = answer(world.ask(Method::POST, all).bearer_auth(&ann.token)).await;
    assert_eq!(theirs["approved"], json!([]));
    let (_, done) = answer(as_owner(Method::POST, all)).await;
    assert_eq!(done["approved"].as_array().unwrap().len(), 2, "{done}");
    assert_eq!(
        (&done["failed"], &done["message"]),
        (&json!([]), &json!("Approved 2 of 2 device(s)"))
    );
    // No GET approves.
    assert_eq!(as_owner(Method::GET, all).send().await.unwrap().status(), 405);
}
