//! Layers of rules: what the kind, the account and the box itself say together.

use serde::{Deserialize, Serialize};

use super::{Entry, Rule};

/// Who said it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[schema(as = EgressSource)]
pub enum Source {
    /// The installation's settings.
    Platform,
    /// The template of its kind.
    Kind,
    /// Its account.
    Account,
    /// The box's owner, for this box.
    Smartbox,
}

crate::words! {
    Source { Platform = "platform", Kind = "kind", Account = "account", Smartbox = "smartbox" }
}

/// What one of them says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Who.
    pub source: Source,
    /// What is allowed.
    pub allow: Vec<Entry>,
    /// What is refused, whoever else allows it.
    pub deny: Vec<Rule>,
}

/// Everything that counts for a box. Each layer adds to what is allowed and takes from it; taking
/// wins. An empty policy allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its layers; their order decides nothing but which of two equals is named.
    pub layers: Vec<Layer>,
}

impl Policy {
    /// Every rule that allows something, with who says so.
    pub fn allowing(&self) -> impl Iterator<Item = (Source, &Entry)> {
        self.layers.iter().flat_map(|layer| layer.allow.iter().map(|entry| (layer.source, entry)))
    }

    /// Every rule that refuses something, with who says so.
    pub fn refusing(&self) -> impl Iterator<Item = (Source, &Rule)> {
        self.layers.iter().flat_map(|layer| layer.deny.iter().map(|rule| (layer.source, rule)))
    }
}
