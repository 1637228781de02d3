//! Jobs in SQLite: a row each, their events and items in tables of their own.

mod event;
mod item;
mod list;
mod row;
mod sealed;

use smartbox_core::BoxFuture;
use smartbox_core::id::JobId;
use smartbox_core::job::port::{Filter, Jobs};
use smartbox_core::job::{Event, Happening, Job};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;
use row::{COLUMNS, bind, job};

// Numbered throughout: sqlx does not count a mix of `?` and `?1` as SQLite does.
const VALUES: &str = "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
                      ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)";

impl Jobs for Records<'_> {
    fn add(&mut self, job: Job) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql = format!("INSERT INTO jobs ({COLUMNS}) VALUES {VALUES}");
            bind(sql, &job)?
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "smartbox"))?;
            Ok(())
        })
    }

    fn get(&mut self, id: JobId) -> BoxFuture<'_, Result<Option<Job>, StoreError>> {
        Box::pin(async move {
            sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM jobs WHERE id = ?")))
                .bind(id.as_str())
                .try_map(|row| job(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn put(&mut self, job: Job) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql = format!("UPDATE jobs SET ({COLUMNS}) = {VALUES} WHERE id = ?1");
            let done = bind(sql, &job)?
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "smartbox"))?;
            match done.rows_affected() {
                0 => Err(StoreError::Missing { what: "job" }),
                _ if job.state.is_final() => self.forget_sealed(&job.id).await,
                _ => Ok(()),
            }
        })
    }

    fn remove(&mut self, id: JobId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM jobs WHERE id = ?")
                .bind(id.as_str())
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn open(&mut self) -> BoxFuture<'_, Result<Vec<Job>, StoreError>> {
        Box::pin(self.open_jobs())
    }

    fn list(&mut self, filter: Filter) -> BoxFuture<'_, Result<Vec<Job>, StoreError>> {
        Box::pin(self.list_jobs(filter))
    }

    fn append(
        &mut self,
        id: JobId,
        at: Timestamp,
        what: Happening,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.append_event(id, at, what))
    }

    fn events(
        &mut self,
        id: JobId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        Box::pin(self.events_after(id, after, limit))
    }
}
