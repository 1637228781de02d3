//! Kinds: templates of smartboxes, as data. What is absent: reading them from files.

mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

pub use check::BadKind;

/// The name of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kind(std::borrow::Cow<'static, str>);

impl Kind {
    /// A personal assistant; one per account, made with it.
    pub const PA: Self = Self(std::borrow::Cow::Borrowed("pa"));
    /// Bound to one project.
    pub const PROJECT: Self = Self(std::borrow::Cow::Borrowed("project"));
    /// Infrastructure management.
    pub const RUNTIME: Self = Self(std::borrow::Cow::Borrowed("runtime"));
    /// A blank one.
    pub const CUSTOM: Self = Self(std::borrow::Cow::Borrowed("custom"));

    /// The word used in URLs, the CLI, the UI and records.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a name; `None` if it cannot be one. Whether there is such a kind is another question.
    pub fn parse(text: &str) -> Option<Self> {
        check::name(text).then(|| Self(text.to_owned().into()))
    }
}

impl TryFrom<String> for Kind {
    type Error = BadKind;
    fn try_from(text: String) -> Result<Self, BadKind> {
        Self::parse(&text).ok_or(BadKind::Name(text.chars().take(60).collect()))
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.0.into_owned()
    }
}

impl utoipa::PartialSchema for Kind {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The name of a kind."))
            .pattern(Some("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))
            .into()
    }
}

impl ToSchema for Kind {}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the platform itself makes of a kind, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// One per account, made with it.
    Pa,
    /// Bound to a folder.
    Project,
    /// For machines that a connector reaches.
    Runtime,
    /// Nothing special.
    Custom,
}

crate::words! {
    Base { Pa = "pa", Project = "project", Runtime = "runtime", Custom = "custom" }
}

/// A template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name.
    pub name: Kind,
    /// What the platform makes of it.
    pub base: Base,
    /// One line for whoever chooses.
    pub description: String,
    /// Something that the owner of such a smartbox should know.
    #[serde(default)]
    pub notice: Option<String>,
    /// The tier of smartboxes that ask for none.
    #[serde(default)]
    pub tier: Option<String>,
    /// What it may reach: hosts (`api.example.com`, `*.example.com:443`) and names of presets.
    #[serde(default)]
    pub egress: Vec<String>,
    /// Tools that it wants to use. Kept and shown; nothing enforces it yet.
    #[serde(default)]
    pub tools: Vec<String>,
    /// What its engine's configuration begins with; from then on it is the owner's.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Files of the workspace by their path in it, written before the first start.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

impl Template {
    /// Checks what a file cannot be trusted with: names, sizes, paths.
    pub fn check(&self) -> Result<(), BadKind> {
        check::check(self)
    }
}
