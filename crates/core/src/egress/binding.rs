//! Where a secret may go: to which hosts, ports, methods and paths, and in which place of a request.
//!
//! The body is no place yet, nor are signed requests and ssh: each will be a variant of [`Place`].

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BadRule, Pattern, Placeholder, Rule, Shape};
use crate::secret::{BadSecretName, Scope, check_name};

/// Places of one binding.
const MOST: usize = 20;
/// The longest name or literal text of a place.
const LONGEST: usize = 200;

/// What a box holds, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What the box has.
    pub placeholder: Placeholder,
    /// The secret's name in the vault.
    pub secret: String,
}

/// Where a secret may go. A host that may echo what it is sent is trusted with it: see the limits of
/// what is stripped from answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The secret's name in the vault.
    pub secret: String,
    /// To which hosts and ports, by which methods, to which paths.
    pub to: Rule,
    /// In which places of a request.
    pub places: Vec<Place>,
    /// Whether it may go there without TLS, for everybody on the way to read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_clear: bool,
}

/// How a secret is used by placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// How its placeholders look.
    pub shape: Shape,
    /// Where it may go.
    pub bindings: Vec<Binding>,
}

/// What one box holds in place of secrets, and where those may go.
#[derive(Debug, Clone, Default)]
pub struct Standins {
    /// What it holds.
    pub held: Vec<Held>,
    /// Where they may go.
    pub bindings: Vec<Binding>,
    /// Whose each of them is, by its name: the value comes from there and from nowhere else.
    pub scopes: BTreeMap<String, Scope>,
}

/// A place of a request in which a secret may stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "in", rename_all = "kebab-case")]
#[schema(as = SecretPlace)]
pub enum Place {
    /// A header, those of a WebSocket's handshake included.
    Header {
        /// Its name, in lower case.
        name: String,
        /// What stands around it.
        #[serde(default)]
        #[schema(value_type = String)]
        form: Form,
    },
    /// The user's name of basic authentication.
    BasicUser,
    /// The password of basic authentication; git over https sends its token so.
    BasicPassword,
    /// A parameter of the query.
    Query {
        /// Its name, as it is without escapes.
        name: String,
    },
    /// A segment of the path, or the end of one.
    Path {
        /// All of the path that comes before it: `/bot`, `/services/T1/B1/`.
        before: String,
    },
}

/// What stands around a secret in a header: `{}` is the secret, `*` at either end is anything. So
/// `Bearer {}` is a whole value, `*session={}*` one of some cookies. Letters are compared without
/// case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Form(String);

impl Form {
    /// Reads a form.
    pub fn parse(text: &str) -> Result<Self, BadBinding> {
        let fine = text.len() <= LONGEST
            && text.matches("{}").count() == 1
            && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if fine { Ok(Self(text.to_owned())) } else { Err(BadBinding::Form(cut(text))) }
    }

    /// Whether what stands before and after the secret is as it must be.
    pub fn fits(&self, before: &[u8], after: &[u8]) -> bool {
        let (wanted_before, wanted_after) = self.0.split_once("{}").unwrap_or_default();
        let fits_before = match wanted_before.strip_prefix('*') {
            Some(end) => before
                .len()
                .checked_sub(end.len())
                .is_some_and(|at| before[at..].eq_ignore_ascii_case(end.as_bytes())),
            None => before.eq_ignore_ascii_case(wanted_before.as_bytes()),
        };
        let fits_after = match wanted_after.strip_suffix('*') {
            Some(start) => after
                .get(..start.len())
                .is_some_and(|after| after.eq_ignore_ascii_case(start.as_bytes())),
            None => after.eq_ignore_ascii_case(wanted_after.as_bytes()),
        };
        fits_before && fits_after
    }
}

impl Default for Form {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

/// A binding that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBinding {
    /// Its secret.
    #[error(transparent)]
    Secret(#[from] BadSecretName),
    /// Its hosts, ports, methods or paths.
    #[error(transparent)]
    Rule(#[from] BadRule),
    /// Every host.
    #[error("a secret is bound to hosts by their names; * would give it to everybody")]
    Anywhere,
    /// None, or too many.
    #[error("a secret is bound to 1 to {MOST} places of a request")]
    Places,
    /// Text around the secret in a header.
    #[error("`{0}` does not say what stands around a secret; write something like Bearer {{}}")]
    Form(String),
    /// A header's name.
    #[error("`{0}` is no header that a secret may stand in, in lower case like x-api-key")]
    Header(String),
    /// A parameter's name.
    #[error("`{0}` is no name of a query's parameter")]
    Query(String),
    /// What comes before a secret in a path.
    #[error("`{0}` is no beginning of a path, like /bot")]
    Path(String),
}

/// Headers by which a request is routed or framed: what stands there is never swapped.
const NEVER: &[&str] =
    &["host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade"];

impl Binding {
    /// Checks what a type cannot.
    pub fn check(&self) -> Result<(), BadBinding> {
        check_name(&self.secret)?;
        self.to.check()?;
        if self.to.host == Pattern::Any {
            return Err(BadBinding::Anywhere);
        }
        if self.places.is_empty() || self.places.len() > MOST {
            return Err(BadBinding::Places);
        }
        self.places.iter().try_for_each(Place::check)
    }
}

impl Place {
    fn check(&self) -> Result<(), BadBinding> {
        match self {
            Self::BasicUser | Self::BasicPassword => Ok(()),
            Self::Header { name, .. } => {
                let token = |b: u8| {
                    b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b)
                };
                let fine = (1..=LONGEST).contains(&name.len())
                    && name.bytes().all(token)
                    && !NEVER.contains(&name.as_str());
                if fine { Ok(()) } else { Err(BadBinding::Header(cut(name))) }
            }
            Self::Query { name } => {
                let fine = (1..=LONGEST).contains(&name.len()) && !name.contains(char::is_control);
                if fine { Ok(()) } else { Err(BadBinding::Query(cut(name))) }
            }
            Self::Path { before } => {
                let fine = before.len() <= LONGEST
                    && before.starts_with('/')
                    && super::pattern::plain(before);
                if fine { Ok(()) } else { Err(BadBinding::Path(cut(before))) }
            }
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).filter(|c| !c.is_control()).collect()
}

impl TryFrom<String> for Form {
    type Error = BadBinding;
    fn try_from(text: String) -> Result<Self, BadBinding> {
        Self::parse(&text)
    }
}

impl From<Form> for String {
    fn from(form: Form) -> Self {
        form.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { name, form } if *form == Form::default() => {
                write!(f, "the header `{name}`")
            }
            Self::Header { name, form } => write!(f, "the header `{name}: {}`", form.0),
            Self::BasicUser => f.write_str("the user of basic authentication"),
            Self::BasicPassword => f.write_str("the password of basic authentication"),
            Self::Query { name } => write!(f, "the query's parameter `{name}`"),
            Self::Path { before } => write!(f, "the path after `{before}`"),
        }
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.places.iter().map(Place::to_string).collect();
        write!(f, "{} in {}", self.to, places.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Binding, String> {
        let binding: Binding = serde_json::from_str(text).map_err(|e| e.to_string())?;
        binding.check().map_err(|e| e.to_string())?;
        Ok(binding)
    }

    #[test]
    fn a_binding_is_kept_as_data() {
        let text = r#"{"secret":"BOT","to":{"host":"api.telegram.org"},"places":[{"in":"path","before":"/bot"},{"in":"basic-user"},{"in":"header","name":"authorization","form":"Bearer {}"}]}"#;
        let binding = read(text).unwrap();
        assert_eq!(serde_json::to_string(&binding).unwrap(), text);
        assert_eq!(
            binding.to_string(),
            "api.telegram.org in the path after `/bot`, the user of basic authentication, the \
             header `authorization: Bearer {}`"
        );
    }

    #[test]
    fn what_would_give_it_away_is_no_binding() {
        let with = |host: &str, place: &str| {
            format!(r#"{{"secret":"A","to":{{"host":"{host}"}},"places":[{place}]}}"#)
        };
        assert!(read(&with("a.b", r#"{"in":"query","name":"key"}"#)).is_ok());
        assert!(read(&with("*", r#"{"in":"query","name":"key"}"#)).is_err());
        assert!(read(&with("a.b", "")).is_err());
        for bad in [
            r#"{"in":"body"}"#,
            r#"{"in":"header","name":"Authorization"}"#,
            r#"{"in":"header","name":"host"}"#,
            r#"{"in":"header","name":"a b"}"#,
            r#"{"in":"header","name":""}"#,
            r#"{"in":"header","name":"x","form":"Bearer"}"#,
            r#"{"in":"header","name":"x","form":"{}{}"}"#,
            r#"{"in":"header","name":"x","form":"{}\r\n"}"#,
            r#"{"in":"query","name":""}"#,
            r#"{"in":"path","before":"bot"}"#,
            r#"{"in":"path","before":"/a/../b"}"#,
        ] {
            assert!(read(&with("a.b", bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_form_says_what_stands_around() {
        let fits = |form: &str, before: &str, after: &str| {
            Form::parse(form).unwrap().fits(before.as_bytes(), after.as_bytes())
        };
        assert!(fits("{}", "", "") && !fits("{}", "x", "") && !fits("{}", "", "x"));
        assert!(fits("Bearer {}", "bearer ", "") && !fits("Bearer {}", "Bearer  ", ""));
        assert!(!fits("Bearer {}", "xBearer ", "") && !fits("Bearer {}", "Bear", ""));
        assert!(fits("*session={}*", "a=b; session=", "; c=d"));
        assert!(fits("*session={}*", "session=", "") && !fits("*session={}*", "sess", ""));
        assert!(fits("t=\"{}\"", "t=\"", "\"") && !fits("t=\"{}\"", "t=\"", "\"x"));
    }
}
