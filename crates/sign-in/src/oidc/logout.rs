//! Signing out at the provider too.

use openidconnect::{ClientId, LogoutRequest, PostLogoutRedirectUrl};
use reqwest::Url;
use smartbox_core::secret::Secret;

use crate::oidc::Oidc;

impl Oidc {
    /// Where a browser goes to be signed out at the provider's, and then `back`; none if the provider has no
    /// such place, or cannot be asked: signing out here must not depend on it.
    pub async fn logout(&self, id_token: Option<&Secret<String>>, back: &str) -> Option<Url> {
        let provider = self.provider().await.ok()?;
        let place = provider.metadata.additional_metadata().end_session_endpoint.clone()?;
        let back = PostLogoutRedirectUrl::new(back.to_owned()).ok()?;
        let mut url = LogoutRequest::from(place)
            .set_client_id(ClientId::new(self.settings.client_id.clone()))
            .set_post_logout_redirect_uri(back)
            .http_get_url();
        if let Some(id_token) = id_token {
            url.query_pairs_mut().append_pair("id_token_hint", id_token.expose());
        }
        Some(url)
    }
}
