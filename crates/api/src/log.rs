//! A box's engine log on the wire: `GET …/log`, answered with the bytes as `text/plain`.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// The reply header with the offset after the last byte of this reply (absent when following).
pub const NEXT_HEADER: &str = "smartbox-log-next";
/// The longest tail that is given, in bytes.
pub const MAX_TAIL: u64 = 1 << 20;

/// Which part of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct LogQuery {
    /// From this offset; not together with `tail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The last so many bytes; 64 KiB if neither is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
    /// Keep the reply open and send what is written from now on.
    pub follow: bool,
}
