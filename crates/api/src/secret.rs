//! Secrets on the wire: values go in and never come out.

use serde::{Deserialize, Serialize};
use smartbox_core::egress::Place;
use smartbox_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

use crate::page::PageQuery;

/// The longest value, in bytes.
pub const MAX_VALUE: usize = 64 << 10;

/// A value to be kept. Not printable, so that it cannot be logged by accident.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// The value.
    pub value: String,
    /// Only for this box, by name or id; for the whole account if absent.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// The platform's own, for every account; only an operator keeps one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub platform: bool,
}

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSecret")
            .field("smartbox", &self.smartbox)
            .field("platform", &self.platform)
            .finish_non_exhaustive()
    }
}

/// Whose secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct SecretQuery {
    /// Of this box, by name or id; of the account if absent.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// The platform's own, for every account; only an operator asks for them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub platform: bool,
}

/// Whose secrets, and which part of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsQuery {
    /// Of this box, by name or id; of the account if absent.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// The platform's own, for every account; only an operator asks for them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub platform: bool,
    /// How many at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The `next` of the page before; the first page if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl SecretsQuery {
    /// Whose.
    pub fn whose(&self) -> SecretQuery {
        SecretQuery { smartbox: self.smartbox.clone(), platform: self.platform }
    }

    /// Which part.
    pub fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// What may be shown of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretView {
    /// Its name.
    pub name: String,
    /// `platform`, `account`, `box` or `environment` (given to `up` itself, and kept nowhere).
    pub scope: String,
    /// When its value was last set; absent for one of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// The revision of its value, as its `ETag` says it; absent for one of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Where it may go by placeholder; empty if it is not bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bound: Vec<BoundTo>,
}

/// What may be shown of a value that a secret has or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretVersionView {
    /// The revision that it was set as.
    pub revision: u64,
    /// When it was set.
    pub updated: Timestamp,
    /// Whether it is the one that is released.
    pub current: bool,
}

/// A secret is to have a value again that it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBackSecret {
    /// The revision that the value was set as.
    pub to: u64,
    /// The secret of this box, by name or id; the account's if absent.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// The platform's own; only an operator changes one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub platform: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolledBackSecret {
    /// The revision that the old value has now.
    pub revision: u64,
}

/// Where a secret may go: which hosts, and in which places of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundTo {
    /// `api.example.com`, or `*.example.com` (all below it).
    pub host: String,
    /// The ports; 443 if none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// The methods, in upper case; all if none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The paths, like `/v1/**`; all if none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The places.
    pub places: Vec<Place>,
    /// Whether it may go there without TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_clear: bool,
}

/// How a secret is to be bound: as the key of a service, or to hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewBinding {
    /// The secret of this box, by name or id; the account's if absent.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// A service whose key it is; `GET /api/v1/secrets/services` lists them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How its placeholders look, so that programs accept them: `plain`, `github`, or a text with runs
    /// of random characters like `sbx_{a32}`. That of the service, or `plain`, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// Where it may go, beside what the service says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<BoundTo>,
}

/// What a box holds in place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaceholderView {
    /// The name of the secret, and of the variable.
    pub name: String,
    /// `account` or `box`: whose secret it is.
    pub scope: String,
    /// What programs in the box see. It is worth nothing elsewhere.
    pub placeholder: String,
    /// Where it may go.
    pub to: Vec<BoundTo>,
}

/// A service whose keys are known to be sent in some way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// Where its key may go.
    pub to: Vec<BoundTo>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_secret_does_not_print() {
        let secret = NewSecret { value: "hunter2".into(), smartbox: None, platform: false };
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
