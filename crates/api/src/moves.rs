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

/// A bucket that a box is moved in from, and how. What opens it is never in here: the vault has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketImport {
    /// The bucket's name.
    #[schema(example = "moltbot-data")]
    pub bucket: String,
    /// What the names of the wanted objects begin with; all of the bucket if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The server's address, like `ACCOUNT.r2.cloudflarestorage.com` with its scheme; that of the platform's own
    /// snapshots if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region; that of the platform's own snapshots if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The key that opens it; that of the platform's own snapshots if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<BucketKey>,
    /// The new box's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its kind; `custom` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In which directory of it to look, like `users/1234`, where there are several assistants in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

/// What opens a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketKey {
    /// The key's name (`R2_ACCESS_KEY_ID`), which is no secret: it is sent as it is.
    pub id: String,
    /// The secret of the account or the platform that holds the key itself.
    #[schema(example = "OLD_R2_KEY")]
    pub secret: String,
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
