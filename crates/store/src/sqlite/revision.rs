//! Revisions of the engine's configuration in SQLite: documents are sealed, whole.

use smartbox_core::BoxFuture;
use smartbox_core::config::Revision;
use smartbox_core::config::port::{Opened, Revisions};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded, signed};
use crate::seal::Place;

/// The place of a document among sealed values; no secret can be called so.
const NAME: &str = "engine config";

impl Revisions for Records<'_> {
    fn add(
        &mut self,
        revision: Revision,
        document: Secret<String>,
        keep: u32,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let id = revision.smartbox.as_str();
            let newest: i64 = sqlx::query_scalar(
                "SELECT coalesce(max(seq), 0) FROM config_revisions WHERE smartbox = ?",
            )
            .bind(id)
            .fetch_one(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            let seq = newest.saturating_add(1);
            let sealed = self.vault.seal(id, NAME, seq, document.expose())?;
            sqlx::query(
                "INSERT INTO config_revisions (smartbox, seq, at, actor, how, digest, refused, data_key, sealed)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(id)
            .bind(seq)
            .bind(revision.at.0)
            .bind(&revision.actor)
            .bind(&revision.how)
            .bind(&revision.digest)
            .bind(revision.refused.as_deref())
            .bind(self.vault.data_id)
            .bind(sealed)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "smartbox"))?;
            sqlx::query("DELETE FROM config_revisions WHERE smartbox = ? AND seq <= ?")
                .bind(id)
                .bind(seq.saturating_sub(i64::from(keep.max(1))))
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(u64::try_from(seq).unwrap_or_default())
        })
    }

    fn list(
        &mut self,
        smartbox: SmartboxId,
        before: Option<u64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Revision>, StoreError>> {
        Box::pin(async move {
            let before = before.map_or(Ok(i64::MAX), |before| signed(before, "seq"))?;
            sqlx::query(
                "SELECT smartbox, seq, at, actor, how, digest, refused FROM config_revisions
                 WHERE smartbox = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            )
            .bind(smartbox.as_str())
            .bind(before)
            .bind(limit)
            .try_map(|row| revision(&row))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn open(
        &mut self,
        smartbox: SmartboxId,
        seq: u64,
    ) -> BoxFuture<'_, Result<Option<Opened>, StoreError>> {
        Box::pin(async move {
            let Ok(version) = i64::try_from(seq) else { return Ok(None) };
            let found = sqlx::query(
                "SELECT smartbox, seq, at, actor, how, digest, refused, data_key, sealed
                 FROM config_revisions WHERE smartbox = ? AND seq = ?",
            )
            .bind(smartbox.as_str())
            .bind(version)
            .try_map(|row| {
                let sealed: Vec<u8> = row.try_get("sealed")?;
                Ok((revision(&row)?, row.try_get::<i64, _>("data_key")?, sealed))
            })
            .fetch_optional(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            let Some((revision, key, sealed)) = found else { return Ok(None) };
            let place = Place { scope: smartbox.as_str(), name: NAME, version, key };
            self.vault.unseal(&place, &sealed).map(|document| Some((revision, document)))
        })
    }

    fn refuse(
        &mut self,
        smartbox: SmartboxId,
        seq: u64,
        why: String,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE config_revisions SET refused = ? WHERE smartbox = ? AND seq = ?",
            )
            .bind(why)
            .bind(smartbox.as_str())
            .bind(signed(seq, "seq")?)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            match done.rows_affected() {
                0 => Err(StoreError::Missing { what: "revision" }),
                _ => Ok(()),
            }
        })
    }
}

fn revision(row: &SqliteRow) -> Result<Revision, sqlx::Error> {
    let seq: i64 = row.try_get("seq")?;
    Ok(Revision {
        smartbox: decoded(row.try_get::<&str, _>("smartbox")?.parse().ok(), "smartbox")?,
        seq: decoded(u64::try_from(seq).ok(), "seq")?,
        at: Timestamp(row.try_get("at")?),
        actor: row.try_get("actor")?,
        how: row.try_get("how")?,
        digest: row.try_get("digest")?,
        refused: row.try_get("refused")?,
    })
}
