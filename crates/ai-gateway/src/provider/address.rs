//! Where a provider's operations are, given its base address. People write that address with and
//! without the version segment and the last slash; all of them mean the same place.

use reqwest::Url;

/// Checks a base address.
pub(crate) fn parse(base: &str) -> Result<Url, &'static str> {
    let url = Url::parse(base.trim()).map_err(|_| "it is not a URL")?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("it must begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not hold a user name or password; the key belongs in the vault");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it must not have a query or fragment");
    }
    Ok(url)
}

/// The address of an operation. `operation` is what follows the version: `messages`.
/// A base without a version segment gets `v1`; one that has it anywhere (`/v1`,
/// `/v1beta/openai`) is taken as it is.
pub(crate) fn of(base: &Url, operation: &str, query: Option<&str>) -> Url {
    let mut url = base.clone();
    let mut path = base.path().trim_end_matches('/').to_owned();
    if !path.split('/').any(is_version) {
        path.push_str("/v1");
    }
    path.push('/');
    path.push_str(operation);
    url.set_path(&path);
    url.set_query(query);
    url
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_base_leads_to_the_same_place() {
        for (base, there) in [
            ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
            ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
            (" https://api.anthropic.com/v1 ", "https://api.anthropic.com/v1/messages"),
            ("https://api.anthropic.com/v1//", "https://api.anthropic.com/v1/messages"),
            (
                "http://10.0.0.1:4000/llm/anthropic",
                "http://10.0.0.1:4000/llm/anthropic/v1/messages",
            ),
            ("https://g.example/v1beta/openai/", "https://g.example/v1beta/openai/messages"),
        ] {
            assert_eq!(of(&parse(base).unwrap(), "messages", None).as_str(), there, "{base}");
        }
    }

    #[test]
    fn the_query_is_kept() {
        let url = of(&parse("http://h").unwrap(), "messages", Some("beta=true"));
        assert_eq!(url.as_str(), "http://h/v1/messages?beta=true");
    }

    #[test]
    fn addresses_with_secrets_or_without_a_host_are_refused() {
        for bad in
            ["", "api.anthropic.com", "ftp://h", "https://u:p@h", "https://h?key=1", "file:///etc"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
