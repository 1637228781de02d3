//! Reading: a pooled connection that cannot write, and one deferred transaction around the work.

use std::time::Duration;

use smartbox_core::store::{StoreError, Work};
use sqlx::SqlitePool;
use tokio::time::timeout;

use super::error;
use super::records::Records;
use super::vault::Vault;

pub(super) async fn read(
    readers: &SqlitePool,
    vault: &Vault,
    guard: Duration,
    work: Work,
) -> Result<(), StoreError> {
    // Dropping the transaction rolls it back, whether the work returns, panics or is abandoned.
    let mut tx = readers.begin().await.map_err(error::store)?;
    let mut records = Records::new(&mut tx, vault);
    let result = timeout(guard, work(&mut records)).await.unwrap_or_else(|_| {
        tracing::error!(?guard, "a reading work did not end in time");
        Err(StoreError::Broken("a work did not end in time".into()))
    });
    let result = records.spoilt().map_or(result, Err);
    tx.rollback().await.map_err(error::store)?;
    result
}
