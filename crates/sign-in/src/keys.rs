//! An issuer's key set.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::cached::Cached;
use crate::http::Fault;
use crate::jwt::Key;
use crate::refused::Refused;

/// Keys of one issuer at the most: a few, and as many again while they rotate.
const MOST: usize = 64;

/// The keys of an issuer, as they are known.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
}

/// As it is on the wire.
#[derive(Deserialize)]
pub(crate) struct Published {
    keys: Vec<Value>,
}

impl KeySet {
    /// Takes those that can check a signature. Others (for encryption, of an unknown kind, too short) are
    /// passed over, as the standard says.
    pub(crate) fn read(published: &Published) -> Result<Self, Fault> {
        if published.keys.len() > MOST {
            return Err(Fault(format!("the key set has more than {MOST} keys")));
        }
        let keys: Vec<Key> = published.keys.iter().filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err(Fault("the key set has no key that can check a signature".to_owned()));
        }
        Ok(Self { keys })
    }

    fn named(&self, id: &str) -> Vec<Key> {
        self.keys.iter().filter(|key| key.id.as_deref() == Some(id)).cloned().collect()
    }
}

/// The keys that may have signed a token: those of its name, or all if it names none.
pub(crate) async fn find(cached: &Cached<KeySet>, id: Option<&str>) -> Result<Vec<Key>, Refused> {
    let unavailable = |source| Refused::Unavailable { what: "the issuer's key set", source };
    let known = cached.get().await.map_err(unavailable)?;
    let Some(id) = id else { return Ok(known.keys.clone()) };
    let found = known.named(id);
    if !found.is_empty() {
        return Ok(found);
    }
    // Rotated since, or made up.
    let again: Arc<KeySet> = cached.again().await.map_err(unavailable)?;
    let found = again.named(id);
    if found.is_empty() { Err(Refused::Key) } else { Ok(found) }
}
