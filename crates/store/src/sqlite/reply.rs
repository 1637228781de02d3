//! Replies in SQLite. Only sealed ones reach a statement.

use smartbox_core::BoxFuture;
use smartbox_core::id::AccountId;
use smartbox_core::reply::port::Replies;
use smartbox_core::reply::{Asked, Before, KEPT, MAX_KEYS};
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;
use crate::seal::Place;

/// Rows are made once, so a sealed reply has one version.
const VERSION: i64 = 1;

type Row = (String, String, bool, Option<i64>, Option<Vec<u8>>);

impl Records<'_> {
    async fn drop_old_replies(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let oldest = now.0.saturating_sub(i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX));
        sqlx::query("DELETE FROM replies WHERE at < ?")
            .bind(oldest)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// Leaves a place for one more.
    async fn drop_many_replies(&mut self, account: &AccountId) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM replies WHERE account = ?1 AND at <= (SELECT at FROM replies
                 WHERE account = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(account.as_str())
        .bind(MAX_KEYS - 1)
        .execute(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    async fn reply_row(&mut self, asked: &Asked) -> Result<Option<Row>, StoreError> {
        sqlx::query_as(
            "SELECT digest, run, done, data_key, sealed FROM replies
             WHERE account = ? AND route = ? AND key = ?",
        )
        .bind(asked.account.as_str())
        .bind(&asked.route)
        .bind(&asked.key)
        .fetch_optional(self.conn()?)
        .await
        .map_err(|e| self.failed(e))
    }
}

impl Replies for Records<'_> {
    fn begin(
        &mut self,
        asked: Asked,
        digest: String,
        run: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Before, StoreError>> {
        Box::pin(async move {
            self.drop_old_replies(now).await?;
            if let Some((before, run, done, key, sealed)) = self.reply_row(&asked).await? {
                return Ok(match (done, key.zip(sealed)) {
                    _ if before != digest => Before::Other,
                    (false, _) => Before::Doing { run },
                    (true, None) => Before::TooLong,
                    (true, Some((key, sealed))) => {
                        let (scope, name) = place(&asked);
                        let place = Place { scope: &scope, name, version: VERSION, key };
                        Before::Done(self.vault.unseal(&place, &sealed)?)
                    }
                });
            }
            self.drop_many_replies(&asked.account).await?;
            sqlx::query(
                "INSERT INTO replies (account, route, key, digest, run, at)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(asked.account.as_str())
            .bind(&asked.route)
            .bind(&asked.key)
            .bind(digest)
            .bind(run)
            .bind(now.0)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "account"))?;
            Ok(Before::New)
        })
    }

    fn keep(
        &mut self,
        asked: Asked,
        reply: Option<Secret<String>>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let (scope, name) = place(&asked);
            let seal =
                |reply: Secret<String>| self.vault.seal(&scope, name, VERSION, reply.expose());
            let sealed = reply.map(seal).transpose()?;
            let key = sealed.is_some().then_some(self.vault.data_id);
            sqlx::query(
                "UPDATE replies SET done = 1, data_key = ?, sealed = ?
                 WHERE account = ? AND route = ? AND key = ?",
            )
            .bind(key)
            .bind(sealed)
            .bind(asked.account.as_str())
            .bind(&asked.route)
            .bind(&asked.key)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.drop_old_replies(now))
    }

    fn forget(&mut self, asked: Asked) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM replies WHERE account = ? AND route = ? AND key = ?")
                .bind(asked.account.as_str())
                .bind(&asked.route)
                .bind(&asked.key)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }
}

/// Where a sealed reply lies: it opens nowhere else.
fn place(asked: &Asked) -> (String, &str) {
    (format!("reply {} {}", asked.account, asked.route), &asked.key)
}
