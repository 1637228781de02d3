//! Sending a browser to the provider.

use std::time::Duration;

use openidconnect::core::CoreResponseType;
use openidconnect::{
    AuthenticationFlow, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope,
};
use smartbox_core::id::random_text;

use crate::oidc::{Begun, Oidc, Pending};
use crate::refused::Refused;

/// How long somebody may take at the provider's.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Characters of five random bits each. A proof has 43 at least.
const LENGTH: usize = 52;

impl Oidc {
    /// Begins a sign-in that comes back to `back`, an address that the provider knows.
    pub async fn begin(&self, back: &str) -> Result<Begun, Refused> {
        let provider = self.provider().await?;
        let client = self.client(&provider, back)?;
        let random = || random_text(&*self.entropy, LENGTH);
        let pending = Pending {
            state: random(),
            nonce: random(),
            verifier: random(),
            back: back.to_owned(),
            expires: self.clock.now().plus(PATIENCE),
        };
        let (state, nonce) = (pending.state.clone(), pending.nonce.clone());
        let verifier = PkceCodeVerifier::new(pending.verifier.clone());
        let (url, _, _) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(Begun { url, pending })
    }
}
