//! Why someone is not who they seem to be. No word of a token is in it.

use crate::http::Fault;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// What was given is no token.
    #[error("it is not a signed token: {0}")]
    Malformed(&'static str),
    /// Longer than anything that is issued.
    #[error("the token is longer than {} KiB", .longest >> 10)]
    Long {
        /// What is allowed, in bytes.
        longest: usize,
    },
    /// Signed by an algorithm that is not on the list, or not signed.
    #[error("the token is signed in a way that is not accepted here")]
    Algorithm,
    /// Signed by a key that is not published.
    #[error("the token is signed by a key that its issuer does not publish")]
    Key,
    /// Changed, or signed by somebody else.
    #[error("the token's signature is wrong")]
    Signature,
    /// Somebody else's.
    #[error("the token's `iss` is not {expected}")]
    Issuer {
        /// Who was to issue it.
        expected: String,
    },
    /// Meant for another application.
    #[error("the token is for another application: `aud` is not {expected}")]
    Audience {
        /// Who it was to be for.
        expected: String,
    },
    /// Too old.
    #[error("the token has expired; sign in again")]
    Expired,
    /// Too young.
    #[error("the token is not valid yet: the issuer's clock and this machine's differ")]
    Early,
    /// Of a kind that does not sign in.
    #[error("the token is not an application's: its `type` is not `app`")]
    Kind,
    /// A claim is missing or not of its form.
    #[error("the token's `{0}` is missing, or is not of the form that it should have")]
    Claim(&'static str),
    /// What came back belongs to another beginning, or to one that is over.
    #[error("this sign-in was not begun here, or it took too long; begin again")]
    Mixed,
    /// The provider did not sign them in.
    #[error("the provider refused: {0}")]
    Provider(String),
    /// Not the token's fault: whoever is needed to check it cannot be asked.
    #[error("{what} cannot be had")]
    Unavailable {
        /// What is needed.
        what: &'static str,
        /// What is wrong.
        #[source]
        source: Fault,
    },
}

impl Refused {
    /// Whether trying again later may help: nobody was found to be anybody else.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
