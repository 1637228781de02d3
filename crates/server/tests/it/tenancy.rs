//! One account and another: what is not one's own is not there.

use http::Method;
use serde_json::{Value, json};
use smartbox_control::{Actor, NewSmartbox};
use smartbox_core::account::Account;
use smartbox_core::id::SmartboxId;
use smartbox_core::person::Right;
use smartbox_core::smartbox::{Desired, Kind, Smartbox};

use smartbox_core::token::Purpose;
use smartbox_server::access::{Caller, NewToken};

use crate::world::{MASTER, World};

/// Another account, with a bearer of its own.
pub(crate) struct Tenant {
    pub account: Account,
    pub token: String,
}

impl Tenant {
    pub async fn new(world: &World, name: &str) -> Self {
        let account = world.app.control.ensure_account(name).await.unwrap();
        let token = Self::token(world, &account, Right::Own, None).await;
        Self { account, token }
    }

    /// A token of this account that may no more than this, with no other box than this.
    pub async fn token(
        world: &World,
        account: &Account,
        right: Right,
        smartbox: Option<SmartboxId>,
    ) -> String {
        let by = Caller::owner(account.id.clone(), "test".into());
        let new =
            NewToken { name: "test".into(), purpose: Purpose::Api, right, smartbox, lasts: None };
        let made = world.app.access.new_token(&by, new, 1000).await.unwrap().unwrap();
        made.value.expose().clone()
    }

    pub async fn smartbox(&self, world: &World, name: &str, kind: Kind) -> Smartbox {
        let new = NewSmartbox::of(name, kind, Desired::Off);
        world.app.control.create(&Actor::platform(), &self.account.id, new).await.unwrap()
    }
}

/// The id of the box that this address means to this bearer, or the status of the refusal.
async fn meant(
    world: &World,
    token: &str,
    account: Option<&str>,
    text: &str,
) -> Result<String, u16> {
    let mut request = world.ask(Method::GET, &format!("/api/v1/boxes/{text}")).bearer_auth(token);
    if let Some(account) = account {
        request = request.header("smartbox-account", account);
    }
    let answer = request.send().await.unwrap();
    if answer.status() != 200 {
        return Err(answer.status().as_u16());
    }
    let view: Value = answer.json().await.unwrap();
    Ok(view["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_operator_finds_every_box_and_an_account_only_its_own() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let pa = ann.smartbox(&world, "pa", Kind::PA).await;
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let infra = ann.smartbox(&world, "infra", Kind::RUNTIME).await;
    assert_eq!(pa.label, "pa-ann");
    let aliases = |account: &str| {
        [
            (format!("openclaw-{account}"), &pa),
            (format!("project-site-{account}"), &site),
            (format!("runtime-{account}"), &infra),
        ]
    };
    let mut everywhere = vec![(pa.id.to_string(), &pa), (pa.label.clone(), &pa)];
    everywhere.extend(aliases("ann"));
    everywhere.extend(aliases(ann.account.id.as_str()));
    for (text, row) in &everywhere {
        assert_eq!(meant(&world, MASTER, None, text).await, Ok(row.id.to_string()), "{text}");
        assert_eq!(meant(&world, &ann.token, None, text).await, Ok(row.id.to_string()), "{text}");
        assert_eq!(meant(&world, &world.token, None, text).await, Err(404), "{text}");
        // Who acts for one account finds nothing of another's.
        assert_eq!(meant(&world, MASTER, Some("me"), text).await, Err(404), "{text}");
    }
    // A plain name is the one in the account that is acted for.
    let own = world.pa().await.id.to_string();
    assert_eq!(meant(&world, MASTER, None, "pa").await, Ok(own.clone()));
    assert_eq!(meant(&world, MASTER, Some("ann"), "pa").await, Ok(pa.id.to_string()));
    assert_eq!(meant(&world, &world.token, None, "openclaw-me").await, Ok(own));
}

#[tokio::test]
async fn only_an_operator_acts_for_an_account_and_only_for_one_that_there_is() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let id = ann.account.id.to_string();
    for (token, account, want) in [
        (MASTER, "ann", 200),
        (MASTER, id.as_str(), 200),
        (MASTER, "nobody", 404),
        (MASTER, "acc_00000000000000000000", 404),
        (MASTER, "", 404),
        (MASTER, "../me", 404),
        (ann.token.as_str(), "me", 403),
        // Not even for itself: whoever sends it means to be an operator.
        (ann.token.as_str(), "ann", 403),
        (world.token.as_str(), "ann", 403),
        ("sba_wrong", "ann", 401),
    ] {
        let request = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(token);
        let answer = request.header("smartbox-account", account).send().await.unwrap();
        assert_eq!(answer.status(), want, "{token} as {account}");
    }
    let two = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(MASTER);
    let two = two.header("smartbox-account", "ann").header("smartbox-account", "me");
    assert_eq!(two.send().await.unwrap().status(), 400);
    // A browser's session is its account's, whoever signed in.
    let cookie = world.sign_in().await;
    let session = world.ask(Method::GET, "/api/v1/boxes").header("cookie", cookie);
    let session = session.header("smartbox-account", "ann").send().await.unwrap();
    assert_eq!(session.status(), 403);
}

#[tokio::test]
async fn a_name_that_looks_like_an_alias_leads_nobody_astray() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let pa = ann.smartbox(&world, "pa", Kind::PA).await;
    let eve = Tenant::new(&world, "eve").await;
    // Eve names a box like the alias of Ann's PA. Its label is that very text.
    let spoof = eve.smartbox(&world, "openclaw-ann", Kind::CUSTOM).await;
    assert_eq!(spoof.label, "openclaw-ann");
    // To an operator the text fits both, so it is refused and nothing is done to either.
    assert_eq!(meant(&world, MASTER, None, "openclaw-ann").await, Err(422));
    assert_eq!(meant(&world, MASTER, Some("ann"), "openclaw-ann").await, Ok(pa.id.to_string()));
    assert_eq!(meant(&world, &ann.token, None, "openclaw-ann").await, Ok(pa.id.to_string()));
    assert_eq!(meant(&world, &eve.token, None, "openclaw-ann").await, Ok(spoof.id.to_string()));
}

#[tokio::test]
async fn an_account_whose_name_makes_two_readings_of_an_alias_is_told_apart() {
    let world = World::new().await;
    let (c, bc) = (Tenant::new(&world, "c").await, Tenant::new(&world, "b-c").await);
    let first = c.smartbox(&world, "a-b", Kind::PROJECT).await;
    let text = "project-a-b-c";
    assert_eq!(meant(&world, MASTER, None, text).await, Ok(first.id.to_string()));
    let second = bc.smartbox(&world, "a", Kind::PROJECT).await;
    assert_eq!(meant(&world, MASTER, None, text).await, Err(422));
    assert_eq!(meant(&world, &c.token, None, text).await, Ok(first.id.to_string()));
    assert_eq!(meant(&world, &bc.token, None, text).await, Ok(second.id.to_string()));
}

#[tokio::test]
async fn another_accounts_things_are_missing_on_every_route() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let theirs = ann.smartbox(&world, "pa", Kind::PA).await;
    let id = &theirs.id;
    let message = world.app.control.find(&ann.account.id, "pa").await.unwrap();
    world.app.control.start(&Actor::platform(), &message.id, Desired::Auto).await.unwrap();
    let new = smartbox_control::NewMessage {
        id: None,
        session: None,
        channel: "test".into(),
        text: "hello".into(),
    };
    let message = world.app.control.accept(id, new).await.unwrap().id;
    let boxes = |verb: &str| format!("/api/v1/boxes/{id}{verb}");
    let mut asked = vec![
        (Method::GET, boxes("")),
        (Method::DELETE, boxes("")),
        (Method::POST, boxes("/link")),
        (Method::GET, boxes("/log")),
        (Method::GET, boxes("/logs")),
        (Method::GET, boxes("/history")),
        (Method::POST, boxes("/exec")),
        (Method::GET, format!("/api/v1/messages/{message}")),
        (Method::GET, format!("/api/v1/messages/{message}/events")),
        (Method::GET, format!("/api/v1/secrets?box={id}")),
        (Method::DELETE, format!("/api/v1/secrets/KEY?box={id}")),
        (Method::GET, "/api/v1/accounts/ann".to_owned()),
        (Method::GET, format!("/api/v1/accounts/{}", ann.account.id)),
        (Method::GET, "/api/v1/boxes?account=ann".to_owned()),
        (Method::GET, format!("/api/v1/boxes?account={}", ann.account.id)),
        (Method::GET, "/api/v1/boxes?account=*".to_owned()),
        (Method::GET, "/api/v1/boxes?account=nobody".to_owned()),
    ];
    for verb in ["wake", "sleep", "start", "stop", "restart"] {
        asked.push((Method::POST, boxes(&format!("/{verb}"))));
    }
    for (method, path) in asked {
        let answer = world.as_owner(method.clone(), &path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{method} {path}");
    }
    for (method, path, body) in [
        (Method::POST, boxes("/messages"), json!({ "text": "hi" })),
        (Method::PUT, "/api/v1/secrets/KEY".to_owned(), json!({ "value": "v", "box": id })),
        (Method::PATCH, boxes(""), json!({ "tier": "small" })),
    ] {
        let answer = world.as_owner(method, &path).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    // What an operator does to it stands in its own account's audit.
    let set = world.ask(Method::PUT, "/api/v1/secrets/KEY").bearer_auth(MASTER);
    let set = set.json(&json!({ "value": "v", "box": id })).send().await.unwrap();
    assert_eq!(set.status(), 204);
    let owner = ann.account.id.clone();
    let acts = smartbox_core::store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(owner, 0, 100).await })
    });
    let acts = acts.await.unwrap();
    let last = &acts.last().unwrap().act;
    assert_eq!(
        (last.actor.as_str(), last.action.as_str()),
        ("master-token from 127.0.0.1", "secret.set")
    );
}
