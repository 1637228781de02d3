//! Browsers as devices: written down when somebody signs in, known by a key that they show again and again.
//! And what somebody has who took no more than a cookie.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use http::Method;
use reqwest::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use smartbox_api::dpop::{self, Claims};
use smartbox_core::device::{DeviceId, LASTS, code};
use smartbox_core::route::port::Resolve;
use smartbox_core::secret::Secret;
use smartbox_core::session::{PROVED, Session};
use smartbox_core::store;
use smartbox_edge::Admit;
use smartbox_server::access::INTRODUCED;
use smartbox_server::config::devices::Browsers;
use smartbox_server::http::route::Policy;
use smartbox_server::http::routes;

use crate::devices::asks_by;
use crate::tenancy::Tenant;
use crate::world::{Manner, World, cookie};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/156.0.0.0 Safari/537.36";

/// A browser with a key and the cookie of a session.
pub(crate) struct Browser {
    pub(crate) key: SigningKey,
    pub(crate) cookie: String,
}

/// What a page has to be signed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) nonce: String,
    pub(crate) now: i64,
    pub(crate) slot: String,
}

impl Page {
    pub(crate) fn of(text: &str) -> Option<Self> {
        let data = |name: &str| {
            let (_, rest) = text.split_once(&format!("data-{name}=\""))?;
            rest.split('"').next()
        };
        let now = data("now")?.parse().unwrap();
        Some(Self { nonce: data("nonce")?.into(), now, slot: data("slot")?.into() })
    }
}

impl Browser {
    /// One that somebody signs in with by this token, and that has not shown its key yet.
    async fn arrives(world: &World, key: u8, token: &str) -> Self {
        let form = [("token", token)];
        let asks = world.ask(Method::POST, "/login").header("origin", world.origin()).form(&form);
        let answer = asks.header("user-agent", AGENT).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let key = SigningKey::from_bytes(&[key; 32]);
        Self { key, cookie: cookie(&answer).unwrap() }
    }

    /// The same, with its key shown.
    pub(crate) async fn signs_in(world: &World, key: u8, token: &str) -> Self {
        let mut browser = Self::arrives(world, key, token).await;
        let answer = browser.shows(world).await;
        assert_eq!((answer.status().as_u16(), to(&answer)), (303, "/".into()));
        browser
    }

    /// Another browser that has taken its cookie, and has a key of its own.
    pub(crate) fn thief(&self, key: u8) -> Self {
        Self { key: SigningKey::from_bytes(&[key; 32]), cookie: self.cookie.clone() }
    }

    fn id(&self) -> DeviceId {
        DeviceId::of(&dpop::public(&self.key))
    }

    async fn get(&self, world: &World, path: &str) -> Response {
        let asks = world.ask(Method::GET, path).header("cookie", &self.cookie);
        asks.header("accept", "text/html").send().await.unwrap()
    }

    async fn status(&self, world: &World, path: &str) -> u16 {
        self.get(world, path).await.status().as_u16()
    }

    /// What a page has to be signed.
    pub(crate) async fn page(&self, world: &World, path: &str) -> Page {
        let answer = self.get(world, path).await;
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        Page::of(&text).unwrap_or_else(|| panic!("{path}: {status} {text}"))
    }

    pub(crate) fn claims(world: &World, path: &str, page: &Page) -> Claims {
        static JTI: AtomicU64 = AtomicU64::new(0);
        Claims {
            jti: format!("browser {}", JTI.fetch_add(1, Ordering::Relaxed)),
            htm: "POST".into(),
            htu: format!("{}{path}", world.origin()),
            iat: page.now / 1000,
            ath: None,
            nonce: Some(page.nonce.clone()),
        }
    }

    async fn sends(&self, world: &World, path: &str, proof: &str) -> Response {
        let form = [("proof", proof), ("next", "/")];
        let asks = world.ask(Method::POST, path).header("origin", world.origin()).form(&form);
        let asks = asks.header("user-agent", AGENT).header("cookie", &self.cookie);
        asks.send().await.unwrap()
    }

    /// Shows its key, as the page's script does, and takes the cookie that it is given.
    async fn shows(&mut self, world: &World) -> Response {
        let page = self.page(world, "/browser").await;
        let proof = dpop::sign(&self.key, &Self::claims(world, "/browser", &page));
        let answer = self.sends(world, "/browser", &proof).await;
        if let Some(fresh) = cookie(&answer) {
            self.cookie = fresh;
        }
        answer
    }

    /// Opens the box: where it is led.
    async fn opens(&self, world: &World) -> Response {
        let page = self.page(world, "/open/pa").await;
        let proof = dpop::sign(&self.key, &Self::claims(world, "/open/pa", &page));
        self.sends(world, "/open/pa", &proof).await
    }
}

fn to(answer: &Response) -> String {
    answer.headers().get("location").map_or("", |to| to.to_str().unwrap()).to_owned()
}

async fn devices(world: &World) -> Vec<Value> {
    let listed = world.as_owner(Method::GET, "/api/v1/devices").send().await.unwrap();
    listed.json::<Value>().await.unwrap()["items"].as_array().unwrap().clone()
}

async fn decide(world: &World, id: &DeviceId, verb: &str) {
    let path = format!("/api/v1/devices/{id}/{verb}");
    let mut asks = world.as_owner(Method::POST, &path);
    if verb == "approve" {
        asks = asks.json(&json!({ "ask": asks_by(world, id).await }));
    }
    assert_eq!(asks.send().await.unwrap().status(), 200, "{verb}");
}

async fn token(world: &World) -> String {
    let made = world.as_owner(Method::POST, "/api/v1/tokens").send().await.unwrap();
    made.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned()
}

/// Changes the row of a browser's session, as time does.
async fn age(world: &World, browser: &Browser, change: impl Fn(&mut Session) + Send + 'static) {
    let value = browser.cookie.split_once('=').unwrap().1;
    let (hash, now) = (hex::encode(Sha256::digest(value)), world.app.clock.now());
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move {
            let mut session = tx.sessions().find(hash.into(), now).await?.unwrap();
            change(&mut session);
            tx.sessions().put(session).await
        })
    })
    .await
    .unwrap();
    world.app.access.forget();
}

/// So long that it has to show its key again.
async fn leave(world: &World, browser: &Browser) {
    let now = world.app.clock.now();
    let then = smartbox_core::time::Timestamp(now.0 - i64::try_from(PROVED.as_millis()).unwrap());
    age(world, browser, move |session| session.proved = Some(then)).await;
}

async fn code_of(answer: Response) -> String {
    let problem: Value = answer.json().await.unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

async fn by_api(world: &World, browser: &Browser) -> Response {
    let asks = world.ask(Method::GET, "/api/v1/boxes").header("cookie", &browser.cookie);
    asks.send().await.unwrap()
}

#[tokio::test]
async fn a_browser_is_a_device_from_the_moment_that_somebody_signs_in_with_it() {
    let world = World::new().await;
    let mut browser = Browser::arrives(&world, 1, &world.token).await;
    let before = devices(&world).await;
    assert_eq!(before.len(), 1);
    assert_eq!((&before[0]["kind"], &before[0]["keyed"]), (&json!("browser"), &json!(false)));
    assert_eq!(browser.status(&world, "/boxes").await, 200, "it need not have a key");

    let without = browser.thief(9);
    browser.shows(&world).await;
    let after = devices(&world).await;
    assert_eq!(
        after.len(),
        1,
        "the key takes the place of the row that stood in for it: {after:?}"
    );
    let device = &after[0];
    assert_eq!((&device["id"], &device["keyed"]), (&json!(browser.id().as_str()), &json!(true)));
    assert_eq!(
        (&device["name"], &device["platform"]),
        (&json!("Chromium on Linux"), &json!("Linux"))
    );
    assert_eq!((&device["address"], &device["state"]), (&json!("127.0.0.1"), &json!("approved")));
    assert_eq!(device["granted"], json!("own"));
    // Whoever has seen the cookie before has seen nothing.
    assert_eq!(without.status(&world, "/boxes").await, 401);
    assert_eq!(browser.status(&world, "/boxes").await, 200);

    // By the same key it is the same device, whatever it is called by now.
    let path = format!("/api/v1/devices/{}", browser.id());
    let named = world.as_owner(Method::PATCH, &path).json(&json!({ "name": "desk" }));
    assert_eq!(named.send().await.unwrap().status(), 200);
    let again = Browser::signs_in(&world, 1, &world.token).await;
    let all = devices(&world).await;
    assert_eq!((all.len(), &all[0]["name"]), (1, &json!("desk")), "{all:?}");
    assert_eq!(again.status(&world, "/boxes").await, 200);
    assert_eq!(browser.status(&world, "/boxes").await, 200);
}

#[tokio::test]
async fn a_browser_that_is_shut_out_is_out_on_every_origin_and_stays_out() {
    let world = World::new().await;
    let browser = Browser::signs_in(&world, 1, &world.token).await;
    let other = Browser::signs_in(&world, 2, &world.token).await;
    let answer = browser.opens(&world).await;
    let ticket = to(&answer).split_once("ticket=").unwrap().1.to_owned();
    let route = world.app.control.route("pa").await.unwrap().unwrap();
    let access = &world.app.access;
    let inside = access.enter(&route, Secret::new(ticket)).await.unwrap().unwrap();
    assert!(access.who(&route, inside.expose()).await.unwrap().is_some());
    let mut ended = access.ended();
    ended.mark_unchanged();
    decide(&world, &browser.id(), "revoke").await;
    // Streams and sockets listen to this; `devices.rs` and `live.rs` show them being cut.
    assert!(ended.has_changed().unwrap());
    assert!(access.who(&route, inside.expose()).await.unwrap().is_none());
    assert_eq!(browser.status(&world, "/boxes").await, 401);
    assert_eq!(other.status(&world, "/boxes").await, 200, "nobody else is");

    // Whoever holds the link may come by another browser, not by this one.
    let mut again = Browser::arrives(&world, 1, &world.token).await;
    let answer = again.shows(&world).await;
    assert_eq!(answer.status(), 401);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], json!("not-let-in"));
    assert!(problem["hint"].as_str().unwrap().contains("site data"), "{problem}");
    assert_eq!(again.status(&world, "/boxes").await, 401, "the session is over");
}

#[tokio::test]
async fn a_cookie_without_its_key_opens_no_box_and_is_soon_nothing() {
    let world = World::new().await;
    let mut browser = Browser::signs_in(&world, 1, &world.token).await;
    let thief = browser.thief(2);
    let bare = |path: &str| {
        let asks = world.ask(Method::POST, path).header("origin", world.origin());
        asks.header("cookie", thief.cookie.clone())
    };
    // Without a proof it is led to the page that makes one, for which it has no key.
    let answer = bare("/open/pa").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), to(&answer)), (303, "/open/pa".into()));
    assert_eq!(thief.opens(&world).await.status(), 401);
    assert_eq!(thief.sends(&world, "/open/pa", "x.y.z").await.status(), 401);
    // Nor does it make itself another way in, while it is good for looking.
    assert_eq!(by_api(&world, &thief).await.status(), 200);
    let gives: Vec<_> = routes().into_iter().filter(|route| route.gives).collect();
    assert!(gives.len() >= 9, "{}", gives.len());
    for route in gives {
        let path = route.path.replace("{name}", "pa").replace(['{', '}'], "");
        let asks = world.ask(route.method.clone(), &path).header("origin", world.origin());
        let asks = asks.header("cookie", &thief.cookie).json(&json!({}));
        let claims = Claims {
            htm: route.method.to_string(),
            nonce: None,
            ..Browser::claims(&world, &path, &thief.page(&world, "/browser").await)
        };
        for proof in [None, Some(dpop::sign(&thief.key, &claims))] {
            let asks = asks.try_clone().unwrap();
            let asks = proof.into_iter().fold(asks, |asks, proof| asks.header("dpop", proof));
            let code = code_of(asks.send().await.unwrap()).await;
            assert_eq!(code, "unproven", "{} {path}", route.method);
        }
        // By the key it is another matter, whatever becomes of what was asked.
        let claims = Claims { jti: format!("good {path}"), ..claims };
        let asks = asks.header("dpop", dpop::sign(&browser.key, &claims)).send().await.unwrap();
        assert_ne!(asks.status(), 401, "{} {path}", route.method);
    }

    leave(&world, &browser).await;
    for cookie in [&browser, &thief] {
        let answer = cookie.get(&world, "/boxes?x=1").await;
        assert_eq!(
            (answer.status().as_u16(), to(&answer)),
            (303, "/browser?next=%2Fboxes%3Fx%3D1".into())
        );
        assert_eq!(to(&cookie.get(&world, "/").await), "/browser?next=%2F");
        let refused = by_api(&world, cookie).await;
        assert_eq!(refused.status(), 401);
        assert_eq!(code_of(refused).await, "unproven");
        let change = bare("/boxes/pa/egress").form(&[("x", "y")]).send().await.unwrap();
        assert_eq!(change.status(), 401, "and nothing is changed");
    }
    let page = thief.page(&world, "/browser").await;
    let proof = dpop::sign(&thief.key, &Browser::claims(&world, "/browser", &page));
    assert_eq!(thief.sends(&world, "/browser", &proof).await.status(), 401);
    assert_eq!(thief.status(&world, "/boxes").await, 303);
    // The browser itself goes on, by the same cookie.
    let answer = browser.shows(&world).await;
    assert_eq!((answer.status().as_u16(), cookie(&answer)), (303, None));
    assert_eq!(browser.status(&world, "/boxes").await, 200);
    assert!(to(&browser.opens(&world).await).contains("/_smartbox/enter?ticket=sbt_"));
    // Signing out needs no proof: it only ends.
    leave(&world, &browser).await;
    assert_eq!(bare("/logout").send().await.unwrap().status(), 303);
    assert_eq!(browser.status(&world, "/boxes").await, 401);
}

#[tokio::test]
async fn what_a_browser_has_open_ends_when_it_shows_its_key_no_more_or_is_shut_out() {
    let world = World::new().await;
    let browsers = [
        Browser::signs_in(&world, 1, &world.token).await,
        Browser::signs_in(&world, 2, &world.token).await,
    ];
    let mut open = Vec::new();
    for browser in &browsers {
        let logs = world.ask(Method::GET, "/api/v1/boxes/pa/logs?follow=true&tail=0");
        let logs = logs.header("cookie", &browser.cookie).send().await.unwrap();
        assert_eq!(logs.status(), 200);
        open.push(logs);
    }
    let long = Duration::from_secs(60);
    leave(&world, &browsers[0]).await;
    let cut = tokio::time::timeout(long, open.remove(0).text()).await;
    assert!(cut.unwrap().is_err(), "broken off, and not just ended");
    decide(&world, &browsers[1].id(), "revoke").await;
    assert!(tokio::time::timeout(long, open.remove(0).text()).await.unwrap().is_err());
}

#[tokio::test]
async fn a_proof_is_good_once_for_one_page_of_one_session() {
    let world = World::new().await;
    let browser = Browser::signs_in(&world, 1, &world.token).await;
    // The same device, signed in a second time: another session.
    let second = Browser::signs_in(&world, 1, &world.token).await;
    let page = browser.page(&world, "/open/pa").await;
    let good = Browser::claims(&world, "/open/pa", &page);
    let seconds = |n: i64| Claims { iat: good.iat + n, jti: format!("at {n}"), ..good.clone() };
    let jti = |jti: &str| Claims { jti: jti.into(), ..good.clone() };
    let of_second = second.page(&world, "/open/pa").await;
    for (why, claims) in [
        ("another page", Claims { htu: format!("{}/browser", world.origin()), ..jti("a") }),
        ("another box", Claims { htu: format!("{}/open/other", world.origin()), ..jti("b") }),
        ("another host", Claims { htu: "http://evil.example/open/pa".into(), ..jti("c") }),
        (
            "a box's host",
            Claims { htu: format!("http://pa.localhost:{}/open/pa", world.port), ..jti("d") },
        ),
        ("another method", Claims { htm: "GET".into(), ..jti("e") }),
        ("a token's", Claims { ath: Some(dpop::token_hash("x")), ..jti("f") }),
        ("another session", Claims { nonce: Some(of_second.nonce), ..jti("g") }),
    ] {
        let answer = browser.sends(&world, "/open/pa", &dpop::sign(&browser.key, &claims)).await;
        assert_eq!(answer.status(), 401, "{why}");
    }
    for (why, claims) in [
        ("an old one", seconds(-120)),
        ("one from the future", seconds(120)),
        ("of no page", Claims { nonce: None, ..jti("h") }),
        ("of a page of another process", Claims { nonce: Some("A".repeat(60)), ..jti("i") }),
    ] {
        let answer = browser.sends(&world, "/open/pa", &dpop::sign(&browser.key, &claims)).await;
        assert_eq!(to(&answer), "/open/pa", "{why}: the page is shown anew");
    }
    let proof = dpop::sign(&browser.key, &good);
    assert!(to(&browser.sends(&world, "/open/pa", &proof).await).contains("ticket="));
    for replayed in [&browser, &second] {
        let answer = replayed.sends(&world, "/open/pa", &proof).await;
        assert_eq!(answer.status(), 401, "a replay");
    }
    // Another site's page makes nobody show anything.
    let asks = world.ask(Method::POST, "/browser").header("origin", "http://pa.localhost");
    let asks = asks.header("cookie", &browser.cookie).form(&[("proof", "x")]);
    assert_eq!(asks.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_proof_last() {
    let world = World::new().await;
    let browser = Browser::signs_in(&world, 1, &world.token).await;
    let ahead = world.app.clock.now().plus(Duration::from_hours(24));
    age(&world, &browser, move |session| session.proved = Some(ahead)).await;
    assert_eq!(code_of(by_api(&world, &browser).await).await, "unproven");
}

#[tokio::test]
async fn a_browser_without_a_key_works_and_gets_none_later() {
    let world = World::new().await;
    let mut browser = Browser::arrives(&world, 1, &world.token).await;
    let page = browser.get(&world, "/browser?next=/boxes").await.text().await.unwrap();
    let on = "<noscript><meta http-equiv=\"refresh\" content=\"0; url=/boxes\"></noscript>";
    assert!(page.contains(on) && page.contains("href=\"/boxes\" id=\"without\""), "{page}");
    let open = world.ask(Method::POST, "/open/pa").header("cookie", &browser.cookie);
    let open = open.header("origin", world.origin()).send().await.unwrap();
    assert!(to(&open).contains("ticket="), "a cookie is all that it has");
    let signed = browser.page(&world, "/browser").await;
    let long = i64::try_from(INTRODUCED.as_millis()).unwrap();
    age(&world, &browser, move |session| session.created.0 -= long).await;
    assert_eq!(to(&browser.get(&world, "/browser?next=/boxes").await), "/boxes");
    // Whoever took that cookie does not make it his own.
    let proof = dpop::sign(&browser.key, &Browser::claims(&world, "/browser", &signed));
    assert_eq!(browser.sends(&world, "/browser", &proof).await.status(), 401);
    assert_eq!(browser.status(&world, "/boxes").await, 200);
    let all = devices(&world).await;
    assert_eq!((all.len(), &all[0]["keyed"]), (1, &json!(false)));
    let id: DeviceId = all[0]["id"].as_str().unwrap().parse().unwrap();
    decide(&world, &id, "revoke").await;
    assert_eq!(browser.status(&world, "/boxes").await, 401);
    browser.cookie = String::new();
    assert_eq!(browser.status(&world, "/browser").await, 401);
}

#[tokio::test]
async fn two_who_share_a_browser_share_no_device() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let mut mine = Browser::arrives(&world, 1, &world.token).await;
    let mut hers = Browser::arrives(&world, 1, &ann.token).await;
    let again = Browser::arrives(&world, 1, &world.token).await;
    let mut slots = Vec::new();
    for browser in [&mine, &hers, &again] {
        slots.push(browser.page(&world, "/browser").await.slot);
    }
    assert_ne!(slots[0], slots[1], "each has a key of their own");
    assert_eq!(slots[0], slots[2]);
    mine.shows(&world).await;
    // A script that would show somebody else's key all the same is refused, and nobody's row is touched.
    let answer = hers.shows(&world).await;
    assert_eq!((answer.status().as_u16(), code_of(answer).await), (401, "unproven".into()));
    assert_eq!(devices(&world).await.iter().filter(|it| it["keyed"] == json!(true)).count(), 1);
    assert_eq!(mine.status(&world, "/boxes").await, 200);
}

#[tokio::test]
async fn what_a_browser_made_ends_with_it() {
    let world = World::new().await;
    let browser = Browser::signs_in(&world, 1, &world.token).await;
    let path = "/api/v1/tokens";
    let page = browser.page(&world, "/browser").await;
    let claims = Claims { nonce: None, ..Browser::claims(&world, path, &page) };
    let made = world.ask(Method::POST, path).header("cookie", &browser.cookie);
    let made =
        made.header("origin", world.origin()).header("dpop", dpop::sign(&browser.key, &claims));
    let made: Value = made.send().await.unwrap().json().await.unwrap();
    let token = made["token"].as_str().unwrap();
    let asks = || world.ask(Method::GET, "/api/v1/boxes").bearer_auth(token).send();
    assert_eq!(asks().await.unwrap().status(), 200);
    decide(&world, &browser.id(), "revoke").await;
    assert_eq!(asks().await.unwrap().status(), 401);
}

async fn asking() -> World {
    World::with(Manner { browsers: Browsers::Ask, ..Manner::default() }).await
}

/// A browser that waits, and the address of the page that it sees.
async fn waits(world: &World, key: u8) -> (Browser, String) {
    let mut browser = Browser::arrives(world, key, &token(world).await).await;
    let answer = browser.shows(world).await;
    let page = to(&answer);
    assert!(page.starts_with("/browser?next=%2F&code="), "{page}");
    (browser, page)
}

#[tokio::test]
async fn where_browsers_ask_the_link_is_an_approval_and_a_token_is_none() {
    let world = asking().await;
    let first = Browser::signs_in(&world, 1, &world.token).await;
    assert_eq!(first.status(&world, "/boxes").await, 200);
    let (browser, page) = waits(&world, 2).await;
    let shown = page.split_once("code=").unwrap().1;
    let text = browser.get(&world, &page).await.text().await.unwrap();
    assert!(text.contains(shown) && text.contains("http-equiv=\"refresh\""), "{text}");
    let find = json!({ "code": shown });
    let found = world.as_owner(Method::POST, "/api/v1/devices/find").json(&find).send().await;
    let found: Value = found.unwrap().json().await.unwrap();
    assert_eq!(found["id"], json!(browser.id().as_str()));
    assert!(text.contains(found["asks"]["comparison"].as_str().unwrap()), "the same digits");
    decide(&world, &browser.id(), "approve").await;
    assert_eq!(to(&browser.get(&world, &page).await), "/", "it goes on by itself");
    assert_eq!(browser.status(&world, "/boxes").await, 200);
    // It is known from now on: nobody is asked again, and it has what it was given.
    let again = Browser::signs_in(&world, 2, &token(&world).await).await;
    assert_eq!(again.status(&world, "/boxes").await, 200);
    let shares = again.status(&world, "/api/v1/boxes/pa/shares").await;
    assert_eq!(shares, 403, "`manage`, and not what the token may");
    let all = devices(&world).await;
    let row = all.iter().find(|it| it["id"] == json!(browser.id().as_str())).unwrap();
    assert_eq!(row["granted"], json!("manage"));
}

#[tokio::test]
async fn what_nobody_has_let_in_reaches_nothing() {
    let world = asking().await;
    let (waiting, _) = waits(&world, 1).await;
    let new = Browser::arrives(&world, 2, &token(&world).await).await;
    let mut asked = 0;
    for browser in [&waiting, &new] {
        for route in routes() {
            if route.policy == Policy::Browser {
                continue;
            }
            let mut path = String::new();
            for part in route.path.split('/').skip(1) {
                let part = if part == "{name}" || part == "{label}" { "pa" } else { part };
                path.push('/');
                path.push_str(if part.starts_with('{') { "nothing" } else { part });
            }
            let asks = world.ask(route.method.clone(), &path).header("cookie", &browser.cookie);
            let answer = asks.header("origin", world.origin()).send().await.unwrap();
            let (status, to) = (answer.status().as_u16(), to(&answer));
            let what = format!("{} {path}: {status} {to}", route.method);
            match route.policy {
                Policy::Public if path == "/" => assert_eq!(to, "/browser?next=%2F", "{what}"),
                Policy::Public | Policy::Browser => continue,
                Policy::Admin => assert_eq!(status, 403, "{what}"),
                Policy::Session(_) if route.method == Method::GET => {
                    assert!(status == 303 && to.starts_with("/browser?next="), "{what}");
                }
                Policy::Session(_) | Policy::Api(_) | Policy::Operator(_) => {
                    assert_eq!(
                        (status, code_of(answer).await),
                        (401, "not-let-in".into()),
                        "{what}"
                    );
                }
            }
            asked += 1;
        }
    }
    assert!(asked > 200, "{asked}");
    // Nor does it open a box that it has heard of, by any ticket.
    assert_eq!(waiting.sends(&world, "/open/pa", "x").await.status(), 401);
    let out = world.ask(Method::POST, "/logout").header("origin", world.origin());
    let out = out.header("cookie", &waiting.cookie).send().await.unwrap();
    assert_eq!(out.status(), 303, "out one may always");
    assert_eq!(waiting.status(&world, "/browser").await, 401);
}

#[tokio::test]
async fn every_outcome_of_waiting_is_told() {
    let world = asking().await;
    let (browser, page) = waits(&world, 1).await;
    decide(&world, &browser.id(), "reject").await;
    let text = browser.get(&world, &page).await.text().await.unwrap();
    assert!(text.contains("has not let this browser in"), "{text}");
    let mut again = Browser::arrives(&world, 1, &token(&world).await).await;
    assert_eq!(again.shows(&world).await.status(), 401, "nor by signing in again");

    let (mut late, page) = waits(&world, 2).await;
    let id = late.id();
    let over = i64::try_from(LASTS.as_millis()).unwrap();
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move {
            let mut device = tx.devices().get(id).await?.unwrap();
            device.ask.as_mut().unwrap().expires.0 -= over;
            tx.devices().put(device).await
        })
    })
    .await
    .unwrap();
    world.app.access.forget();
    let text = late.get(&world, &page).await.text().await.unwrap();
    assert!(text.contains("Nobody decided in time") && text.contains("Ask again"), "{text}");
    let answer = late.shows(&world).await;
    let fresh = to(&answer);
    assert!(fresh.contains("code=") && fresh != page && cookie(&answer).is_none(), "{fresh}");
    decide(&world, &late.id(), "approve").await;
    assert_eq!(to(&late.get(&world, &fresh).await), "/");
}

#[tokio::test]
async fn a_browser_that_waits_shows_its_own_code_alone_and_many_find_no_place() {
    let world = asking().await;
    let (victim, own) = waits(&world, 1).await;
    let (_, others) = waits(&world, 2).await;
    let text = victim.get(&world, &others).await.text().await.unwrap();
    let shown = others.split_once("code=").unwrap().1;
    assert!(!text.contains(shown), "whoever leads it there has it show his code");
    assert!(Page::of(&text).is_some(), "it asks for one of its own");
    let shown = own.split_once("code=").unwrap().1;
    assert!(code::typed(shown).is_some());
    for key in 3..=5 {
        waits(&world, key).await;
    }
    let mut sixth = Browser::arrives(&world, 6, &token(&world).await).await;
    assert_eq!(sixth.shows(&world).await.status(), 429);
    // The owner is never kept out by that.
    Browser::signs_in(&world, 7, &world.token).await;
}

#[tokio::test]
async fn where_browsers_ask_one_without_a_key_is_told_why_it_cannot() {
    let world = asking().await;
    let browser = Browser::arrives(&world, 1, &token(&world).await).await;
    let page = browser.get(&world, "/browser").await.text().await.unwrap();
    assert!(page.contains("cannot be let in without scripts"), "{page}");
    assert!(page.contains("keeps no key") && !page.contains("http-equiv"), "{page}");
    let id = &devices(&world).await[0]["id"];
    let path = format!("/api/v1/devices/{}/approve", id.as_str().unwrap());
    let approved = world.as_owner(Method::POST, &path).json(&json!({ "ask": "" }));
    let approved = approved.send().await.unwrap();
    assert_eq!(approved.status(), 409, "it has no code that anybody could compare");
}

/// Invites as the bearer of this: the value of the link.
async fn invites(world: &World, bearer: &str, how: Value) -> (u16, Value) {
    let asks = world.ask(Method::POST, "/api/v1/devices/invite").bearer_auth(bearer);
    let answer = asks.json(&how).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn held(invited: &Value) -> &str {
    invited["url"].as_str().unwrap().split_once("/invited#").unwrap().1
}

async fn accepts(world: &World, value: &str) -> Response {
    let asks = world.ask(Method::POST, "/invited").header("origin", world.origin());
    asks.form(&[("token", value)]).send().await.unwrap()
}

#[tokio::test]
async fn an_invitation_lets_one_browser_in_once_with_exactly_so_much() {
    let world = asking().await;
    let how = json!({ "box": "pa", "right": "chat", "name": "my phone" });
    let (status, invited) = invites(&world, &world.token, how).await;
    assert_eq!((status, &invited["right"]), (201, &json!("chat")), "{invited}");
    let value = held(&invited);
    // Looking burns nothing, and it is no bearer and no link of `up`.
    assert_eq!(world.ask(Method::GET, "/invited").send().await.unwrap().status(), 200);
    let bearer = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(value).send().await.unwrap();
    assert_eq!(bearer.status(), 401);
    let link = world.ask(Method::GET, &format!("/?token={value}")).send().await.unwrap();
    assert_eq!(link.status(), 401);
    // Another site's page makes nobody use it.
    let foreign = world.ask(Method::POST, "/invited").header("origin", "http://evil.example");
    assert_eq!(foreign.form(&[("token", value)]).send().await.unwrap().status(), 403);

    let (first, second) = tokio::join!(accepts(&world, value), accepts(&world, value));
    let mut statuses = [first.status().as_u16(), second.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 401], "of two that use it at once one comes in");
    let answer = if first.status() == 303 { first } else { second };
    assert_eq!(to(&answer), "/browser?next=%2Fopen%2Fpa");
    let mut phone =
        Browser { key: SigningKey::from_bytes(&[1; 32]), cookie: cookie(&answer).unwrap() };
    assert_eq!(phone.shows(&world).await.status(), 303);
    let all = devices(&world).await;
    let row = all.iter().find(|it| it["id"] == json!(phone.id().as_str())).unwrap();
    assert_eq!((&row["name"], &row["granted"]), (&json!("my phone"), &json!("chat")));
    assert!(row["decided_by"].as_str().unwrap().starts_with("token:"), "{row}");
    assert!(to(&phone.opens(&world).await).contains("ticket="));
    let status = async |method: Method, path: &str| {
        let asks = world.ask(method, path).header("origin", world.origin()).json(&json!({}));
        asks.header("cookie", &phone.cookie).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(Method::GET, "/api/v1/boxes/pa").await, 200);
    assert_eq!(status(Method::POST, "/api/v1/boxes/pa/stop").await, 403, "no more than `chat`");
    assert_eq!(status(Method::GET, "/api/v1/audit").await, 403, "nothing of the account");
    decide(&world, &phone.id(), "revoke").await;
    assert_eq!(status(Method::GET, "/api/v1/boxes/pa").await, 401);
}

#[tokio::test]
async fn nobody_invites_to_more_than_they_may_and_an_invitation_can_be_taken_back() {
    let world = World::new().await;
    let value = async |right: &str| {
        let made = world.as_owner(Method::POST, "/api/v1/tokens").json(&json!({ "right": right }));
        let made: Value = made.send().await.unwrap().json().await.unwrap();
        (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
    };
    let (_, chat) = value("chat").await;
    assert_eq!(invites(&world, &chat, json!({ "right": "read" })).await.0, 403);
    let (manager, manages) = value("manage").await;
    for (how, want) in [
        (json!({ "right": "own" }), 422),
        (json!({ "right": "manage", "box": "nothing" }), 404),
        (json!({ "expires_secs": 0 }), 422),
        (json!({ "expires_secs": 86_401 }), 422),
        (json!({ "name": "a\u{202e}b" }), 400),
        (json!({ "name": "x".repeat(81) }), 400),
        (json!({ "right": "manage" }), 201),
    ] {
        assert_eq!(invites(&world, &manages, how.clone()).await.0, want, "{how}");
    }
    let list = async || {
        let listed = world.as_owner(Method::GET, "/api/v1/tokens").send().await.unwrap();
        let listed: Value = listed.json().await.unwrap();
        let all = listed["items"].as_array().unwrap().clone();
        all.into_iter().filter(|it| it["invites"] == json!(true)).collect::<Vec<_>>()
    };
    let listed = list().await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let path = format!("/api/v1/tokens/{}", listed[0]["id"].as_str().unwrap());
    let rotated = world.as_owner(Method::POST, &format!("{path}/rotate")).send().await.unwrap();
    assert_eq!(rotated.status(), 422, "it has one link");
    let (_, taken_back) = invites(&world, &manages, json!({})).await;
    let path = format!("/api/v1/tokens/{}", taken_back["id"].as_str().unwrap());
    assert_eq!(world.as_owner(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!(accepts(&world, held(&taken_back)).await.status(), 401);
    // What made it takes it along.
    let (_, orphan) = invites(&world, &manages, json!({})).await;
    let path = format!("/api/v1/tokens/{manager}");
    assert_eq!(world.as_owner(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert!(list().await.is_empty());
    for wrong in [held(&orphan), "", "sbi_", &world.token, "%00"] {
        assert_eq!(accepts(&world, wrong).await.status(), 401, "{wrong}");
    }
}
