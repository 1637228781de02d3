//! Moving a box in and out: archives, and homes of other installations.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::smartbox::SmartboxView;

/// The media type of an exported box: a tar archive, compressed (RFC 8878).
pub const EXPORT: &str = "application/zstd";

/// How a box is moved in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ImportQuery {
    /// The new box's name; that in the archive if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its kind; that in the archive, or `custom`, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In which directory of it to look, like `users/1234`, where there are several assistants in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

/// What was moved in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// The new box, which has not been started.
    pub smartbox: SmartboxView,
    /// What it was taken for.
    pub layout: String,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they hold.
    pub bytes: u64,
    /// How many messages of its history came along.
    pub messages: u64,
    /// What was left out, and why, in a sentence each; the first hundred.
    pub left_out: Vec<String>,
    /// How much was left out in all.
    pub left_out_total: u64,
    /// What its owner should see to, in a sentence each.
    pub warnings: Vec<String>,
}
