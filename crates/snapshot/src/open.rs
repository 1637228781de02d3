//! Making and opening a repository by its master key. No password and so no costly derivation: the key
//! is random.

use std::sync::Arc;

use bytesize::ByteSize;
use rustic_core::{
    ConfigOptions, Credentials, KeyOptions, OpenStatus, Repository, RepositoryBackends,
    RepositoryOptions, repofile::MasterKey,
};
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::RepositoryKey;
use smartbox_core::snapshot::port::{Meter, SnapshotError};

use crate::backend::{Backend, why};
use crate::gate::Gate;
use crate::progress::Bars;

/// An open repository, and what failed while it was used.
pub(crate) struct Opened {
    pub(crate) repository: Repository<OpenStatus>,
    pub(crate) gate: Gate,
}

pub(crate) fn create(backend: Backend, key: &RepositoryKey) -> Result<(), SnapshotError> {
    let gate = backend.gate.clone();
    // What is left of one that was destroyed half-way is none to begin in.
    let remains = backend.remains()?;
    let again = handle(backend.clone(), None)?;
    let repository = handle(backend, None)?;
    let there = repository.config_id().map_err(|error| why(&gate, REPOSITORY, error))?.is_some();
    if there || remains {
        return Err(SnapshotError::Exists { what: REPOSITORY });
    }
    let mut config = ConfigOptions::default();
    config.set_datapack_size = Some(PACK);
    config.set_datapack_size_limit = Some(PACK);
    let made = repository.init(&credentials(key)?, &KeyOptions::default(), &config);
    match made {
        Ok(_) => Ok(()),
        // The library looks a second time, and has a word of its own for what somebody else made since.
        Err(_) if gate.is_open() && again.config_id().is_ok_and(|id| id.is_some()) => {
            Err(SnapshotError::Exists { what: REPOSITORY })
        }
        Err(error) => Err(match why(&gate, REPOSITORY, error) {
            SnapshotError::Exists { .. } => SnapshotError::Exists { what: REPOSITORY },
            other => other,
        }),
    }
}

pub(crate) fn open(backend: Backend, key: &RepositoryKey) -> Result<Opened, SnapshotError> {
    metered(backend, key, None)
}

/// The same, and what is done with it afterwards is told to a meter.
pub(crate) fn metered(
    backend: Backend,
    key: &RepositoryKey,
    meter: Option<Meter>,
) -> Result<Opened, SnapshotError> {
    let gate = backend.gate.clone();
    let repository = handle(backend, meter)?;
    let there = repository.config_id().map_err(|error| why(&gate, REPOSITORY, error))?.is_some();
    if !there {
        return Err(SnapshotError::Missing { what: REPOSITORY });
    }
    let repository =
        repository.open(&credentials(key)?).map_err(|error| why(&gate, REPOSITORY, error))?;
    Ok(Opened { repository, gate })
}

/// Adds a key file that a password opens, as the restic program wants one.
pub(crate) fn add_password(
    opened: &Opened,
    password: &Secret<String>,
) -> Result<(), SnapshotError> {
    let options = KeyOptions::default().hostname("smartbox".to_owned()).with_created(true);
    let added = opened.repository.add_key(password.expose(), &options);
    added.map(|_| ()).map_err(|error| why(&opened.gate, REPOSITORY, error))
}

/// About how large an object of the repository is. A restore holds twenty of them in memory at a time.
const PACK: ByteSize = ByteSize::mib(4);

const REPOSITORY: &str = "repository of snapshots";

fn handle(backend: Backend, meter: Option<Meter>) -> Result<Repository<()>, SnapshotError> {
    let gate = backend.gate.clone();
    // A cache would keep pieces of one box's home elsewhere on the disk.
    let mut options = RepositoryOptions::default();
    options.no_cache = true;
    let bars = Bars(meter.map(|meter| (meter, Arc::default())));
    let backends = RepositoryBackends::new(Arc::new(backend), None);
    Repository::new_with_progress(&options, &backends, bars)
        .map_err(|error| why(&gate, REPOSITORY, error))
}

fn credentials(key: &RepositoryKey) -> Result<Credentials, SnapshotError> {
    let bytes = key.expose();
    let text = |part: &[u8]| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(part)
    };
    // The library makes one of its own or reads one; this is its written form.
    let written = serde_json::json!({
        "mac": { "k": text(&bytes[32..48]), "r": text(&bytes[48..]) },
        "encrypt": text(&bytes[..32]),
    });
    serde_json::from_value::<MasterKey>(written).map(Credentials::Masterkey).map_err(|source| {
        SnapshotError::Broken { doing: "reading the key of a repository", source: source.into() }
    })
}
