//! Tokens of the API on the wire: bearers for a command line that comes over TCP.

use serde::{Deserialize, Serialize};
use smartbox_core::id::TokenId;
use smartbox_core::time::Timestamp;
use utoipa::ToSchema;

/// A token to be made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewToken {
    /// Seconds that it works; until it is revoked if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_secs: Option<u64>,
}

/// A token that was made. Its value is shown this once and only its hash is kept.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    /// Its identifier.
    pub id: TokenId,
    /// The bearer.
    pub token: String,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for MadeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeToken").field("id", &self.id).finish_non_exhaustive()
    }
}
