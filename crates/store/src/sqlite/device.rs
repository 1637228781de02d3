//! Devices in SQLite.

use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::device::port::Devices;
use smartbox_core::device::{
    Ask, Device, DeviceId, FORGOTTEN, IDLE, Kind, LASTS, Place, PublicKey, State, Swept, Verdict,
};
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;
use smartbox_core::session::Root;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::records::{Records, decoded, signed};
use super::session::{person, smartbox};

const PUT: &str = "
    INSERT INTO devices (id, public_key, kind, account, smartbox, person, name, platform, address,
                         state, granted, created, decided, decided_by, seen, user_code, device_code,
                         nonce, requested, asked, expires, interval_ms, polled, verdict, by_token,
                         by_device)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        public_key = excluded.public_key, kind = excluded.kind, account = excluded.account,
        smartbox = excluded.smartbox, person = excluded.person, name = excluded.name,
        platform = excluded.platform, address = excluded.address, state = excluded.state,
        granted = excluded.granted, created = excluded.created, decided = excluded.decided,
        decided_by = excluded.decided_by, seen = excluded.seen, user_code = excluded.user_code,
        device_code = excluded.device_code, nonce = excluded.nonce,
        requested = excluded.requested, asked = excluded.asked, expires = excluded.expires,
        interval_ms = excluded.interval_ms, polled = excluded.polled, verdict = excluded.verdict,
        by_token = excluded.by_token, by_device = excluded.by_device";

impl Devices for Records<'_> {
    fn put(&mut self, device: Device) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let ask = device.ask.as_ref();
            let interval =
                ask.map(|ask| u64::try_from(ask.interval.as_millis()).unwrap_or(u64::MAX));
            let interval = interval.map(|ms| signed(ms, "devices.interval_ms")).transpose()?;
            sqlx::query(PUT)
                .bind(device.id.as_str())
                .bind(device.key.map(PublicKey::to_hex))
                .bind(device.kind.as_str())
                .bind(device.account.as_ref().map(|id| id.as_str()))
                .bind(device.smartbox.as_ref().map(|id| id.as_str()))
                .bind(device.person.as_ref().map(|id| id.as_str()))
                .bind(&device.name)
                .bind(&device.platform)
                .bind(&device.address)
                .bind(device.state.as_str())
                .bind(device.granted.map(Right::as_str))
                .bind(device.created.0)
                .bind(device.decided.map(|at| at.0))
                .bind(&device.decided_by)
                .bind(device.seen.map(|at| at.0))
                .bind(ask.map(|ask| &ask.user_code))
                .bind(ask.map(|ask| &ask.device_code))
                .bind(ask.map(|ask| &ask.nonce))
                .bind(ask.map(|ask| ask.requested.as_str()))
                .bind(ask.map(|ask| ask.at.0))
                .bind(ask.map(|ask| ask.expires.0))
                .bind(interval)
                .bind(ask.and_then(|ask| ask.polled).map(|at| at.0))
                .bind(ask.map(|ask| ask.verdict.as_str()))
                .bind(device.root.token.as_ref().map(|id| id.as_str()))
                .bind(device.root.device.as_ref().map(|id| id.as_str()))
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed_referring(e, "account, person, smartbox or root"))?;
            if device.state == State::Revoked {
                if device.decided_by.as_deref() == Some(FORGOTTEN) {
                    self.inherit(&device).await?;
                }
                for sql in [
                    "DELETE FROM devices WHERE by_device = ?",
                    "DELETE FROM tokens WHERE by_device = ?",
                    "DELETE FROM sessions WHERE by_device = ?",
                ] {
                    let query = sqlx::query(sql).bind(device.id.as_str());
                    query.execute(self.conn()?).await.map_err(|e| self.failed(e))?;
                }
            }
            Ok(())
        })
    }

    fn get(&mut self, id: DeviceId) -> BoxFuture<'_, Result<Option<Device>, StoreError>> {
        self.device("SELECT * FROM devices WHERE id = ?", id.into())
    }

    fn by_user_code(&mut self, hash: String) -> BoxFuture<'_, Result<Option<Device>, StoreError>> {
        self.device("SELECT * FROM devices WHERE user_code = ?", hash)
    }

    fn by_device_code(
        &mut self,
        hash: String,
    ) -> BoxFuture<'_, Result<Option<Device>, StoreError>> {
        self.device("SELECT * FROM devices WHERE device_code = ?", hash)
    }

    fn list(&mut self, account: AccountId) -> BoxFuture<'_, Result<Vec<Device>, StoreError>> {
        Box::pin(async move {
            sqlx::query("SELECT * FROM devices WHERE account = ? ORDER BY created DESC, id")
                .bind(account.as_str())
                .try_map(|row| device(&row))
                .fetch_all(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }

    fn waiting(&mut self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Place>, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "SELECT id, account, name, address, asked FROM devices
                 WHERE verdict = 'waiting' AND expires > ?",
            )
            .bind(now.0)
            .try_map(|row| place(&row))
            .fetch_all(self.conn()?)
            .await
            .map_err(|e| self.failed(e))
        })
    }

    fn seen(&mut self, id: DeviceId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("UPDATE devices SET seen = max(coalesce(seen, ?2), ?2) WHERE id = ?1")
                .bind(id.as_str())
                .bind(at.0)
                .execute(self.conn()?)
                .await
                .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(async move {
            let gone = sqlx::query(
                "DELETE FROM devices
                 WHERE (state IN ('pending', 'rejected') AND created <= ?2
                        AND (expires IS NULL OR expires <= ?1))
                    OR (kind = 'browser' AND public_key IS NULL
                        AND NOT EXISTS (SELECT 1 FROM sessions WHERE by_device = devices.id)
                        AND NOT EXISTS (SELECT 1 FROM tokens WHERE by_device = devices.id)
                        AND NOT EXISTS (SELECT 1 FROM devices AS d WHERE d.by_device = devices.id))",
            )
            .bind(now.0)
            // One that has signed in only now asks in a moment.
            .bind(now.0.saturating_sub_unsigned(LASTS.as_millis() as u64))
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            sqlx::query(
                "UPDATE devices SET user_code = NULL, device_code = NULL, nonce = NULL,
                     requested = NULL, asked = NULL, expires = NULL, interval_ms = NULL,
                     polled = NULL, verdict = NULL
                 WHERE expires <= ?",
            )
            .bind(now.0)
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
            let away = self.forgotten(now).await?;
            Ok(Swept { gone: gone.rows_affected(), away })
        })
    }
}

impl Records<'_> {
    /// Has what a device let in hang on what it hangs on itself.
    async fn inherit(&mut self, device: &Device) -> Result<(), StoreError> {
        sqlx::query("UPDATE devices SET by_token = ?, by_device = ? WHERE by_device = ?")
            .bind(device.root.token.as_ref().map(|id| id.as_str()))
            .bind(device.root.device.as_ref().map(|id| id.as_str()))
            .bind(device.id.as_str())
            .execute(self.conn()?)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// Those that stayed away for too long.
    async fn forgotten(&mut self, now: Timestamp) -> Result<Vec<DeviceId>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM devices WHERE state = 'approved' AND kind IN ('cli', 'connector')
             AND max(coalesce(seen, created), coalesce(decided, created)) <= ? - ?",
        )
        .bind(now.0)
        .bind(i64::try_from(IDLE.as_millis()).unwrap_or(i64::MAX))
        .try_map(|row| device(&row))
        .fetch_all(self.conn()?)
        .await
        .map_err(|e| self.failed(e))?;
        let forgotten = rows.into_iter().filter(|device| device.is_forgotten(now));
        Ok(forgotten.map(|device| device.id).collect())
    }

    /// The one device that a statement finds by one value.
    fn device(
        &mut self,
        sql: &'static str,
        by: String,
    ) -> BoxFuture<'_, Result<Option<Device>, StoreError>> {
        Box::pin(async move {
            sqlx::query(sql)
                .bind(by)
                .try_map(|row| device(&row))
                .fetch_optional(self.conn()?)
                .await
                .map_err(|e| self.failed(e))
        })
    }
}

fn place(row: &SqliteRow) -> Result<Place, sqlx::Error> {
    let account: Option<&str> = row.try_get("account")?;
    Ok(Place {
        id: decoded(row.try_get::<&str, _>("id")?.parse().ok(), "devices.id")?,
        account: account.map(|id| decoded(id.parse().ok(), "devices.account")).transpose()?,
        name: row.try_get("name")?,
        address: row.try_get("address")?,
        at: Timestamp(row.try_get("asked")?),
    })
}

fn device(row: &SqliteRow) -> Result<Device, sqlx::Error> {
    let time = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(Timestamp));
    let key: Option<&str> = row.try_get("public_key")?;
    let account: Option<&str> = row.try_get("account")?;
    let granted: Option<&str> = row.try_get("granted")?;
    let root = |column| row.try_get::<Option<&str>, _>(column);
    Ok(Device {
        id: decoded(row.try_get::<&str, _>("id")?.parse().ok(), "devices.id")?,
        key: key.map(|key| decoded(PublicKey::from_hex(key), "devices.public_key")).transpose()?,
        kind: decoded(Kind::parse(row.try_get("kind")?), "devices.kind")?,
        account: account.map(|id| decoded(id.parse().ok(), "devices.account")).transpose()?,
        smartbox: smartbox(row)?,
        person: person(row)?,
        name: row.try_get("name")?,
        platform: row.try_get("platform")?,
        address: row.try_get("address")?,
        state: decoded(State::parse(row.try_get("state")?), "devices.state")?,
        granted: granted.map(|word| decoded(Right::parse(word), "devices.granted")).transpose()?,
        ask: ask(row)?,
        created: Timestamp(row.try_get("created")?),
        decided: time("decided")?,
        decided_by: row.try_get("decided_by")?,
        seen: time("seen")?,
        root: Root {
            session: None,
            token: root("by_token")?.map(|id| decoded(id.parse().ok(), "by_token")).transpose()?,
            device: root("by_device")?
                .map(|id| decoded(id.parse().ok(), "by_device"))
                .transpose()?,
        },
    })
}

fn ask(row: &SqliteRow) -> Result<Option<Ask>, sqlx::Error> {
    let Some(device_code) = row.try_get::<Option<String>, _>("device_code")? else {
        return Ok(None);
    };
    let interval = u64::try_from(row.try_get::<i64, _>("interval_ms")?).ok();
    Ok(Some(Ask {
        user_code: row.try_get("user_code")?,
        device_code,
        nonce: row.try_get("nonce")?,
        requested: decoded(Right::parse(row.try_get("requested")?), "devices.requested")?,
        at: Timestamp(row.try_get("asked")?),
        expires: Timestamp(row.try_get("expires")?),
        interval: Duration::from_millis(decoded(interval, "devices.interval_ms")?),
        polled: row.try_get::<Option<i64>, _>("polled")?.map(Timestamp),
        verdict: decoded(Verdict::parse(row.try_get("verdict")?), "devices.verdict")?,
    }))
}
