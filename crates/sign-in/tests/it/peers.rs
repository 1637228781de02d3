//! Real issuers from npm: a certified provider for the whole way of a browser, and a key-set server in the
//! place of Cloudflare Access.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde_json::{Value, json};
use smartbox_core::secret::Secret;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_sign_in::{ClientAuth, Oidc, OidcSettings, Refused, Returned};

use crate::issuer::{AUD, Hands, TEAM, access, http};
use crate::real::{Browser, Peer, Shown, filled, sign_in};

const LONG: Duration = Duration::from_secs(120);
const BACK: &str = "http://localhost:7777/login/oidc/callback";
const OUT: &str = "http://localhost:7777/";

/// The time that the peers go by.
struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Timestamp(i64::try_from(since.as_millis()).unwrap())
    }
}

struct Random;

impl smartbox_core::id::Entropy for Random {
    fn fill(&self, out: &mut [u8]) {
        rand::Rng::fill(&mut rand::thread_rng(), out);
    }
}

fn returned(url: &Url) -> Returned {
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    serde_json::from_value(json!(query)).unwrap()
}

async fn provider(in_token: bool, auth: &str, secret: Option<&str>) -> Peer {
    let given = json!({
        "clients": [{
            "client_id": "smartbox", "client_secret": secret, "redirect_uris": [BACK],
            "post_logout_redirect_uris": [OUT], "token_endpoint_auth_method": auth,
            "grant_types": ["authorization_code"], "response_types": ["code"],
        }],
        "inToken": in_token,
        "claims": {
            "email": "ada@example.com", "email_verified": true, "name": "Ada",
            "groups": ["crew", "ops"],
        },
    });
    let mut given = given;
    if secret.is_none() {
        given["clients"][0].as_object_mut().unwrap().remove("client_secret");
    }
    Peer::start("provider.mjs", &[given.to_string()]).await
}

fn oidc(peer: &Peer, secret: Option<&str>, auth: Option<ClientAuth>) -> Oidc {
    let settings = OidcSettings {
        issuer: peer.url.clone(),
        client_id: "smartbox".into(),
        client_secret: secret.map(|secret| Secret::new(secret.to_owned())),
        auth,
        scopes: ["email", "profile", "groups"].map(str::to_owned).to_vec(),
        groups_claim: "groups".into(),
    };
    Oidc::new(settings, http(LONG), Arc::new(Wall), Arc::new(Random)).unwrap()
}

#[tokio::test]
async fn a_browser_signs_in_at_a_certified_provider_and_out_again() {
    const SECRET: &str = "a secret: of +100% colons&such";
    for (in_token, auth, secret, ours) in [
        (true, "client_secret_basic", Some(SECRET), None),
        (false, "client_secret_post", Some(SECRET), Some(ClientAuth::Post)),
        (false, "none", None, None),
    ] {
        let peer = provider(in_token, auth, secret).await;
        let oidc = oidc(&peer, secret, ours);
        let begun = oidc.begin(BACK).await.unwrap();
        let mut browser = Browser::new();
        let back = sign_in(&mut browser, begun.url.clone(), BACK).await;
        let signed = oidc.finish(&begun.pending, returned(&back)).await.unwrap();
        let who = &signed.identity;
        assert_eq!(
            (who.issuer.as_str(), who.subject.as_str()),
            (peer.url.as_str(), "ada"),
            "{auth}"
        );
        assert_eq!(who.email.as_deref(), Some("ada@example.com"), "{auth}");
        assert!(who.email_verified && !who.service);
        assert_eq!(who.name.as_deref(), Some("Ada"));
        assert_eq!(who.groups, ["crew", "ops"]);
        // A code is good once.
        let again = oidc.finish(&begun.pending, returned(&back)).await.unwrap_err();
        assert!(
            matches!(&again, Refused::Provider(why) if why.contains("invalid_grant")),
            "{again:?}"
        );
        // Out: the provider takes the hint and the address to come back to.
        let out = oidc.logout(Some(&signed.id_token), OUT).await.unwrap();
        let Shown::Page(at, page) = browser.go(out, None, OUT).await else {
            panic!("it asks first")
        };
        assert!(page.contains("logout"), "{page}");
        let (to, mut form) = filled(&at, &page);
        form.push(("logout".into(), "yes".into()));
        let Shown::Back(_) = browser.go(to, Some(form), OUT).await else { panic!("it leads back") };
    }
}

#[tokio::test]
async fn a_certified_provider_refuses_a_code_without_its_proof() {
    let peer = provider(true, "none", None).await;
    let oidc = oidc(&peer, None, None);
    let (one, other) = (oidc.begin(BACK).await.unwrap(), oidc.begin(BACK).await.unwrap());
    let back = sign_in(&mut Browser::new(), one.url.clone(), BACK).await;
    let state = Some(other.pending.state.clone());
    let told =
        oidc.finish(&other.pending, Returned { state, ..returned(&back) }).await.unwrap_err();
    assert!(matches!(&told, Refused::Provider(why) if why.contains("invalid_grant")), "{told:?}");
}

#[tokio::test]
async fn a_real_key_set_server_stands_in_for_cloudflare() {
    let mut peer = Peer::start("access.mjs", &[]).await;
    let hands = Hands::new();
    hands.set(Wall.now().0 / 1000);
    let access = access(Some(peer.url.parse().unwrap()), http(LONG), hands.clone());
    let now = Wall.now().0 / 1000;
    let said = |changes: Value| {
        let mut claims = json!({
            "iss": TEAM, "aud": [AUD], "type": "app", "sub": "7335", "email": "ada@example.com",
            "iat": now, "nbf": now, "exp": now + 3600,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.to_string()
    };
    let good = peer.ask(&said(json!({}))).await;
    let who = access.verify(&good).await.unwrap();
    assert_eq!(who.email.as_deref(), Some("ada@example.com"));
    for (changes, word) in [
        (json!({"aud": "other"}), "aud"),
        (json!({"exp": now - 120}), "expired"),
        (json!({"type": "org"}), "type"),
        (json!({"iss": "https://other.cloudflareaccess.com"}), "iss"),
    ] {
        let token = peer.ask(&said(changes)).await;
        let told = access.verify(&token).await.unwrap_err().to_string();
        assert!(told.contains(word), "{told}");
    }
    // It rotates; both keys are good.
    assert_eq!(peer.ask("rotate").await, "rotated");
    let newer = peer.ask(&said(json!({"sub": "", "common_name": "robot.access"}))).await;
    assert!(matches!(access.verify(&newer).await, Err(Refused::Key)), "asked a moment ago");
    hands.on(Duration::from_secs(31));
    assert!(access.verify(&newer).await.unwrap().service);
    access.verify(&good).await.unwrap();
}
