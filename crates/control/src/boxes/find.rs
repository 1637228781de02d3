//! Looking smartboxes up. Wakes nothing.

use std::sync::{Arc, OnceLock};

use smartbox_core::id::{AccountId, PersonId, SmartboxId};
use smartbox_core::person::Right;
use smartbox_core::smartbox::alias::{self, Which};
use smartbox_core::smartbox::{Base, Smartbox};
use smartbox_core::store::{self, StoreError, Tx};

use crate::accounts::find::account;
use crate::control::Control;
use crate::error::ControlError;

/// How far a look-up reaches, and what the one who asks wants to do with what is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Whose smartboxes a plain name means.
    pub account: AccountId,
    /// What the one who asks may with everything in that account, if anything.
    pub right: Option<Right>,
    /// Who asks, if somebody with whom single smartboxes may be shared.
    pub person: Option<PersonId>,
    /// How much they may at the most, whatever is shared with them.
    pub most: Right,
    /// Nothing but this smartbox is there.
    pub only: Option<SmartboxId>,
    /// An operator's: also other accounts' smartboxes, by what is unique in the installation.
    pub everywhere: bool,
    /// What must be allowed for what is to be done.
    pub needs: Right,
    /// Where it is noted what was found.
    pub found: Note,
}

/// The smartbox that was found first: on what is allowed with it hangs what is open for the one who asked.
pub type Note = Arc<OnceLock<SmartboxId>>;

impl From<&AccountId> for Reach {
    /// Everything in the account, for whatever is done.
    fn from(account: &AccountId) -> Self {
        Self {
            account: account.clone(),
            right: Some(Right::Own),
            person: None,
            most: Right::Own,
            only: None,
            everywhere: false,
            needs: Right::Read,
            found: Note::default(),
        }
    }
}

impl Reach {
    /// What may be done with a smartbox; `None`: it is not there for whoever asks.
    async fn allows(&self, tx: &mut dyn Tx, row: &Smartbox) -> Result<Option<Right>, StoreError> {
        if self.only.as_ref().is_some_and(|only| *only != row.id) {
            return Ok(None);
        }
        // How much an operator may was looked at before the smartbox was looked for.
        if self.everywhere {
            return Ok(Some(Right::Own));
        }
        let own = self.right.filter(|_| row.account == self.account);
        let shared = match &self.person {
            Some(person) => tx.grants().share(row.id.clone(), person.clone()).await?,
            None => None,
        };
        // Whoever acts for an account that is shut has not come so far. Others that have a share in it have.
        if row.account != self.account {
            let account = tx.accounts().get(row.account.clone()).await?;
            if !account.is_some_and(|account| account.active()) {
                return Ok(None);
            }
        }
        Ok(own.max(shared).map(|right| right.min(self.most)))
    }
}

/// What a look-up found.
enum Found {
    /// This, and it may be done.
    One(Box<Smartbox>),
    /// This, and the one who asks may less.
    Less,
    /// Nothing.
    Nothing,
    /// More than one.
    Several,
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

    /// The smartboxes that the one who asks may do this with, by name: the account's, and others that
    /// are shared with them.
    pub async fn within(&self, reach: &Reach) -> Result<Vec<Smartbox>, ControlError> {
        let reach = Reach { everywhere: false, ..reach.clone() };
        Ok(store::read(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let mut rows = tx.boxes().list(Some(reach.account.clone())).await?;
                let shared = match &reach.person {
                    Some(person) => tx.grants().shared(person.clone()).await?,
                    None => Vec::new(),
                };
                for (id, _) in shared {
                    let row = tx.boxes().get(id).await?;
                    rows.extend(row.filter(|row| row.account != reach.account));
                }
                let mut kept = Vec::new();
                for row in rows {
                    if reach.allows(tx, &row).await? >= Some(reach.needs) {
                        kept.push(row);
                    }
                }
                kept.sort_by(|a, b| (&a.name, &a.label).cmp(&(&b.name, &b.label)));
                Ok(kept)
            })
        })
        .await?)
    }

    /// The smartbox with this name in the account, or with this id, host label or alias, for what is to
    /// be done with it. One beyond the reach is missing, as if it were not there.
    pub async fn find(
        &self,
        reach: impl Into<Reach>,
        text: &str,
    ) -> Result<Smartbox, ControlError> {
        let (reach, text) = (reach.into(), text.to_owned());
        let (needs, note) = (reach.needs, reach.found.clone());
        let found = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { sought(tx, &reach, &text).await })
        })
        .await?;
        match found {
            Found::One(row) => {
                let _ = note.set(row.id.clone());
                Ok(*row)
            }
            Found::Less => Err(ControlError::Forbidden { needs }),
            Found::Nothing => Err(ControlError::Missing { what: "smartbox" }),
            Found::Several => Err(ControlError::Refused {
                why: "that text fits more than one smartbox".into(),
                hint: "say the smartbox's id, or its account and its name".into(),
            }),
        }
    }
}

async fn sought(tx: &mut dyn Tx, reach: &Reach, text: &str) -> Result<Found, StoreError> {
    let mut found = lookup(tx, reach, text).await?;
    Ok(match (found.pop(), found.is_empty()) {
        (Some((row, right)), true) if right >= reach.needs => Found::One(Box::new(row)),
        (Some(_), true) => Found::Less,
        (None, _) => Found::Nothing,
        (Some(_), false) => Found::Several,
    })
}

/// Every smartbox that is meant and there for the one who asks, with what may be done with it; more than
/// one if the text is ambiguous. A name in the account and an id are never: nobody can give his smartbox
/// another one's.
async fn lookup(
    tx: &mut dyn Tx,
    reach: &Reach,
    text: &str,
) -> Result<Vec<(Smartbox, Right)>, StoreError> {
    if let Ok(id) = text.parse::<SmartboxId>() {
        let row = tx.boxes().get(id).await?;
        return there(tx, reach, row.into_iter().collect()).await;
    }
    let named = tx.boxes().named(reach.account.clone(), text.to_owned()).await?;
    let named = there(tx, reach, named.into_iter().collect()).await?;
    if !named.is_empty() {
        return Ok(named);
    }
    // A label and an alias may look alike, since owners choose names: then neither is meant.
    let mut found = aliased(tx, reach, text).await?;
    found.extend(tx.boxes().labelled(text.to_owned()).await?);
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|a, b| a.id == b.id);
    there(tx, reach, found).await
}

async fn there(
    tx: &mut dyn Tx,
    reach: &Reach,
    rows: Vec<Smartbox>,
) -> Result<Vec<(Smartbox, Right)>, StoreError> {
    let mut there = Vec::new();
    for row in rows {
        if let Some(right) = reach.allows(tx, &row).await? {
            there.push((row, right));
        }
    }
    Ok(there)
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
