//! Calls about the values that secrets had, and about the keys that the vault is under.

use super::{Call, Json, parts, with_query};
use crate::page::{Page, PageQuery};
use crate::paths;
use crate::secret::{RollBackSecret, RolledBackSecret, SecretQuery, SecretVersionView};
use crate::vault::{RotateVault, VaultRotated, VaultView};

/// A page of the values that are kept of a secret, the newest first; never a value.
pub fn secret_versions(
    name: &str,
    of: &SecretQuery,
    which: &PageQuery,
) -> Call<Json<Page<SecretVersionView>>> {
    let of = self::of(of).into_iter().chain(parts(which));
    Call::new("GET", with_query(paths::secret_versions(name), of))
}

/// Gives a secret a value again that it had.
pub fn roll_back_secret(name: &str, to: &RollBackSecret) -> Call<Json<RolledBackSecret>> {
    Call::new("POST", paths::roll_back_secret(name)).with(to)
}

/// Which keys the vault is under.
pub fn vault() -> Call<Json<VaultView>> {
    Call::new("GET", paths::VAULT)
}

/// Changes a key of the vault.
pub fn rotate_vault(what: RotateVault) -> Call<Json<VaultRotated>> {
    Call::new("POST", paths::VAULT_ROTATE).with(&what)
}

/// Whose secrets, as parts of a query.
pub(super) fn of(of: &SecretQuery) -> [Option<String>; 2] {
    let smartbox = of.smartbox.as_deref().map(|name| format!("box={}", paths::segment(name)));
    [smartbox, of.platform.then(|| "platform=true".to_owned())]
}
