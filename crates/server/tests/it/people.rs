//! People: written down, made members, given single smartboxes, shut out; and what the audit says of it.

use http::Method;
use serde_json::{Value, json};
use smartbox_core::audit::Entry;
use smartbox_core::id::AccountId;
use smartbox_core::person::{Right, Role};
use smartbox_core::smartbox::Kind;
use smartbox_core::store;

use crate::rights::Guest;
use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

/// What a bearer gets who asks this.
async fn ask(world: &World, bearer: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
    let asked = world.ask(method, path).bearer_auth(bearer);
    let asked = if body.is_null() { asked } else { asked.json(&body) };
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn by(world: &World, who: &Guest, method: Method, path: &str, body: Value) -> u16 {
    let asked = world.ask(method, path).header("cookie", &who.cookie);
    let asked = asked.header("origin", world.origin());
    let asked = if body.is_null() { asked } else { asked.json(&body) };
    asked.send().await.unwrap().status().as_u16()
}

async fn audit(world: &World, account: &AccountId) -> Vec<Entry> {
    let id = account.clone();
    store::read(&*world.app.store, |tx| Box::pin(async move { tx.audit().list(id, 0, 1000).await }))
        .await
        .unwrap()
}

#[tokio::test]
async fn an_owner_makes_members_and_a_member_does_not() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let owner = Guest::new(&world, &ann, Some(Role::Owner), None).await;
    let member = Guest::new(&world, &ann, Some(Role::Member), None).await;
    let viewer = Guest::new(&world, &ann, Some(Role::Viewer), None).await;
    let members = "/api/v1/accounts/ann/members";
    let cleo = format!("{members}/Cleo@Example.com");
    let set = || json!({ "role": "member" });
    for (who, read, change) in [(&owner, 200, 200), (&member, 200, 403), (&viewer, 403, 403)] {
        assert_eq!(by(&world, who, Method::GET, members, Value::Null).await, read);
        assert_eq!(by(&world, who, Method::PUT, &cleo, set()).await, change);
    }
    // Whose account it is not finds none, member or not.
    for path in [members, "/api/v1/accounts/nobody/members"] {
        assert_eq!(ask(&world, &bob.token, Method::GET, path, Value::Null).await.0, 404);
    }
    let (_, page) = ask(&world, &ann.token, Method::GET, members, Value::Null).await;
    let cleo_view = page["items"].as_array().unwrap().iter().find(|m| m["email"].is_string());
    assert_eq!(cleo_view.unwrap()["email"], "cleo@example.com", "one form: {page}");
    for bad in ["nobody", "per_00000000000000000000", "a@b@c"] {
        let path = format!("{members}/{bad}");
        assert_eq!(by(&world, &owner, Method::PUT, &path, set()).await, 404, "{bad}");
    }
    assert_eq!(by(&world, &owner, Method::DELETE, &cleo, Value::Null).await, 204);
    assert_eq!(by(&world, &owner, Method::DELETE, &cleo, Value::Null).await, 404, "she is none");
    // What was changed holds at once, and stands in the audit.
    let path = format!("{members}/{}", member.id);
    assert_eq!(by(&world, &owner, Method::PUT, &path, json!({ "role": "viewer" })).await, 200);
    assert_eq!(by(&world, &member, Method::GET, members, Value::Null).await, 403);
    let acts: Vec<_> = audit(&world, &ann.account.id).await.into_iter().map(|e| e.act).collect();
    let last = acts.last().unwrap();
    assert_eq!(last.action, "member.set");
    assert_eq!(last.actor, format!("person:{} from 127.0.0.1", owner.id));
    assert_eq!(last.detail, format!("{} viewer", member.id));
    assert!(!acts.iter().any(|act| act.detail.contains('@')), "no address stands there for ever");
}

#[tokio::test]
async fn the_last_owner_does_not_lock_themselves_out_by_mistake() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let owner = Guest::new(&world, &ann, Some(Role::Owner), None).await;
    let me = format!("/api/v1/accounts/ann/members/{}", owner.id);
    let down = || json!({ "role": "viewer" });
    // The account's own token opens it still, so this would be no mistake; it goes first.
    assert_eq!(by(&world, &owner, Method::DELETE, "/api/v1/tokens", Value::Null).await, 204);
    assert_eq!(by(&world, &owner, Method::DELETE, &me, Value::Null).await, 422);
    assert_eq!(by(&world, &owner, Method::PUT, &me, down()).await, 422);
    // Neither does a token that may less, or an owner who is shut out.
    Tenant::token(&world, &ann.account, Right::Manage, None).await;
    let other = Guest::new(&world, &ann, Some(Role::Owner), None).await;
    let shut = json!({ "disabled": true });
    let path = format!("/api/v1/people/{}", other.id);
    assert_eq!(ask(&world, MASTER, Method::PATCH, &path, shut).await.0, 200);
    assert_eq!(by(&world, &owner, Method::DELETE, &me, Value::Null).await, 422);
    let open = json!({ "disabled": false });
    assert_eq!(ask(&world, MASTER, Method::PATCH, &path, open).await.0, 200);
    assert_eq!(by(&world, &owner, Method::DELETE, &me, Value::Null).await, 204, "another owns it");
    // An operator, and the local command line, may.
    let path = format!("/api/v1/accounts/ann/members/{}", other.id);
    assert_eq!(ask(&world, MASTER, Method::DELETE, &path, Value::Null).await.0, 204);
}

#[tokio::test]
async fn a_box_is_shared_by_its_owner_alone_and_never_given_away() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let guest = Guest::new(&world, &bob, None, Some((&site, Right::Manage))).await;
    let friend = Guest::new(&world, &bob, None, None).await;
    let shares = format!("/api/v1/boxes/{}/shares", site.id);
    let one = format!("{shares}/{}", friend.id);
    let right = |right: &str| json!({ "right": right });
    assert_eq!(by(&world, &guest, Method::PUT, &one, right("read")).await, 403, "not a guest's");
    assert_eq!(by(&world, &guest, Method::GET, &shares, Value::Null).await, 403);
    assert_eq!(ask(&world, &bob.token, Method::PUT, &one, right("read")).await.0, 404);
    assert_eq!(ask(&world, &ann.token, Method::PUT, &one, right("own")).await.0, 422);
    let box_of = format!("/api/v1/boxes/{}", site.id);
    assert_eq!(by(&world, &friend, Method::GET, &box_of, Value::Null).await, 404);
    assert_eq!(ask(&world, &ann.token, Method::PUT, &one, right("read")).await.0, 200);
    assert_eq!(by(&world, &friend, Method::GET, &box_of, Value::Null).await, 200);
    let (_, page) = ask(&world, &ann.token, Method::GET, &shares, Value::Null).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2, "{page}");
    assert_eq!(ask(&world, &ann.token, Method::DELETE, &one, Value::Null).await.0, 204);
    assert_eq!(by(&world, &friend, Method::GET, &box_of, Value::Null).await, 404, "at once");
    let acts: Vec<_> = audit(&world, &ann.account.id).await.into_iter().map(|e| e.act).collect();
    let [.., set, removed] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!((set.action.as_str(), removed.action.as_str()), ("share.set", "share.remove"));
    assert_eq!(set.smartbox.as_ref(), Some(&site.id));
}

#[tokio::test]
async fn whoever_is_shut_out_is_so_at_once_and_the_accounts_learn_it() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let member = Guest::new(&world, &ann, Some(Role::Member), None).await;
    let list = |who| by(&world, who, Method::GET, "/api/v1/boxes", Value::Null);
    assert_eq!(list(&member).await, 200);
    let path = format!("/api/v1/people/{}", member.id);
    assert_eq!(ask(&world, &ann.token, Method::PATCH, &path, json!({})).await.0, 403);
    assert_eq!(ask(&world, MASTER, Method::PATCH, &path, json!({"disabled":true})).await.0, 200);
    assert_eq!(list(&member).await, 401);
    assert_eq!(ask(&world, MASTER, Method::PATCH, &path, json!({"disabled":false})).await.0, 200);
    assert_eq!(list(&member).await, 401, "the session is over, and not asleep");
    assert_eq!(ask(&world, MASTER, Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(ask(&world, MASTER, Method::DELETE, &path, Value::Null).await.0, 404);
    for account in [&ann.account.id, &world.app.account.id] {
        let acts = audit(&world, account).await;
        let last = &acts.last().unwrap().act;
        assert_eq!(
            (last.action.as_str(), last.actor.as_str()),
            ("person.remove", "master-token from 127.0.0.1")
        );
    }
}

#[tokio::test]
async fn an_address_is_one_persons() {
    let world = World::new().await;
    let new = |email: &str| json!({ "email": email, "operator": "read" });
    let people = "/api/v1/people";
    let (status, made) = ask(&world, MASTER, Method::POST, people, new("Ann@Example.com")).await;
    assert_eq!(
        (status, &made["email"], &made["operator"]),
        (201, &json!("ann@example.com"), &json!("read"))
    );
    assert_eq!(ask(&world, MASTER, Method::POST, people, new("ann@example.com ")).await.0, 409);
    assert_eq!(ask(&world, MASTER, Method::POST, people, new("ann")).await.0, 422);
    let ann = Tenant::new(&world, "ann").await;
    let path = "/api/v1/accounts/ann/members/ANN@example.com";
    let (_, member) = ask(&world, &ann.token, Method::PUT, path, json!({ "role": "owner" })).await;
    assert_eq!(member["person"], made["id"], "found, and not made again");
}

#[tokio::test]
async fn everybody_is_told_who_they_are() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let who = async |bearer: &str| {
        ask(&world, bearer, Method::GET, "/api/v1/whoami", Value::Null).await.1
    };
    let master = who(MASTER).await;
    assert_eq!((&master["by"], &master["operator"]), (&json!("master-token"), &json!("own")));
    let token = who(&ann.token).await;
    assert_eq!((&token["by"], &token["account"]), (&json!("token"), &json!("ann")));
    assert!(token["operator"].is_null() && token["person"].is_null(), "{token}");
    let viewer = Guest::new(&world, &ann, Some(Role::Viewer), None).await;
    let asked = world.ask(Method::GET, "/api/v1/whoami").header("cookie", &viewer.cookie);
    let said: Value = asked.send().await.unwrap().json().await.unwrap();
    assert_eq!((&said["by"], &said["right"]), (&json!("session"), &json!("read")));
    assert_eq!(said["person"]["id"], json!(viewer.id));
}

#[tokio::test]
async fn an_operator_who_only_looks_still_owns_what_is_theirs_and_nothing_else() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let site = bob.smartbox(&world, "site", Kind::PROJECT).await;
    ann.smartbox(&world, "mine", Kind::PROJECT).await;
    let owner = Guest::new(&world, &ann, Some(Role::Owner), None).await;
    let path = format!("/api/v1/people/{}", owner.id);
    let looks = json!({ "operator": "read" });
    assert_eq!(ask(&world, MASTER, Method::PATCH, &path, looks).await.0, 200);
    let theirs = format!("/api/v1/boxes/{}", site.id);
    let member = |account: &str| format!("/api/v1/accounts/{account}/members/x@example.com");
    let (own, other) = (member("ann"), member("bob"));
    let (set, share) = (json!({ "role": "viewer" }), json!({ "right": "manage" }));
    for (method, path, body, want) in [
        (Method::GET, "/api/v1/accounts", Value::Null, 200),
        (Method::GET, &theirs, Value::Null, 200),
        (Method::POST, "/api/v1/boxes/mine/stop", Value::Null, 200),
        (Method::PUT, &own, set.clone(), 200),
        (Method::POST, &format!("{theirs}/stop"), Value::Null, 404),
        (Method::PUT, &format!("{theirs}/shares/x@example.com"), share, 404),
        (Method::DELETE, &theirs, Value::Null, 404),
        (Method::PUT, &other, set, 404),
        (Method::POST, "/api/v1/people", json!({ "email": "y@example.com" }), 403),
    ] {
        assert_eq!(by(&world, &owner, method.clone(), path, body).await, want, "{method} {path}");
    }
    // Nor for an account that is named.
    let stop = world.ask(Method::POST, &format!("{theirs}/stop")).header("cookie", &owner.cookie);
    let stop = stop.header("origin", world.origin()).header("smartbox-account", "bob");
    assert_eq!(stop.send().await.unwrap().status(), 403);
    // And no token of theirs reaches further than they.
    let (status, made) = {
        let asked = world.ask(Method::POST, "/api/v1/tokens").header("cookie", &owner.cookie);
        let asked = asked.header("origin", world.origin()).json(&json!({ "box": site.id }));
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!((status, &made["code"]), (403, &json!("forbidden")), "{made}");
    // But with what is theirs they do what an owner does, also about what has leaked.
    let make = async |right: &str| {
        let asked = world.ask(Method::POST, "/api/v1/tokens").header("cookie", &owner.cookie);
        let asked = asked.header("origin", world.origin()).json(&json!({ "right": right }));
        asked.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let made = make("own").await;
    assert_eq!(made["right"], json!("own"), "{made}");
    let leaked = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(by(&world, &owner, Method::DELETE, &leaked, Value::Null).await, 204);
}

/// The attack: an operator makes tokens of others' boxes for a year, and runs the installation no more.
#[tokio::test]
async fn an_operator_makes_nothing_that_goes_on_without_them() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let site = bob.smartbox(&world, "site", Kind::PROJECT).await;
    let mine = ann.smartbox(&world, "mine", Kind::PROJECT).await;
    let olga = Guest::new(&world, &ann, Some(Role::Member), None).await;
    let path = format!("/api/v1/people/{}", olga.id);
    let runs = json!({ "operator": "own" });
    assert_eq!(ask(&world, MASTER, Method::PATCH, &path, runs).await.0, 200);
    let tokens = "/api/v1/tokens";
    for body in [json!({ "box": site.id }), json!({ "box": site.id, "right": "read" })] {
        assert_eq!(by(&world, &olga, Method::POST, tokens, body.clone()).await, 403, "{body}");
    }
    for body in [json!({}), json!({ "box": site.id })] {
        let asked = world.ask(Method::POST, tokens).header("cookie", &olga.cookie);
        let asked = asked.header("origin", world.origin()).header("smartbox-account", "bob");
        assert_eq!(asked.json(&body).send().await.unwrap().status(), 403, "{body}");
    }
    // Nor by a key of hers, which outlasts her standing.
    let asked = world.ask(Method::POST, "/api/v1/operator-keys").header("cookie", &olga.cookie);
    let asked =
        asked.header("origin", world.origin()).json(&json!({ "name": "k", "right": "own" }));
    let made: Value = asked.send().await.unwrap().json().await.unwrap();
    let key = made["token"].as_str().unwrap();
    let of_site = json!({ "box": site.id });
    assert_eq!(ask(&world, key, Method::POST, tokens, of_site.clone()).await.0, 403);
    // What is hers by her role she gives, as far as that goes.
    assert_eq!(by(&world, &olga, Method::POST, tokens, json!({ "box": mine.id })).await, 201);
    // The installation's own makes them, and so does a key that is nobody's.
    let (status, made) = ask(&world, MASTER, Method::POST, tokens, of_site).await;
    assert_eq!((status, &made["right"]), (201, &json!("own")), "{made}");
    let read = format!("/api/v1/boxes/{}", site.id);
    let token = made["token"].as_str().unwrap();
    assert_eq!(ask(&world, token, Method::GET, &read, Value::Null).await.0, 200);
}
