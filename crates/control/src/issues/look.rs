//! Issues for people: listed, and resolved by hand.

use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, IssueId};
use smartbox_core::issue::{Filter, Issue};
use smartbox_core::store;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// Issues, those that were opened last first.
    pub async fn list_issues(
        &self,
        filter: Filter,
        after: Option<IssueId>,
        limit: u32,
    ) -> Result<Vec<Issue>, ControlError> {
        Ok(store::read(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.issues().list(filter, after, limit).await })
        })
        .await?)
    }

    /// A person says that an issue is over. Of another account's there is none; `account` is none for
    /// an operator, who sees all. Should the cause be there still, it is opened again when it shows.
    pub async fn resolve_issue(
        &self,
        actor: &Actor,
        account: Option<&AccountId>,
        id: IssueId,
    ) -> Result<Issue, ControlError> {
        let now = self.parts.clock.now();
        let (account, by) = (account.cloned(), actor.0.clone());
        let issue = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let found = tx.issues().get(id.clone()).await?;
                let filter = Filter { account, ..Filter::default() };
                let Some(issue) = found.filter(|issue| filter.admits(issue)) else {
                    return Ok(None);
                };
                if issue.resolved.is_none() {
                    tx.issues().settle(issue.key.clone(), now).await?;
                    if let Some(account) = issue.account.clone() {
                        let act = Act {
                            account,
                            actor: by,
                            action: "issue.resolve".into(),
                            smartbox: issue.smartbox.clone(),
                            detail: issue.key.clone(),
                            at: now,
                        };
                        tx.audit().append(act).await?;
                    }
                }
                tx.issues().get(id).await
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?
        .ok_or(ControlError::Missing { what: "issue" })?;
        self.forget_issue(&issue.key);
        Ok(issue)
    }
}
