//! Moving a box in and out: archives, homes of other installations, and buckets.

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
}

/// What lies in a bucket, of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketImport {
    /// Everything of it begins with this, like `users/1234/`.
    pub prefix: String,
    /// The new box's name.
    pub name: String,
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
    /// What was left out, and why, in a sentence each.
    pub left_out: Vec<String>,
    /// What its owner should see to, in a sentence each.
    pub warnings: Vec<String>,
}
