//! What was refused, for the audit: sign-ins that failed, by address, and authority that was not there, by
//! who asked. The first within a minute stands there at once; more of it is counted, and stands there
//! once the minute is over. So whoever knocks without end writes two entries a minute, and not a disk full.
//! A platform that is killed loses what it counted of its last minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use smartbox_core::audit::{Act, REFUSED, by};
use smartbox_core::id::AccountId;
use smartbox_core::store::{self, StoreError};
use smartbox_core::time::Timestamp;

use crate::app::Inner;

/// How long is counted together.
const MINUTE: i64 = 60_000;
/// So many are told apart within a minute; who comes then is one of many.
const APART: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    account: AccountId,
    actor: String,
    action: String,
    minute: i64,
}

/// Counts what is refused.
#[derive(Debug, Default)]
pub struct Denials(Mutex<HashMap<Kind, u64>>);

impl Denials {
    /// Somebody did not get in.
    pub async fn sign_in(&self, app: &Inner, from: Option<IpAddr>) -> Result<(), StoreError> {
        let account = app.account.id.clone();
        self.note(app, account, by("nobody", from), "session.begin", "").await
    }

    /// Somebody who is known asked for what they may not.
    pub async fn authority(
        &self,
        app: &Inner,
        account: AccountId,
        actor: String,
        route: &str,
    ) -> Result<(), StoreError> {
        self.note(app, account, actor, "authority", route).await
    }

    async fn note(
        &self,
        app: &Inner,
        account: AccountId,
        actor: String,
        action: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let now = app.clock.now();
        let action = format!("{action}{REFUSED}");
        let mut kind = Kind { account, actor, action, minute: now.0.div_euclid(MINUTE) };
        let first = {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let this = counts.keys().filter(|known| known.minute == kind.minute).count();
            if this >= APART && !counts.contains_key(&kind) {
                (kind.account, kind.actor) = (app.account.id.clone(), "many".to_owned());
            }
            let count = counts.entry(kind.clone()).or_default();
            *count = count.saturating_add(1);
            *count == 1
        };
        if !first {
            return Ok(());
        }
        let Kind { account, actor, action, .. } = kind;
        let act = Act { account, actor, action, smartbox: None, detail: detail.into(), at: now };
        append(app, vec![act]).await
    }

    /// Writes down what was counted in minutes that are over.
    pub async fn settle(&self, app: &Inner, now: Timestamp) -> Result<(), StoreError> {
        let minute = now.0.div_euclid(MINUTE);
        self.write(app, now, |kind| kind.minute != minute).await
    }

    /// Writes down all that was counted, since nothing will be counted any more.
    pub async fn close(&self, app: &Inner, now: Timestamp) -> Result<(), StoreError> {
        self.write(app, now, |_| true).await
    }

    async fn write(
        &self,
        app: &Inner,
        now: Timestamp,
        which: impl Fn(&Kind) -> bool,
    ) -> Result<(), StoreError> {
        let over: Vec<(Kind, u64)> = {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            counts.extract_if(|kind, _| which(kind)).collect()
        };
        let acts = over.into_iter().filter(|(_, count)| *count > 1).map(|(kind, count)| {
            let Kind { account, actor, action, .. } = kind;
            let detail = format!("{} more within a minute", count - 1);
            Act { account, actor, action, smartbox: None, detail, at: now }
        });
        append(app, acts.collect()).await
    }
}

async fn append(app: &Inner, acts: Vec<Act>) -> Result<(), StoreError> {
    if acts.is_empty() {
        return Ok(());
    }
    store::write(&*app.store, |tx| {
        Box::pin(async move {
            for act in acts {
                // The account may be gone meanwhile, and its refusals with it.
                if tx.accounts().get(act.account.clone()).await?.is_some() {
                    tx.audit().append(act).await?;
                }
            }
            Ok(())
        })
    })
    .await
}
