//! Identifiers: a short prefix that says what is meant, and 20 characters of entropy.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// A source of random bytes, passed in wherever identifiers or tokens are made.
pub trait Entropy: Send + Sync {
    /// Fills `out` with random bytes of cryptographic quality.
    fn fill(&self, out: &mut [u8]);
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// `len` random characters of Crockford's base 32 in lower case, five bits each.
pub fn random_text(entropy: &dyn Entropy, len: usize) -> String {
    let mut bytes = vec![0; len];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// The text is not an identifier of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an identifier of the form {prefix}_…")]
pub struct BadId {
    /// What was given, at most 64 characters of it.
    pub text: String,
    /// The prefix that was expected.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The prefix of every identifier of this kind, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier with 100 bits of entropy.
            pub fn generate(entropy: &dyn Entropy) -> Self {
                Self(format!("{}_{}", Self::PREFIX, random_text(entropy, 20)))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                if well_formed(&text, Self::PREFIX) {
                    Ok(Self(text))
                } else {
                    Err(BadId { text: text.chars().take(64).collect(), prefix: Self::PREFIX })
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                schema(Self::PREFIX)
            }
        }

        impl utoipa::ToSchema for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// An account: who owns smartboxes.
    AccountId = "acc";
    /// A person.
    PersonId = "per";
    /// A smartbox.
    SmartboxId = "box";
    /// A message from a person to a smartbox; also the engine's idempotency key.
    MessageId = "msg";
    /// A signed-in browser.
    SessionId = "ses";
    /// A token that signs in.
    TokenId = "tok";
    /// One execution of a command in a sandbox.
    ExecId = "exe";
    /// A job.
    JobId = "job";
    /// A rule about what may leave.
    EgressRuleId = "egr";
    /// Something that somebody should see to.
    IssueId = "iss";
}

fn schema(prefix: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("An identifier: what it is of, and 20 characters of chance."))
        .pattern(Some(format!("^{prefix}_[0-9a-hjkmnp-tv-z]{{20}}$")))
        .into()
}

fn well_formed(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .is_some_and(|rest| rest.len() == 20 && rest.bytes().all(|b| ALPHABET.contains(&b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    #[test]
    fn generated_identifiers_parse_again() {
        let id = SmartboxId::generate(&Fixed(7));
        assert_eq!(id.as_str().parse::<SmartboxId>(), Ok(id));
    }

    #[test]
    fn another_kind_or_shape_is_refused() {
        for text in [
            "",
            "box_",
            "acc_00000000000000000000",
            "box_0000000000000000000/",
            "box_../../../etc/passwd..",
        ] {
            assert!(text.parse::<SmartboxId>().is_err(), "{text}");
        }
    }
}
