//! What must be known of a provider.

use openidconnect::IssuerUrl;
use smartbox_core::secret::Secret;

use crate::setting::{BadSetting, is_safe, shown};

/// How the platform shows the provider who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// In the header.
    Basic,
    /// In the form.
    Post,
    /// Not at all: the proof of PKCE alone binds the code.
    None,
}

/// A provider, and who we are to it.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// Its address, exactly as it writes it itself.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there, if it gave us one.
    pub client_secret: Option<Secret<String>>,
    /// How the secret is shown; none for what the provider says that it takes.
    pub auth: Option<ClientAuth>,
    /// What we ask to be told, beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that lists groups; dots lead into objects.
    pub groups_claim: String,
}

impl OidcSettings {
    /// Checks them; asks nobody.
    pub fn check(&self) -> Result<(), BadSetting> {
        self.checked().map(drop)
    }

    /// Checks them; the issuer.
    pub(super) fn checked(&self) -> Result<IssuerUrl, BadSetting> {
        let issuer = IssuerUrl::new(self.issuer.clone()).ok().filter(|issuer| {
            let url = issuer.url();
            is_safe(url) && url.query().is_none() && url.fragment().is_none()
        });
        let Some(issuer) = issuer else {
            let why = format!("is not an https:// address: `{}`", shown(&self.issuer));
            return Err(BadSetting::new("issuer", why));
        };
        if self.client_id.is_empty() || self.client_id.chars().any(char::is_control) {
            return Err(BadSetting::new("client_id", "is empty, or holds control characters"));
        }
        let needs = matches!(self.auth, Some(ClientAuth::Basic | ClientAuth::Post));
        if needs && self.client_secret.is_none() {
            return Err(BadSetting::new(
                "client_secret",
                "is missing: `auth` says that it is shown",
            ));
        }
        for scope in &self.scopes {
            let good = !scope.is_empty()
                && scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
            if !good {
                return Err(BadSetting::new(
                    "scopes",
                    format!("has no scope in `{}`", shown(scope)),
                ));
            }
        }
        if self.groups_claim.is_empty() {
            return Err(BadSetting::new("groups_claim", "is empty; it is usually `groups`"));
        }
        Ok(issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> OidcSettings {
        OidcSettings {
            issuer: "https://id.example/realm/".into(),
            client_id: "smartbox".into(),
            client_secret: None,
            auth: None,
            scopes: vec!["email".into()],
            groups_claim: "groups".into(),
        }
    }

    #[test]
    fn a_mistake_names_its_setting() {
        assert!(good().check().is_ok());
        type Spoil = fn(&mut OidcSettings);
        let mistakes: [(&str, Spoil); 8] = [
            ("issuer", |s| s.issuer = "http://id.example".into()),
            ("issuer", |s| s.issuer = "id.example".into()),
            ("issuer", |s| s.issuer = "https://id.example/?a=b".into()),
            ("issuer", |s| s.issuer = "https://me:pw@id.example".into()),
            ("client_id", |s| s.client_id = String::new()),
            ("client_secret", |s| s.auth = Some(ClientAuth::Basic)),
            ("scopes", |s| s.scopes = vec!["email profile".into()]),
            ("groups_claim", |s| s.groups_claim = String::new()),
        ];
        for (setting, spoil) in mistakes {
            let mut settings = good();
            spoil(&mut settings);
            assert_eq!(settings.check().unwrap_err().setting, setting);
        }
    }
}
