//! What is sealed with jobs. Only sealed values reach a statement.

use smartbox_core::BoxFuture;
use smartbox_core::id::JobId;
use smartbox_core::job::port::Sealed;
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;

use super::super::records::Records;
use crate::seal::Place;

/// The place of a value among sealed ones; no secret can be called so.
const NAME: &str = "job input";
/// It is written once.
const VERSION: i64 = 1;

impl Records<'_> {
    pub(super) async fn forget_sealed(&mut self, id: &JobId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM job_sealed WHERE job = ?")
            .bind(id.as_str())
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }
}

impl Sealed for Records<'_> {
    fn seal(&mut self, id: JobId, value: Secret<String>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sealed = self.vault.seal(id.as_str(), NAME, VERSION, value.expose())?;
            sqlx::query("INSERT INTO job_sealed (job, data_key, sealed) VALUES (?, ?, ?)")
                .bind(id.as_str())
                .bind(self.vault.data_id)
                .bind(sealed)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "job"))?;
            Ok(())
        })
    }

    fn unseal(&mut self, id: JobId) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async move {
            let found: Option<(i64, Vec<u8>)> =
                sqlx::query_as("SELECT data_key, sealed FROM job_sealed WHERE job = ?")
                    .bind(id.as_str())
                    .fetch_optional(self.conn()?)
                    .await
                    .map_err(|e| self.failed(e))?;
            let Some((key, sealed)) = found else { return Ok(None) };
            let place = Place { scope: id.as_str(), name: NAME, version: VERSION, key };
            self.vault.unseal(&place, &sealed).map(Some)
        })
    }
}
