//! What a provider says of itself.

use openidconnect::core::CoreClientAuthMethod;
use openidconnect::{IssuerUrl, ProviderMetadataWithLogout};
use reqwest::Url;

use crate::http::{Fault, Http};
use crate::oidc::ClientAuth;
use crate::setting::is_safe;

/// A provider as it was discovered.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) metadata: ProviderMetadataWithLogout,
}

impl Provider {
    pub(super) async fn discover(http: &Http, issuer: &IssuerUrl) -> Result<Self, Fault> {
        let place = issuer.join(".well-known/openid-configuration");
        let place = place.map_err(|error| Fault(error.to_string()))?;
        let metadata: ProviderMetadataWithLogout = http.get(&place, None).await?;
        if metadata.issuer().as_str() != issuer.as_str() {
            // Otherwise one provider could sign people in as another's.
            let theirs: String = metadata.issuer().as_str().chars().take(200).collect();
            return Err(Fault(format!(
                "the provider calls itself {theirs}; `issuer` must be written exactly so"
            )));
        }
        let provider = Self { metadata };
        for url in provider.places() {
            if !is_safe(url) {
                return Err(Fault(format!("the provider names a place without https: {url}")));
            }
        }
        Ok(provider)
    }

    fn places(&self) -> impl Iterator<Item = &Url> {
        let said = &self.metadata;
        let more = said.additional_metadata().end_session_endpoint.as_ref();
        [Some(said.authorization_endpoint().url()), Some(said.jwks_uri().url())]
            .into_iter()
            .chain([said.token_endpoint().map(|place| place.url())])
            .chain([said.userinfo_endpoint().map(|place| place.url())])
            .chain([more.map(|place| place.url())])
            .flatten()
    }

    pub(super) fn keys(&self) -> &Url {
        self.metadata.jwks_uri().url()
    }

    /// The way of showing a secret that it takes. Who says nothing takes the header.
    pub(super) fn prefers(&self) -> ClientAuth {
        let takes = |method| {
            self.metadata
                .token_endpoint_auth_methods_supported()
                .is_none_or(|methods| methods.contains(&method))
        };
        if takes(CoreClientAuthMethod::ClientSecretBasic) {
            ClientAuth::Basic
        } else {
            ClientAuth::Post
        }
    }
}
