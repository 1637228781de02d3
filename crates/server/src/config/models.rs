//! `[models]`: where model calls go. Keys are named here and never written here. What the
//! providers are is the AI gateway's own data; this adds to it or changes it.

use serde::Deserialize;
use smartbox_ai_gateway::{DEFAULT_MODEL, ProviderConfig, known_providers};
use smartbox_core::secret::check_name;

use super::env::Env;
use super::error::ConfigError;
use super::original;

/// Where model calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// The model of boxes, as the AI gateway knows it; `default` leaves the choice to it.
    pub model: String,
    /// The provider that comes first among equals; `demo` for the demo model alone.
    pub preferred: Option<String>,
    /// Whether the built-in demo model answers while there is no key.
    pub demo: bool,
    /// Who answers, in this order.
    pub providers: Vec<ProviderConfig>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    model: Option<String>,
    preferred: Option<String>,
    demo: Option<bool>,
    providers: Vec<ProviderConfig>,
}

pub(crate) fn settle(file: Written, base: Written, env: &Env) -> Result<Models, ConfigError> {
    let gateway = original::gateway(env)?;
    let mut providers = known_providers(&|name| env.get(name).map(str::to_owned));
    for provider in file.providers {
        if let Some(secret) = &provider.secret {
            check_name(secret).map_err(|_| {
                // The text may be the secret itself, so it is not repeated.
                let key = format!("models.providers, `{}`, secret", provider.name);
                let why = "that is not a secret's name";
                let hint = "write its name, like `EXAMPLE_API_KEY`, never the secret itself";
                ConfigError::value(key, why, hint)
            })?;
        }
        // One of a known name replaces it; the address of the environment still wins.
        match providers.iter_mut().find(|known| known.name == provider.name) {
            Some(known) => *known = readdressed(provider, env),
            None => providers.push(readdressed(provider, env)),
        }
    }
    if let Some(gateway) = gateway
        && let Some(known) = providers.iter_mut().find(|known| known.name == gateway.provider)
    {
        known.base_url = gateway.url;
        // Its key is the gateway's, whatever name the file gave it.
        known.secret = Some(gateway.secret.to_owned());
    }
    let preferred = file.preferred.or(base.preferred);
    if let Some(name) = preferred.as_deref().filter(|name| *name != "demo")
        && !providers.iter().any(|provider| provider.name == name)
    {
        let names: Vec<&str> = providers.iter().map(|p| p.name.as_str()).collect();
        let hint = format!("the providers are: {}, demo", names.join(", "));
        let why = format!("there is no provider `{name}`");
        return Err(ConfigError::value("models.preferred", why, hint));
    }
    Ok(Models {
        model: file.model.or(base.model).unwrap_or_else(|| DEFAULT_MODEL.to_owned()),
        preferred,
        demo: file.demo.or(base.demo).unwrap_or(true),
        providers,
    })
}

fn readdressed(mut provider: ProviderConfig, env: &Env) -> ProviderConfig {
    let variable = format!("{}_BASE_URL", provider.name.to_ascii_uppercase());
    if let Some(url) = env.get(&variable) {
        url.clone_into(&mut provider.base_url);
    }
    provider
}
