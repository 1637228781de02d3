//! Those who vouch for people, put together: Cloudflare Access, a provider of OpenID Connect, and the rules
//! by which whoever they vouch for is given something. No request is known here.

mod hints;
mod sealed;

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::id::Entropy;
use smartbox_core::person::Rule;
use smartbox_core::time::Clock;
use smartbox_sign_in::{Access, Fault, Http, Oidc};

use crate::config::sign_in::{AccessChoice, SignIn as Choice};
use hints::Hints;
pub use sealed::Seal;

/// How long anybody waits for an issuer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A provider, and what the button says.
pub struct Provider {
    /// What people call it.
    pub name: String,
    /// It.
    pub oidc: Oidc,
}

/// Those who vouch for people.
pub struct SignIn {
    /// Cloudflare Access, before the platform.
    pub access: Option<Access>,
    /// Where the button leads.
    pub provider: Option<Provider>,
    /// What those are given who come so.
    pub rules: Vec<Rule>,
    /// What is wrong with the settings, for people.
    pub notes: Vec<String>,
    /// What a browser keeps for us while it is at the provider's.
    pub seal: Seal,
    /// What the provider wants to see again.
    pub hints: Hints,
}

impl SignIn {
    /// Nobody vouches for anybody.
    pub fn none(entropy: &dyn Entropy) -> Self {
        Self {
            access: None,
            provider: None,
            rules: Vec::new(),
            notes: Vec::new(),
            seal: Seal::new(entropy),
            hints: Hints::default(),
        }
    }

    /// As it was decided. Asks nobody yet.
    pub fn open(
        choice: &Choice,
        clock: &Arc<dyn Clock>,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Self, Fault> {
        let http = Http::new(tls()?, PATIENCE)?;
        let wrong = |error: smartbox_sign_in::BadSetting| Fault::new(error.to_string());
        let access = match &choice.access {
            AccessChoice::On(settings) => {
                Some(Access::new(settings, http.clone(), clock.clone()).map_err(wrong)?)
            }
            AccessChoice::Off | AccessChoice::Wrong { .. } => None,
        };
        let provider = match &choice.oidc {
            Some(of) => {
                let oidc = Oidc::new(of.settings.clone(), http, clock.clone(), entropy.clone());
                Some(Provider { name: of.name.clone(), oidc: oidc.map_err(wrong)? })
            }
            None => None,
        };
        Ok(Self {
            access,
            provider,
            rules: choice.rules.clone(),
            notes: choice.notes(),
            ..Self::none(&**entropy)
        })
    }
}

fn tls() -> Result<rustls::ClientConfig, Fault> {
    smartbox_ai_gateway::install_crypto();
    smartbox_ai_gateway::client_config().map_err(|error| Fault::new(error.to_string()))
}

/// Whether those who vouch for people can be asked: tried, and nothing kept. For `doctor`. Each with its
/// name, and what is wrong.
pub async fn try_sign_in(choice: &Choice) -> Vec<(String, Result<String, String>)> {
    let clock: Arc<dyn Clock> = Arc::new(crate::system::SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(crate::system::SystemEntropy);
    let opened = match SignIn::open(choice, &clock, &entropy) {
        Ok(opened) => opened,
        Err(error) => return vec![("sign-in".into(), Err(error.to_string()))],
    };
    let told = |outcome: Result<(), smartbox_sign_in::Refused>, good: String| {
        outcome.map(|()| good).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            format!("{error}{}", cause.unwrap_or_default())
        })
    };
    let mut found = Vec::new();
    if let Some(access) = &opened.access {
        let good = format!("{} signs people in", access.team().issuer());
        found.push(("Cloudflare Access".into(), told(access.check().await, good)));
    }
    if let Some(provider) = &opened.provider {
        let good = format!("{} signs people in", provider.name);
        found.push(("OpenID Connect".into(), told(provider.oidc.check().await, good)));
    }
    found
}
