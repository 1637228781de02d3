//! What may leave boxes, and what did, on the wire.

use serde::{Deserialize, Serialize};
use smartbox_core::egress::{Effect, PathPattern, Pattern, Refusal, Source};
use smartbox_core::id::EgressRuleId;
use smartbox_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

use crate::page::PageQuery;

/// A rule that is wanted: about hosts, or about what a preset lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewEgressRule {
    /// For this box only, by name or id; for every box of the account if absent.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// `allow` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// `example.com`, `*.example.com` (all below it), `*` (every name), or an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The name of a preset, instead of a host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// The ports of the host; 443 if none are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// The methods that may be asked, in upper case; all if none are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The paths that may be asked for, like `/v1/**`; all if none are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// It ends after so many milliseconds; never if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// For one connection only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
}

/// A rule that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EgressRuleView {
    /// Its id; absent for one of the installation's settings or of a kind, which are changed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EgressRuleId>,
    /// Who says so.
    pub source: Source,
    /// What it does.
    pub effect: Effect,
    /// Which hosts; absent if it names a preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub host: Option<Pattern>,
    /// The preset, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// At which ports of the host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Which methods; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Which paths; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub paths: Vec<PathPattern>,
    /// When it ends; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether it is for one connection only.
    pub once: bool,
    /// When it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<Timestamp>,
}

/// Whose rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct EgressRuleQuery {
    /// Of this box, by name or id; of the account if absent.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
}

/// Whose rules, and which part of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct EgressRulesQuery {
    /// Everything that counts for this box, by name or id; the account's own rules if absent.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// How many at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The `next` of the page before; the first page if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl EgressRulesQuery {
    /// Which part.
    pub fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// Which part of the account of what left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct EgressQuery {
    /// Only days from this time on, in milliseconds since 1970; the last day if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Only what was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<bool>,
    /// How many at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The `next` of the page before; the first page if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl EgressQuery {
    /// Which part.
    pub fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// What a box did with one host on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EgressView {
    /// The host as it was asked for.
    pub host: String,
    /// The port; 0 if there was none: a question about the host's name, or nothing that could be read.
    pub port: u16,
    /// The beginning of the day, UTC.
    pub day: Timestamp,
    /// Connections and requests that were let out.
    pub opened: u64,
    /// Bytes to the host.
    pub bytes_out: u64,
    /// Bytes from the host.
    pub bytes_in: u64,
    /// How often it was refused.
    pub refused: u64,
    /// Why it was refused last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Refusal>,
    /// The names of the secrets that went there by placeholder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Which program in the smartbox asked last, where that is known: as it calls itself, which may be
    /// anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When something happened last.
    pub last: Timestamp,
    /// Whether the rules of this moment let it out.
    pub allowed: bool,
}

/// A list of hosts under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EgressPresetView {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it allows, in the short form of rules.
    pub rules: Vec<String>,
}
