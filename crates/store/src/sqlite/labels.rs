//! Labels in a column: a JSON object.

use smartbox_core::labels::Labels;
use smartbox_core::store::StoreError;

use super::records::decoded;

pub(super) fn written(labels: &Labels) -> Result<String, StoreError> {
    serde_json::to_string(labels).map_err(|e| StoreError::Broken(e.into()))
}

pub(super) fn read(text: &str) -> Result<Labels, sqlx::Error> {
    decoded(serde_json::from_str(text).ok(), "labels")
}
