//! What happened to jobs, within bounds.

use smartbox_core::id::JobId;
use smartbox_core::job::event::{Admit, Tally};
use smartbox_core::job::{Event, Happening};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;

use super::super::error;
use super::super::records::{Records, decoded, signed};
use super::row::json;

impl Records<'_> {
    pub(super) async fn append_event(
        &mut self,
        id: JobId,
        at: Timestamp,
        what: Happening,
    ) -> Result<(), StoreError> {
        let mut tally = self.tally(&id).await?;
        if matches!(what, Happening::Progress(_)) {
            self.drop_last_progress(&id, &mut tally).await?;
        }
        let text = written(&what)?;
        let (seq, text) = match tally.admit(&what, text.len()) {
            Admit::Keep(seq) => (seq, text),
            Admit::Mark(seq) => (seq, written(&Happening::Truncated)?),
            Admit::Drop => return Ok(()),
        };
        sqlx::query("INSERT INTO job_events (job, seq, at, what) VALUES (?, ?, ?, ?)")
            .bind(id.as_str())
            .bind(signed(seq, "job_events.seq")?)
            .bind(at.0)
            .bind(text)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
        self.put_tally(&id, tally).await
    }

    pub(super) async fn events_after(
        &mut self,
        id: JobId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        // A number that no event can have is after all of them.
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        sqlx::query(
            "SELECT seq, at, what FROM job_events WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(id.as_str())
        .bind(after)
        .bind(limit)
        .try_map(|row| {
            Ok(Event {
                seq: decoded(u64::try_from(row.try_get::<i64, _>("seq")?).ok(), "seq")?,
                at: Timestamp(row.try_get("at")?),
                what: json(row.try_get("what")?, "what")?,
            })
        })
        .fetch_all(self.conn()?)
        .await
        .map_err(|e| self.failed(e))
    }

    async fn tally(&mut self, id: &JobId) -> Result<Tally, StoreError> {
        let found: Option<(i64, i64, i64, bool)> = sqlx::query_as(
            "SELECT last_event, events, event_bytes, truncated FROM jobs WHERE id = ?",
        )
        .bind(id.as_str())
        .fetch_optional(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        let (last, count, bytes, truncated) = found.ok_or(StoreError::Missing { what: "job" })?;
        let number = |n: i64| u64::try_from(n).map_err(|_| error::unreadable("jobs.events"));
        Ok(Tally { last: number(last)?, count: number(count)?, bytes: number(bytes)?, truncated })
    }

    async fn put_tally(&mut self, id: &JobId, tally: Tally) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE jobs SET last_event = ?, events = ?, event_bytes = ?, truncated = ? WHERE id = ?",
        )
        .bind(signed(tally.last, "jobs.last_event")?)
        .bind(signed(tally.count, "jobs.events")?)
        .bind(signed(tally.bytes, "jobs.event_bytes")?)
        .bind(tally.truncated)
        .bind(id.as_str())
        .execute(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    async fn drop_last_progress(
        &mut self,
        id: &JobId,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        let dropped: Option<String> = sqlx::query_scalar(
            "DELETE FROM job_events WHERE job = ?1 AND seq = ?2
             AND what ->> '$.event' = 'progress' RETURNING what",
        )
        .bind(id.as_str())
        .bind(signed(tally.last, "jobs.last_event")?)
        .fetch_optional(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        if let Some(what) = dropped {
            tally.removed(what.len());
        }
        Ok(())
    }
}

fn written(what: &Happening) -> Result<String, StoreError> {
    serde_json::to_string(what).map_err(|_| error::unreadable("job_events.what"))
}
