//! Journals of boxes in SQLite.

use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::journal::port::Journal;
use smartbox_core::journal::{Entry, MOST};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded, signed};

impl Journal for Records<'_> {
    fn note(&mut self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(id) = entries.first().map(|entry| entry.smartbox.clone()) else {
                return Ok(());
            };
            for entry in entries {
                sqlx::query(
                    "INSERT INTO journal (smartbox, at, event, detail)
                     SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM smartboxes WHERE id = ?1)",
                )
                .bind(entry.smartbox.as_str())
                .bind(entry.at.0)
                .bind(&entry.event)
                .bind(&entry.detail)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            }
            sqlx::query(
                "DELETE FROM journal WHERE smartbox = ?1 AND seq <= (
                     SELECT seq FROM journal WHERE smartbox = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
            )
            .bind(id.as_str())
            .bind(MOST)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn read(
        &mut self,
        id: SmartboxId,
        after: u64,
        since: Timestamp,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<(u64, Entry)>, StoreError>> {
        Box::pin(async move {
            let mut entries = sqlx::query(
                "SELECT seq, smartbox, at, event, detail FROM journal
                 WHERE smartbox = ? AND seq > ? AND at >= ? ORDER BY seq DESC LIMIT ?",
            )
            .bind(id.as_str())
            .bind(signed(after.min(i64::MAX as u64), "journal.seq")?)
            .bind(since.0)
            .bind(limit)
            .try_map(|row| entry(&row))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            entries.reverse();
            Ok(entries)
        })
    }
}

fn entry(row: &SqliteRow) -> Result<(u64, Entry), sqlx::Error> {
    let place = decoded(u64::try_from(row.try_get::<i64, _>("seq")?).ok(), "seq")?;
    let entry = Entry {
        smartbox: decoded(row.try_get::<&str, _>("smartbox")?.parse().ok(), "smartbox")?,
        at: Timestamp(row.try_get("at")?),
        event: row.try_get("event")?,
        detail: row.try_get("detail")?,
    };
    Ok((place, entry))
}
