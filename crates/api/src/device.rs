//! Devices on the wire: how one asks to be let in (RFC 8628, with DPoP of RFC 9449), and how somebody
//! decides.

use serde::{Deserialize, Serialize};
pub use smartbox_core::device::{DeviceId, Kind, State};
use smartbox_core::id::TokenId;
use smartbox_core::person::Right;
use smartbox_core::time::Timestamp;
use utoipa::ToSchema;

/// The grant of [`TokenAsk`].
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device that asks to be let in. Its key stands in the `DPoP` proof that comes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DeviceAsk {
    /// `cli` (if absent) or `connector`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// How much it would like: `read`, `chat` (if absent), `manage` or `own`. Says nothing of what it
    /// gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What it calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The account that it would come in to, by name; the installation's first one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// What a device is told that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceAsked {
    /// What it polls by. Nobody else sees it.
    pub device_code: String,
    /// What it shows, and somebody types: `XXXX-XXXX`.
    pub user_code: String,
    /// Where somebody decides.
    pub verification_uri: String,
    /// The same with the code.
    pub verification_uri_complete: String,
    /// Seconds until it is over.
    pub expires_in: u64,
    /// Seconds to wait between two polls.
    pub interval: u64,
    /// What its next proof is to contain. The digits to compare are of its key and this.
    pub nonce: String,
}

/// A device that polls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenAsk {
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    pub grant_type: String,
    /// What it was given.
    pub device_code: String,
}

/// What a device is given that is let in. The token is good only with a proof of its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceToken {
    /// The token: `Authorization: DPoP …`.
    pub access_token: String,
    /// `DPoP`.
    pub token_type: String,
    /// How much it may: what somebody gave.
    pub scope: Right,
    /// Which device it is.
    pub device: DeviceId,
}

impl std::fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceToken").field("device", &self.device).finish_non_exhaustive()
    }
}

/// Why a device gets nothing, or not yet (RFC 6749, 5.2; RFC 8628, 3.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OAuthError {
    /// `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_request`,
    /// `invalid_scope`, `invalid_grant`, `invalid_dpop_proof`, `unsupported_grant_type` or
    /// `temporarily_unavailable`.
    pub error: String,
    /// One sentence for a person.
    pub error_description: String,
}

/// A device, as somebody sees it who decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    /// Which one.
    pub id: DeviceId,
    /// What it is.
    pub kind: Kind,
    /// What it, or its owner, calls it.
    pub name: String,
    /// What it says it runs on.
    pub platform: String,
    /// Where it asked from, as the platform saw it.
    pub address: String,
    /// Whether it is let in.
    pub state: State,
    /// Whether it proves itself by a key.
    pub keyed: bool,
    /// How much it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Right>,
    /// What it asks for, while somebody may decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
    /// When it came first.
    pub created: Timestamp,
    /// When somebody decided last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Timestamp>,
    /// Who that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When it was there last, to the minute or so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// When it is shut out unless it comes before: thirty days after it was there last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// What a device asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Asks {
    /// How much it would like.
    pub right: Right,
    /// Which request it is; whoever approves it sends this back.
    pub ask: String,
    /// Six digits that it shows, too, if nobody is in between.
    pub comparison: String,
    /// When it asked.
    pub at: Timestamp,
    /// When that is over.
    pub expires: Timestamp,
}

/// Which device: the one that shows this code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FindDevice {
    /// The code; case and punctuation do not matter.
    pub code: String,
}

/// How a device is let in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The request that was shown to whoever lets it in: `asks.ask` of the device.
    pub ask: String,
    /// How much it may: no more than it asked for, and than who lets it in. If absent what it asked
    /// for, as far as they may give it, and never `own`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Right>,
}

/// A browser that is to be let in, on a phone for example.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Invite {
    /// The one smartbox that it is for, by name or id; everything in the account if absent.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// How much it may: `read`, `chat` (if absent) or `manage`; no more than whoever invites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Right>,
    /// What the browser is to be called; what it is if absent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Seconds that the link works, a day at the most; 600 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_secs: Option<u64>,
}

/// An invitation that was made. The link is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invited {
    /// It is among the tokens under this, until it is used or over.
    pub id: TokenId,
    /// The link. Whoever opens it first comes in.
    pub url: String,
    /// How much the browser will be allowed.
    pub right: Right,
    /// When it stops working.
    pub expires: Timestamp,
}

impl std::fmt::Debug for Invited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invited").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Another name for a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameDevice {
    /// The name: 1 to 80 characters.
    pub name: String,
}

/// Those that were let in together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Approved {
    /// They.
    pub items: Vec<DeviceView>,
}
