//! Which provider answers a call: a pure rule over configuration. Whether it has a key is asked
//! by the caller, in the order given here.

use crate::provider::{DEFAULT_MODEL, Protocol, ProviderConfig};

/// Whether the model is the built-in demo's own.
pub(crate) fn is_demo(model: &str) -> bool {
    model == "demo" || model.starts_with("demo-")
}

/// The indices of the providers that may answer for `model` in `protocol`, best first: the one
/// that names the model, then the longest matching beginning, then those that answer for all;
/// among equals the preferred one, then the order of configuration.
pub(crate) fn order(
    providers: &[&ProviderConfig],
    preferred: Option<&str>,
    protocol: Protocol,
    model: &str,
) -> Vec<usize> {
    let mut ranked: Vec<(usize, bool, usize)> = providers
        .iter()
        .enumerate()
        .filter(|(_, provider)| provider.protocol == protocol)
        .filter_map(|(at, provider)| {
            let second = preferred != Some(provider.name.as_str());
            rank(provider, model).map(|rank| (usize::MAX - rank, second, at))
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, _, at)| at).collect()
}

fn rank(provider: &ProviderConfig, model: &str) -> Option<usize> {
    if model == DEFAULT_MODEL {
        return provider.default_model.as_ref().map(|_| 0);
    }
    if provider.models.is_empty() {
        return Some(0);
    }
    provider
        .models
        .iter()
        .filter_map(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning).then_some(1 + beginning.len()),
            None => (model == pattern).then_some(usize::MAX),
        })
        .max()
}

/// The name under which the provider is asked for `model`, if it is another.
pub(crate) fn renamed<'p>(provider: &'p ProviderConfig, model: &str) -> Option<&'p str> {
    match provider.rename.get(model) {
        Some(name) => Some(name),
        None if model == DEFAULT_MODEL => provider.default_model.as_deref(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Timeouts;

    fn provider(name: &str, protocol: Protocol, models: &[&str]) -> ProviderConfig {
        ProviderConfig {
            name: name.to_owned(),
            protocol,
            base_url: "http://h".to_owned(),
            secret: None,
            models: models.iter().map(|&m| m.to_owned()).collect(),
            default_model: None,
            rename: std::collections::BTreeMap::new(),
            timeouts: Timeouts::default(),
        }
    }

    #[test]
    fn the_closest_match_comes_first_and_the_preferred_one_among_equals() {
        let all = provider("all", Protocol::Anthropic, &[]);
        let also = provider("also", Protocol::Anthropic, &[]);
        let family = provider("family", Protocol::Anthropic, &["c*", "claude-*"]);
        let exact = provider("exact", Protocol::Anthropic, &["claude-x"]);
        let other = provider("other", Protocol::Openai, &["claude-x"]);
        let providers = [&all, &also, &family, &exact, &other];
        let order = |model| order(&providers, Some("also"), Protocol::Anthropic, model);
        assert_eq!(order("claude-x"), [3, 2, 1, 0]);
        assert_eq!(order("claude-y"), [2, 1, 0]);
        assert_eq!(order("llama"), [1, 0]);
        assert!(order(DEFAULT_MODEL).is_empty());
    }

    #[test]
    fn the_default_model_is_the_providers_own() {
        let mut one = provider("one", Protocol::Anthropic, &["never*"]);
        one.default_model = Some("big".to_owned());
        one.rename.insert("small".to_owned(), "small-2".to_owned());
        assert_eq!(order(&[&one], None, Protocol::Anthropic, DEFAULT_MODEL), [0]);
        assert_eq!(renamed(&one, DEFAULT_MODEL), Some("big"));
        assert_eq!(renamed(&one, "small"), Some("small-2"));
        assert_eq!(renamed(&one, "other"), None);
    }

    #[test]
    fn the_demo_model_is_known_by_its_name() {
        assert!(is_demo("demo") && is_demo("demo-1"));
        assert!(!is_demo("democracy") && !is_demo("my-demo"));
    }
}
