//! The keys of an open store: the data key, unwrapped by the master key, and the audit's signing
//! key, sealed by the data key. Both are made with the database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use ed25519_dalek::SigningKey;
use smartbox_core::id::Entropy;
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;
use smartbox_core::time::Clock;
use sqlx::{Row, SqliteConnection};
use zeroize::Zeroizing;

use super::open::{OpenError, broken, classify};
use crate::keys::Keys;
use crate::seal::{self, Key, Place};

const FIRST: i64 = 1;

/// What a unit of work needs to seal, open and sign.
pub(super) struct Vault {
    data: Key,
    /// Every data key that there is or was, by row: what one work sealed another may have to open.
    known: Arc<RwLock<BTreeMap<i64, Key>>>,
    /// The row of the data key that new values are sealed under.
    pub(super) data_id: i64,
    /// Signs the heads of the audit.
    pub(super) signer: SigningKey,
    /// Its row.
    pub(super) signer_id: i64,
    pub(super) clock: Arc<dyn Clock>,
    /// The master key in force, which is another one after a change.
    master: Arc<RwLock<Keys>>,
    entropy: Arc<dyn Entropy>,
}

impl Vault {
    /// Unwraps the keys in the database, or makes them in a new one.
    pub(super) async fn open(
        path: &Path,
        conn: &mut SqliteConnection,
        keys: &Keys,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let failed = |e| classify(path, e);
        let sealed = |e| match e {
            StoreError::Sealed => OpenError::Sealed { path: path.into() },
            other => broken(path, other.into()),
        };
        let row = sqlx::query("SELECT id FROM data_keys WHERE id >= ? LIMIT 1")
            .bind(FIRST)
            .fetch_optional(&mut *conn)
            .await
            .map_err(failed)?;
        if row.is_none() {
            make(conn, keys, &*clock, &*entropy).await.map_err(|e| match e {
                Making::Seal(e) => sealed(e),
                Making::Database(e) => failed(e),
            })?;
        }
        let rows = sqlx::query("SELECT id, wrapped, master, version FROM data_keys ORDER BY id")
            .fetch_all(&mut *conn)
            .await
            .map_err(failed)?;
        let mut known = BTreeMap::new();
        for row in rows {
            let master: String = row.try_get("master").map_err(failed)?;
            let Some(under) = keys.named(&master) else {
                let found = keys.id().to_owned();
                return Err(OpenError::WrongKey { path: path.into(), expected: master, found });
            };
            let wrapped: Vec<u8> = row.try_get("wrapped").map_err(failed)?;
            let (id, version) =
                (row.try_get("id").map_err(failed)?, row.try_get("version").map_err(failed)?);
            let data = open_key(under, &data_place(id, version), &wrapped).map_err(sealed)?;
            known.insert(id, data);
        }
        // New values are sealed under the newest.
        let newest = known.last_key_value().map(|(id, key)| (*id, key.clone()));
        let (data_id, data) = newest.ok_or_else(|| OpenError::Sealed { path: path.into() })?;
        let row = sqlx::query("SELECT sealed, version, data_key FROM signing_keys WHERE id = ?")
            .bind(FIRST)
            .fetch_optional(&mut *conn)
            .await
            .map_err(failed)?
            .ok_or_else(|| OpenError::Sealed { path: path.into() })?;
        let signer: Vec<u8> = row.try_get("sealed").map_err(failed)?;
        let version = row.try_get("version").map_err(failed)?;
        let under: i64 = row.try_get("data_key").map_err(failed)?;
        let key = known.get(&under).ok_or_else(|| OpenError::Sealed { path: path.into() })?;
        let signer = open_key(key, &signer_place(version, under), &signer).map_err(sealed)?;
        let signer = SigningKey::from_bytes(&signer);
        let known = Arc::new(RwLock::new(known));
        let master = Arc::new(RwLock::new(keys.clone()));
        Ok(Self { data, known, data_id, signer, signer_id: FIRST, clock, master, entropy })
    }

    /// Seals a value under the current data key.
    pub(super) fn seal(
        &self,
        scope: &str,
        name: &str,
        version: i64,
        plain: &str,
    ) -> Result<Vec<u8>, StoreError> {
        self.seal_bytes(scope, name, version, plain.as_bytes())
    }

    /// Seals what leaves the installation: under the master key itself, since the data key stays here.
    pub(super) fn seal_outside(&self, scope: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let master = self.master.read().unwrap_or_else(PoisonError::into_inner);
        seal::seal(master.master(), &outside(scope), plain, &*self.entropy)
    }

    /// Opens what an installation with this master key sealed.
    pub(super) fn open_outside(&self, scope: &str, sealed: &[u8]) -> Result<String, StoreError> {
        let master = self.master.read().unwrap_or_else(PoisonError::into_inner);
        let plain = seal::open(master.master(), &outside(scope), sealed)?;
        std::str::from_utf8(&plain).map(str::to_owned).map_err(|_| StoreError::Sealed)
    }

    /// Seals a value that is no text under the current data key.
    pub(super) fn seal_bytes(
        &self,
        scope: &str,
        name: &str,
        version: i64,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let place = Place { scope, name, version, key: self.data_id };
        seal::seal(&self.data, &place, plain, &*self.entropy)
    }

    /// Finishes a change of the master key that was cut off. A database that is under the one before the one
    /// that was given is wrapped anew.
    pub(super) async fn settle(
        &self,
        path: &Path,
        conn: &mut SqliteConnection,
        mut keys: Keys,
    ) -> Result<Keys, OpenError> {
        use sqlx::Connection;
        let failed = |e| classify(path, e);
        if keys.is_file() {
            let under: String = sqlx::query_scalar("SELECT master FROM data_keys WHERE id = ?")
                .bind(self.data_id)
                .fetch_one(&mut *conn)
                .await
                .map_err(failed)?;
            keys.settle(&under).map_err(|error| broken(path, error.into()))?;
            self.follow(&keys);
            return Ok(keys);
        }
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("SELECT id, version FROM data_keys WHERE master <> ?")
                .bind(keys.id())
                .fetch_all(&mut *conn)
                .await
                .map_err(failed)?;
        let mut tx = conn.begin().await.map_err(failed)?;
        for (id, version) in rows {
            let key = self.key(id).map_err(|e| broken(path, e.into()))?;
            let version = version.saturating_add(1);
            let wrapped = self.wrap(keys.master(), id, version, &key);
            sqlx::query("UPDATE data_keys SET version = ?, master = ?, wrapped = ? WHERE id = ?")
                .bind(version)
                .bind(keys.id())
                .bind(wrapped.map_err(|e| broken(path, e.into()))?)
                .bind(id)
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        Ok(keys)
    }

    /// The same vault with another data key for new values.
    fn under(&self, id: i64, key: Key) -> Self {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(id, key.clone());
        Self {
            data: key,
            known: self.known.clone(),
            data_id: id,
            signer: self.signer.clone(),
            signer_id: self.signer_id,
            clock: self.clock.clone(),
            master: self.master.clone(),
            entropy: self.entropy.clone(),
        }
    }

    /// From now on this is the master key.
    pub(super) fn follow(&self, keys: &Keys) {
        *self.master.write().unwrap_or_else(PoisonError::into_inner) = keys.clone();
    }

    pub(super) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    pub(super) fn fresh(&self) -> Key {
        seal::fresh(&*self.entropy)
    }

    /// Wraps a data key under a master key.
    pub(super) fn wrap(
        &self,
        master: &Key,
        id: i64,
        version: i64,
        key: &Key,
    ) -> Result<Vec<u8>, StoreError> {
        seal::seal(master, &data_place(id, version), &**key, &*self.entropy)
    }

    /// The data key of a row.
    pub(super) fn key(&self, id: i64) -> Result<Key, StoreError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).cloned().ok_or(StoreError::Sealed)
    }

    /// Opens what was sealed under any data key.
    pub(super) fn unseal_any(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        seal::open(&self.key(place.key)?, place, sealed)
    }

    /// Seals what was sealed under an older data key under the present one.
    pub(super) fn seal_anew(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let plain = self.unseal_any(place, sealed)?;
        let place = Place { key: self.data_id, ..*place };
        seal::seal(&self.data, &place, &plain, &*self.entropy)
    }

    /// Opens a value sealed under data key `key`.
    pub(super) fn unseal(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Secret<String>, StoreError> {
        let plain = self.unseal_any(place, sealed)?;
        std::str::from_utf8(&plain)
            .map(|text| Secret::new(text.to_owned()))
            .map_err(|_| StoreError::Sealed)
    }
}

/// The vault in force. A work has one of its own from beginning to end, so that what it seals is of the key
/// that it names.
#[derive(Clone)]
pub(super) struct Current(Arc<RwLock<Arc<Vault>>>);

impl Current {
    pub(super) fn new(vault: Vault) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(vault))))
    }

    pub(super) fn now(&self) -> Arc<Vault> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on values are sealed under this key. Its row must be on the disk.
    pub(super) fn renew(&self, id: i64, key: Key) {
        let mut vault = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *vault = Arc::new(vault.under(id, key));
    }
}

enum Making {
    Seal(StoreError),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Making {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

async fn make(
    conn: &mut SqliteConnection,
    keys: &Keys,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<(), Making> {
    use sqlx::Connection;
    let data = seal::fresh(entropy);
    let wrapped =
        seal::seal(keys.master(), &data_place(FIRST, 1), &*data, entropy).map_err(Making::Seal)?;
    let signer = seal::fresh(entropy);
    let sealed =
        seal::seal(&data, &signer_place(1, FIRST), &*signer, entropy).map_err(Making::Seal)?;
    let now = clock.now().0;
    let mut tx = conn.begin().await?;
    sqlx::query(
        "INSERT INTO data_keys (id, version, master, wrapped, created) VALUES (?, 1, ?, ?, ?)",
    )
    .bind(FIRST)
    .bind(keys.id())
    .bind(wrapped)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    sqlx::query("INSERT INTO signing_keys (id, version, data_key, sealed, created) VALUES (?1, 1, ?1, ?2, ?3)")
        .bind(FIRST)
        .bind(sealed)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Unwraps a data key.
pub(super) fn unwrap(
    master: &Key,
    id: i64,
    version: i64,
    wrapped: &[u8],
) -> Result<Key, StoreError> {
    open_key(master, &data_place(id, version), wrapped)
}

fn open_key(under: &Key, place: &Place<'_>, sealed: &[u8]) -> Result<Key, StoreError> {
    let plain = seal::open(under, place, sealed)?;
    let bytes: &[u8; 32] = plain.as_slice().try_into().map_err(|_| StoreError::Sealed)?;
    Ok(Zeroizing::new(*bytes))
}

/// Another place for each row; that of the first is as it always was.
fn data_place(id: i64, version: i64) -> Place<'static> {
    Place { scope: "platform key", name: "data", version, key: id - FIRST }
}

/// Beside a repository.
fn outside(scope: &str) -> Place<'_> {
    Place { scope, name: "snapshot record", version: 1, key: 0 }
}

fn signer_place(version: i64, key: i64) -> Place<'static> {
    Place { scope: "platform key", name: "audit", version, key }
}
