//! The audit in SQLite: entries and the signed head change in the same transaction.

use smartbox_core::BoxFuture;
use smartbox_core::audit::port::Audit;
use smartbox_core::audit::{self, Act, Entry};
use smartbox_core::id::AccountId;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::error;
use super::records::{Records, decoded, signed};
use crate::chain::{self, Canonical, Check, Head};

/// How many entries are held at once while a chain is checked.
const PAGE: i64 = 500;

impl Records<'_> {
    /// Replaces the signed head of an account's chain.
    pub(super) async fn put_head(&mut self, account: &str, head: &Head) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit_heads (account, seq, hash, signing_key, signature) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (account) DO UPDATE SET seq = excluded.seq, hash = excluded.hash,
                 signing_key = excluded.signing_key, signature = excluded.signature",
        )
        .bind(account)
        .bind(signed(head.seq, "audit_heads.seq")?)
        .bind(&head.hash)
        .bind(self.vault.signer_id)
        .bind(&head.signature)
        .execute(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    async fn last(&mut self, account: &str) -> Result<Option<Head>, StoreError> {
        let row: Option<(i64, String, Vec<u8>)> =
            sqlx::query_as("SELECT seq, hash, signature FROM audit_heads WHERE account = ?")
                .bind(account)
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
        let Some((seq, hash, signature)) = row else { return Ok(None) };
        // A negative number cannot have been signed; it fails the check as the largest one does.
        Ok(Some(Head { seq: u64::try_from(seq).unwrap_or(u64::MAX), hash, signature }))
    }

    async fn page(&mut self, account: &str, after: i64) -> Result<Vec<SqliteRow>, StoreError> {
        sqlx::query(
            "SELECT seq, account, actor, action, smartbox, detail, at, hash FROM audit
             WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(account)
        .bind(after)
        .bind(PAGE)
        .fetch_all(self.conn()?)
        .await
        .map_err(|e| self.failed(e))
    }
}

impl Audit for Records<'_> {
    fn append(&mut self, act: Act) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let account = act.account.as_str();
            // No account, no head: both come and stay together.
            let head = self.last(account).await?.ok_or(StoreError::Missing { what: "account" })?;
            let hash = chain::hash(&head.hash, &Canonical::from(&act))?;
            let seq = head.seq.saturating_add(1);
            sqlx::query(
                "INSERT INTO audit (account, seq, actor, action, smartbox, detail, at, hash)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(account)
            .bind(signed(seq, "audit.seq")?)
            .bind(&act.actor)
            .bind(&act.action)
            .bind(act.smartbox.as_ref().map(|id| id.as_str()))
            .bind(&act.detail)
            .bind(act.at.0)
            .bind(&hash)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, "account"))?;
            let head = Head::sign(&self.vault.signer, account, seq, hash);
            self.put_head(account, &head).await
        })
    }

    fn list(
        &mut self,
        account: AccountId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT seq, account, actor, action, smartbox, detail, at, hash FROM audit
                 WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?",
            )
            .bind(account.as_str())
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(limit)
            .try_map(|row| entry(&row))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn head(&mut self, account: AccountId) -> BoxFuture<'_, Result<audit::Head, StoreError>> {
        Box::pin(async move {
            let head = self.last(account.as_str()).await?;
            let head = head.ok_or(StoreError::Missing { what: "account" })?;
            Ok(head.told(&self.vault.signer))
        })
    }

    fn verify(&mut self, account: AccountId) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        Box::pin(async move {
            let known: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?)")
                    .bind(account.as_str())
                    .fetch_one(self.conn()?)
                    .await
                    .map_err(|e| self.failed(e))?;
            if !known {
                return Err(StoreError::Missing { what: "account" });
            }
            let mut check = Check::new();
            let mut after = i64::MIN;
            'pages: loop {
                let page = self.page(account.as_str(), after).await?;
                for row in &page {
                    // As text, not as our types: a word that was changed is a bad entry, not a failure.
                    let (seq, act, hash) = stored(row).map_err(error::store)?;
                    after = seq;
                    if !check.entry(seq, &act, hash)? {
                        break 'pages;
                    }
                }
                if page.is_empty() {
                    break;
                }
            }
            let head = self.last(account.as_str()).await?;
            let key = self.vault.signer.verifying_key();
            Ok(check.finish(&key, account.as_str(), head.as_ref()))
        })
    }
}

fn stored(row: &SqliteRow) -> Result<(i64, Canonical<'_>, &str), sqlx::Error> {
    let act = Canonical {
        account: row.try_get("account")?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        smartbox: row.try_get("smartbox")?,
        detail: row.try_get("detail")?,
        at: row.try_get("at")?,
    };
    Ok((row.try_get("seq")?, act, row.try_get("hash")?))
}

fn entry(row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    let (seq, act, hash) = stored(row)?;
    let smartbox = match act.smartbox {
        None => None,
        Some(id) => Some(decoded(id.parse().ok(), "smartbox")?),
    };
    Ok(Entry {
        seq: decoded(u64::try_from(seq).ok(), "seq")?,
        act: Act {
            account: decoded(act.account.parse().ok(), "account")?,
            actor: act.actor.to_owned(),
            action: act.action.to_owned(),
            smartbox,
            detail: act.detail.to_owned(),
            at: Timestamp(act.at),
        },
        hash: hash.to_owned(),
    })
}
