//! Which smartboxes something is to be done to. Wakes nothing.

use std::collections::HashSet;

use smartbox_core::smartbox::Smartbox;
use smartbox_core::smartbox::selector::Selector;
use smartbox_core::store;

use super::find::Reach;
use crate::control::Control;
use crate::error::ControlError;

/// Which are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These, by all the ways in which one is found by itself.
    Named(Vec<String>),
    /// Those of an account that are like this.
    Like {
        /// Whose, by name or id; an operator's `*` means everybody's. The asker's own if none.
        account: Option<String>,
        /// What they are like.
        selector: Selector,
    },
}

impl Control {
    /// The smartboxes that are meant, each once. One that is being removed is not there.
    pub async fn select(
        &self,
        reach: &Reach,
        which: &Selection,
    ) -> Result<Vec<Smartbox>, ControlError> {
        let mut rows = match which {
            Selection::Named(names) => self.every(reach, names).await?,
            Selection::Like { account, selector } => {
                let mut rows = self.of_account(reach, account.as_deref()).await?;
                rows.retain(|row| selector.fits(row));
                rows
            }
        };
        rows.retain(|row| !row.removing);
        Ok(rows)
    }

    async fn every(&self, reach: &Reach, names: &[String]) -> Result<Vec<Smartbox>, ControlError> {
        let (mut rows, mut seen) = (Vec::new(), HashSet::new());
        for name in names {
            let row = self.find(reach.clone(), name).await.map_err(|error| match error {
                ControlError::Missing { .. } => ControlError::Refused {
                    why: format!(
                        "there is no smartbox `{}`",
                        name.chars().take(80).collect::<String>()
                    ),
                    hint: "`smartbox ls` shows those that there are".into(),
                },
                other => other,
            })?;
            if seen.insert(row.id.clone()) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    async fn of_account(
        &self,
        reach: &Reach,
        account: Option<&str>,
    ) -> Result<Vec<Smartbox>, ControlError> {
        match account {
            None => self.within(reach).await,
            Some("*") if reach.everywhere => Ok(store::read(&*self.parts.store, |tx| {
                Box::pin(async move { tx.boxes().list(None).await })
            })
            .await?),
            Some(text) => {
                let missing = ControlError::Missing { what: "account" };
                let account = self.account(text).await?;
                if account.id != reach.account && !reach.everywhere {
                    return Err(missing);
                }
                match account.id == reach.account {
                    true => self.within(reach).await,
                    false => self.list(&account.id).await,
                }
            }
        }
    }
}
