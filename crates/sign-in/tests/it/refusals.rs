//! Ends of a sign-in that are none.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use smartbox_sign_in::{Refused, Returned};

use crate::issuer::{Hands, NEW, NOW, OLD, Pair};
use crate::provider::{BACK, Provider, SECRET};

/// Asks with a token that is changed so.
async fn told(claims: Value) -> Refused {
    let provider = Provider::start().await;
    provider.says.lock().unwrap().claims = claims;
    provider.round(&provider.oidc(Hands::new())).await.unwrap_err()
}

#[tokio::test]
async fn a_token_that_is_not_of_this_sign_in_is_refused() {
    assert!(matches!(told(json!({"nonce": "other"})).await, Refused::Mixed));
    assert!(matches!(told(json!({"nonce": null})).await, Refused::Mixed));
    assert!(matches!(told(json!({"nonce": ""})).await, Refused::Mixed));
    assert!(matches!(told(json!({"iss": "http://127.0.0.1:1"})).await, Refused::Issuer { .. }));
    assert!(matches!(told(json!({"aud": "other"})).await, Refused::Audience { .. }));
    assert!(matches!(told(json!({"exp": NOW - 61})).await, Refused::Expired));
    assert!(matches!(told(json!({"iat": NOW + 61})).await, Refused::Early));
    assert!(matches!(told(json!({"sub": ""})).await, Refused::Claim("sub")));
    assert!(matches!(told(json!({"at_hash": "other"})).await, Refused::Claim("at_hash")));
    assert!(matches!(told(json!({"at_hash": ""})).await, Refused::Claim("at_hash")));
    assert!(matches!(told(json!({"azp": "other"})).await, Refused::Claim("azp")));
    let several = json!({"aud": ["smartbox", "other"]});
    assert!(matches!(told(several).await, Refused::Claim("azp")));
}

#[tokio::test]
async fn several_audiences_are_good_if_we_are_the_party() {
    let provider = Provider::start().await;
    provider.says.lock().unwrap().claims =
        json!({"aud": ["other", "smartbox"], "azp": "smartbox", "at_hash": null});
    provider.round(&provider.oidc(Hands::new())).await.unwrap();
}

#[tokio::test]
async fn our_secret_signs_nobody_in() {
    let provider = Provider::start().await;
    let oidc = provider.oidc(Hands::new());
    let begun = oidc.begin(BACK).await.unwrap();
    let returned = provider.visited(&begun);
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let head = Header { kid: Some("old".into()), ..Header::new(Algorithm::HS256) };
    let token = jsonwebtoken::encode(&head, &provider.claims(), &key).unwrap();
    provider.says.lock().unwrap().token = Some(token);
    let told = oidc.finish(&begun.pending, returned).await.unwrap_err();
    assert!(matches!(told, Refused::Algorithm), "{told:?}");
}

#[tokio::test]
async fn another_keys_signature_is_refused() {
    let provider = Provider::start().await;
    let oidc = provider.oidc(Hands::new());
    let begun = oidc.begin(BACK).await.unwrap();
    let returned = provider.visited(&begun);
    provider.says.lock().unwrap().token = Some(NEW.sign(&provider.claims()));
    let told = oidc.finish(&begun.pending, returned).await.unwrap_err();
    assert!(matches!(told, Refused::Key), "{told:?}");
}

#[tokio::test]
async fn a_provider_signs_by_any_algorithm_of_the_list() {
    for (pair, algorithm) in [
        (&*OLD, Algorithm::RS256),
        (&*OLD, Algorithm::PS256),
        (&Pair::ec("ec"), Algorithm::ES256),
        (&Pair::ed("ed"), Algorithm::EdDSA),
    ] {
        let provider = Provider::start().await;
        let oidc = provider.oidc(Hands::new());
        let mut public = pair.public.clone();
        public.as_object_mut().unwrap().remove("alg");
        provider.says.lock().unwrap().keys = Some(vec![public]);
        let begun = oidc.begin(BACK).await.unwrap();
        let returned = provider.visited(&begun);
        let mut claims = provider.claims();
        claims.as_object_mut().unwrap().remove("at_hash");
        provider.says.lock().unwrap().token = Some(pair.sign_as(algorithm, &claims));
        let who = oidc.finish(&begun.pending, returned).await;
        assert!(who.is_ok(), "{algorithm:?}: {who:?}");
    }
}

#[tokio::test]
async fn what_comes_back_must_have_been_begun_here_and_just_now() {
    let provider = Provider::start().await;
    let hands = Hands::new();
    let oidc = provider.oidc(hands.clone());
    let begun = oidc.begin(BACK).await.unwrap();
    let good = || provider.visited(&begun);
    for returned in [
        Returned { state: Some("other".into()), ..good() },
        Returned { state: Some(String::new()), ..good() },
        Returned { state: None, ..good() },
        Returned { code: None, ..good() },
        Returned { iss: Some("https://other.example".into()), ..good() },
    ] {
        let told = oidc.finish(&begun.pending, returned).await.unwrap_err();
        assert!(matches!(told, Refused::Mixed), "{told:?}");
    }
    assert!(provider.says.lock().unwrap().heard.is_empty(), "no code was shown to anybody");
    let other = oidc.begin(BACK).await.unwrap();
    let told = oidc.finish(&other.pending, good()).await.unwrap_err();
    assert!(matches!(told, Refused::Mixed), "the state of another browser: {told:?}");
    let named = Returned { iss: Some(provider.base.clone()), ..good() };
    oidc.finish(&begun.pending, named).await.unwrap();
    hands.on(Duration::from_secs(16 * 60));
    let told = oidc.finish(&begun.pending, good()).await.unwrap_err();
    assert!(matches!(told, Refused::Mixed), "{told:?}");
}

#[tokio::test]
async fn a_code_that_another_browser_began_is_refused_by_the_proof() {
    let provider = Provider::start().await;
    let oidc = provider.oidc(Hands::new());
    let victim = oidc.begin(BACK).await.unwrap();
    let thief = oidc.begin(BACK).await.unwrap();
    // The thief has the victim's code, and puts it under a beginning of its own.
    let stolen = provider.visited(&victim).code;
    let state = Some(thief.pending.state.clone());
    let returned = Returned { code: stolen, state, ..Returned::default() };
    let told = oidc.finish(&thief.pending, returned).await.unwrap_err();
    assert!(matches!(&told, Refused::Provider(why) if why.contains("invalid_grant")), "{told:?}");
}

#[tokio::test]
async fn a_refusal_is_passed_on_in_one_line() {
    let provider = Provider::start().await;
    let oidc = provider.oidc(Hands::new());
    let begun = oidc.begin(BACK).await.unwrap();
    let description = Some(format!("No\r\nSet-Cookie: {}", "x".repeat(500)));
    let error = Some("access_denied".into());
    let returned = Returned { error, error_description: description, ..provider.visited(&begun) };
    let told = oidc.finish(&begun.pending, returned).await.unwrap_err().to_string();
    assert!(told.contains("access_denied (No"), "{told}");
    assert!(told.len() < 300 && !told.contains(['\r', '\n']), "{told}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_meant_is_told_without_quoting_it() {
    let secret = "t0ken-that-nobody-may-read";
    for (status, text) in [
        (200, format!("{{\"access_token\":\"{secret}\"}}")),
        (200, format!("{{\"access_token\":\"{secret}\",\"token_type\":\"Bearer\"}}")),
        (
            200,
            format!(
                "{{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"{secret}\"}}"
            ),
        ),
        (200, format!("<html>{secret}")),
        (200, String::new()),
        (500, secret.to_owned()),
        (302, secret.to_owned()),
        (200, secret.repeat(20_000)),
    ] {
        let provider = Provider::start().await;
        provider.says.lock().unwrap().answer = Some((status, text.clone()));
        let told = provider.round(&provider.oidc(Hands::new())).await.unwrap_err();
        let source = std::error::Error::source(&told).map(ToString::to_string);
        assert!(!format!("{told} {told:?} {source:?}").contains(secret), "{told:?}");
    }
}

#[tokio::test]
async fn what_is_said_of_somebody_else_is_refused() {
    let provider = Provider::start().await;
    provider.says.lock().unwrap().claims = json!({"email": null});
    provider.says.lock().unwrap().userinfo =
        Some(json!({"sub": "eve", "email": "ada@example.com", "email_verified": true}));
    let told = provider.round(&provider.oidc(Hands::new())).await.unwrap_err();
    assert!(matches!(told, Refused::Claim("sub")), "{told:?}");
}

#[tokio::test]
async fn a_provider_that_is_not_itself_is_refused() {
    let provider = Provider::start().await;
    for (said, word) in [
        (json!({"issuer": "https://other.example"}), "https://other.example"),
        (json!({"issuer": format!("{}/", provider.base)}), "exactly so"),
        (json!({"jwks_uri": "http://other.example/keys"}), "without https"),
        (json!({"token_endpoint": "http://169.254.169.254/token"}), "without https"),
        (json!({"authorization_endpoint": "javascript:alert(1)"}), "without https"),
        (json!({"end_session_endpoint": "http://other.example/bye"}), "without https"),
        (json!({"jwks_uri": null}), "cannot be read"),
    ] {
        provider.says.lock().unwrap().discovery = said;
        let told = provider.oidc(Hands::new()).check().await.unwrap_err();
        assert!(told.is_unavailable(), "{told:?}");
        let why = std::error::Error::source(&told).unwrap().to_string();
        assert!(why.contains(word), "{word}: {why}");
    }
}
