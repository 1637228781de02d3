//! Tokens and keys of operators: made, listed, rotated, revoked, and never more than their maker.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use smartbox_core::person::{Right, Role};
use smartbox_core::route::port::Resolve;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::Kind;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_core::token::{Purpose, Token};
use smartbox_edge::Admit;
use smartbox_server::access::{Access, Bearer, Caller, NewToken};

use crate::rights::Guest;
use crate::tenancy::Tenant;
use crate::world::{MASTER, World, newcomer};
use smartbox_core::id::TokenId;
use smartbox_core::session::Root;
use smartbox_core::store;
use tokio::time::Instant;

const TOKENS: &str = "/api/v1/tokens";

/// What somebody gets who asks this with a bearer.
async fn ask(
    world: &World,
    bearer: &str,
    (method, path): (Method, &str),
    body: Value,
) -> (u16, Value) {
    let asked = world.ask(method, path).bearer_auth(bearer);
    let asked = if body.is_null() { asked } else { asked.json(&body) };
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn make(world: &World, bearer: &str, body: Value) -> Value {
    let (status, made) = ask(world, bearer, (Method::POST, TOKENS), body).await;
    assert_eq!(status, 201, "{made}");
    made
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

#[tokio::test]
async fn a_token_says_what_it_is_and_never_its_value() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let asked = json!({ "name": "ci", "right": "chat", "box": "site" });
    let made = make(&world, &ann.token, asked).await;
    let value = text(&made, "token");
    assert_eq!(made["right"], "chat");
    let quarter = 90 * 24 * 3_600_000;
    let expires = made["expires"].as_i64().unwrap() - world.app.clock.now().0;
    assert!((quarter - 60_000..=quarter).contains(&expires), "90 days if nobody says: {expires}");
    let (_, page) = ask(&world, &ann.token, (Method::GET, TOKENS), Value::Null).await;
    let listed = page["items"].as_array().unwrap();
    let one = listed.iter().find(|t| t["id"] == made["id"]).unwrap();
    assert_eq!((&one["name"], &one["box"]), (&json!("ci"), &json!(site.id)));
    assert!(one["used"].is_null(), "nobody used it");
    assert!(!page.to_string().contains(value), "{page}");
    // It says when it was used, and what it reaches.
    assert_eq!(ask(&world, value, (Method::GET, "/api/v1/boxes/site"), Value::Null).await.0, 200);
    let (_, page) = ask(&world, value, (Method::GET, TOKENS), Value::Null).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "itself alone: {page}");
    assert!(page["items"][0]["used"].is_i64(), "{page}");
    for bad in [
        json!({ "expires_secs": 0 }),
        json!({ "expires_secs": 367 * 24 * 3600 }),
        json!({ "name": "two\nlines" }),
        json!({ "right": "root" }),
        json!({ "box": "nothing" }),
        json!({ "purpose": "operator" }),
    ] {
        let (status, said) = ask(&world, &ann.token, (Method::POST, TOKENS), bad.clone()).await;
        assert!([400, 404, 422].contains(&status), "{bad}: {said}");
    }
}

#[tokio::test]
async fn a_token_may_never_more_than_its_maker() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    ann.smartbox(&world, "other", Kind::PROJECT).await;
    let all = json!({ "right": "own" });
    for right in Right::ALL {
        let maker = Tenant::token(&world, &ann.account, right, None).await;
        assert_eq!(make(&world, &maker, all.clone()).await["right"], right.as_str());
        assert_eq!(make(&world, &maker, Value::Null).await["right"], right.as_str());
        let bound = Tenant::token(&world, &ann.account, right, Some(site.id.clone())).await;
        let (status, _) = ask(&world, &bound, (Method::POST, TOKENS), all.clone()).await;
        assert_eq!(status, 403, "what is bound to a box makes none of the account");
        let (status, _) = ask(&world, &bound, (Method::POST, TOKENS), json!({"box":"other"})).await;
        assert_eq!(status, 404, "nor of another box");
        let made = make(&world, &bound, json!({ "box": "site", "right": "own" })).await;
        assert_eq!(made["right"], right.as_str());
    }
    // With whom a box is shared makes tokens of that box, as far as the share goes, while it lasts.
    let guest = Guest::new(&world, &bob, None, Some((&site, Right::Chat))).await;
    let by_guest = async |body: Value| {
        let asked = world.ask(Method::POST, TOKENS).header("cookie", &guest.cookie);
        let answer = asked.header("origin", world.origin()).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(by_guest(json!({})).await.0, 403, "no role, no token of the account");
    let (_, made) = by_guest(json!({ "box": site.id, "right": "own" })).await;
    assert_eq!(made["right"], "chat");
    let box_of = format!("/api/v1/boxes/{}", site.id);
    let value = text(&made, "token");
    assert_eq!(ask(&world, value, (Method::GET, &box_of), Value::Null).await.0, 200);
    let (id, who) = (site.id.clone(), guest.id.clone());
    smartbox_core::store::write(&*world.app.store, move |tx| {
        Box::pin(async move { tx.grants().set_share(id, who, None).await })
    })
    .await
    .unwrap();
    assert_eq!(ask(&world, value, (Method::GET, &box_of), Value::Null).await.0, 404);
}

#[tokio::test]
async fn people_see_and_end_their_own_and_an_owner_all() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let member = Guest::new(&world, &ann, Some(Role::Member), None).await;
    let other = Guest::new(&world, &ann, Some(Role::Member), None).await;
    let owner = Guest::new(&world, &ann, Some(Role::Owner), None).await;
    let by = async |who: &Guest, method: Method, path: &str| {
        let asked = world.ask(method, path).header("cookie", &who.cookie);
        let answer = asked.header("origin", world.origin()).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let (_, made) = by(&member, Method::POST, TOKENS).await;
    assert_eq!(made["right"], "manage");
    let path = format!("{TOKENS}/{}", text(&made, "id"));
    let (_, page) = by(&other, Method::GET, TOKENS).await;
    assert_eq!(page["items"], json!([]), "another member's is not theirs to see");
    let (status, missing) = by(&other, Method::DELETE, &path).await;
    let (none, nothing) =
        by(&other, Method::DELETE, &format!("{TOKENS}/tok_00000000000000000000")).await;
    assert_eq!((status, none), (404, 404));
    let bare = |mut problem: Value| {
        problem.as_object_mut().unwrap().remove("request_id");
        problem
    };
    assert_eq!(bare(missing), bare(nothing), "theirs and nobody's look the same");
    assert_eq!(by(&other, Method::POST, &format!("{path}/rotate")).await.0, 404);
    // An owner ends it, and does not get a value of it: that would be a way to be somebody else.
    assert_eq!(by(&owner, Method::POST, &format!("{path}/rotate")).await.0, 403);
    assert_eq!(by(&owner, Method::DELETE, &path).await.0, 204);
    let box_list = (Method::GET, "/api/v1/boxes");
    assert_eq!(ask(&world, text(&made, "token"), box_list, Value::Null).await.0, 401);
}

#[tokio::test]
async fn what_may_less_neither_ends_nor_renews_what_may_more() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let strong = make(&world, &ann.token, Value::Null).await;
    let weak = make(&world, text(&strong, "token"), json!({ "right": "read" })).await;
    let weak = text(&weak, "token");
    let path = format!("{TOKENS}/{}", text(&strong, "id"));
    for (method, path) in [(Method::POST, format!("{path}/rotate")), (Method::DELETE, path.clone())]
    {
        let (status, said) = ask(&world, weak, (method, &path), Value::Null).await;
        assert!([403, 404].contains(&status), "{said}");
    }
    // What it was made by goes, and it with it.
    assert_eq!(ask(&world, &ann.token, (Method::DELETE, &path), Value::Null).await.0, 204);
    assert_eq!(ask(&world, weak, (Method::GET, "/api/v1/boxes"), Value::Null).await.0, 401);
}

#[tokio::test]
async fn a_rotated_token_has_a_new_value_and_the_old_one_works_as_long_as_was_asked() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let made = make(&world, &ann.token, json!({ "right": "manage" })).await;
    let rotate = format!("{TOKENS}/{}/rotate", text(&made, "id"));
    let works = async |value: &str| {
        ask(&world, value, (Method::GET, "/api/v1/boxes"), Value::Null).await.0 == 200
    };
    let (status, second) = ask(&world, &ann.token, (Method::POST, &rotate), Value::Null).await;
    assert_eq!((status, &second["id"]), (200, &made["id"]));
    assert!(!works(text(&made, "token")).await && works(text(&second, "token")).await);
    let grace = json!({ "grace_secs": 600 });
    let (_, third) = ask(&world, &ann.token, (Method::POST, &rotate), grace).await;
    assert!(works(text(&second, "token")).await && works(text(&third, "token")).await);
    let (_, page) = ask(&world, &ann.token, (Method::GET, TOKENS), Value::Null).await;
    let old = page["items"].as_array().unwrap().iter().find(|t| t["before"] == made["id"]).unwrap();
    let left = old["expires"].as_i64().unwrap() - world.app.clock.now().0;
    assert!((1..=600_000).contains(&left), "{left}");
    let again = format!("{TOKENS}/{}/rotate", text(old, "id"));
    assert_eq!(ask(&world, &ann.token, (Method::POST, &again), Value::Null).await.0, 422);
    let long = json!({ "grace_secs": 86_401 });
    assert_eq!(ask(&world, &ann.token, (Method::POST, &rotate), long).await.0, 422);
    // Whoever revokes it revokes its old value, too.
    let path = format!("{TOKENS}/{}", text(&made, "id"));
    assert_eq!(ask(&world, &ann.token, (Method::DELETE, &path), Value::Null).await.0, 204);
    assert!(!works(text(&second, "token")).await && !works(text(&third, "token")).await);
}

#[tokio::test]
async fn a_revoked_token_ends_what_was_begun_by_it_and_tells_open_sockets() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    for bound in [json!({ "box": "site" }), json!({})] {
        let made = make(&world, &ann.token, bound.clone()).await;
        // A token of one box, in the browser: it leads there, by a ticket.
        let form = [("token", text(&made, "token"))];
        let signed = world.ask(Method::POST, "/login").header("origin", world.origin()).form(&form);
        let signed = signed.send().await.unwrap();
        let ticket = match signed.headers().get("location").unwrap().to_str().unwrap() {
            "/browser?next=%2F" => {
                let cookie = signed.headers()["set-cookie"].to_str().unwrap();
                let cookie = cookie.split(';').next().unwrap();
                let link = world.ask(Method::POST, "/api/v1/boxes/site/link");
                let link = link.header("cookie", cookie).header("origin", world.origin());
                let link: Value = link.send().await.unwrap().json().await.unwrap();
                text(&link, "url").split("ticket=").nth(1).unwrap().to_owned()
            }
            url => {
                assert_eq!(url, "/browser?next=%2Fopen%2Fsite");
                let cookie = crate::world::cookie(&signed).unwrap();
                let boxes = world.ask(Method::GET, "/boxes").header("cookie", &cookie);
                let boxes = boxes.send().await.unwrap().text().await.unwrap();
                assert!(boxes.contains("/open/site") && !boxes.contains("/open/pa"), "{boxes}");
                let account = world.ask(Method::GET, "/api/v1/audit").header("cookie", &cookie);
                assert_eq!(account.send().await.unwrap().status(), 403, "nothing of the account");
                let open = world.ask(Method::POST, "/open/site").header("cookie", cookie);
                let open = open.header("origin", world.origin()).send().await.unwrap();
                let to = open.headers()["location"].to_str().unwrap();
                to.split("ticket=").nth(1).unwrap().to_owned()
            }
        };
        let route = world.app.control.route(&site.label).await.unwrap().unwrap();
        let access = &world.app.access;
        let inside = access.enter(&route, Secret::new(ticket)).await.unwrap().unwrap();
        assert!(access.who(&route, inside.expose()).await.unwrap().is_some());
        let mut ended = access.ended();
        ended.mark_unchanged();
        let path = format!("{TOKENS}/{}", text(&made, "id"));
        assert_eq!(ask(&world, &ann.token, (Method::DELETE, &path), Value::Null).await.0, 204);
        assert!(ended.has_changed().unwrap(), "open sockets ask again at once");
        assert!(access.who(&route, inside.expose()).await.unwrap().is_none(), "{bound}");
    }
}

/// A clock that stands.
pub struct Standing(pub AtomicI64);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn what_was_begun_by_a_token_ends_when_the_token_expires() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let clock = Arc::new(Standing(AtomicI64::new(1_000_000)));
    let (store, entropy) = (world.app.store.clone(), world.app.entropy.clone());
    let access = Access::new(store, clock.clone(), entropy, None);
    let by = Caller::owner(ann.account.id.clone(), "test".into());
    let new = NewToken {
        name: "short".into(),
        purpose: Purpose::Api,
        right: Right::Read,
        smartbox: None,
        lasts: Some(Duration::from_mins(10)),
    };
    let token = access.new_token(&by, new, 1000).await.unwrap().unwrap();
    let Some(Bearer::Token(caller)) = access.bearer(token.value.expose()).await.unwrap() else {
        panic!("the token is good");
    };
    let session = access.begin(&caller, newcomer(), true).await.unwrap();
    access.sweep(Instant::now()).await.unwrap();
    assert!(access.seat(session.expose(), None).await.unwrap().is_some());
    clock.0.fetch_add(600_000, Ordering::SeqCst);
    assert!(access.bearer(token.value.expose()).await.unwrap().is_none());
    access.sweep(Instant::now()).await.unwrap();
    assert!(access.seat(session.expose(), None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_key_of_an_operator_may_what_it_says_in_either_header() {
    let world = World::new().await;
    Tenant::new(&world, "ann").await;
    let keys = "/api/v1/operator-keys";
    for right in [Right::Read, Right::Manage, Right::Own] {
        let body = json!({ "name": "ci", "right": right });
        let (_, made) = ask(&world, MASTER, (Method::POST, keys), body).await;
        let key = text(&made, "token");
        let status = async |method, path, body| ask(&world, key, (method, path), body).await.0;
        assert_eq!(status(Method::GET, "/api/v1/accounts", Value::Null).await, 200);
        let fresh = json!({ "name": format!("fresh-{}", right.as_str()) });
        let want = if right == Right::Own { 201 } else { 403 };
        assert_eq!(status(Method::POST, "/api/v1/accounts", fresh).await, want, "{right:?}");
        assert_eq!(status(Method::POST, keys, json!({ "right": "own" })).await, want, "{right:?}");
        let stopped = status(Method::POST, "/api/v1/boxes/pa/stop", Value::Null).await;
        assert_eq!(stopped == 403, right < Right::Manage, "{right:?}: {stopped}");
        let admin = async |method, path| {
            let asked = world.ask(method, path).header("x-admin-secret", key);
            asked.send().await.unwrap().status().as_u16()
        };
        assert_eq!(admin(Method::GET, "/api/super/state/dashboard").await, 200, "{right:?}");
        let changed = admin(Method::POST, "/api/super/bulk/restart").await;
        assert_eq!(changed == 403, right < Right::Own, "{right:?}: {changed}");
        let path = format!("{keys}/{}", text(&made, "id"));
        assert_eq!(ask(&world, MASTER, (Method::DELETE, &path), Value::Null).await.0, 204);
        assert_eq!(admin(Method::GET, "/api/super/state/dashboard").await, 403, "it is revoked");
    }
    // What is no operator's is no secret of the admin's.
    let asked =
        world.ask(Method::GET, "/api/super/state/dashboard").header("x-admin-secret", &world.token);
    assert_eq!(asked.send().await.unwrap().status(), 403);
}

/// As many tokens of an account as that, of nobody in particular.
async fn has(world: &World, purpose: Purpose, count: usize) {
    let (account, entropy) = (world.app.account.id.clone(), world.app.entropy.clone());
    let token = move |n: usize| Token {
        id: TokenId::generate(&*entropy),
        hash: format!("{} {n}", purpose.as_str()),
        name: String::new(),
        account: account.clone(),
        person: None,
        smartbox: None,
        purpose,
        right: Right::Read,
        root: Root::default(),
        created: Timestamp(0),
        expires: None,
        used: None,
    };
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move {
            for n in 0..count {
                tx.tokens().add(token(n)).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn many_who_ask_for_the_last_place_at_once_get_one() {
    let world = World::new().await;
    for (purpose, most, path) in [
        (Purpose::Api, 500, TOKENS),
        (Purpose::Invite, 50, "/api/v1/devices/invite"),
        (Purpose::Operator, 500, "/api/v1/operator-keys"),
    ] {
        has(&world, purpose, most - 1).await;
        let body = json!({ "name": "one", "right": "read" });
        let asked = (0..8).map(|_| ask(&world, MASTER, (Method::POST, path), body.clone()));
        let mut got = futures_util::future::join_all(asked).await;
        got.sort_by_key(|(status, _)| *status);
        let statuses: Vec<_> = got.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [201, 422, 422, 422, 422, 422, 422, 422], "{path}");
        assert_eq!(got[1].1["code"], json!("refused"), "{path}");
        // What is over takes no place.
        let gone = text(&got[0].1, "id").to_owned().parse().unwrap();
        store::write(&*world.app.store, |tx| {
            Box::pin(async move { tx.tokens().revoke(gone).await })
        })
        .await
        .unwrap();
        let again = ask(&world, MASTER, (Method::POST, path), body).await;
        assert_eq!(again.0, 201, "{path}: {}", again.1);
    }
    // Nobody's take anybody else's place.
    let me = Tenant { account: world.app.account.clone(), token: world.token.clone() };
    let guest = Guest::new(&world, &me, Some(Role::Member), None).await;
    let asked = world.ask(Method::POST, TOKENS).header("cookie", &guest.cookie);
    let asked = asked.header("origin", world.origin()).json(&json!({ "right": "read" }));
    assert_eq!(asked.send().await.unwrap().status(), 201);
}
