//! What there is of boxes' snapshots, in SQLite. Only sealed keys reach a statement.

use bytes::Bytes;
use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::record::{Archive, Archives, Envelopes, Record, Tombs, Tombstone};
use smartbox_core::snapshot::{Generation, RepositoryKey};
use smartbox_core::store::StoreError;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded, json, signed};
use crate::seal::Place;

/// The place of a key among sealed values; no secret can be called so.
const KEY: &str = "repository key";
/// It is written once.
const VERSION: i64 = 1;

impl Archives for Records<'_> {
    fn get(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<Archive>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT archive FROM archives WHERE smartbox = ?")
                .bind(id.as_str())
                .try_map(|row| read(&row, "archive"))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn put(&mut self, archive: Archive) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO archives (smartbox, archive) VALUES (?, ?)
                 ON CONFLICT (smartbox) DO UPDATE SET archive = excluded.archive",
            )
            .bind(archive.smartbox.as_str())
            .bind(json(&archive)?)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn key(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Option<RepositoryKey>, StoreError>> {
        Box::pin(async move {
            let found: Option<(i64, Vec<u8>)> = sqlx::query_as(
                "SELECT data_key, sealed FROM archives WHERE smartbox = ? AND sealed IS NOT NULL",
            )
            .bind(id.as_str())
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            let Some((key, sealed)) = found else { return Ok(None) };
            let place = Place { scope: id.as_str(), name: KEY, version: VERSION, key };
            let plain = self.vault.unseal_any(&place, &sealed)?;
            let bytes = plain.as_slice().try_into().map_err(|_| StoreError::Sealed)?;
            Ok(Some(RepositoryKey::new(bytes)))
        })
    }

    fn set_key(
        &mut self,
        id: SmartboxId,
        key: RepositoryKey,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sealed = self.vault.seal_bytes(id.as_str(), KEY, VERSION, key.expose())?;
            let done = sqlx::query(
                "UPDATE archives SET data_key = ?, sealed = ? WHERE smartbox = ? AND sealed IS NULL",
            )
            .bind(self.vault.data_id)
            .bind(sealed)
            .bind(id.as_str())
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            if done.rows_affected() > 0 {
                return Ok(());
            }
            Err(match Archives::get(self, id).await? {
                Some(_) => StoreError::Exists { what: "repository key" },
                None => StoreError::Missing { what: "archive" },
            })
        })
    }

    fn generations(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT record FROM generations WHERE smartbox = ? ORDER BY generation")
                .bind(id.as_str())
                .try_map(|row| read(&row, "record"))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn put_generation(
        &mut self,
        id: SmartboxId,
        record: Record,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO generations (smartbox, generation, record) VALUES (?, ?, ?)
                 ON CONFLICT (smartbox, generation) DO UPDATE SET record = excluded.record",
            )
            .bind(id.as_str())
            .bind(signed(record.generation.0, "generations.generation")?)
            .bind(json(&record)?)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "archive"))?;
            Ok(())
        })
    }

    fn drop_generations(
        &mut self,
        id: SmartboxId,
        gone: Vec<Generation>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            for generation in gone {
                sqlx::query("DELETE FROM generations WHERE smartbox = ? AND generation = ?")
                    .bind(id.as_str())
                    .bind(signed(generation.0, "generations.generation")?)
                    .execute(self.conn()?)
                    .await
                    .map_err(|e| self.failed(e))?;
            }
            Ok(())
        })
    }

    fn forget(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM archives WHERE smartbox = ?")
                .bind(id.as_str())
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }
}

impl Tombs for Records<'_> {
    fn bury(&mut self, tombstone: Tombstone) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE archives SET tombstone = ?, account = ?, removed = ? WHERE smartbox = ?",
            )
            .bind(json(&tombstone)?)
            .bind(tombstone.row.account.as_str())
            .bind(tombstone.removed.0)
            .bind(tombstone.row.id.as_str())
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            match done.rows_affected() {
                0 => Err(StoreError::Missing { what: "archive" }),
                _ => Ok(()),
            }
        })
    }

    fn tombstones(
        &mut self,
        account: Option<AccountId>,
    ) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT tombstone FROM archives
                 WHERE removed IS NOT NULL AND (?1 IS NULL OR account = ?1)
                 ORDER BY removed DESC, smartbox",
            )
            .bind(account.map(String::from))
            .try_map(|row| read(&row, "tombstone"))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn unearth(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "UPDATE archives SET tombstone = NULL, account = NULL, removed = NULL
                 WHERE smartbox = ?",
            )
            .bind(id.as_str())
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }
}

impl Envelopes for Records<'_> {
    fn seal_record(
        &mut self,
        id: SmartboxId,
        plain: Secret<String>,
    ) -> BoxFuture<'_, Result<Bytes, StoreError>> {
        let sealed = self.vault.seal_outside(id.as_str(), plain.expose().as_bytes());
        Box::pin(std::future::ready(sealed.map(Bytes::from)))
    }

    fn open_record(
        &mut self,
        id: SmartboxId,
        sealed: Bytes,
    ) -> BoxFuture<'_, Result<Secret<String>, StoreError>> {
        let plain = self.vault.open_outside(id.as_str(), &sealed);
        Box::pin(std::future::ready(plain.map(Secret::new)))
    }
}

fn read<T: serde::de::DeserializeOwned>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<T, sqlx::Error> {
    decoded(serde_json::from_str(row.try_get(column)?).ok(), column)
}
