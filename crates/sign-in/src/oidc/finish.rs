//! What a browser comes back with, exchanged for who it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::CoreErrorResponseType;
use openidconnect::{
    AuthorizationCode, OAuth2TokenResponse as _, PkceCodeVerifier, RequestTokenError,
    StandardErrorResponse, TokenResponse as _,
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha512};
use smartbox_core::person::Identity;
use smartbox_core::secret::Secret;
use subtle::ConstantTimeEq as _;

use crate::http::Fault;
use crate::jwt::{Algorithm, Claims, Expected, Token};
use crate::oidc::provider::Provider;
use crate::oidc::{Oidc, Pending, Returned, SignedIn};
use crate::refused::Refused;

/// What a provider may sign with. Nothing of a shared secret is here: whoever can check it could sign it.
const ACCEPTED: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA];
/// It comes in a body, and may hold many groups.
const LONGEST: usize = 64 << 10;

impl Oidc {
    /// Ends what `pending` began. It must be taken out of where it was kept before: it works once.
    pub async fn finish(&self, pending: &Pending, returned: Returned) -> Result<SignedIn, Refused> {
        let state = returned.state.unwrap_or_default();
        if !same(&state, &pending.state) || pending.expires <= self.clock.now() {
            return Err(Refused::Mixed);
        }
        // RFC 9207: an answer of another provider, passed off as this one's.
        if returned.iss.is_some_and(|iss| iss != self.settings.issuer) {
            return Err(Refused::Mixed);
        }
        if let Some(error) = returned.error {
            return Err(Refused::Provider(said(&error, returned.error_description.as_deref())));
        }
        let code = returned.code.filter(|code| !code.is_empty()).ok_or(Refused::Mixed)?;
        let provider = self.provider().await?;
        let (id_token, access) = self.exchange(&provider, pending, code).await?;
        let token = Token::parse(&id_token, LONGEST, ACCEPTED)?;
        let algorithm = token.algorithm();
        let claims = token.verify(&self.keys).await?;
        let identity =
            self.identity(&provider, &claims, algorithm, &pending.nonce, &access).await?;
        Ok(SignedIn { identity, id_token: Secret::new(id_token) })
    }

    /// The code, and the proof that we began, for the provider's tokens.
    async fn exchange(
        &self,
        provider: &Provider,
        pending: &Pending,
        code: String,
    ) -> Result<(String, String), Refused> {
        let client = self.client(provider, &pending.back)?;
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(|error| {
            unavailable(format!("the provider names no place for tokens: {error}"))
        })?;
        let answer = request
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&self.http)
            .await
            .map_err(refusal)?;
        let id_token = answer.id_token().ok_or(Refused::Malformed("the provider gave none"))?;
        Ok((id_token.to_string(), answer.access_token().secret().clone()))
    }

    async fn identity(
        &self,
        provider: &Provider,
        claims: &Claims,
        algorithm: Algorithm,
        nonce: &str,
        access: &str,
    ) -> Result<Identity, Refused> {
        let us = &self.settings.client_id;
        let issuer = &self.settings.issuer;
        let expires = claims.check(&Expected { issuer, audience: us, now: self.clock.now() })?;
        let party = claims.text("azp");
        if party.map_or(claims.for_several(), |party| party != us) {
            return Err(Refused::Claim("azp"));
        }
        if !same(claims.text("nonce").unwrap_or_default(), nonce) {
            return Err(Refused::Mixed);
        }
        if claims.has("at_hash")
            && !same(claims.text("at_hash").unwrap_or_default(), &half(access, algorithm))
        {
            return Err(Refused::Claim("at_hash"));
        }
        let subject = claims.text("sub").ok_or(Refused::Claim("sub"))?;
        let groups = &self.settings.groups_claim;
        let told = claims.has("email") && !claims.names(groups).is_empty();
        let more = if told { None } else { self.more(provider, subject, access).await? };
        let from =
            |name: &str| claims.text(name).or_else(|| more.as_ref()?.text(name)).map(str::to_owned);
        // The word for an address comes from where the address does.
        let vouches = if claims.has("email") { Some(claims) } else { more.as_ref() };
        let mut names = claims.names(groups);
        if let (true, Some(more)) = (names.is_empty(), &more) {
            names = more.names(groups);
        }
        Ok(Identity {
            issuer: issuer.clone(),
            subject: subject.to_owned(),
            email: from("email"),
            email_verified: vouches.is_some_and(|claims| claims.is_true("email_verified")),
            name: from("name").or_else(|| from("preferred_username")),
            groups: names,
            service: false,
            expires,
        })
    }

    /// What the provider tells only when it is asked: many keep address and groups out of the token.
    async fn more(
        &self,
        provider: &Provider,
        subject: &str,
        access: &str,
    ) -> Result<Option<Claims>, Refused> {
        let Some(place) = provider.metadata.userinfo_endpoint() else { return Ok(None) };
        let answer: Result<Map<String, Value>, Fault> =
            self.http.get(place.url(), Some(access)).await;
        let claims = Claims::new(answer.map_err(|source| Refused::Unavailable {
            what: "what the provider knows of who signed in",
            source,
        })?);
        // It may be about somebody else: the standard says to look.
        if claims.text("sub") != Some(subject) {
            return Err(Refused::Claim("sub"));
        }
        Ok(Some(claims))
    }
}

/// Compares without telling how far they are the same.
fn same(one: &str, other: &str) -> bool {
    !other.is_empty() && bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

/// The left half of a hash, by the algorithm that signed.
fn half(text: &str, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::EdDSA => Sha512::digest(text).to_vec(),
        _ => Sha256::digest(text).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

fn unavailable(why: String) -> Refused {
    Refused::Unavailable { what: "the provider's tokens", source: Fault(why) }
}

/// Why there were no tokens. What was answered is never quoted: there could be tokens in it.
fn refusal(
    error: RequestTokenError<Fault, StandardErrorResponse<CoreErrorResponseType>>,
) -> Refused {
    match error {
        RequestTokenError::ServerResponse(error) => Refused::Provider(said(
            error.error().as_ref(),
            error.error_description().map(String::as_str),
        )),
        RequestTokenError::Request(source) => {
            Refused::Unavailable { what: "the provider's tokens", source }
        }
        RequestTokenError::Parse(error, _) => {
            unavailable(format!("the answer cannot be read at `{}`", error.path()))
        }
        RequestTokenError::Other(_) => unavailable("the answer is empty".to_owned()),
    }
}

/// A provider's words: a line, and not a long one. Whoever shows them must escape them.
fn said(error: &str, description: Option<&str>) -> String {
    let text = match description {
        Some(description) => format!("{error} ({description})"),
        None => error.to_owned(),
    };
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
