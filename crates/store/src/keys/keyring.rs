//! The kernel's keyring of this user. Nothing is ever written to it: it is empty after every boot, and whoever
//! puts the key there, from a security chip or by hand, has the copy that counts.

use linux_keyutils::{KeyRing, KeyRingIdentifier};
use zeroize::Zeroizing;

/// What the keyring has of this name, if it is readable and no longer than that.
pub(super) fn read(name: &str, most: usize) -> Option<Zeroizing<Vec<u8>>> {
    let ring = KeyRing::from_special_id(KeyRingIdentifier::User, false).ok()?;
    let key = ring.search(name).ok()?;
    let mut text = Zeroizing::new(vec![0; most]);
    let len = key.read(&mut *text).ok()?;
    if len > most {
        return None;
    }
    text.truncate(len);
    Some(text)
}
