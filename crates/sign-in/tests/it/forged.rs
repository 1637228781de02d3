//! Tokens that somebody made who is not the issuer, and tokens of the issuer that are not for us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use smartbox_sign_in::{Access, Refused};

use crate::issuer::{Hands, Issuer, Manner, NOW, OLD, Pair, claims};

async fn access() -> Access {
    Issuer::start(Manner::Keys(vec![OLD.public.clone()])).await.access(Hands::new())
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Whether a token is refused with a variant.
macro_rules! refused {
    ($access:expr, $token:expr, $with:pat) => {
        let token = String::from($token);
        let told = $access.verify(&token).await.unwrap_err();
        assert!(matches!(told, $with), "{told:?}");
        // Whoever reads the log cannot use it.
        let (said, long) = (format!("{told} {told:?}"), token.rsplit('.').next().unwrap());
        assert!(long.len() < 20 || !said.contains(long), "{said}");
    };
}

#[tokio::test]
async fn a_token_without_a_signature_is_none() {
    let access = access().await;
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let head = encoded(&json!({"alg": alg, "kid": "old"}));
        for signature in ["", "AAAA"] {
            let token = format!("{head}.{}.{signature}", encoded(&claims(&json!({}))));
            refused!(access, &token, Refused::Algorithm | Refused::Malformed(_));
        }
    }
    // The signature of a good token, left out.
    let good = OLD.sign(&claims(&json!({})));
    let (message, _) = good.rsplit_once('.').unwrap();
    refused!(access, &format!("{message}."), Refused::Malformed(_));
    refused!(access, message, Refused::Malformed(_));
}

#[tokio::test]
async fn a_published_key_is_not_a_shared_secret() {
    let access = access().await;
    let n = OLD.public["n"].as_str().unwrap();
    let (bytes, jwk) = (URL_SAFE_NO_PAD.decode(n).unwrap(), OLD.public.to_string());
    for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        for secret in [&bytes[..], n.as_bytes(), jwk.as_bytes(), b""] {
            let head = Header { kid: Some("old".into()), ..Header::new(alg) };
            let key = EncodingKey::from_secret(secret);
            let token = jsonwebtoken::encode(&head, &claims(&json!({})), &key).unwrap();
            refused!(access, &token, Refused::Algorithm);
        }
    }
}

#[tokio::test]
async fn another_way_to_sign_is_refused_even_with_the_right_key() {
    let access = access().await;
    for alg in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        refused!(access, &OLD.sign_as(alg, &claims(&json!({}))), Refused::Algorithm);
    }
}

#[tokio::test]
async fn a_key_that_the_token_brings_along_is_not_used() {
    let access = access().await;
    let mine = Pair::rsa("old", 2048);
    // Under the issuer's name for its key, and with everything that could point elsewhere.
    let claims = claims(&json!({}));
    let head = json!({
        "alg": "RS256", "kid": "old", "jwk": mine.public, "jku": "http://127.0.0.1:1/keys",
        "x5u": "http://127.0.0.1:1/cert", "x5c": ["AAAA"],
    });
    let message = format!("{}.{}", encoded(&head), encoded(&claims));
    let signed = mine.sign(&claims);
    let signature = signed.rsplit('.').next().unwrap();
    refused!(access, &format!("{message}.{signature}"), Refused::Signature);
    refused!(access, &signed, Refused::Signature);
    let stranger = Pair::ec("stranger");
    refused!(access, &stranger.sign(&claims), Refused::Algorithm);
}

#[tokio::test]
async fn an_extension_that_must_be_understood_is_refused() {
    let access = access().await;
    let head = json!({"alg": "RS256", "kid": "old", "crit": ["b64"], "b64": false});
    let token = format!("{}.{}.AAAA", encoded(&head), encoded(&claims(&json!({}))));
    refused!(access, &token, Refused::Malformed(_));
}

#[tokio::test]
async fn a_token_for_somebody_else_is_refused() {
    let access = access().await;
    for aud in
        [json!("other"), json!(["other"]), json!([]), json!([["x"]]), json!({"a": 1}), json!(7)]
    {
        refused!(access, &OLD.sign(&claims(&json!({"aud": aud}))), Refused::Audience { .. });
    }
    refused!(access, &OLD.sign(&claims(&json!({"aud": null}))), Refused::Audience { .. });
}

#[tokio::test]
async fn a_token_of_another_team_is_refused() {
    let access = access().await;
    for iss in [
        "https://other.cloudflareaccess.com",
        "https://myteam.cloudflareaccess.com/",
        "http://myteam.cloudflareaccess.com",
        "https://MYTEAM.cloudflareaccess.com",
    ] {
        refused!(access, &OLD.sign(&claims(&json!({"iss": iss}))), Refused::Issuer { .. });
    }
    let several = json!({"iss": ["https://myteam.cloudflareaccess.com"]});
    refused!(access, &OLD.sign(&claims(&several)), Refused::Issuer { .. });
    refused!(access, &OLD.sign(&claims(&json!({"iss": null}))), Refused::Issuer { .. });
}

#[tokio::test]
async fn a_token_of_another_time_is_refused() {
    let access = access().await;
    refused!(access, &OLD.sign(&claims(&json!({"exp": NOW - 61}))), Refused::Expired);
    refused!(access, &OLD.sign(&claims(&json!({"nbf": NOW + 61}))), Refused::Early);
    refused!(access, &OLD.sign(&claims(&json!({"iat": NOW + 61}))), Refused::Early);
    for name in ["exp", "iat"] {
        refused!(access, &OLD.sign(&claims(&json!({name: null}))), Refused::Claim(_));
        refused!(access, &OLD.sign(&claims(&json!({name: "soon"}))), Refused::Claim(_));
    }
    refused!(access, &OLD.sign(&claims(&json!({"nbf": "soon"}))), Refused::Claim(_));
    refused!(access, &OLD.sign(&claims(&json!({"exp": -1}))), Refused::Claim(_));
}

#[tokio::test]
async fn the_teams_own_session_opens_no_application() {
    let access = access().await;
    for kind in [json!("org"), json!("APP"), json!(["app"]), Value::Null] {
        refused!(access, &OLD.sign(&claims(&json!({"type": kind}))), Refused::Kind);
    }
}

#[tokio::test]
async fn nobody_is_signed_in_as_nobody() {
    let access = access().await;
    for said in [json!({"sub": ""}), json!({"sub": null}), json!({"sub": 7, "common_name": ""})] {
        refused!(access, &OLD.sign(&claims(&said)), Refused::Claim("sub"));
    }
}

#[tokio::test]
async fn a_giant_token_is_not_read() {
    let access = access().await;
    let giant = OLD.sign(&claims(&json!({"custom": "x".repeat(20_000)})));
    refused!(access, &giant, Refused::Long { .. });
    refused!(access, &".".repeat(1 << 20), Refused::Long { .. });
}

#[tokio::test]
async fn what_is_no_token_is_told_so() {
    let access = access().await;
    for text in
        ["", ".", "..", "...", "a.b.c", "Bearer x.y.z", "eyJhbGciOiJub25lIn0", "é.é.é", "\0"]
    {
        refused!(access, text, Refused::Malformed(_));
    }
}

#[tokio::test]
async fn a_short_key_checks_nothing() {
    let short = Pair::rsa("short", 1024);
    let issuer = Issuer::start(Manner::Keys(vec![OLD.public.clone(), short.public.clone()])).await;
    let access = issuer.access(Hands::new());
    refused!(access, &short.sign(&claims(&json!({}))), Refused::Key);
}

#[tokio::test]
async fn a_key_for_encryption_checks_nothing() {
    for (name, value) in
        [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("alg", json!("RSA-OAEP"))]
    {
        let mut public = OLD.public.clone();
        public[name] = value;
        let spare = Pair::rsa("spare", 2048);
        let issuer = Issuer::start(Manner::Keys(vec![public, spare.public.clone()])).await;
        let access = issuer.access(Hands::new());
        refused!(access, &OLD.sign(&claims(&json!({}))), Refused::Key);
    }
}
