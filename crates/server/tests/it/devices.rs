//! Devices: how one is let in, and what everybody gets who is not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Method};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use smartbox_api::device::GRANT;
use smartbox_api::dpop::{self, Claims};
use smartbox_api::exec::live::PROTOCOL;
use smartbox_core::device::{DeviceId, code};
use smartbox_core::limit::{Patience, Rates};
use smartbox_core::person::Right;
use smartbox_core::smartbox::Kind;
use smartbox_core::store;
use smartbox_core::token::Purpose;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::tenancy::Tenant;
use crate::world::World;

const LONG: Duration = Duration::from_secs(60);
const AUTHORIZE: &str = "/api/v1/device/authorize";
const TOKEN: &str = "/api/v1/device/token";

/// Something with a key.
pub(crate) struct Laptop(pub(crate) SigningKey);

impl Laptop {
    pub(crate) fn new(key: u8) -> Self {
        Self(SigningKey::from_bytes(&[key; 32]))
    }

    pub(crate) fn id(&self) -> DeviceId {
        DeviceId::of(&dpop::public(&self.0))
    }

    /// What a good proof says.
    fn claims(world: &World, method: &Method, path: &str, token: Option<&str>) -> Claims {
        static JTI: AtomicU64 = AtomicU64::new(0);
        let path = path.split('?').next().unwrap();
        Claims {
            jti: format!("{:032}", JTI.fetch_add(1, Ordering::Relaxed)),
            htm: method.to_string(),
            htu: format!("{}{path}", world.origin()),
            iat: world.app.clock.now().0 / 1000,
            ath: token.map(dpop::token_hash),
            nonce: None,
        }
    }

    fn proof(&self, claims: &Claims) -> String {
        dpop::sign(&self.0, claims)
    }

    /// Asks to be let in.
    pub(crate) async fn asks(&self, world: &World, form: &[(&str, &str)]) -> (u16, Value) {
        let proof = self.proof(&Self::claims(world, &Method::POST, AUTHORIZE, None));
        answer(world.ask(Method::POST, AUTHORIZE).header("dpop", proof).form(form)).await
    }

    pub(crate) async fn polls(&self, world: &World, asked: &Value) -> (u16, Value) {
        let nonce = asked["nonce"].as_str().map(str::to_owned);
        let claims = Claims { nonce, ..Self::claims(world, &Method::POST, TOKEN, None) };
        let form = [("grant_type", GRANT), ("device_code", asked["device_code"].as_str().unwrap())];
        let asks = world.ask(Method::POST, TOKEN).header("dpop", self.proof(&claims));
        answer(asks.form(&form)).await
    }

    /// A request with its token and a proof.
    pub(crate) fn request(
        &self,
        world: &World,
        method: Method,
        path: &str,
        token: &str,
    ) -> RequestBuilder {
        let claims = Self::claims(world, &method, path, Some(token));
        let asks = world.ask(method, path).header("authorization", format!("DPoP {token}"));
        asks.header("dpop", self.proof(&claims))
    }

    pub(crate) async fn status(
        &self,
        world: &World,
        method: Method,
        path: &str,
        token: &str,
    ) -> u16 {
        self.request(world, method, path, token).send().await.unwrap().status().as_u16()
    }

    /// Let in by the owner with this much: its token.
    pub(crate) async fn let_in(&self, world: &World, right: &str) -> String {
        let (_, asked) = self.asks(world, &[("scope", right)]).await;
        let path = format!("/api/v1/devices/{}/approve", self.id());
        let how = json!({ "right": right, "ask": mark(&asked) });
        let approved = world.as_owner(Method::POST, &path).json(&how).send().await.unwrap();
        assert_eq!(approved.status(), 200);
        let (status, token) = self.polls(world, &asked).await;
        assert_eq!(status, 200, "{token}");
        token["access_token"].as_str().unwrap().to_owned()
    }
}

/// Tells what was asked from everything else.
pub(crate) fn mark(asked: &Value) -> String {
    code::hash(asked["nonce"].as_str().unwrap())
}

pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// About what it asks for at this moment, if the body does not say.
async fn decide(
    world: &World,
    token: &str,
    id: &DeviceId,
    verb: &str,
    mut how: Value,
) -> (u16, Value) {
    if verb == "approve" && how["ask"].is_null() {
        how["ask"] = json!(asks_by(world, id).await);
    }
    let path = format!("/api/v1/devices/{id}/{verb}");
    answer(world.ask(Method::POST, &path).bearer_auth(token).json(&how)).await
}

#[tokio::test]
async fn a_command_line_is_let_in_and_proves_itself() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let form = [("name", "ann's \u{202e}laptop\n"), ("platform", "linux"), ("scope", "chat")];
    let (status, asked) = laptop.asks(&world, &form).await;
    assert_eq!(status, 200, "{asked}");
    assert_eq!((&asked["expires_in"], &asked["interval"]), (&json!(600), &json!(5)));
    let shown = asked["user_code"].as_str().unwrap();
    let page = format!("{}/device", world.origin());
    assert_eq!(asked["verification_uri"], json!(page));
    assert_eq!(asked["verification_uri_complete"], json!(format!("{page}?code={shown}")));
    for (n, want) in ["authorization_pending", "slow_down"].iter().enumerate() {
        let (status, told) = laptop.polls(&world, &asked).await;
        assert_eq!((status, &told["error"]), (400, &json!(want)), "{n}");
    }
    // As somebody types it.
    let typed = json!({ "code": format!(" {} ", shown.to_lowercase().replace('-', " ")) });
    let find = world.as_owner(Method::POST, "/api/v1/devices/find").json(&typed);
    let (status, found) = answer(find).await;
    assert_eq!((status, &found["id"]), (200, &json!(laptop.id().as_str())));
    assert_eq!((&found["name"], &found["address"]), (&json!("ann's laptop"), &json!("127.0.0.1")));
    let nonce = asked["nonce"].as_str().unwrap();
    let digits = code::comparison(Some(&dpop::public(&laptop.0)), nonce);
    assert_eq!(found["asks"]["comparison"], json!(digits), "both sides show the same");

    let (status, device) = decide(&world, &world.token, &laptop.id(), "approve", json!({})).await;
    assert_eq!((status, &device["granted"]), (200, &json!("chat")));
    let (status, token) = laptop.polls(&world, &asked).await;
    assert_eq!((status, &token["token_type"]), (200, &json!("DPoP")), "{token}");
    let token = token["access_token"].as_str().unwrap();
    for _ in 0..2 {
        let path = "/api/v1/boxes?limit=1";
        assert_eq!(laptop.status(&world, Method::GET, path, token).await, 200);
    }
    // What was used is not there any more.
    let (status, told) = laptop.polls(&world, &asked).await;
    assert_eq!((status, &told["error"]), (400, &json!("invalid_grant")));
    for verb in ["approve", "reject"] {
        let (status, _) = decide(&world, &world.token, &laptop.id(), verb, json!({})).await;
        assert_eq!(status, 409, "{verb} again");
    }
    let gone = world.as_owner(Method::POST, "/api/v1/devices/find").json(&typed);
    assert_eq!(gone.send().await.unwrap().status(), 404);
}

/// The mark of what a device asks for now; empty if nothing.
pub(crate) async fn asks_by(world: &World, id: &DeviceId) -> String {
    let id = id.clone();
    let row =
        store::read(&*world.app.store, |tx| Box::pin(async move { tx.devices().get(id).await }));
    let ask = row.await.unwrap().and_then(|device| device.ask);
    ask.map(|ask| ask.mark()).unwrap_or_default()
}

/// The attack: it asks for little, and for much while somebody looks at that.
#[tokio::test]
async fn nothing_is_let_in_but_what_was_shown() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let (_, asked) = laptop.asks(&world, &[("scope", "read")]).await;
    let path = format!("/api/v1/devices/{}", laptop.id());
    let (_, shown) = answer(world.as_owner(Method::GET, &path)).await;
    assert_eq!(shown["asks"]["ask"], json!(mark(&asked)));
    let (_, more) = laptop.asks(&world, &[("scope", "manage")]).await;
    for how in [json!({ "ask": shown["asks"]["ask"] }), json!({ "ask": "", "right": "read" })] {
        let (status, told) = decide(&world, &world.token, &laptop.id(), "approve", how).await;
        assert_eq!((status, &told["code"]), (409, &json!("conflict")), "{told}");
        assert!(told["detail"].as_str().unwrap().contains("asked anew"), "{told}");
    }
    assert_eq!(laptop.polls(&world, &more).await.1["error"], json!("authorization_pending"));
    // Nor is anything let in by who does not say what they saw.
    let approve = world.as_owner(Method::POST, &format!("{path}/approve"));
    assert_eq!(answer(approve.json(&json!({ "right": "read" }))).await.0, 400);
    // Whoever looks again decides about that.
    let (_, shown) = answer(world.as_owner(Method::GET, &path)).await;
    let how = json!({ "ask": shown["asks"]["ask"], "right": "chat" });
    let (status, device) = decide(&world, &world.token, &laptop.id(), "approve", how).await;
    assert_eq!((status, &device["granted"]), (200, &json!("chat")));
}

/// A token of the API that may so much: its id and its value.
async fn key(world: &World, right: &str) -> (String, String) {
    let made = world.as_owner(Method::POST, "/api/v1/tokens").json(&json!({ "right": right }));
    let (status, made) = answer(made).await;
    assert_eq!(status, 201, "{made}");
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

/// The attack: whoever has a stolen token lets devices of their own in by it, and those let in more, also one
/// that is in already, and keep them when the token is revoked.
#[tokio::test]
async fn a_device_ends_with_the_token_or_the_device_that_let_it_in() {
    let world = World::new().await;
    let path = "/api/v1/devices?limit=1";
    let (id, stolen) = key(&world, "manage").await;
    let (first, second, honest) = (Laptop::new(1), Laptop::new(2), Laptop::new(3));
    let ours = honest.let_in(&world, "manage").await;
    let (_, asked) = first.asks(&world, &[("scope", "read")]).await;
    assert_eq!(decide(&world, &stolen, &first.id(), "approve", json!({})).await.0, 200);
    first.polls(&world, &asked).await;
    // More, by the same.
    let (_, asked) = first.asks(&world, &[("scope", "manage")]).await;
    assert_eq!(decide(&world, &stolen, &first.id(), "approve", json!({})).await.0, 200);
    let token = first.polls(&world, &asked).await.1["access_token"].clone();
    let token = token.as_str().unwrap();
    let (_, asked) = second.asks(&world, &[("scope", "manage")]).await;
    let approve = format!("/api/v1/devices/{}/approve", second.id());
    let how = json!({ "ask": mark(&asked) });
    let by_first = first.request(&world, Method::POST, &approve, token).json(&how);
    assert_eq!(answer(by_first).await.0, 200);
    let other = second.polls(&world, &asked).await.1["access_token"].clone();
    let other = other.as_str().unwrap();
    for (device, token) in [(&first, token), (&second, other), (&honest, ours.as_str())] {
        assert_eq!(device.status(&world, Method::GET, path, token).await, 200);
    }
    let revoke = world.as_owner(Method::DELETE, &format!("/api/v1/tokens/{id}"));
    assert_eq!(revoke.send().await.unwrap().status(), 204);
    for (device, token) in [(&first, token), (&second, other)] {
        assert_eq!(device.status(&world, Method::GET, path, token).await, 401);
    }
    assert_eq!(honest.status(&world, Method::GET, path, &ours).await, 200);
    // By a device that is shut out, the same.
    let (_, asked) = second.asks(&world, &[("scope", "manage")]).await;
    let how = json!({ "ask": mark(&asked) });
    let by_ours = honest.request(&world, Method::POST, &approve, &ours).json(&how);
    assert_eq!(answer(by_ours).await.0, 200);
    let other = second.polls(&world, &asked).await.1["access_token"].clone();
    let other = other.as_str().unwrap();
    assert_eq!(second.status(&world, Method::GET, path, other).await, 200);
    assert_eq!(decide(&world, &world.token, &honest.id(), "revoke", json!({})).await.0, 200);
    assert_eq!(second.status(&world, Method::GET, path, other).await, 401);
}

#[tokio::test]
async fn what_may_less_shuts_out_nothing_that_may_more() {
    let world = World::new().await;
    let (_, member) = key(&world, "manage").await;
    let (owners, other, member_s) = (Laptop::new(1), Laptop::new(2), Laptop::new(3));
    let path = "/api/v1/devices?limit=1";
    let owns = owners.let_in(&world, "own").await;
    other.let_in(&world, "manage").await;
    let by = member_s.let_in(&world, "manage").await;
    let (status, told) = decide(&world, &member, &owners.id(), "revoke", json!({})).await;
    assert_eq!((status, &told["code"]), (403, &json!("forbidden")), "{told}");
    let revoke = |laptop: &Laptop| format!("/api/v1/devices/{}/revoke", laptop.id());
    let asked = member_s.request(&world, Method::POST, &revoke(&owners), &by);
    assert_eq!(answer(asked).await.0, 403);
    assert_eq!(owners.status(&world, Method::GET, path, &owns).await, 200);
    assert_eq!(decide(&world, &member, &other.id(), "revoke", json!({})).await.0, 200);
    // Itself, in any case.
    let itself = owners.request(&world, Method::POST, &revoke(&owners), &owns);
    assert_eq!(answer(itself).await.0, 200);
    let itself = member_s.request(&world, Method::POST, &revoke(&member_s), &by);
    assert_eq!(answer(itself).await.0, 200);
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so_and_may_ask_again() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let (_, asked) = laptop.asks(&world, &[]).await;
    let (status, _) = decide(&world, &world.token, &laptop.id(), "reject", json!({})).await;
    assert_eq!(status, 200);
    let (_, told) = laptop.polls(&world, &asked).await;
    assert_eq!(told["error"], json!("access_denied"));
    let (status, again) = laptop.asks(&world, &[]).await;
    assert_eq!(status, 200);
    assert_eq!(laptop.polls(&world, &asked).await.1["error"], json!("invalid_grant"));
    assert_eq!(laptop.polls(&world, &again).await.1["error"], json!("authorization_pending"));
}

#[tokio::test]
async fn what_a_device_asks_for_is_not_what_it_gets() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let (_, asked) = laptop.asks(&world, &[("scope", "own")]).await;
    let member = Tenant::token(&world, &world.app.account, Right::Manage, None).await;
    let viewer = Tenant::token(&world, &world.app.account, Right::Chat, None).await;
    let own = json!({ "right": "own" });
    assert_eq!(decide(&world, &viewer, &laptop.id(), "approve", json!({})).await.0, 403);
    assert_eq!(decide(&world, &member, &laptop.id(), "approve", own.clone()).await.0, 403);
    let read = json!({ "right": "read" });
    assert_eq!(decide(&world, &member, &laptop.id(), "approve", read).await.0, 200);
    let (_, token) = laptop.polls(&world, &asked).await;
    assert_eq!(token["scope"], json!("read"));
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/boxes/pa", token).await, 200);
    for path in ["/api/v1/boxes/pa/stop", "/api/v1/devices/approve-all"] {
        assert_eq!(laptop.status(&world, Method::POST, path, token).await, 403, "{path}");
    }
    // More is a new question; what it has it keeps meanwhile.
    let (_, wider) = laptop.asks(&world, &[("scope", "own")]).await;
    assert_eq!(laptop.polls(&world, &wider).await.1["error"], json!("authorization_pending"));
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/boxes/pa", token).await, 200);
    // Together with others nobody is given everything, even by an owner.
    let all = world.as_owner(Method::POST, "/api/v1/devices/approve-all");
    let (_, done) = answer(all).await;
    assert_eq!(done["items"][0]["granted"], json!("manage"));
    // Nor more than it asked for.
    let other = Laptop::new(2);
    other.asks(&world, &[("scope", "read")]).await;
    assert_eq!(decide(&world, &world.token, &other.id(), "approve", own).await.0, 403);
}

#[tokio::test]
async fn asking_again_leaves_one_token_and_what_was_made_by_it() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let first = laptop.let_in(&world, "own").await;
    let made = laptop.request(&world, Method::POST, "/api/v1/tokens", &first).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let (path, mut last) = ("/api/v1/boxes", first.clone());
    for _ in 0..5 {
        let (_, asked) = laptop.asks(&world, &[("scope", "own")]).await;
        let (status, token) = laptop.polls(&world, &asked).await;
        assert_eq!(status, 200);
        last = token["access_token"].as_str().unwrap().to_owned();
        assert_eq!(laptop.status(&world, Method::GET, path, &last).await, 200);
    }
    let left = world.app.access.tokens(Some(world.app.account.id.clone()), Purpose::Device).await;
    assert_eq!(left.unwrap().len(), 1);
    assert!(world.app.access.recalls(&first));
    assert_eq!(laptop.status(&world, Method::GET, path, &first).await, 401);
    assert!(!world.app.access.recalls(&first), "whoever has it is a stranger again");
    let made = world.ask(Method::GET, path).bearer_auth(made["token"].as_str().unwrap());
    assert_eq!(made.send().await.unwrap().status(), 200);
    assert_eq!(laptop.status(&world, Method::GET, path, &last).await, 200);
}

#[tokio::test]
async fn a_stolen_token_is_good_for_nothing() {
    let world = World::new().await;
    let (laptop, thief) = (Laptop::new(1), Laptop::new(2));
    let token = laptop.let_in(&world, "own").await;
    let theirs = thief.let_in(&world, "own").await;
    let path = "/api/v1/boxes";
    assert_eq!(laptop.status(&world, Method::GET, path, &token).await, 200);
    let bearer = world.ask(Method::GET, path).bearer_auth(&token).send().await.unwrap();
    assert_eq!(bearer.status(), 401, "without a proof");
    let cookie = world.ask(Method::GET, &format!("/?token={token}")).send().await.unwrap();
    assert_eq!(cookie.status(), 401, "in an address");
    assert_eq!(thief.status(&world, Method::GET, path, &token).await, 401, "another key");
    let bare = world.ask(Method::GET, path).header("authorization", format!("DPoP {token}"));
    assert_eq!(bare.send().await.unwrap().status(), 401, "no proof");
    // A token that needs no proof is not made better by one.
    assert_eq!(laptop.status(&world, Method::GET, path, &world.token).await, 401);

    let good = || Laptop::claims(&world, &Method::GET, path, Some(&token));
    let now = world.app.clock.now().0 / 1000;
    let bad = [
        ("another method", Claims { htm: "POST".into(), ..good() }),
        ("another path", Claims { htu: format!("{}/api/v1/jobs", world.origin()), ..good() }),
        ("another host", Claims { htu: format!("http://evil.example{path}"), ..good() }),
        ("another token", Claims { ath: Some(dpop::token_hash(&theirs)), ..good() }),
        ("no token", Claims { ath: None, ..good() }),
        ("the future", Claims { iat: now + 120, ..good() }),
        ("the past", Claims { iat: now - 120, ..good() }),
        ("no chance", Claims { jti: String::new(), ..good() }),
    ];
    let send = async |proofs: &[String]| {
        let mut asks =
            world.ask(Method::GET, path).header("authorization", format!("DPoP {token}"));
        for proof in proofs {
            asks = asks.header("dpop", proof);
        }
        asks.send().await.unwrap().status().as_u16()
    };
    for (what, claims) in bad {
        assert_eq!(send(&[laptop.proof(&claims)]).await, 401, "{what}");
    }
    let (first, second) = (laptop.proof(&good()), laptop.proof(&good()));
    assert_eq!(send(&[first.clone(), second.clone()]).await, 401, "two proofs");
    assert_eq!(send(std::slice::from_ref(&first)).await, 200);
    assert_eq!(send(std::slice::from_ref(&first)).await, 401, "replayed");
    assert_eq!(send(&[second.clone() + "x"]).await, 401, "not signed");
    assert_eq!(send(&[second]).await, 200);
}

#[tokio::test]
async fn nobody_asks_or_polls_with_anothers_key() {
    let world = World::new().await;
    let (laptop, mallory) = (Laptop::new(1), Laptop::new(2));
    let (_, asked) = laptop.asks(&world, &[]).await;
    // The victim's head, with its public key, under a body of one's own.
    let claims = Laptop::claims(&world, &Method::POST, AUTHORIZE, None);
    let (theirs, mine) = (laptop.proof(&claims), mallory.proof(&claims));
    let (head, rest) = (theirs.split('.').next().unwrap(), mine.split_once('.').unwrap().1);
    let forged = format!("{head}.{rest}");
    for proofs in [vec![forged], vec![], vec![String::from("x.y.z")]] {
        let mut asks = world.ask(Method::POST, AUTHORIZE).form(&[("scope", "own")]);
        for proof in proofs {
            asks = asks.header("dpop", proof);
        }
        let (status, told) = answer(asks).await;
        assert_eq!((status, &told["error"]), (400, &json!("invalid_dpop_proof")));
    }
    // Whoever sees the code of the poll has no key for it, and no nonce is another one.
    decide(&world, &world.token, &laptop.id(), "approve", json!({})).await;
    assert_eq!(mallory.polls(&world, &asked).await.1["error"], json!("invalid_grant"));
    let other = json!({ "device_code": asked["device_code"], "nonce": "another" });
    assert_eq!(laptop.polls(&world, &other).await.1["error"], json!("invalid_grant"));
    assert_eq!(laptop.polls(&world, &asked).await.0, 200, "and the device itself is not disturbed");
}

#[tokio::test]
async fn nobody_is_let_in_for_being_on_this_machine() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let (_, asked) = laptop.asks(&world, &[("scope", "own")]).await;
    assert_eq!(laptop.polls(&world, &asked).await.1["error"], json!("authorization_pending"));
    // A page that a browser on this machine has open may not even ask.
    let proof = laptop.proof(&Laptop::claims(&world, &Method::POST, AUTHORIZE, None));
    let page = world.ask(Method::POST, AUTHORIZE).header("dpop", proof).form(&[("scope", "own")]);
    let page = page.header("origin", "http://evil.example").send().await.unwrap();
    assert_eq!(page.status(), 403);
    let devices = world.as_owner(Method::GET, "/api/v1/devices");
    let (_, listed) = answer(devices).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["state"], json!("pending"));
}

#[tokio::test]
async fn another_accounts_devices_are_not_there() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let laptop = Laptop::new(1);
    let (_, asked) = laptop.asks(&world, &[("account", "ann")]).await;
    let typed = json!({ "code": asked["user_code"] });
    let find = world.ask(Method::POST, "/api/v1/devices/find").bearer_auth(&bob.token);
    assert_eq!(find.json(&typed).send().await.unwrap().status(), 404);
    for verb in ["approve", "reject", "revoke"] {
        let (status, _) = decide(&world, &bob.token, &laptop.id(), verb, json!({})).await;
        assert_eq!(status, 404, "{verb}");
    }
    let path = format!("/api/v1/devices/{}", laptop.id());
    assert_eq!(answer(world.ask(Method::GET, &path).bearer_auth(&bob.token)).await.0, 404);
    let rename = world.ask(Method::PATCH, &path).bearer_auth(&bob.token);
    assert_eq!(answer(rename.json(&json!({ "name": "mine" }))).await.0, 404);
    let all = world.ask(Method::POST, "/api/v1/devices/approve-all").bearer_auth(&bob.token);
    assert_eq!(answer(all).await.1["items"], json!([]));
    assert_eq!(laptop.polls(&world, &asked).await.1["error"], json!("authorization_pending"));
    assert_eq!(decide(&world, &ann.token, &laptop.id(), "approve", json!({})).await.0, 200);
    let (_, token) = laptop.polls(&world, &asked).await;
    let token = token["access_token"].as_str().unwrap();
    ann.smartbox(&world, "site", Kind::PROJECT).await;
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/boxes/site", token).await, 200);
    // Of an account that is not there one hears nothing, and nobody can let the device in.
    let (ghost, nobody) = (Laptop::new(2), Laptop::new(3));
    let (status, first) = ghost.asks(&world, &[("account", "nobody-at-all")]).await;
    let (_, second) = nobody.asks(&world, &[("account", "bob")]).await;
    assert_eq!(status, 200);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&first), keys(&second), "both are answered alike");
    assert_eq!(ghost.polls(&world, &first).await, nobody.polls(&world, &second).await);
    for token in [&world.token, &ann.token, &bob.token] {
        assert_eq!(decide(&world, token, &ghost.id(), "approve", json!({})).await.0, 404);
    }
}

#[tokio::test]
async fn who_guesses_codes_waits_and_nobody_else_does() {
    let minutes = Duration::from_mins(10);
    let patience = Patience { free: 4, first: minutes, most: minutes, forget: minutes };
    let world = crate::limits::world(Rates::NONE.patient(patience)).await;
    // A computer has as many addresses in its network as it likes.
    let addresses = AtomicU64::new(1);
    let guess = async |token: &str, code: &str| {
        let find = world.ask(Method::POST, "/api/v1/devices/find").bearer_auth(token);
        let from = format!("2001:db8::{}", addresses.fetch_add(1, Ordering::Relaxed));
        let find = find.header("x-forwarded-for", from);
        find.json(&json!({ "code": code })).send().await.unwrap()
    };
    let mallory = Tenant::token(&world, &world.app.account, Right::Manage, None).await;
    for n in 0..5 {
        assert_eq!(guess(&mallory, "BBBB-BBBB").await.status(), 404, "{n}");
    }
    // Even the right one, until the time is over.
    let (_, asked) = Laptop::new(1).asks(&world, &[]).await;
    let right = asked["user_code"].as_str().unwrap();
    let refused = guess(&mallory, right).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(guess(&world.token, right).await.status(), 200);
}

/// Asks from there, by a key of its own: what it is answered.
async fn asks_from(world: &World, key: u8, from: &str, account: &str) -> (u16, Value) {
    let laptop = Laptop::new(key);
    let proof = laptop.proof(&Laptop::claims(world, &Method::POST, AUTHORIZE, None));
    let asks = world.ask(Method::POST, AUTHORIZE).header("dpop", proof);
    let asks = asks.header("x-forwarded-for", from).form(&[("account", account)]);
    answer(asks).await
}

/// Once the clock says another millisecond: who asks then asked later.
async fn tick(world: &World) {
    let now = world.app.clock.now();
    while world.app.clock.now() <= now {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_flood_of_requests_keeps_nobody_from_pairing() {
    let world = crate::limits::world(Rates::NONE).await;
    let ask = async |key: u8, from: &str| asks_from(&world, key, from, "me").await;
    let first = Laptop::new(1);
    let (_, asked) = ask(1, "2001:db8::1").await;
    tick(&world).await;
    for key in 2..=5 {
        assert_eq!(ask(key, &format!("2001:db8::{key}")).await.0, 200);
    }
    assert_eq!(ask(6, "2001:db8::6").await.0, 429, "one network is one client");
    assert_eq!(ask(5, "2001:db8::6").await.0, 200, "one that waits takes its own place again");
    for key in 6..=20 {
        assert_eq!(ask(key, &format!("198.51.100.{}", key % 3)).await.0, 200);
    }
    assert_eq!(first.polls(&world, &asked).await.1["error"], json!("authorization_pending"));
    // Every place of the account is taken. Whoever comes from elsewhere has one all the same.
    let (status, mine) = ask(21, "203.0.113.7").await;
    assert_eq!(status, 200);
    assert_eq!(first.polls(&world, &asked).await.1["error"], json!("expired_token"));
    assert_eq!(decide(&world, &world.token, &first.id(), "approve", json!({})).await.0, 409);
    assert_eq!(
        decide(&world, &world.token, &Laptop::new(21).id(), "approve", json!({})).await.0,
        200
    );
    assert_eq!(Laptop::new(21).polls(&world, &mine).await.0, 200);
}

#[tokio::test]
async fn by_its_places_nobody_learns_whether_an_account_is_there() {
    let world = crate::limits::world(Rates::NONE).await;
    Tenant::new(&world, "ann").await;
    let mut told = Vec::new();
    for account in ["ann", "nobody-at-all"] {
        // Names that somebody made up, as many as they like.
        for key in 100..125 {
            asks_from(&world, key, &format!("192.0.2.{key}"), &format!("made-up-{key}")).await;
        }
        let (_, first) = asks_from(&world, 1, "203.0.113.1", account).await;
        tick(&world).await;
        let mut seen = vec![Laptop::new(1).polls(&world, &first).await];
        for key in 2..=20 {
            seen.push((
                asks_from(&world, key, &format!("203.0.113.{key}"), account).await.0,
                json!(0),
            ));
        }
        for key in 100..125 {
            asks_from(&world, key, &format!("192.0.2.{key}"), &format!("more-{key}")).await;
        }
        seen.push(asks_from(&world, 21, "203.0.113.21", account).await);
        seen.last_mut().unwrap().1 = json!(0);
        seen.push(Laptop::new(1).polls(&world, &first).await);
        told.push(seen);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].last().unwrap().1["error"], json!("expired_token"));
}

#[tokio::test]
async fn shut_out_is_cut_off() {
    let world = World::new().await;
    let (laptop, other) = (Laptop::new(1), Laptop::new(2));
    let (token, kept) = (laptop.let_in(&world, "manage").await, other.let_in(&world, "own").await);
    let logs = "/api/v1/boxes/pa/logs?follow=true&tail=0";
    let mut following = laptop.request(&world, Method::GET, logs, &token).send().await.unwrap();
    assert_eq!(following.status(), 200);
    let still = other.request(&world, Method::GET, logs, &kept).send().await.unwrap();
    let mut socket = socket(&world, &laptop, &token).await;
    socket.send(Message::text(json!({ "argv": ["hang"] }).to_string())).await.unwrap();
    let begun = timeout(LONG, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(begun.to_text().unwrap().contains("started"), "{begun}");
    // What it made itself, and where it signed in by that.
    let made = laptop.request(&world, Method::POST, "/api/v1/boxes/pa/link", &token);
    assert_eq!(made.send().await.unwrap().status(), 200);
    let made = other.request(&world, Method::POST, "/api/v1/tokens", &kept).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let made = made["token"].as_str().unwrap();
    let by_made = async || {
        world.ask(Method::GET, "/api/v1/boxes").bearer_auth(made).send().await.unwrap().status()
    };
    assert_eq!(by_made().await, 200);

    assert_eq!(decide(&world, &world.token, &laptop.id(), "revoke", json!({})).await.0, 200);
    let rest = timeout(LONG, async { while let Ok(Some(_)) = following.chunk().await {} }).await;
    rest.expect("the stream ends");
    let closed = timeout(LONG, async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    });
    assert_eq!(closed.await.unwrap(), Some(1008), "the socket is closed");
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/boxes", &token).await, 401);
    assert_eq!(decide(&world, &world.token, &laptop.id(), "revoke", json!({})).await.0, 409);
    // The others are not disturbed, until it is their turn.
    assert_eq!(other.status(&world, Method::GET, "/api/v1/boxes", &kept).await, 200);
    assert_eq!(by_made().await, 200);
    assert_eq!(decide(&world, &world.token, &other.id(), "revoke", json!({})).await.0, 200);
    assert_eq!(by_made().await, 401, "what it made is over with it");
    assert!(timeout(LONG, still.text()).await.unwrap().is_err(), "broken off, and not just ended");
}

async fn socket(
    world: &World,
    laptop: &Laptop,
    token: &str,
) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let path = "/api/v1/boxes/pa/exec";
    let stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let url = format!("ws://127.0.0.1:{}{path}", world.port);
    let mut request = url.into_client_request().unwrap();
    let proof = laptop.proof(&Laptop::claims(world, &Method::GET, path, Some(token)));
    let bearer = format!("DPoP {token}");
    for (name, value) in
        [("authorization", bearer.as_str()), ("dpop", &proof), ("sec-websocket-protocol", PROTOCOL)]
    {
        request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    tokio_tungstenite::client_async(request, stream).await.unwrap().0
}

#[tokio::test]
async fn a_device_takes_itself_out_whatever_it_may_and_nothing_else() {
    let world = World::new().await;
    let other = Laptop::new(9);
    let others = other.let_in(&world, "own").await;
    let path = |laptop: &Laptop, verb: &str| format!("/api/v1/devices/{}{verb}", laptop.id());
    for (key, right) in [(1, "read"), (2, "chat")] {
        let laptop = Laptop::new(key);
        let token = laptop.let_in(&world, right).await;
        for (method, path) in [
            (Method::POST, path(&other, "/revoke")),
            (Method::POST, path(&Laptop::new(7), "/revoke")),
            (Method::POST, path(&laptop, "/approve")),
            (Method::POST, path(&laptop, "/reject")),
            (Method::PATCH, path(&laptop, "")),
            (Method::GET, path(&laptop, "")),
            (Method::GET, "/api/v1/devices".into()),
        ] {
            let status = laptop.status(&world, method.clone(), &path, &token).await;
            assert_eq!(status, 403, "{right}: {method} {path}");
        }
        let out = path(&laptop, "/revoke");
        let (status, said) = answer(laptop.request(&world, Method::POST, &out, &token)).await;
        assert_eq!((status, &said["state"]), (200, &json!("revoked")), "{said}");
        assert_eq!(laptop.status(&world, Method::GET, "/api/v1/whoami", &token).await, 401);
        assert_eq!(laptop.status(&world, Method::POST, &out, &token).await, 401, "and once");
    }
    // What it made may be in other hands.
    let making = other.request(&world, Method::POST, "/api/v1/tokens", &others);
    let (_, made) = answer(making.json(&json!({ "right": "read" }))).await;
    let ends = world.ask(Method::POST, &path(&other, "/revoke"));
    let ends = ends.bearer_auth(made["token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(ends.status(), 403, "{made}");
    assert_eq!(other.status(&world, Method::GET, "/api/v1/whoami", &others).await, 200);
}
