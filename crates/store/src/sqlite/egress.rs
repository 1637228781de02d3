//! Rules about what may leave, and the account of what left, in SQLite.

use smartbox_core::BoxFuture;
use smartbox_core::egress::port::{EgressRules, EgressUses};
use smartbox_core::egress::{Effect, Kept, MOST_SECRETS, Refusal, Scope, Use, What};
use smartbox_core::id::{EgressRuleId, SmartboxId};
use smartbox_core::sandbox::Program;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::error;
use super::records::{Records, decoded, json, signed};

/// Both of a scope's columns.
fn columns(scope: &Scope) -> (Option<&str>, Option<&str>) {
    match scope {
        Scope::Account(id) => (Some(id.as_str()), None),
        Scope::Smartbox(id) => (None, Some(id.as_str())),
    }
}

impl EgressRules for Records<'_> {
    fn add(&mut self, kept: Kept) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let (account, smartbox) = columns(&kept.scope);
            let missing = if account.is_some() { "account" } else { "smartbox" };
            let (rule, preset) = match &kept.what {
                What::Rule(rule) => {
                    let text = serde_json::to_string(rule);
                    (Some(text.map_err(|_| error::unreadable("egress_rules.rule"))?), None)
                }
                What::Preset(name) => (None, Some(name.as_str())),
            };
            sqlx::query(
                "INSERT INTO egress_rules (id, account, smartbox, effect, rule, preset, until, once, added)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(kept.id.as_str())
            .bind(account)
            .bind(smartbox)
            .bind(kept.effect.as_str())
            .bind(rule)
            .bind(preset)
            .bind(kept.until.map(|at| at.0))
            .bind(kept.once)
            .bind(kept.added.0)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed_referring(e, missing))?;
            Ok(())
        })
    }

    fn list(&mut self, scope: Scope) -> BoxFuture<'_, Result<Vec<Kept>, StoreError>> {
        Box::pin(async move {
            let (account, smartbox) = columns(&scope);
            // Two statements, so that each has its index.
            let sql = if account.is_some() {
                "SELECT id, effect, rule, preset, until, once, added FROM egress_rules
                 WHERE account = ? ORDER BY seq"
            } else {
                "SELECT id, effect, rule, preset, until, once, added FROM egress_rules
                 WHERE smartbox = ? ORDER BY seq"
            };
            sqlx::query(sql)
                .bind(account.or(smartbox))
                .try_map(|row| kept(&row, &scope))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn remove(
        &mut self,
        scope: Scope,
        id: EgressRuleId,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let (account, smartbox) = columns(&scope);
            let done = sqlx::query(
                "DELETE FROM egress_rules WHERE id = ? AND account IS ? AND smartbox IS ?",
            )
            .bind(id.as_str())
            .bind(account)
            .bind(smartbox)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn sweep(&mut self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM egress_rules WHERE until < ?")
                .bind(before.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(done.rows_affected())
        })
    }
}

impl EgressUses for Records<'_> {
    fn add(&mut self, uses: Vec<Use>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            for one in uses {
                sqlx::query(
                    "INSERT INTO egress_uses
                         (smartbox, day, host, port, opened, up, down, refused, why, last, secrets, by)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
                     WHERE EXISTS (SELECT 1 FROM smartboxes WHERE id = ?1)
                     ON CONFLICT (smartbox, day, host, port) DO UPDATE SET
                         opened = opened + excluded.opened, up = up + excluded.up,
                         down = down + excluded.down, refused = refused + excluded.refused,
                         why = coalesce(excluded.why, why), last = max(last, excluded.last),
                         by = coalesce(excluded.by, by),
                         secrets = (SELECT json_group_array(value) FROM (
                             SELECT value FROM json_each(secrets) UNION
                             SELECT value FROM json_each(excluded.secrets)
                             ORDER BY value LIMIT ?13))",
                )
                .bind(one.smartbox.as_str())
                .bind(one.day.0)
                .bind(&one.host)
                .bind(one.port)
                .bind(signed(one.opened, "egress_uses.opened")?)
                .bind(signed(one.up, "egress_uses.up")?)
                .bind(signed(one.down, "egress_uses.down")?)
                .bind(signed(one.refused, "egress_uses.refused")?)
                .bind(one.why.map(Refusal::as_str))
                .bind(one.last.0)
                .bind(json(&one.secrets)?)
                .bind(one.by.as_ref().map(Program::as_str))
                .bind(i64::try_from(MOST_SECRETS).unwrap_or(i64::MAX))
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            }
            Ok(())
        })
    }

    fn list(
        &mut self,
        id: SmartboxId,
        since: Timestamp,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Use>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT day, host, port, opened, up, down, refused, why, last, secrets, by
                 FROM egress_uses
                 WHERE smartbox = ? AND day >= ? ORDER BY last DESC, host, port LIMIT ?",
            )
            .bind(id.as_str())
            .bind(smartbox_core::egress::day(since).0)
            .bind(limit)
            .try_map(|row| used(&row, &id))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn sweep(&mut self, before: Timestamp, most: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let old = sqlx::query("DELETE FROM egress_uses WHERE day < ?")
                .bind(before.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            let surplus = sqlx::query(
                "DELETE FROM egress_uses WHERE (smartbox, day, host, port) IN (
                     SELECT smartbox, day, host, port FROM (
                         SELECT smartbox, day, host, port, row_number() OVER (
                             PARTITION BY smartbox, day ORDER BY last DESC, host, port) AS place
                         FROM egress_uses)
                     WHERE place > ?)",
            )
            .bind(most)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(old.rows_affected() + surplus.rows_affected())
        })
    }
}

fn kept(row: &SqliteRow, scope: &Scope) -> Result<Kept, sqlx::Error> {
    let rule: Option<&str> = row.try_get("rule")?;
    let preset: Option<String> = row.try_get("preset")?;
    let what = match (rule, preset) {
        (Some(rule), None) => serde_json::from_str(rule).ok().map(What::Rule),
        (None, Some(name)) => Some(What::Preset(name)),
        _ => None,
    };
    Ok(Kept {
        id: decoded(row.try_get::<&str, _>("id")?.parse().ok(), "id")?,
        scope: scope.clone(),
        effect: decoded(Effect::parse(row.try_get("effect")?), "effect")?,
        what: decoded(what, "rule")?,
        until: row.try_get::<Option<i64>, _>("until")?.map(Timestamp),
        once: row.try_get("once")?,
        added: Timestamp(row.try_get("added")?),
    })
}

fn used(row: &SqliteRow, id: &SmartboxId) -> Result<Use, sqlx::Error> {
    let count =
        |column: &'static str| decoded(u64::try_from(row.try_get::<i64, _>(column)?).ok(), column);
    let why: Option<&str> = row.try_get("why")?;
    let by: Option<&str> = row.try_get("by")?;
    Ok(Use {
        smartbox: id.clone(),
        day: Timestamp(row.try_get("day")?),
        host: row.try_get("host")?,
        port: row.try_get("port")?,
        opened: count("opened")?,
        up: count("up")?,
        down: count("down")?,
        refused: count("refused")?,
        why: why.map(|word| decoded(Refusal::parse(word), "why")).transpose()?,
        secrets: decoded(serde_json::from_str(row.try_get("secrets")?).ok(), "secrets")?,
        last: Timestamp(row.try_get("last")?),
        by: by.and_then(|name| Program::new(name.as_bytes())),
    })
}
