//! The way to a provider of OpenID Connect and back. Both are addresses that a browser is sent to, since a
//! form may lead to no other site; what is begun is kept by the browser alone, sealed.

pub(super) mod back;
pub(super) mod begin;

use serde::{Deserialize, Serialize};
use smartbox_sign_in::{Pending, Refused};

use crate::app::App;
use crate::http::trouble::Trouble;
use crate::sign_in::Provider;
use crate::site::Site;

/// Where a browser comes back to.
const BACK: &str = "/login/oidc/callback";

/// What a browser keeps for us meanwhile.
#[derive(Serialize, Deserialize)]
struct Kept {
    pending: Pending,
    /// Where it wanted to go.
    next: String,
}

/// The name of the cookie.
fn cookie_name(site: &Site) -> String {
    if site.secure() {
        "__Host-smartbox_oidc".into()
    } else {
        format!("smartbox_oidc_{}", site.port())
    }
}

fn provider(app: &App) -> Result<&Provider, Trouble> {
    app.sign_in.provider.as_ref().ok_or_else(|| Trouble::missing("page"))
}

/// Why nobody was signed in, for a person.
fn refusal(error: &Refused) -> Trouble {
    if error.is_unavailable() {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%error, why = cause.unwrap_or_default(), "a provider signs nobody in");
        return Trouble::away(format!("nobody can be signed in now: {error}"));
    }
    tracing::info!(refusal = %error, "somebody came back from a provider and was not signed in");
    Trouble::not_signed_in(error.to_string())
}
