//! `[sign_in.oidc]`: a provider of OpenID Connect.

use serde::Deserialize;
use smartbox_sign_in::{ClientAuth, OidcSettings};

use crate::config::env::Env;
use crate::config::error::ConfigError;

/// The secret that the provider gave us. Never in the file.
pub const SECRET: &str = "SMARTBOX_OIDC_CLIENT_SECRET";

/// A provider.
#[derive(Debug, Clone)]
pub struct OidcChoice {
    /// What the button says.
    pub name: String,
    /// The rest.
    pub settings: OidcSettings,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    issuer: String,
    client_id: String,
    auth: Option<String>,
    scopes: Option<Vec<String>>,
    groups_claim: Option<String>,
    name: Option<String>,
}

pub(super) fn settle(
    file: Option<Written>,
    base: Written,
    env: &Env,
) -> Result<Option<OidcChoice>, ConfigError> {
    let Some(file) = file else { return Ok(None) };
    let auth = match file.auth.as_deref() {
        None => None,
        Some("basic") => Some(ClientAuth::Basic),
        Some("post") => Some(ClientAuth::Post),
        Some("none") => Some(ClientAuth::None),
        Some(other) => {
            let why = format!("`{other}` is none of basic, post and none");
            let hint = "leave it out: the provider says itself what it takes";
            return Err(ConfigError::value("sign_in.oidc.auth", why, hint));
        }
    };
    let settings = OidcSettings {
        issuer: file.issuer,
        client_id: file.client_id,
        client_secret: env.secret(SECRET)?,
        auth,
        scopes: file.scopes.or(base.scopes).unwrap_or_default(),
        groups_claim: file.groups_claim.or(base.groups_claim).unwrap_or_default(),
    };
    settings.check().map_err(|error| {
        let hint = match error.setting {
            "issuer" => "write it exactly as the provider does, like `https://id.example.com`",
            "client_id" => "it is the name that the provider gave this platform",
            "client_secret" => {
                "set SMARTBOX_OIDC_CLIENT_SECRET, or SMARTBOX_OIDC_CLIENT_SECRET_FILE"
            }
            "scopes" => "write a list like [\"email\", \"profile\", \"groups\"]",
            _ => "leave it out for the usual one",
        };
        ConfigError::value(format!("sign_in.oidc.{}", error.setting), error.why, hint)
    })?;
    let name = file.name.or(base.name).unwrap_or_default();
    if name.trim().is_empty() || name.chars().count() > 40 || name.chars().any(char::is_control) {
        let why = "it is empty, or longer than 40 characters";
        let hint = "write what people call the provider: it stands on a button";
        return Err(ConfigError::value("sign_in.oidc.name", why, hint));
    }
    Ok(Some(OidcChoice { name, settings }))
}
