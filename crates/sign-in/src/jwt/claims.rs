//! What a token claims, once its signature was checked.

use std::time::Duration;

use serde_json::{Map, Value};
use smartbox_core::time::Timestamp;

use crate::refused::Refused;

/// How far two clocks may differ.
const LEEWAY: Duration = Duration::from_secs(60);
/// Groups at the most, and the longest name of one. No real directory puts anybody into more.
const GROUPS: usize = 1000;
const LONGEST: usize = 256;

/// The claims of a token that its issuer signed.
pub(crate) struct Claims(Map<String, Value>);

/// What they must say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) now: Timestamp,
}

impl Claims {
    pub(crate) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Checks issuer, audience and times; until when it is good.
    pub(crate) fn check(&self, expected: &Expected<'_>) -> Result<Timestamp, Refused> {
        if self.text("iss") != Some(expected.issuer) {
            return Err(Refused::Issuer { expected: expected.issuer.to_owned() });
        }
        let among = match self.0.get("aud") {
            Some(Value::String(one)) => one == expected.audience,
            Some(Value::Array(several)) => several.iter().any(|one| one == expected.audience),
            _ => false,
        };
        if !among {
            return Err(Refused::Audience { expected: expected.audience.to_owned() });
        }
        let expires = self.time("exp")?.ok_or(Refused::Claim("exp"))?;
        if expires.plus(LEEWAY) <= expected.now {
            return Err(Refused::Expired);
        }
        let latest = expected.now.plus(LEEWAY);
        let issued = self.time("iat")?.ok_or(Refused::Claim("iat"))?;
        let begins = self.time("nbf")?.unwrap_or(issued);
        if issued > latest || begins > latest {
            return Err(Refused::Early);
        }
        Ok(expires)
    }

    /// A claim that is a text, and not an empty one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A claim that is true. Some issuers write it as a text.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// Whether there is more than one audience.
    pub(crate) fn for_several(&self) -> bool {
        matches!(self.0.get("aud"), Some(Value::Array(several)) if several.len() > 1)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Names within a claim: a list of them, or a single one. `path` may lead into objects by dots, if there
    /// is no claim of the whole name.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let found = self.0.get(path).or_else(|| {
            let (first, rest) = path.split_once('.')?;
            rest.split('.').try_fold(self.0.get(first)?, |value, part| value.get(part))
        });
        let list = match found {
            Some(one @ Value::String(_)) => std::slice::from_ref(one),
            Some(Value::Array(list)) => list.as_slice(),
            _ => &[],
        };
        list.iter()
            .filter_map(Value::as_str)
            .filter(|name| !name.is_empty() && name.len() <= LONGEST)
            .take(GROUPS)
            .map(str::to_owned)
            .collect()
    }

    fn time(&self, name: &'static str) -> Result<Option<Timestamp>, Refused> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        // Whole seconds, though the standard allows parts of one.
        let seconds = value.as_f64().filter(|seconds| (0.0..1e11).contains(seconds));
        let seconds = seconds.ok_or(Refused::Claim(name))?;
        #[expect(clippy::cast_possible_truncation, reason = "it is below 1e14")]
        Ok(Some(Timestamp((seconds * 1000.0) as i64)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Claims {
        Claims::new(value.as_object().unwrap().clone())
    }

    #[test]
    fn groups_are_a_list_or_one_and_may_lie_deeper() {
        let claims = claims(&json!({
            "groups": ["a", 1, "", "b", "x".repeat(257)], "one": "c",
            "realm_access": {"roles": ["d"]}, "https://x.example/groups": ["e"],
        }));
        assert_eq!(claims.names("groups"), ["a", "b"]);
        assert_eq!(claims.names("one"), ["c"]);
        assert_eq!(claims.names("realm_access.roles"), ["d"]);
        assert_eq!(claims.names("https://x.example/groups"), ["e"]);
        assert!(claims.names("realm_access.nothing.here").is_empty());
    }

    #[test]
    fn a_time_that_is_no_number_of_this_age_is_refused() {
        for bad in [json!("1"), json!(-1), json!(1e300), json!(null), json!([1])] {
            let told = claims(&json!({"exp": bad})).time("exp").unwrap_err().to_string();
            assert!(told.contains("exp"), "{told}");
        }
    }
}
