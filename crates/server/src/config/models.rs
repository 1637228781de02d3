//! `[models]`: where model calls go. Keys are named here and never written here.

use std::collections::BTreeMap;

use serde::Deserialize;
use smartbox_core::secret::check_name;

use super::env::Env;
use super::error::ConfigError;

/// Where model calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// The model of boxes, as `provider/model`; chosen by the keys at hand if absent.
    pub model: Option<String>,
    /// The model that answers without any key.
    pub demo: String,
    /// Providers by name.
    pub providers: BTreeMap<String, Provider>,
}

/// A provider of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The wire format.
    pub speaks: Speaks,
    /// The address before `/v1/…`.
    pub base: String,
    /// The secret that holds its key; none for one that needs none.
    pub key: Option<String>,
    /// The model to use when nothing is chosen and the key is at hand.
    pub model: Option<String>,
}

/// Wire formats of model calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaks {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions.
    Openai,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    model: Option<String>,
    demo: Option<String>,
    providers: BTreeMap<String, WrittenProvider>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenProvider {
    speaks: Option<Speaks>,
    base: Option<String>,
    base_env: Option<String>,
    key: Option<String>,
    model: Option<String>,
}

pub(crate) fn settle(base: Written, file: Written, env: &Env) -> Result<Models, ConfigError> {
    let mut merged = base.providers;
    for (name, over) in file.providers {
        let under = merged.remove(&name).unwrap_or_default();
        let provider = WrittenProvider {
            speaks: over.speaks.or(under.speaks),
            base: over.base.or(under.base),
            base_env: over.base_env.or(under.base_env),
            key: over.key.or(under.key),
            model: over.model.or(under.model),
        };
        merged.insert(name, provider);
    }
    let providers = merged
        .into_iter()
        .map(|(name, written)| {
            let provider = provider(&name, written, env)?;
            Ok((name, provider))
        })
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let demo = file.demo.or(base.demo).unwrap_or_default();
    let model = file.model.or(base.model);
    if let Some(model) = &model {
        let known = model
            .split_once('/')
            .is_some_and(|(name, _)| providers.contains_key(name) || demo.starts_with(name));
        if !known {
            let names: Vec<&str> = providers.keys().map(String::as_str).collect();
            let why = format!("`{model}` names no provider");
            let hint = format!("write `provider/model`; the providers are: {}", names.join(", "));
            return Err(ConfigError::value("models.model", why, hint));
        }
    }
    Ok(Models { model, demo, providers })
}

fn provider(name: &str, written: WrittenProvider, env: &Env) -> Result<Provider, ConfigError> {
    let key = |part: &str| format!("models.providers.{name}.{part}");
    let missing = |part: &str, hint: &str| ConfigError::value(key(part), "it is missing", hint);
    let from_env =
        written.base_env.as_deref().and_then(|variable| Some((variable, env.get(variable)?)));
    let (from, base) = match (from_env, written.base) {
        (Some((variable, base)), _) => (variable.to_owned(), base.to_owned()),
        (None, Some(base)) => (key("base"), base),
        (None, None) => return Err(missing("base", "write the provider's address")),
    };
    if !base
        .parse::<::http::Uri>()
        .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
    {
        let why = format!("`{base}` is not an address");
        return Err(ConfigError::value(from, why, "write it like `https://api.example.com`"));
    }
    if let Some(secret) = &written.key {
        check_name(secret).map_err(|e| {
            let hint = "write the name of the secret, never the secret itself";
            ConfigError::value(key("key"), e.to_string(), hint)
        })?;
    }
    Ok(Provider {
        speaks: written.speaks.ok_or_else(|| missing("speaks", "write `anthropic` or `openai`"))?,
        base: base.trim_end_matches('/').to_owned(),
        key: written.key,
        model: written.model,
    })
}
