//! OpenID Connect: the browser goes to a provider, comes back with a code, and we ask the provider who that
//! is. One browser's beginning and end belong together by a state, a nonce and a proof (PKCE) of which the
//! provider sees only the hash.

mod begin;
mod finish;
mod logout;
mod pending;
mod provider;
mod settings;

use std::sync::Arc;

use openidconnect::core::CoreClient;
use openidconnect::{
    AuthType, ClientId, ClientSecret, EndpointMaybeSet, EndpointNotSet, EndpointSet, RedirectUrl,
};
pub use pending::{Pending, Returned, SignedIn};
use provider::Provider;
use reqwest::Url;
pub use settings::{ClientAuth, OidcSettings};
use smartbox_core::BoxFuture;
use smartbox_core::id::Entropy;
use smartbox_core::time::Clock;

use crate::cached::Cached;
use crate::http::{Fault, Http};
use crate::keys::KeySet;
use crate::refused::Refused;
use crate::setting::BadSetting;

/// A client whose endpoints were discovered.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Signs people in by one provider.
pub struct Oidc {
    settings: OidcSettings,
    http: Http,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    provider: Cached<Provider>,
    keys: Cached<KeySet>,
}

impl Oidc {
    /// Asks nobody yet.
    pub fn new(
        settings: OidcSettings,
        http: Http,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, BadSetting> {
        let issuer = settings.checked()?;
        let asks = http.clone();
        let discover = move || -> BoxFuture<'static, _> {
            let (http, issuer) = (asks.clone(), issuer.clone());
            Box::pin(async move { Provider::discover(&http, &issuer).await })
        };
        let provider = Cached::new("oidc discovery", clock.clone(), Box::new(discover));
        let (asks, discovered) = (http.clone(), provider.clone());
        let fetch = move || -> BoxFuture<'static, _> {
            let (http, provider) = (asks.clone(), discovered.clone());
            Box::pin(async move {
                let provider = provider.get().await?;
                KeySet::read(&http.get(provider.keys(), None).await?)
            })
        };
        let keys = Cached::new("oidc keys", clock.clone(), Box::new(fetch));
        Ok(Self { settings, http, clock, entropy, provider, keys })
    }

    /// Whether the provider can be reached and is the one that it should be.
    pub async fn check(&self) -> Result<(), Refused> {
        self.provider().await?;
        let what = "the provider's key set";
        self.keys.get().await.map_err(|source| Refused::Unavailable { what, source })?;
        Ok(())
    }

    async fn provider(&self) -> Result<Arc<Provider>, Refused> {
        let what = "the provider's description of itself";
        self.provider.get().await.map_err(|source| Refused::Unavailable { what, source })
    }

    /// The library's client for one question.
    fn client(&self, provider: &Provider, back: &str) -> Result<Client, Refused> {
        let id = ClientId::new(self.settings.client_id.clone());
        let auth = self.settings.auth.unwrap_or_else(|| provider.prefers());
        let secret = self.settings.client_secret.as_ref().filter(|_| auth != ClientAuth::None);
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().clone()));
        let auth =
            if auth == ClientAuth::Basic { AuthType::BasicAuth } else { AuthType::RequestBody };
        let back = RedirectUrl::new(back.to_owned()).map_err(|error| Refused::Unavailable {
            what: "the address to come back to",
            source: Fault(error.to_string()),
        })?;
        let client = CoreClient::from_provider_metadata(provider.metadata.clone(), id, secret);
        Ok(client.set_auth_type(auth).set_redirect_uri(back))
    }
}

/// Where the browser is sent, and what is kept of it meanwhile.
pub struct Begun {
    /// The provider's page.
    pub url: Url,
    /// To be kept here, never in the browser: what it comes back with is checked against it.
    pub pending: Pending,
}
