//! Cloudflare Access: a proxy in front of the platform that signs people in and says who they are, in a
//! token with each request.

mod team;

use std::sync::Arc;

use reqwest::Url;
use smartbox_core::person::Identity;
use smartbox_core::time::Clock;
pub use team::Team;

use crate::cached::Cached;
use crate::http::Http;
use crate::jwt::{Algorithm, Claims, Expected, Token};
use crate::keys::KeySet;
use crate::refused::Refused;
use crate::setting::{BadSetting, shown};

/// Cloudflare signs with nothing else; so nothing else is accepted, whatever a token says.
const ACCEPTED: &[Algorithm] = &[Algorithm::RS256];
/// A token travels in a header.
const LONGEST: usize = 16 << 10;

/// What must be known of an Access application.
#[derive(Debug, Clone)]
pub struct AccessSettings {
    /// The team: `myteam`, `myteam.cloudflareaccess.com`, or that with `https://`.
    pub team_domain: String,
    /// The application's audience tag.
    pub aud: String,
    /// Where the key set lies instead, for tests.
    pub base: Option<Url>,
}

impl AccessSettings {
    /// Checks them; asks nobody.
    pub fn check(&self) -> Result<(), BadSetting> {
        Team::parse(&self.team_domain)?;
        let aud = self.aud.trim();
        if aud.is_empty() {
            return Err(BadSetting::new("aud", "is empty: it is the application's audience tag"));
        }
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if aud.len() > 128 || !aud.bytes().all(good) {
            let why =
                format!("is not an audience tag: `{}`; it is 64 hexadecimal digits", shown(aud));
            return Err(BadSetting::new("aud", why));
        }
        Ok(())
    }
}

/// Checks tokens of one Access application.
pub struct Access {
    team: Team,
    aud: String,
    keys: Cached<KeySet>,
    clock: Arc<dyn Clock>,
}

impl Access {
    /// Asks nobody yet.
    pub fn new(
        settings: &AccessSettings,
        http: Http,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BadSetting> {
        settings.check()?;
        let (team, aud) = (Team::parse(&settings.team_domain)?, settings.aud.trim());
        let mut url = settings.base.clone().unwrap_or_else(|| team.url());
        url.set_path("/cdn-cgi/access/certs");
        let fetch = move || -> smartbox_core::BoxFuture<'static, _> {
            let (http, url) = (http.clone(), url.clone());
            Box::pin(async move { KeySet::read(&http.get(&url, None).await?) })
        };
        let keys = Cached::new("access keys", clock.clone(), Box::new(fetch));
        Ok(Self { team, aud: aud.to_owned(), keys, clock })
    }

    /// The team whose tokens are checked.
    pub fn team(&self) -> &Team {
        &self.team
    }

    /// Whether the key set can be had: the team exists and Cloudflare can be reached.
    pub async fn check(&self) -> Result<(), Refused> {
        let what = "the key set of Cloudflare Access";
        self.keys.get().await.map_err(|source| Refused::Unavailable { what, source })?;
        Ok(())
    }

    /// Who a token says that it is.
    pub async fn verify(&self, token: &str) -> Result<Identity, Refused> {
        let claims = Token::parse(token, LONGEST, ACCEPTED)?.verify(&self.keys).await?;
        let now = self.clock.now();
        let expires =
            claims.check(&Expected { issuer: self.team.issuer(), audience: &self.aud, now })?;
        // `org` is the team's own session, which opens no application.
        if claims.text("type") != Some("app") {
            return Err(Refused::Kind);
        }
        let person = claims.text("sub");
        let service = person.is_none();
        let subject = person.or_else(|| claims.text("common_name")).ok_or(Refused::Claim("sub"))?;
        let email = claims.text("email").filter(|_| !service);
        Ok(Identity {
            issuer: self.team.issuer().to_owned(),
            subject: subject.to_owned(),
            email: email.map(str::to_owned),
            // Access let them in by it.
            email_verified: email.is_some(),
            name: claims.text("name").map(str::to_owned),
            groups: groups(&claims),
            service,
            expires,
        })
    }
}

/// Groups are there if the application passes its provider's claim on.
fn groups(claims: &Claims) -> Vec<String> {
    let groups = claims.names("groups");
    if groups.is_empty() { claims.names("custom.groups") } else { groups }
}
