//! Sign-in links on the wire: `POST …/link` makes a fresh one that leads to a box.

use serde::{Deserialize, Serialize};
use smartbox_core::time::Timestamp;
use utoipa::ToSchema;

/// A link that signs a browser in and leads it to a box's own pages. Whoever has it is signed in,
/// so it is shown to the person who asked and written nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInLink {
    /// The address to open.
    pub url: String,
    /// When it stops working; absent if only its use ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for SignInLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInLink").field("expires", &self.expires).finish_non_exhaustive()
    }
}
