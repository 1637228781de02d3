//! An issuer on loopback that publishes keys as a test says, and signs what a test wants.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use reqwest::Url;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_sign_in::{Access, AccessSettings, Http};

pub(crate) const NOW: i64 = 1_780_000_000;
pub(crate) const TEAM: &str = "https://myteam.cloudflareaccess.com";
pub(crate) const AUD: &str = "32eafc7626e737616deaf0dc3ce63d7bcbed58a2731d0d06bc3cdf1b53c4228";

/// A clock that a test moves.
pub(crate) struct Hands(Mutex<Timestamp>);

impl Hands {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp(NOW * 1000))))
    }

    pub(crate) fn on(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(by);
    }

    pub(crate) fn set(&self, seconds: i64) {
        *self.0.lock().unwrap() = Timestamp(seconds * 1000);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A key pair and what is published of it.
pub(crate) struct Pair {
    pub(crate) algorithm: Algorithm,
    pub(crate) public: Value,
    signs: EncodingKey,
    id: String,
}

impl Pair {
    pub(crate) fn rsa(id: &str, bits: usize) -> Self {
        let key = rsa::RsaPrivateKey::new(&mut rand::thread_rng(), bits).unwrap();
        let text = |n: &rsa::BigUint| URL_SAFE_NO_PAD.encode(n.to_bytes_be());
        let public = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": text(key.n()), "e": text(key.e()),
        });
        let signs = EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes());
        Self { algorithm: Algorithm::RS256, public, signs, id: id.to_owned() }
    }

    pub(crate) fn ec(id: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let point = key.public_key_raw();
        let text = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let public = json!({
            "kty": "EC", "crv": "P-256", "kid": id, "x": text(&point[1..33]), "y": text(&point[33..]),
        });
        let signs = EncodingKey::from_ec_der(key.serialized_der());
        Self { algorithm: Algorithm::ES256, public, signs, id: id.to_owned() }
    }

    pub(crate) fn ed(id: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let public = json!({
            "kty": "OKP", "crv": "Ed25519", "kid": id, "x": URL_SAFE_NO_PAD.encode(key.public_key_raw()),
        });
        let signs = EncodingKey::from_ed_der(key.serialized_der());
        Self { algorithm: Algorithm::EdDSA, public, signs, id: id.to_owned() }
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(self.algorithm, claims)
    }

    pub(crate) fn sign_as(&self, algorithm: Algorithm, claims: &Value) -> String {
        let head = Header { kid: Some(self.id.clone()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&head, claims, &self.signs).unwrap()
    }
}

/// Two keys of one issuer. To make one takes a while.
pub(crate) static OLD: LazyLock<Pair> = LazyLock::new(|| Pair::rsa("old", 2048));
pub(crate) static NEW: LazyLock<Pair> = LazyLock::new(|| Pair::rsa("new", 2048));

/// What the issuer does when it is asked.
#[derive(Clone)]
pub(crate) enum Manner {
    Keys(Vec<Value>),
    Text(String),
    Status(u16),
    Redirect(String),
    /// Takes the question and never answers.
    Silent,
    /// Begins to answer and never ends.
    Drips,
}

pub(crate) struct Issuer {
    pub(crate) base: Url,
    manner: Mutex<Manner>,
    asked: AtomicU32,
    pub(crate) news: tokio::sync::Notify,
}

impl Issuer {
    pub(crate) async fn start(manner: Manner) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let issuer = Arc::new(Self {
            base,
            manner: Mutex::new(manner),
            asked: AtomicU32::new(0),
            news: tokio::sync::Notify::new(),
        });
        let app = Router::new().fallback(answer).with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        issuer
    }

    pub(crate) fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Access, whose key set lies here.
    pub(crate) fn access(&self, clock: Arc<Hands>) -> Access {
        access(Some(self.base.clone()), http(Duration::from_secs(20)), clock)
    }
}

async fn answer(State(issuer): State<Arc<Issuer>>, request: Request) -> Response {
    issuer.asked.fetch_add(1, Ordering::SeqCst);
    issuer.news.notify_one();
    assert_eq!(request.uri().path(), "/cdn-cgi/access/certs");
    let manner = issuer.manner.lock().unwrap().clone();
    match manner {
        // As Cloudflare writes it.
        Manner::Keys(keys) => {
            let certs: Vec<Value> = Vec::new();
            axum::Json(json!({"keys": keys, "public_cert": {}, "public_certs": certs}))
                .into_response()
        }
        Manner::Text(text) => text.into_response(),
        Manner::Status(status) => axum::http::StatusCode::from_u16(status).unwrap().into_response(),
        Manner::Redirect(to) => axum::response::Redirect::to(&to).into_response(),
        Manner::Silent => std::future::pending().await,
        Manner::Drips => {
            let (reader, mut writer) = tokio::io::duplex(64);
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt as _;
                let _ = writer.write_all(b"{\"keys\":[").await;
                std::future::pending::<()>().await;
            });
            let stream = futures_util::stream::unfold(reader, |mut reader| async move {
                use tokio::io::AsyncReadExt as _;
                let mut part = vec![0; 64];
                let read = reader.read(&mut part).await.ok()?;
                part.truncate(read);
                Some((Ok::<_, std::io::Error>(part), reader))
            });
            Body::from_stream(stream).into_response()
        }
    }
}

pub(crate) fn http(patience: Duration) -> Http {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Http::new(tls, patience).unwrap()
}

pub(crate) fn access(base: Option<Url>, http: Http, clock: Arc<Hands>) -> Access {
    let settings = AccessSettings { team_domain: "myteam".into(), aud: AUD.into(), base };
    Access::new(&settings, http, clock).unwrap()
}

/// What Access says of a person. `null` removes a claim.
pub(crate) fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": TEAM, "aud": [AUD], "email": "ada@example.com", "sub": "7335d417-61da-459d-899c-0a01c76a2f94",
        "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 3600, "type": "app",
        "identity_nonce": "6ei69kawdKzMIAPF", "country": "NL",
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}
