//! Floods of sign-ins: by a token in an address, by a provider, by the word of Cloudflare Access. Whoever
//! floods is told to wait, and nobody who is known or comes from elsewhere is.

use http::Method;
use reqwest::{RequestBuilder, Response};
use serde_json::json;
use smartbox_core::limit::{Class, Rate, Rates};
use smartbox_core::person::{Role, Whom};

use crate::sign_in::{HEADER, behind_access_with, by_provider, rule, token};
use crate::world::{Manner, World};

const BURST: u64 = 20;

/// A proxy on this machine, so that a test can come from anywhere; strangers have so many requests.
fn manner() -> Manner {
    let rates = Rates::NONE
        .with(Class::Knock, Rate::parse("1/h", BURST).ok())
        .with(Class::Read, Rate::parse("1/h", 3 * BURST).ok());
    Manner {
        rates: Some(rates),
        proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Manner::default()
    }
}

async fn from(asked: RequestBuilder, address: &str) -> Response {
    asked.header("x-forwarded-for", address).send().await.unwrap()
}

fn is_refused(answer: &Response, what: &str) {
    assert_eq!(answer.status(), 429, "{what}");
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3600).contains(&wait), "{what}: {wait}");
}

/// Asks until it is refused; how often it was not.
async fn flood(address: &str, what: &str, ask: impl Fn(u64) -> RequestBuilder) -> u64 {
    for n in 0..10 * BURST {
        let answer = from(ask(n), address).await;
        if answer.status() == 429 {
            is_refused(&answer, what);
            return n;
        }
    }
    panic!("{what} goes on");
}

#[tokio::test]
async fn a_flood_of_sign_ins_is_slowed_and_who_is_signed_in_or_elsewhere_is_not() {
    // Nobody is at that address: the provider is away, and each attempt would be a call there.
    let provider = async |_| by_provider("http://127.0.0.1:1", vec![]);
    let world = World::vouched_with(manner(), provider).await;
    let session = world.sign_in().await;
    type Ask<'a> = Box<dyn Fn(u64) -> RequestBuilder + 'a>;
    let get = |path: &'static str| -> Ask<'_> {
        Box::new(|_| world.ask(Method::GET, path).header("accept", "text/html"))
    };
    let ways: [(&str, Ask<'_>); 4] = [
        ("to the provider", get("/login/oidc")),
        ("back from the provider", get("/login/oidc/callback?code=c&state=s")),
        (
            "a token in an address",
            Box::new(|n| world.ask(Method::GET, &format!("/?token=sba_{n:032}"))),
        ),
        (
            "a token in a form",
            Box::new(|n| {
                world.ask(Method::POST, "/login").form(&[("token", format!("sba_{n:032}"))])
            }),
        ),
    ];
    for (n, (what, ask)) in ways.iter().enumerate() {
        let address = format!("203.0.113.{n}");
        assert_eq!(flood(&address, what, ask).await, BURST, "{what}");
        // From the flooded address whoever is signed in goes on.
        let known = world.ask(Method::GET, "/boxes").header("cookie", &session);
        assert_eq!(from(known, &address).await.status(), 200, "{what}");
        // From another the sign-in itself goes on.
        assert_ne!(from(ask(1000), "198.51.100.7").await.status(), 429, "{what}");
        let link = world.ask(Method::GET, &format!("/?token={}", world.token));
        assert_eq!(from(link, "198.51.100.8").await.status(), 303, "{what}");
        // To be signed in is no licence to flood.
        let with = |n| ask(n).header("cookie", &session);
        assert_eq!(flood(&format!("203.0.113.{}", 100 + n), what, with).await, BURST, "{what}");
    }
}

#[tokio::test]
async fn what_is_public_is_counted_for_whoever_is_signed_in_too() {
    let world = World::with(manner()).await;
    let session = world.sign_in().await;
    let page = |_| world.ask(Method::GET, "/assets/page.css").header("cookie", &session);
    assert_eq!(flood("203.0.113.1", "a page", page).await, 3 * BURST);
    // It is counted by who it is, and not by where from.
    is_refused(&from(page(0), "203.0.113.2").await, "from elsewhere");
    assert_eq!(from(world.ask(Method::GET, "/assets/page.css"), "203.0.113.1").await.status(), 200);
}

#[tokio::test]
async fn a_flood_of_words_of_access_is_slowed_and_who_is_vouched_for_is_not() {
    let rules = vec![rule(Whom::Email("ada@example.com".into()), Role::Member)];
    let (world, mut peer) = behind_access_with(manner(), rules).await;
    let good = token(&mut peer, json!({})).await;
    let bad = token(&mut peer, json!({ "aud": "other" })).await;
    let over = token(&mut peer, json!({ "exp": 1 })).await;
    let ask = |word: &str| world.ask(Method::GET, "/boxes").header(HEADER, word.to_owned());
    assert_eq!(from(ask(&good), "203.0.113.1").await.status(), 200);
    for (n, word) in [bad.as_str(), &over, "a.b.c"].into_iter().enumerate() {
        let address = format!("203.0.113.{}", n + 10);
        assert_eq!(flood(&address, word, |_| ask(word)).await, BURST);
        assert_eq!(from(ask(&good), &address).await.status(), 200, "who is known from there");
    }
    // By the cookie of the same word, too.
    let cookie = format!("CF_Authorization={bad}");
    let by_cookie = |_| world.ask(Method::GET, "/boxes").header("cookie", &cookie);
    assert_eq!(flood("203.0.113.20", "a cookie", by_cookie).await, BURST);
}

#[tokio::test]
async fn a_token_that_was_right_once_is_a_strangers_when_it_is_over() {
    let world = World::with(manner()).await;
    let made = world.as_owner(Method::POST, "/api/v1/tokens").json(&json!({ "name": "x" }));
    let made: serde_json::Value = made.send().await.unwrap().json().await.unwrap();
    let stolen = made["token"].as_str().unwrap();
    let ask = |_| world.ask(Method::GET, "/api/v1/boxes").bearer_auth(stolen);
    assert_eq!(from(ask(0), "203.0.113.1").await.status(), 200);
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(world.as_owner(Method::DELETE, &path).send().await.unwrap().status(), 204);
    // The first is still recalled; each after it costs what a stranger's does. One of those went to the
    // first of all, which nobody had seen before.
    assert_eq!(flood("203.0.113.1", "a stolen token", ask).await, BURST);
}
