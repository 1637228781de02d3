//! The keys of an open store: the data key, unwrapped by the master key, and the audit's signing
//! key, sealed by the data key. Both are made with the database.

use std::path::Path;
use std::sync::Arc;

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
    /// The row of the data key that new values are sealed under.
    pub(super) data_id: i64,
    /// Signs the heads of the audit.
    pub(super) signer: SigningKey,
    /// Its row.
    pub(super) signer_id: i64,
    pub(super) clock: Arc<dyn Clock>,
    master: Keys,
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
        let row = sqlx::query("SELECT wrapped, master, version FROM data_keys WHERE id = ?")
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
        let row = sqlx::query(
            "SELECT d.wrapped, d.master, d.version, s.sealed, s.version AS signer_version
             FROM data_keys d JOIN signing_keys s ON s.data_key = d.id WHERE d.id = ?1 AND s.id = ?1",
        )
        .bind(FIRST)
        .fetch_optional(&mut *conn)
        .await
        .map_err(failed)?
        .ok_or_else(|| OpenError::Sealed { path: path.into() })?;
        let master: String = row.try_get("master").map_err(failed)?;
        if master != keys.id() {
            let found = keys.id().to_owned();
            return Err(OpenError::WrongKey { path: path.into(), expected: master, found });
        }
        let wrapped: Vec<u8> = row.try_get("wrapped").map_err(failed)?;
        let version = row.try_get("version").map_err(failed)?;
        let data = open_key(keys.master(), &data_place(version), &wrapped).map_err(sealed)?;
        let signer: Vec<u8> = row.try_get("sealed").map_err(failed)?;
        let version = row.try_get("signer_version").map_err(failed)?;
        let signer = open_key(&data, &signer_place(version), &signer).map_err(sealed)?;
        let signer = SigningKey::from_bytes(&signer);
        let master = keys.clone();
        Ok(Self { data, data_id: FIRST, signer, signer_id: FIRST, clock, master, entropy })
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
        seal::seal(self.master.master(), &outside(scope), plain, &*self.entropy)
    }

    /// Opens what an installation with this master key sealed.
    pub(super) fn open_outside(&self, scope: &str, sealed: &[u8]) -> Result<String, StoreError> {
        let plain = seal::open(self.master.master(), &outside(scope), sealed)?;
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

    /// Opens a value that is no text.
    pub(super) fn unseal_bytes(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        if place.key != self.data_id {
            return Err(StoreError::Sealed);
        }
        seal::open(&self.data, place, sealed)
    }

    /// Opens a value sealed under data key `key`.
    pub(super) fn unseal(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Secret<String>, StoreError> {
        let plain = self.unseal_bytes(place, sealed)?;
        std::str::from_utf8(&plain)
            .map(|text| Secret::new(text.to_owned()))
            .map_err(|_| StoreError::Sealed)
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
        seal::seal(keys.master(), &data_place(1), &*data, entropy).map_err(Making::Seal)?;
    let signer = seal::fresh(entropy);
    let sealed = seal::seal(&data, &signer_place(1), &*signer, entropy).map_err(Making::Seal)?;
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

fn open_key(under: &Key, place: &Place<'_>, sealed: &[u8]) -> Result<Key, StoreError> {
    let plain = seal::open(under, place, sealed)?;
    let bytes: &[u8; 32] = plain.as_slice().try_into().map_err(|_| StoreError::Sealed)?;
    Ok(Zeroizing::new(*bytes))
}

fn data_place(version: i64) -> Place<'static> {
    Place { scope: "platform key", name: "data", version, key: 0 }
}

/// Beside a repository.
fn outside(scope: &str) -> Place<'_> {
    Place { scope, name: "snapshot record", version: 1, key: 0 }
}

fn signer_place(version: i64) -> Place<'static> {
    Place { scope: "platform key", name: "audit", version, key: FIRST }
}
