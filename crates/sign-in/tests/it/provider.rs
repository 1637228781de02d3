//! A provider of OpenID Connect on loopback that says what a test wants, and a browser's way through it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use smartbox_core::id::Entropy;
use smartbox_core::secret::Secret;
use smartbox_sign_in::{Begun, ClientAuth, Oidc, OidcSettings, Refused, Returned, SignedIn};

use crate::issuer::{Hands, NOW, OLD, http};

pub(crate) const BACK: &str = "https://box.example/login/oidc/callback";
pub(crate) const SECRET: &str = "s3cret with spaces";

/// Counts; a test reads no meaning into it.
struct Numbers(Mutex<u8>);

impl Entropy for Numbers {
    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            let mut next = self.0.lock().unwrap();
            *next = next.wrapping_add(7);
            *byte = *next;
        }
    }
}

/// What the provider says; a test changes it between beginning and end.
#[derive(Default)]
pub(crate) struct Says {
    /// Over what it says of itself.
    pub(crate) discovery: Value,
    /// The token; none for a good one.
    pub(crate) token: Option<String>,
    /// Over the claims of the good one.
    pub(crate) claims: Value,
    pub(crate) userinfo: Option<Value>,
    /// An answer of the token endpoint, as it is.
    pub(crate) answer: Option<(u16, String)>,
    pub(crate) keys: Option<Vec<Value>>,
    /// What it was sent.
    pub(crate) heard: HashMap<String, String>,
    pub(crate) authorization: Option<String>,
}

pub(crate) struct Provider {
    pub(crate) base: String,
    pub(crate) says: Mutex<Says>,
    query: Mutex<HashMap<String, String>>,
}

impl Provider {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let provider = Arc::new(Self { base, says: Mutex::default(), query: Mutex::default() });
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(userinfo))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        provider
    }

    pub(crate) fn settings(&self) -> OidcSettings {
        OidcSettings {
            issuer: self.base.clone(),
            client_id: "smartbox".into(),
            client_secret: Some(Secret::new(SECRET.into())),
            auth: None,
            scopes: vec!["email".into(), "profile".into()],
            groups_claim: "groups".into(),
        }
    }

    pub(crate) fn oidc(&self, hands: Arc<Hands>) -> Oidc {
        self.oidc_with(hands, |_| {})
    }

    pub(crate) fn oidc_with(
        &self,
        hands: Arc<Hands>,
        change: impl FnOnce(&mut OidcSettings),
    ) -> Oidc {
        let mut settings = self.settings();
        change(&mut settings);
        let numbers = Arc::new(Numbers(Mutex::new(1)));
        Oidc::new(settings, http(Duration::from_secs(20)), hands, numbers).unwrap()
    }

    /// The browser arrives; it is sent back at once.
    pub(crate) fn visited(&self, begun: &Begun) -> Returned {
        let query: HashMap<String, String> = begun.url.query_pairs().into_owned().collect();
        let state = query.get("state").cloned();
        *self.query.lock().unwrap() = query;
        Returned { code: Some("c0de".into()), state, ..Returned::default() }
    }

    /// The whole way.
    pub(crate) async fn round(&self, oidc: &Oidc) -> Result<SignedIn, Refused> {
        let begun = oidc.begin(BACK).await?;
        let returned = self.visited(&begun);
        oidc.finish(&begun.pending, returned).await
    }

    /// What a good token says.
    pub(crate) fn claims(&self) -> Value {
        let query = self.query.lock().unwrap();
        json!({
            "iss": self.base, "aud": "smartbox", "sub": "ada", "iat": NOW, "exp": NOW + 600,
            "nonce": query.get("nonce"), "email": "ada@example.com", "email_verified": true,
            "name": "Ada", "groups": ["crew"],
            "at_hash": URL_SAFE_NO_PAD.encode(&Sha256::digest("acce55")[..16]),
        })
    }
}

fn over(mut under: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            under.as_object_mut().unwrap().remove(name);
        } else {
            under[name] = value.clone();
        }
    }
    under
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let base = &provider.base;
    let said = json!({
        "issuer": base, "authorization_endpoint": format!("{base}/auth"),
        "token_endpoint": format!("{base}/token"), "jwks_uri": format!("{base}/keys"),
        "userinfo_endpoint": format!("{base}/me"), "end_session_endpoint": format!("{base}/bye?a=b"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    Json(over(said, &provider.says.lock().unwrap().discovery))
}

async fn keys(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let keys = provider.says.lock().unwrap().keys.clone();
    Json(json!({"keys": keys.unwrap_or_else(|| vec![OLD.public.clone()])}))
}

async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let good = provider.claims();
    let challenge = provider.query.lock().unwrap().get("code_challenge").cloned();
    let mut says = provider.says.lock().unwrap();
    let shown = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let proof = form.get("code_verifier").map(|text| URL_SAFE_NO_PAD.encode(Sha256::digest(text)));
    says.heard = form;
    says.authorization = shown;
    if let Some((status, text)) = says.answer.clone() {
        return (StatusCode::from_u16(status).unwrap(), text).into_response();
    }
    if proof != challenge || proof.is_none() {
        let said = json!({"error": "invalid_grant", "error_description": "the proof is wrong"});
        return (StatusCode::BAD_REQUEST, Json(said)).into_response();
    }
    let claims = over(good, &says.claims);
    let id_token = says.token.clone().unwrap_or_else(|| OLD.sign(&claims));
    Json(json!({"access_token": "acce55", "token_type": "Bearer", "id_token": id_token}))
        .into_response()
}

async fn userinfo(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    assert_eq!(headers["authorization"], "Bearer acce55");
    let said = provider.says.lock().unwrap().userinfo.clone();
    said.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |said| Json(said).into_response())
}

/// How a secret is shown in a header: each half as in a form.
pub(crate) fn basic() -> String {
    format!("Basic {}", STANDARD.encode("smartbox:s3cret+with+spaces"))
}

#[tokio::test]
async fn somebody_who_comes_back_is_who_the_provider_says() {
    let provider = Provider::start().await;
    let oidc = provider.oidc(Hands::new());
    oidc.check().await.unwrap();
    let begun = oidc.begin(BACK).await.unwrap();
    let query: HashMap<String, String> = begun.url.query_pairs().into_owned().collect();
    assert!(begun.url.as_str().starts_with(&format!("{}/auth?", provider.base)));
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["redirect_uri"], BACK);
    assert_eq!(query["scope"], "openid email profile");
    assert_eq!(query["client_id"], "smartbox");
    assert!(query["nonce"] != query["state"] && query["state"].len() >= 43);
    // It is kept in the records meanwhile.
    let kept = serde_json::to_string(&begun.pending).unwrap();
    let printed = format!("{:?}", begun.pending);
    assert!(!printed.contains(&query["nonce"]) && !printed.contains(&query["state"]));
    let returned = provider.visited(&begun);
    let pending = serde_json::from_str(&kept).unwrap();
    let who = oidc.finish(&pending, returned).await.unwrap().identity;
    assert_eq!((who.issuer.as_str(), who.subject.as_str()), (provider.base.as_str(), "ada"));
    assert_eq!(who.email.as_deref(), Some("ada@example.com"));
    assert!(who.email_verified && !who.service);
    assert_eq!((who.name.as_deref(), who.groups), (Some("Ada"), vec!["crew".to_owned()]));
    let says = provider.says.lock().unwrap();
    assert_eq!(says.heard["redirect_uri"], BACK);
    assert_eq!(says.heard["code"], "c0de");
    assert_eq!(says.authorization.as_deref(), Some(basic().as_str()));
}

#[tokio::test]
async fn the_secret_is_shown_as_it_is_wanted() {
    let provider = Provider::start().await;
    let heard = |name: &str| provider.says.lock().unwrap().heard.get(name).cloned();
    let shown = || provider.says.lock().unwrap().authorization.clone();
    for (auth, header, form) in [
        (Some(ClientAuth::Basic), Some(basic()), None),
        (Some(ClientAuth::Post), None, Some(SECRET.to_owned())),
        (Some(ClientAuth::None), None, None),
    ] {
        let oidc = provider.oidc_with(Hands::new(), |settings| settings.auth = auth);
        provider.round(&oidc).await.unwrap();
        assert_eq!((shown(), heard("client_secret")), (header, form));
    }
    // What it says itself.
    let takes = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    provider.says.lock().unwrap().discovery = takes;
    provider.round(&provider.oidc(Hands::new())).await.unwrap();
    assert_eq!((shown(), heard("client_secret").as_deref()), (None, Some(SECRET)));
    let public = provider.oidc_with(Hands::new(), |settings| settings.client_secret = None);
    provider.round(&public).await.unwrap();
    assert_eq!((shown(), heard("client_id").as_deref()), (None, Some("smartbox")));
}

#[tokio::test]
async fn what_the_token_leaves_out_is_asked_for() {
    let provider = Provider::start().await;
    provider.says.lock().unwrap().claims =
        json!({"email": null, "email_verified": null, "name": null, "groups": null});
    provider.says.lock().unwrap().userinfo = Some(json!({
        "sub": "ada", "email": "ada@example.com", "email_verified": "true", "groups": ["ops"],
        "preferred_username": "ada",
    }));
    let who = provider.round(&provider.oidc(Hands::new())).await.unwrap().identity;
    assert_eq!((who.email.as_deref(), who.email_verified), (Some("ada@example.com"), true));
    assert_eq!((who.groups, who.name.as_deref()), (vec!["ops".to_owned()], Some("ada")));
}

#[tokio::test]
async fn an_address_is_vouched_for_by_whoever_names_it() {
    let provider = Provider::start().await;
    // The token names it and does not vouch; what is said elsewhere may be about another one.
    provider.says.lock().unwrap().claims = json!({"email_verified": null, "groups": null});
    provider.says.lock().unwrap().userinfo =
        Some(json!({"sub": "ada", "email": "other@example.com", "email_verified": true}));
    let who = provider.round(&provider.oidc(Hands::new())).await.unwrap().identity;
    assert_eq!((who.email.as_deref(), who.email_verified), (Some("ada@example.com"), false));
}

#[tokio::test]
async fn signing_out_leads_to_the_provider_and_back() {
    let provider = Provider::start().await;
    let oidc = provider.oidc(Hands::new());
    let signed = provider.round(&oidc).await.unwrap();
    let url: Url = oidc.logout(Some(&signed.id_token), "https://box.example/").await.unwrap();
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert!(url.as_str().starts_with(&format!("{}/bye?a=b&", provider.base)));
    assert_eq!(query["post_logout_redirect_uri"], "https://box.example/");
    assert_eq!(query["client_id"], "smartbox");
    assert_eq!(&query["id_token_hint"], signed.id_token.expose());
    provider.says.lock().unwrap().discovery = json!({"end_session_endpoint": null});
    assert!(provider.oidc(Hands::new()).logout(None, "https://box.example/").await.is_none());
}
