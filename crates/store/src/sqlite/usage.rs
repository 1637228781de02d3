//! Usage of models in SQLite: one row a call.

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use smartbox_core::usage::port::Ledger;
use smartbox_core::usage::{Total, Usage};

use super::error;
use super::records::{Records, signed};
use crate::release::sane;

/// Calls, tokens read of all kinds, tokens written.
macro_rules! sums {
    () => {
        "SELECT count(*), coalesce(sum(input + cache_read + cache_write), 0),
             coalesce(sum(output), 0) FROM usage"
    };
}

impl Ledger for Records<'_> {
    fn record(&mut self, usage: Usage) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let count = |n| signed(sane(n), "usage");
            sqlx::query(
                "INSERT INTO usage (smartbox, provider, model, input, output, cache_read, cache_write,
                     status, at, took_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(usage.smartbox.as_str())
            .bind(&usage.provider)
            .bind(&usage.model)
            .bind(count(usage.input)?)
            .bind(count(usage.output)?)
            .bind(count(usage.cache_read)?)
            .bind(count(usage.cache_write)?)
            .bind(usage.status)
            .bind(usage.at.0)
            .bind(count(usage.took_ms)?)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "smartbox"))?;
            Ok(())
        })
    }

    fn total(
        &mut self,
        id: SmartboxId,
        since: Timestamp,
    ) -> BoxFuture<'_, Result<Total, StoreError>> {
        Box::pin(async move {
            let sums = sqlx::query_as(concat!(sums!(), " WHERE smartbox = ? AND at >= ?"))
                .bind(id.as_str())
                .bind(since.0)
                .fetch_one(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            total(sums)
        })
    }

    fn sum(
        &mut self,
        account: Option<AccountId>,
        since: Timestamp,
    ) -> BoxFuture<'_, Result<Total, StoreError>> {
        const ALL: &str = concat!(sums!(), " WHERE at >= ?1");
        const OF_ONE: &str = concat!(
            sums!(),
            " WHERE at >= ?1 AND smartbox IN (SELECT id FROM smartboxes WHERE account = ?2)"
        );
        Box::pin(async move {
            let sql = if account.is_some() { OF_ONE } else { ALL };
            let query = sqlx::query_as(sql).bind(since.0);
            let query = account.map(String::from).into_iter().fold(query, |q, id| q.bind(id));
            let sums = query.fetch_one(self.conn()?).await.map_err(|e| self.failed(e))?;
            total(sums)
        })
    }
}

fn total((calls, input, output): (i64, i64, i64)) -> Result<Total, StoreError> {
    let count = |n: i64| u64::try_from(n).map_err(|_| error::unreadable("usage"));
    Ok(Total { calls: count(calls)?, input: count(input)?, output: count(output)? })
}
