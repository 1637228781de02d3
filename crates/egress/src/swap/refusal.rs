//! Why a request does not go out with a secret. No text here has a value in it.

use std::fmt;

/// Where a placeholder stood. Names are as the box sent them, cut and without what drives terminals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// The host, in whatever part of the head names one.
    Host,
    /// The method.
    Method,
    /// The path.
    Path,
    /// The query.
    Query,
    /// The name of a header.
    HeaderName,
    /// A header.
    Header(String),
    /// The user of basic authentication.
    BasicUser,
    /// The password of basic authentication.
    BasicPassword,
    /// Basic authentication, but neither all of the user nor all of the password.
    Basic,
    /// The body.
    Body,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("the host"),
            Self::Method => f.write_str("the method"),
            Self::Path => f.write_str("the path"),
            Self::Query => f.write_str("the query"),
            Self::HeaderName => f.write_str("the name of a header"),
            Self::Header(name) => {
                let name = name.chars().take(80);
                let name: String =
                    name.map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
                write!(f, "the header `{name}`")
            }
            Self::BasicUser => f.write_str("the user of basic authentication"),
            Self::BasicPassword => f.write_str("the password of basic authentication"),
            Self::Basic => f.write_str("a part of basic authentication"),
            Self::Body => f.write_str("the body"),
        }
    }
}

/// A request that does not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A placeholder stands where it may not.
    #[error(
        "the placeholder of {secret} stands in {spot} of a request to {host}; it may stand in requests {}",
        may_stand(.may)
    )]
    Misplaced {
        /// Which secret it stands for.
        secret: String,
        /// Where it stood.
        spot: Spot,
        /// Where the request would have gone.
        host: String,
        /// Where it may stand.
        may: Vec<String>,
    },
    /// The head names another host than the one that it goes to, or several.
    #[error("a request with {secret} goes to {host}, but its head names another host")]
    OtherHost {
        /// Which secret.
        secret: String,
        /// Where it would have gone.
        host: String,
    },
    /// The vault has no value.
    #[error("{secret} has no value; set it with `smartbox secret set {secret}`")]
    NoValue {
        /// Which secret.
        secret: String,
    },
    /// The value cannot stand there.
    #[error("the value of {secret} cannot stand in {spot}: {why}")]
    BadValue {
        /// Which secret.
        secret: String,
        /// Where it would have stood.
        spot: Spot,
        /// What is wrong with it.
        why: &'static str,
    },
}

fn may_stand(may: &[String]) -> String {
    if may.is_empty() {
        return "nowhere yet: bind it to a host first".to_owned();
    }
    format!("to {}", may.join("; to "))
}
