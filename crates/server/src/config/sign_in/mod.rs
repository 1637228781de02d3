//! `[sign_in]`: who may come in by somebody else's word.

mod access;
mod grants;
mod oidc;

use serde::Deserialize;
use smartbox_core::person::Rule;

pub use access::{AUD, AccessChoice, TEAM};
pub use oidc::{OidcChoice, SECRET};

use super::env::Env;
use super::error::ConfigError;

/// Who may come in by somebody else's word.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// Cloudflare Access.
    pub access: AccessChoice,
    /// A provider of OpenID Connect.
    pub oidc: Option<OidcChoice>,
    /// What they are given.
    pub rules: Vec<Rule>,
}

impl SignIn {
    /// What is wrong with it, for people; by settings that do not keep the platform from starting.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let AccessChoice::Wrong { why } = &self.access {
            notes.push(format!("Cloudflare Access signs nobody in: {why}"));
        }
        let by_others = self.oidc.is_some() || matches!(self.access, AccessChoice::On(_));
        if by_others && self.rules.is_empty() {
            let text = "whoever signs in by another's word is given nothing: there is no \
                        `[[sign_in.grants]]`";
            notes.push(text.to_owned());
        }
        notes
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    access: access::Written,
    oidc: Option<oidc::Written>,
    grants: Vec<grants::Written>,
}

pub(crate) fn settle(file: Written, base: Written, env: &Env) -> Result<SignIn, ConfigError> {
    let access = access::settle(&file.access, env);
    let oidc = oidc::settle(file.oidc, base.oidc.unwrap_or_default(), env)?;
    let rules = grants::settle(file.grants, &access, oidc.as_ref())?;
    Ok(SignIn { access, oidc, rules })
}
