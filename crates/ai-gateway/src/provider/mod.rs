//! A provider: who answers model calls, as configuration. Which of them answers is in [`choose`].

pub(crate) mod address;
pub(crate) mod choose;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// The model name by which a box leaves the choice to the platform: it is replaced by the
/// provider's `default_model`.
pub const DEFAULT_MODEL: &str = "default";

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Anthropic Messages; the key travels as `x-api-key`.
    Anthropic,
    /// OpenAI chat completions and responses; the key travels as a bearer token.
    Openai,
}

impl Protocol {
    /// The word used in configuration and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Openai => "openai",
        }
    }
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Its name in the usage ledger, in logs and in messages to people.
    pub name: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Where it is, with or without the version segment: `https://api.anthropic.com`,
    /// `https://api.openai.com/v1`, `https://openrouter.ai/api/v1/`.
    pub base_url: String,
    /// The secret that holds its key; none for a provider that wants no key.
    #[serde(default)]
    pub secret: Option<String>,
    /// The models it answers for, each a name or a beginning with a `*`. Empty: all.
    #[serde(default)]
    pub models: Vec<String>,
    /// What [`DEFAULT_MODEL`] means here.
    #[serde(default)]
    pub default_model: Option<String>,
    /// Models that go by another name there: asked for → sent.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// How long to wait for it.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// How long to wait for a provider. Written like `10s` or `5m`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For a connection.
    #[serde(deserialize_with = "duration")]
    pub connect: Duration,
    /// From the request to the head of the answer. A long answer that is not streamed needs minutes.
    #[serde(deserialize_with = "duration")]
    pub answer: Duration,
    /// Between two bytes of the answer. There is no limit to the whole.
    #[serde(deserialize_with = "duration")]
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(600),
            idle: Duration::from_secs(300),
        }
    }
}

/// Reads a time with its unit.
pub(crate) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    smartbox_core::time::parse_duration(&text).map_err(serde::de::Error::custom)
}

/// A provider's configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadProvider {
    /// Two providers have one name, or one took a reserved name.
    #[error(
        "two providers are called `{0}`; give each its own name (`demo` is the built-in one's)"
    )]
    Name(String),
    /// The base address cannot be used.
    #[error("the base address of provider `{name}` cannot be used: {why}")]
    Address {
        /// The provider.
        name: String,
        /// For a person.
        why: &'static str,
    },
    /// The secret's name is none.
    #[error("provider `{name}`")]
    Secret {
        /// The provider.
        name: String,
        /// Why.
        #[source]
        source: smartbox_core::secret::BadSecretName,
    },
    /// The preferred provider is not configured.
    #[error("the preferred provider `{0}` is not configured")]
    Preferred(String),
    /// No HTTPS client can be made.
    #[error("no HTTPS client can be made for provider `{name}`")]
    Client {
        /// The provider.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The providers that need no configuration but a key. `setting` is asked for `<NAME>_BASE_URL`,
/// as in `ANTHROPIC_BASE_URL`; an empty answer is none.
pub fn known_providers(setting: &dyn Fn(&str) -> Option<String>) -> Vec<ProviderConfig> {
    let mut known: Vec<ProviderConfig> =
        serde_json::from_str(include_str!("../../data/providers.json")).unwrap_or_default();
    for provider in &mut known {
        let variable = format!("{}_BASE_URL", provider.name.to_ascii_uppercase());
        if let Some(url) = setting(&variable).filter(|url| !url.trim().is_empty()) {
            url.trim().clone_into(&mut provider.base_url);
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_providers_are_readable_and_their_address_can_be_set() {
        let known = known_providers(&|name| {
            (name == "ANTHROPIC_BASE_URL").then(|| " http://127.0.0.1:9/ ".to_owned())
        });
        let names: Vec<_> = known.iter().map(|p| (p.name.as_str(), p.protocol)).collect();
        assert_eq!(names, [("anthropic", Protocol::Anthropic), ("openai", Protocol::Openai)]);
        assert_eq!(known[0].base_url, "http://127.0.0.1:9/");
        assert_eq!(known[1].base_url, "https://api.openai.com/v1");
        assert_eq!(known[0].secret.as_deref(), Some("ANTHROPIC_API_KEY"));
    }

    #[test]
    fn times_are_written_with_units_and_unknown_keys_are_refused() {
        let text =
            r#"{"name":"x","protocol":"openai","base_url":"http://x","timeouts":{"idle":"90s"}}"#;
        let read: ProviderConfig = serde_json::from_str(text).unwrap();
        assert_eq!(read.timeouts.idle, Duration::from_secs(90));
        assert_eq!(read.timeouts.connect, Timeouts::default().connect);
        let text = r#"{"name":"x","protocol":"openai","base_url":"http://x","key":"sk"}"#;
        assert!(serde_json::from_str::<ProviderConfig>(text).is_err());
    }
}
