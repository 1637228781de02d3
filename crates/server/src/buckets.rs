//! Buckets that boxes are imported from: where one is and what opens it, found out for one import and
//! forgotten after it. An operator names them, for the platform asks what he names.

use std::collections::BTreeMap;
use std::sync::Arc;

use smartbox_core::audit::Act;
use smartbox_core::id::AccountId;
use smartbox_core::moves::port::Bucket;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::store::{self, Store, StoreError};
use smartbox_core::time::Timestamp;

use crate::config::snapshots::{KEY_ID, SECRET_KEY, SECRETS, Snapshots, Storage};
use crate::config::{ConfigError, snapshots};

/// A bucket, and what opens it.
pub struct Opening {
    /// The server's address, without the bucket.
    pub endpoint: String,
    /// The bucket's name.
    pub bucket: String,
    /// The region.
    pub region: String,
    /// Whether the bucket stands in the path.
    pub path_style: bool,
    /// The name of the key.
    pub key_id: Secret<String>,
    /// The key.
    pub secret: Secret<String>,
}

/// Makes a driver of it. Nothing is asked of the server yet.
pub type Open = fn(Opening) -> Result<Arc<dyn Bucket>, SnapshotError>;

/// What is to be opened. What is none is as with the platform's own snapshots.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The bucket's name.
    pub bucket: String,
    /// The server's address.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The name of the key, which is sent as it is and so comes from no vault, and the secret of the
    /// account or the platform that holds the key, with which requests are signed.
    pub keys: Option<(String, String)>,
}

/// Why there is no such bucket to read.
#[derive(Debug, thiserror::Error)]
pub enum NoBucket {
    /// Something is missing, or makes no sense.
    #[error("{why}")]
    Refused {
        /// For a person.
        why: String,
        /// What the person can do.
        hint: String,
    },
    /// The records could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The driver cannot be made of it.
    #[error(transparent)]
    Driver(#[from] SnapshotError),
}

impl From<ConfigError> for NoBucket {
    fn from(error: ConfigError) -> Self {
        Self::Refused { why: error.to_string(), hint: error.hint() }
    }
}

/// Opens buckets.
#[derive(Clone)]
pub struct Buckets {
    /// Where the platform's own snapshots go.
    pub own: Snapshots,
    /// Has the secrets.
    pub store: Arc<dyn Store>,
    /// Makes the driver.
    pub open: Open,
}

impl Buckets {
    /// Opens one for an account, and writes down who did and with which secrets, before anything is asked.
    pub async fn open(
        &self,
        actor: &str,
        account: &AccountId,
        wanted: Wanted,
        at: Timestamp,
    ) -> Result<Arc<dyn Bucket>, NoBucket> {
        let Wanted { bucket, endpoint, region, keys } = wanted;
        let bucket = snapshots::bucket_name("bucket", bucket)?;
        let own = self.vault(SECRETS.map(|name| (Scope::Platform, name.to_owned())).into()).await?;
        let endpoint = match endpoint {
            Some(named) => snapshots::endpoint("endpoint", &named)?,
            None => self.own_endpoint(&own)?,
        };
        let (key_id, secret, told) = match keys {
            Some((key_id, name)) => {
                // What comes later wins.
                let scopes = [Scope::Platform, Scope::Account(account.clone())];
                let kept = self.vault(scopes.map(|scope| (scope, name.clone())).into()).await?;
                let secret = kept.get(&name).cloned().ok_or_else(|| missing(&name))?;
                (Secret::new(key_id), secret, name)
            }
            None => {
                let of = |name: &str| own.get(name).or_else(|| self.own.given.get(name)).cloned();
                let key_id = of(KEY_ID).ok_or_else(|| missing(KEY_ID))?;
                let secret = of(SECRET_KEY).ok_or_else(|| missing(SECRET_KEY))?;
                (key_id, secret, SECRET_KEY.to_owned())
            }
        };
        let act = Act {
            account: account.clone(),
            actor: actor.to_owned(),
            action: "bucket.open".into(),
            smartbox: None,
            detail: format!("{bucket} at {endpoint}, with {told}"),
            at,
        };
        store::write(&*self.store, move |tx| Box::pin(async move { tx.audit().append(act).await }))
            .await?;
        Ok((self.open)(Opening {
            region: region.unwrap_or_else(|| self.own.region.clone()),
            path_style: self.own.path_style,
            endpoint,
            bucket,
            key_id,
            secret,
        })?)
    }

    fn own_endpoint(&self, own: &BTreeMap<String, Secret<String>>) -> Result<String, NoBucket> {
        match self.own.place(own)? {
            Storage::Bucket { endpoint, .. } => Ok(endpoint),
            Storage::Directory(_) => Err(NoBucket::Refused {
                why: "the platform has no bucket of its own, and no server is named".into(),
                hint: "say where the bucket is: `--endpoint https://…`".into(),
            }),
        }
    }

    /// What the vault keeps under these names; of one name the last that there is.
    async fn vault(
        &self,
        names: Vec<(Scope, String)>,
    ) -> Result<BTreeMap<String, Secret<String>>, StoreError> {
        store::read(&*self.store, move |tx| {
            Box::pin(async move {
                let mut kept = BTreeMap::new();
                for (scope, name) in names {
                    if let Some(value) = tx.secrets().open(scope, name.clone()).await? {
                        kept.insert(name, value);
                    }
                }
                Ok(kept)
            })
        })
        .await
    }
}

fn missing(name: &str) -> NoBucket {
    NoBucket::Refused {
        why: format!("there is no secret {name}"),
        hint: format!(
            "set it with `smartbox secret set {name}`, or name another one: `--key-id` and `--key`"
        ),
    }
}
