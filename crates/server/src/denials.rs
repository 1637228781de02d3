//! What was refused, for the audit: sign-ins that failed, by client, and authority that was not there, by
//! who asked. The first within a minute stands there at once; more of it is counted, and stands there
//! once the minute is over. So whoever knocks without end writes two entries a minute, and not a disk full;
//! and of all who knock in one account so many are told apart, and the others are many.
//! A platform that is killed loses what it counted of its last minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use smartbox_core::audit::{Act, REFUSED, by, who};
use smartbox_core::id::AccountId;
use smartbox_core::limit::Client;
use smartbox_core::store::{self, StoreError};
use smartbox_core::time::Timestamp;

use crate::app::Inner;

/// How long is counted together.
const MINUTE: i64 = 60_000;
/// So many are told apart in one account within a minute; who comes then is one of many.
const APART: usize = 16;
const MANY: &str = "many";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    account: AccountId,
    /// Whoever has a network has as many addresses as they like: none of them is in it.
    who: String,
    action: String,
    minute: i64,
}

#[derive(Debug)]
struct Count {
    /// Who it was, and from where, the first time.
    actor: String,
    times: u64,
}

/// Counts what is refused.
#[derive(Debug, Default)]
pub struct Denials(Mutex<HashMap<Kind, Count>>);

impl Denials {
    /// Somebody did not get in.
    pub async fn sign_in(&self, app: &Inner, from: Option<IpAddr>) -> Result<(), StoreError> {
        let account = app.account.id.clone();
        let who = from.map_or_else(String::new, |from| Client::from(from).to_string());
        self.note(app, (account, who), by("nobody", from), "session.begin", "").await
    }

    /// Somebody who is known asked for what they may not.
    pub async fn authority(
        &self,
        app: &Inner,
        account: AccountId,
        actor: String,
        route: &str,
    ) -> Result<(), StoreError> {
        let who = who(&actor).0.to_owned();
        self.note(app, (account, who), actor, "authority", route).await
    }

    async fn note(
        &self,
        app: &Inner,
        (account, who): (AccountId, String),
        actor: String,
        action: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let now = app.clock.now();
        let action = format!("{action}{REFUSED}");
        let kind = Kind { account, who, action, minute: now.0.div_euclid(MINUTE) };
        let Some((kind, actor)) = self.first(kind, actor) else { return Ok(()) };
        let Kind { account, action, .. } = kind;
        let act = Act { account, actor, action, smartbox: None, detail: detail.into(), at: now };
        append(app, vec![act]).await
    }

    /// Counts one; as what it stands in the audit, if it is the first of its kind.
    fn first(&self, mut kind: Kind, mut actor: String) -> Option<(Kind, String)> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let beside = |other: &&Kind| {
            let of = |kind: &Kind| (kind.account.clone(), kind.action.clone(), kind.minute);
            of(other) == of(&kind)
        };
        if !counts.contains_key(&kind) && counts.keys().filter(beside).count() >= APART {
            (kind.who, actor) = (MANY.to_owned(), MANY.to_owned());
        }
        let count = counts.entry(kind.clone()).or_insert(Count { actor: actor.clone(), times: 0 });
        count.times = count.times.saturating_add(1);
        (count.times == 1).then_some((kind, actor))
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
        let over: Vec<(Kind, Count)> = {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            counts.extract_if(|kind, _| which(kind)).collect()
        };
        let acts = over.into_iter().filter(|(_, count)| count.times > 1).map(|(kind, count)| {
            let (Kind { account, action, .. }, Count { actor, times }) = (kind, count);
            let detail = format!("{} more within a minute", times - 1);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(account: u32, who: &str, minute: i64) -> Kind {
        let (account, action) = (format!("acc_{account:020}"), "authority.refused".to_owned());
        Kind { account: account.parse().unwrap(), who: who.to_owned(), action, minute }
    }

    #[test]
    fn those_who_knock_in_one_account_hide_nobody_of_another() {
        let denials = Denials::default();
        let first = |kind: Kind| denials.first(kind, "somebody".into()).map(|(_, actor)| actor);
        let rows: Vec<_> = (0..1000).filter_map(|n| first(kind(1, &n.to_string(), 1))).collect();
        let apart = rows.iter().filter(|actor| *actor == "somebody").count();
        assert_eq!((rows.len(), apart), (APART + 1, APART), "and the others are many");
        assert_eq!(first(kind(1, "0", 1)), None, "whoever has a place keeps it");
        assert_eq!(first(kind(2, "ann", 1)).as_deref(), Some("somebody"));
        assert_eq!(first(kind(1, "ann", 2)).as_deref(), Some("somebody"), "a minute later");
        let counts = denials.0.lock().unwrap();
        assert_eq!(counts[&kind(1, MANY, 1)].times, 1000 - APART as u64);
    }
}
