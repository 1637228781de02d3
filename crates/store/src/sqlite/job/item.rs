//! The items of jobs.

use smartbox_core::BoxFuture;
use smartbox_core::id::JobId;
use smartbox_core::job::port::Items;
use smartbox_core::job::{Item, Outcome};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;

use super::super::records::{Records, decoded};
use super::row::json;

impl Items for Records<'_> {
    fn put_items(&mut self, id: JobId, items: Vec<Item>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            for item in items {
                sqlx::query(
                    "INSERT OR REPLACE INTO job_items
                         (job, n, subject, name, outcome, reason, checkpoint, at)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .bind(id.as_str())
                .bind(item.n)
                .bind(&item.subject)
                .bind(&item.name)
                .bind(item.outcome.as_str())
                .bind(&item.reason)
                .bind(item.checkpoint.to_string())
                .bind(item.at.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "job"))?;
            }
            Ok(())
        })
    }

    fn items(&mut self, id: JobId) -> BoxFuture<'_, Result<Vec<Item>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT n, subject, name, outcome, reason, checkpoint, at FROM job_items
                 WHERE job = ? ORDER BY n",
            )
            .bind(id.as_str())
            .try_map(|row| {
                Ok(Item {
                    n: row.try_get("n")?,
                    subject: row.try_get("subject")?,
                    name: row.try_get("name")?,
                    outcome: decoded(Outcome::parse(row.try_get("outcome")?), "outcome")?,
                    reason: row.try_get("reason")?,
                    checkpoint: json(row.try_get("checkpoint")?, "checkpoint")?,
                    at: Timestamp(row.try_get("at")?),
                })
            })
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }
}
