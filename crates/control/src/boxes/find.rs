//! Looking smartboxes up. Wakes nothing.

use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::smartbox::alias::{self, Which};
use smartbox_core::smartbox::{Base, Smartbox};
use smartbox_core::store::{self, StoreError, Tx};

use crate::accounts::find::account;
use crate::control::Control;
use crate::error::ControlError;

/// How far a look-up reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Whose smartboxes a plain name means.
    pub account: AccountId,
    /// An operator's: also other accounts' smartboxes, by what is unique in the installation.
    pub everywhere: bool,
}

impl From<&AccountId> for Reach {
    fn from(account: &AccountId) -> Self {
        Self { account: account.clone(), everywhere: false }
    }
}

impl Control {
    /// The smartboxes of an account, by name.
    pub async fn list(&self, account: &AccountId) -> Result<Vec<Smartbox>, ControlError> {
        let account = Some(account.clone());
        Ok(store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.boxes().list(account).await })
        })
        .await?)
    }

    /// The smartboxes of every account, by name.
    pub async fn list_all(&self) -> Result<Vec<Smartbox>, ControlError> {
        Ok(store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.boxes().list(None).await })
        })
        .await?)
    }

    /// The smartbox with this name in the account, or with this id, host label or alias. One
    /// beyond the reach is missing, as if it were not there.
    pub async fn find(
        &self,
        reach: impl Into<Reach>,
        text: &str,
    ) -> Result<Smartbox, ControlError> {
        let (reach, text) = (reach.into(), text.to_owned());
        let mut found = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { lookup(tx, &reach, &text).await })
        })
        .await?;
        match (found.pop(), found.is_empty()) {
            (Some(row), true) => Ok(row),
            (None, _) => Err(ControlError::Missing { what: "smartbox" }),
            (Some(_), false) => Err(ControlError::Refused {
                why: "that text fits more than one smartbox".into(),
                hint: "say the smartbox's id, or its account and its name".into(),
            }),
        }
    }
}

/// Every smartbox that is meant; more than one if the text is ambiguous. A name in the account
/// and an id are never: nobody can give his smartbox another one's.
async fn lookup(tx: &mut dyn Tx, reach: &Reach, text: &str) -> Result<Vec<Smartbox>, StoreError> {
    let visible = |row: &Smartbox| reach.everywhere || row.account == reach.account;
    if let Ok(id) = text.parse::<SmartboxId>() {
        return Ok(tx.boxes().get(id).await?.filter(visible).into_iter().collect());
    }
    if let Some(row) = tx.boxes().named(reach.account.clone(), text.to_owned()).await? {
        return Ok(vec![row]);
    }
    // A label and an alias may look alike, since owners choose names: then neither is meant.
    let mut found = aliased(tx, reach, text).await?;
    found.extend(tx.boxes().labelled(text.to_owned()).await?);
    found.retain(visible);
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|a, b| a.id == b.id);
    Ok(found)
}

async fn aliased(tx: &mut dyn Tx, reach: &Reach, text: &str) -> Result<Vec<Smartbox>, StoreError> {
    let mut found = Vec::new();
    for reading in alias::readings(text) {
        let Some(owner) = account(tx, reading.account).await? else { continue };
        // Another account's smartboxes are not even read.
        if !reach.everywhere && owner.id != reach.account {
            continue;
        }
        if let Which::Project(name) = reading.which {
            let project = tx.boxes().named(owner.id, name.to_owned()).await?;
            found.extend(project.filter(|row| row.base == Base::Project));
            continue;
        }
        let mut rows = tx.boxes().list(Some(owner.id)).await?;
        rows.retain(|row| reading.which.fits(row));
        found.append(&mut rows);
    }
    Ok(found)
}
