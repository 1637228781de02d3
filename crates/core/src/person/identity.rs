//! Who somebody is, as somebody else says it.

use crate::time::Timestamp;

/// Who somebody is, as an identity provider says it, after its word was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who says it: the provider's issuer URL.
    pub issuer: String,
    /// Whom it means: stable and never given to another one, within the issuer.
    pub subject: String,
    /// An address.
    pub email: Option<String>,
    /// Whether the provider vouches for that address. Nothing may be granted by one that is not.
    pub email_verified: bool,
    /// What people call them.
    pub name: Option<String>,
    /// Groups that the provider says they are in.
    pub groups: Vec<String>,
    /// A program rather than a person.
    pub service: bool,
    /// Until when the provider's word holds.
    pub expires: Timestamp,
}
