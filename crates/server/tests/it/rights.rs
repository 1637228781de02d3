//! People with a role, people with whom a smartbox is shared, and tokens that may less: each may what it
//! was given, and nothing around it.

use http::Method;
use serde_json::{Value, json};
use smartbox_core::id::{PersonId, SmartboxId};
use smartbox_core::job::JobState;
use smartbox_core::person::{Person, Right, Role};
use smartbox_core::route::port::Resolve;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::{Kind, Smartbox};
use smartbox_core::store;
use smartbox_core::token::Purpose;
use smartbox_edge::Admit;
use smartbox_server::access::{Caller, NewToken};

use crate::every::keep_job;
use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

/// What somebody gets who asks this: the method, the path and a body.
type Ask = (Method, &'static str, Option<Value>);

fn asks() -> [(Right, Ask); 8] {
    [
        (Right::Read, (Method::GET, "/api/v1/boxes/site", None)),
        (Right::Read, (Method::GET, "/api/v1/boxes/site/messages", None)),
        (Right::Chat, (Method::POST, "/api/v1/boxes/site/messages", Some(json!({"text":"hi"})))),
        (Right::Manage, (Method::POST, "/api/v1/boxes/site/stop", None)),
        (Right::Manage, (Method::PATCH, "/api/v1/boxes/site", Some(json!({"display_name":"x"})))),
        (Right::Own, (Method::DELETE, "/api/v1/tokens", None)),
        (Right::Own, (Method::PUT, "/api/v1/secrets/A", Some(json!({"value":"v","box":"site"})))),
        (Right::Own, (Method::DELETE, "/api/v1/boxes/site", None)),
    ]
}

pub(crate) struct Guest {
    pub id: PersonId,
    pub cookie: String,
}

impl Guest {
    /// Somebody who is signed in for this account.
    pub async fn new(
        world: &World,
        of: &Tenant,
        role: Option<Role>,
        share: Option<(&Smartbox, Right)>,
    ) -> Self {
        let id = PersonId::generate(&*world.app.entropy);
        let person = Person {
            id: id.clone(),
            name: "Guest".into(),
            email: None,
            operator: None,
            disabled: false,
            created: world.app.clock.now(),
        };
        let (account, to) =
            (of.account.id.clone(), share.map(|(row, right)| (row.id.clone(), right)));
        let who = id.clone();
        store::write(&*world.app.store, move |tx| {
            Box::pin(async move {
                tx.people().add(person).await?;
                tx.grants().set_role(account, who.clone(), role).await?;
                if let Some((smartbox, right)) = to {
                    tx.grants().set_share(smartbox, who, Some(right)).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let caller = Caller {
            person: Some(id.clone()),
            right: role.map(Role::right),
            ..Caller::owner(of.account.id.clone(), format!("person:{id}"))
        };
        let value = world.app.access.begin(&caller, crate::world::newcomer(), true).await.unwrap();
        Self { id, cookie: format!("{}={}", world.app.site.cookie(), value.expose()) }
    }

    async fn ask(&self, world: &World, (method, path, body): Ask) -> u16 {
        let asked = world.ask(method, path).header("cookie", &self.cookie);
        let asked = asked.header("origin", world.origin());
        let asked = match body {
            Some(body) => asked.json(&body),
            None => asked,
        };
        asked.send().await.unwrap().status().as_u16()
    }
}

fn refused(status: u16) -> bool {
    [401, 403, 404].contains(&status)
}

#[tokio::test]
async fn a_member_may_what_the_role_says() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    ann.smartbox(&world, "site", Kind::PROJECT).await;
    for role in Role::ALL {
        let guest = Guest::new(&world, &ann, Some(role), None).await;
        for (needs, ask) in asks() {
            let what = format!("{role:?}: {} {}", ask.0, ask.1);
            let status = guest.ask(&world, ask).await;
            assert_eq!(status == 403, role.right() < needs, "{what}: {status}");
            assert!(status == 403 || !refused(status), "{what}: {status}");
        }
    }
}

#[tokio::test]
async fn a_share_opens_one_smartbox_and_nothing_beside_it() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let other = ann.smartbox(&world, "other", Kind::PROJECT).await;
    for right in [Right::Read, Right::Chat, Right::Manage] {
        let guest = Guest::new(&world, &bob, None, Some((&site, right))).await;
        let by_id = |path: &'static str| {
            Box::leak(path.replace("/site", &format!("/{}", site.id)).into_boxed_str())
        };
        for (needs, (method, path, body)) in asks() {
            let what = format!("{right:?}: {method} {path}");
            if !path.contains("/boxes/site") {
                continue;
            }
            let status = guest.ask(&world, (method, by_id(path), body)).await;
            assert_eq!(status == 403, right < needs, "{what}: {status}");
            assert!(status == 403 || !refused(status), "{what}: {status}");
        }
        // Neither what lies beside it, nor the accounts.
        let beside = format!("/api/v1/boxes/{}", other.id);
        let beside = (Method::GET, &*Box::leak(beside.into_boxed_str()), None);
        assert_eq!(guest.ask(&world, beside).await, 404);
        for path in ["/api/v1/accounts/ann", "/api/v1/accounts"] {
            assert!(refused(guest.ask(&world, (Method::GET, path, None)).await), "{path}");
        }
        for path in ["/api/v1/secrets", "/api/v1/jobs", "/api/v1/issues", "/api/v1/dashboard"] {
            assert_eq!(guest.ask(&world, (Method::GET, path, None)).await, 403, "{path}");
        }
        let create = Some(json!({ "name": "new" }));
        assert_eq!(guest.ask(&world, (Method::POST, "/api/v1/boxes", create)).await, 403);
        let listed: Value = world
            .ask(Method::GET, "/api/v1/boxes")
            .header("cookie", &guest.cookie)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|b| &b["id"]).collect();
        assert_eq!(ids, [site.id.as_str()], "what is shared is listed, and nothing else");
    }
}

#[tokio::test]
async fn what_somebody_may_no_more_is_refused_at_once() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    ann.smartbox(&world, "site", Kind::PROJECT).await;
    let guest = Guest::new(&world, &ann, Some(Role::Owner), None).await;
    let look = || (Method::GET, "/api/v1/boxes/site", None);
    assert_eq!(guest.ask(&world, look()).await, 200);
    let (account, who) = (ann.account.id.clone(), guest.id.clone());
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move { tx.grants().set_role(account, who, None).await })
    })
    .await
    .unwrap();
    world.app.access.forget();
    assert_eq!(guest.ask(&world, look()).await, 404);
    let who = guest.id.clone();
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move { tx.people().remove(who).await })
    })
    .await
    .unwrap();
    world.app.access.forget();
    assert_eq!(guest.ask(&world, look()).await, 401);
}

#[tokio::test]
async fn a_token_of_one_smartbox_reaches_no_other_and_no_more_than_it_says() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    ann.smartbox(&world, "other", Kind::PROJECT).await;
    let token = |right, only: Option<SmartboxId>| Tenant::token(&world, &ann.account, right, only);
    for right in Right::ALL {
        let (bound, free) = (token(right, Some(site.id.clone())).await, token(right, None).await);
        for (needs, (method, path, body)) in asks() {
            for (bearer, only) in [(&bound, true), (&free, false)] {
                if path.starts_with("/api/v1/tokens") || method == Method::DELETE {
                    continue;
                }
                let asked = world.ask(method.clone(), path).bearer_auth(bearer);
                let asked = body.iter().fold(asked, |asked, body| asked.json(body));
                let status = asked.send().await.unwrap().status().as_u16();
                assert_eq!(
                    status == 403,
                    right < needs,
                    "{right:?} {only} {method} {path}: {status}"
                );
            }
        }
        for (path, want) in [
            ("/api/v1/boxes/other", 404),
            ("/api/v1/secrets?box=other", if right < Right::Manage { 403 } else { 404 }),
            ("/api/v1/jobs", 403),
            ("/api/v1/dashboard", 403),
        ] {
            let got = world.ask(Method::GET, path).bearer_auth(&bound).send().await.unwrap();
            assert_eq!(got.status(), want, "{right:?} {path}");
        }
    }
    let bound = token(Right::Own, Some(site.id.clone())).await;
    let got = world.ask(Method::DELETE, "/api/v1/tokens").bearer_auth(&bound).send().await.unwrap();
    assert_eq!(got.status(), 403);
}

#[tokio::test]
async fn what_was_begun_by_a_token_may_no_more_and_ends_with_it() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let reads = Tenant::token(&world, &ann.account, Right::Read, None).await;
    let form = [("token", reads.as_str())];
    let signed = world.ask(Method::POST, "/login").header("origin", world.origin()).form(&form);
    let signed = signed.send().await.unwrap();
    let cookie = signed.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let ask = async |method, path| {
        let asked = world.ask(method, path).header("cookie", &cookie);
        asked.header("origin", world.origin()).send().await.unwrap()
    };
    assert_eq!(ask(Method::GET, "/api/v1/boxes/site").await.status(), 200);
    assert_eq!(ask(Method::POST, "/api/v1/boxes/site/stop").await.status(), 403);
    // The way into the box is no way around it.
    let link: Value = ask(Method::POST, "/api/v1/boxes/site/link").await.json().await.unwrap();
    let ticket = link["url"].as_str().unwrap().split("ticket=").nth(1).unwrap().to_owned();
    let route = world.app.control.route(&site.label).await.unwrap().expect("there is the box");
    let access = &world.app.access;
    let inside = access.enter(&route, Secret::new(ticket)).await.unwrap();
    let inside = inside.expect("the ticket is good");
    let person = access.who(&route, inside.expose()).await.unwrap().unwrap();
    assert_eq!(person.right, Right::Read);
    access.revoke_tokens(&Caller::owner(ann.account.id.clone(), "test".into())).await.unwrap();
    assert_eq!(ask(Method::GET, "/api/v1/boxes/site").await.status(), 401);
    assert!(access.who(&route, inside.expose()).await.unwrap().is_none(), "both are over");
}

/// As somebody comes in production who has a share and nothing else: their home is the sharer's account.
#[tokio::test]
async fn a_guest_sees_what_they_do_and_nothing_of_the_account() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let other = ann.smartbox(&world, "other", Kind::PROJECT).await;
    let guest = Guest::new(&world, &ann, None, Some((&site, Right::Manage))).await;
    let bound = Tenant::token(&world, &ann.account, Right::Own, Some(site.id.clone())).await;
    let jobs = [
        ("job_00000000000000000001", Some(&site.id), 200),
        ("job_00000000000000000002", Some(&other.id), 404),
        ("job_00000000000000000003", None, 404),
        ("job_00000000000000000004", None, 404),
    ];
    for (id, smartbox, _) in &jobs[..3] {
        keep_job(&world, &ann, id, JobState::Succeeded, smartbox.cloned()).await;
    }
    for (id, _, want) in jobs {
        let path = format!("/api/v1/jobs/{id}");
        let asked = world.ask(Method::GET, &path).header("cookie", &guest.cookie);
        assert_eq!(asked.send().await.unwrap().status(), want, "{path}");
        let asked = world.ask(Method::GET, &path).bearer_auth(&bound);
        assert_eq!(asked.send().await.unwrap().status(), want, "{path} by a token of the box");
    }
    assert_eq!(guest.ask(&world, (Method::GET, "/api/v1/accounts/ann", None)).await, 404);
    let asked = world.ask(Method::GET, "/api/v1/accounts/ann").bearer_auth(&bound);
    assert_eq!(asked.send().await.unwrap().status(), 404);
    let asked = world.ask(Method::GET, "/api/v1/accounts/ann").bearer_auth(&ann.token);
    assert_eq!(asked.send().await.unwrap().status(), 200);
    // As many tokens as they may have are no burden to anybody else.
    let of_guest = Caller {
        person: Some(guest.id.clone()),
        ..Caller::owner(ann.account.id.clone(), "test".into())
    };
    for _ in 0..500 {
        let (purpose, smartbox) = (Purpose::Api, Some(site.id.clone()));
        let new = NewToken { name: "x".into(), purpose, right: Right::Read, smartbox, lasts: None };
        world.app.access.new_token(&of_guest, new, 1000).await.unwrap();
    }
    let body = Some(json!({ "box": site.id }));
    assert_eq!(guest.ask(&world, (Method::POST, "/api/v1/tokens", body)).await, 422);
    let owner = world.ask(Method::POST, "/api/v1/tokens").bearer_auth(&ann.token);
    assert_eq!(owner.send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn what_is_shared_is_shut_with_its_account() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let guest = Guest::new(&world, &bob, None, Some((&site, Right::Manage))).await;
    let path = format!("/api/v1/boxes/{}", site.id);
    let look = async || {
        let of = |path: &str| world.ask(Method::GET, path).header("cookie", &guest.cookie).send();
        let files = format!("{path}/files?path=/");
        let listed: Value = of("/api/v1/boxes").await.unwrap().json().await.unwrap();
        let listed = listed["items"].as_array().unwrap().len();
        let (one, files) = (of(&path).await.unwrap(), of(&files).await.unwrap());
        (one.status().as_u16(), files.status().as_u16() == 404, listed)
    };
    assert_eq!(look().await, (200, false, 1));
    for (disabled, want) in [(true, (404, true, 0)), (false, (200, false, 1))] {
        let set = world.ask(Method::PATCH, "/api/v1/accounts/ann").bearer_auth(MASTER);
        let set = set.json(&json!({ "disabled": disabled })).send().await.unwrap();
        assert_eq!(set.status(), 200);
        assert_eq!(look().await, want, "disabled: {disabled}");
    }
}
