//! Opening and resolving.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use smartbox_core::id::{AccountId, IssueId, SmartboxId};
use smartbox_core::issue::{Filter, Issue, Kind, key};
use smartbox_core::store::{self, StoreError};
use smartbox_core::time::Timestamp;

use crate::control::Control;

/// What happens again is written at most this often; it is counted meanwhile.
const PACE: std::time::Duration = std::time::Duration::from_secs(60);
/// Keys that are remembered as open.
const MOST: u32 = 100_000;
/// The longest text of an issue, in characters.
const TEXT: usize = 1_000;

/// Why there is an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What it is about.
    pub kind: Kind,
    /// Whose it is; none for the machine's.
    pub account: Option<AccountId>,
    /// Which box has it, if one.
    pub smartbox: Option<SmartboxId>,
    /// What else tells it from others of its kind, like a provider's name.
    pub about: String,
    /// One sentence for a person.
    pub message: String,
    /// What the person can do.
    pub hint: String,
}

impl Cause {
    fn key(&self) -> String {
        let owner = match (&self.smartbox, &self.account) {
            (Some(id), _) => id.as_str(),
            (None, Some(id)) => id.as_str(),
            (None, None) => "",
        };
        match (owner, self.about.as_str()) {
            (owner, "") => key(self.kind, owner),
            ("", about) => key(self.kind, about),
            (owner, about) => key(self.kind, &format!("{owner}:{about}")),
        }
    }
}

/// The keys of open issues, so that resolving what is not open costs nothing, and what happens all the
/// time is not written all the time.
#[derive(Default)]
pub(crate) struct Open(Mutex<HashMap<String, Seen>>);

struct Seen {
    written: Timestamp,
    since: u64,
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many happenings to write now; none if it was written a moment ago.
    fn due(&self, key: &str, now: Timestamp) -> Option<u64> {
        let mut open = self.lock();
        let Some(seen) = open.get_mut(key) else {
            open.insert(key.to_owned(), Seen { written: now, since: 0 });
            return Some(1);
        };
        seen.since += 1;
        // A clock that moved back must not silence it.
        if now.since(seen.written) < PACE && now >= seen.written {
            return None;
        }
        seen.written = now;
        Some(std::mem::take(&mut seen.since))
    }

    /// The kind of each.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let kind = |key: &String| Kind::parse(key.split(':').next().unwrap_or_default());
        self.lock().keys().filter_map(kind).collect()
    }

    fn forget(&self, key: &str) -> bool {
        self.lock().remove(key).is_some()
    }
}

impl Control {
    /// Reads which issues an earlier process left open.
    pub(crate) async fn recall_issues(&self) -> Result<(), StoreError> {
        let filter = Filter { open: Some(true), ..Filter::default() };
        let left = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.issues().list(filter, None, MOST).await })
        })
        .await?;
        let mut open = self.issues.lock();
        for issue in left {
            open.insert(issue.key, Seen { written: issue.last, since: 0 });
        }
        Ok(())
    }

    /// Opens an issue, or counts one that is open. That it cannot be written stops nothing else.
    pub async fn raise(&self, cause: Cause) {
        let now = self.parts.clock.now();
        let key = cause.key();
        let Some(count) = self.issues.due(&key, now) else { return };
        let cut = |text: String| text.chars().take(TEXT).collect::<String>();
        let issue = Issue {
            id: IssueId::generate(&*self.parts.entropy),
            account: cause.account,
            smartbox: cause.smartbox,
            kind: cause.kind,
            severity: cause.kind.severity(),
            key: key.clone(),
            message: cut(cause.message),
            hint: cut(cause.hint),
            count,
            first: now,
            last: now,
            resolved: None,
        };
        let written = store::write(&*self.parts.store, |tx| {
            Box::pin(async move { tx.issues().raise(issue).await })
        })
        .await;
        if let Err(error) = written {
            self.issues.forget(&key);
            self.heed(&error);
            tracing::warn!(key, %error, "an issue could not be written");
        }
    }

    /// The cause is gone.
    pub async fn settle_issue(&self, cause: &Cause) {
        self.settle_key(&cause.key()).await;
    }

    /// The issues of these kinds of a box are over.
    pub(crate) async fn settle_issues(&self, id: &SmartboxId, kinds: &[Kind]) {
        for kind in kinds {
            self.settle_key(&key(*kind, id.as_str())).await;
        }
    }

    pub(crate) async fn settle_key(&self, key: &str) {
        if !self.issues.forget(key) {
            return;
        }
        let (now, wanted) = (self.parts.clock.now(), key.to_owned());
        let settled = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.issues().settle(wanted, now).await })
        })
        .await;
        if let Err(error) = settled {
            // Known as open again, so that the next time it is tried again.
            self.issues.lock().insert(key.to_owned(), Seen { written: now, since: 0 });
            self.heed(&error);
            tracing::warn!(key, %error, "an issue could not be resolved");
        }
    }

    pub(crate) fn forget_issue(&self, key: &str) {
        self.issues.forget(key);
    }

    /// A box is removed, and its issues with it.
    pub(crate) fn forget_issues_of(&self, id: &SmartboxId) {
        self.issues.lock().retain(|key, _| !key.contains(id.as_str()));
    }

    pub(crate) fn is_open(&self, key: &str) -> bool {
        self.issues.lock().contains_key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_all_the_time_is_written_now_and_then_and_counted_whole() {
        let open = Open::default();
        let at = |secs: i64| Timestamp(1_800_000_000_000 + secs * 1_000);
        let written: u64 = (0..120).filter_map(|secs| open.due("k", at(secs))).sum();
        assert_eq!(written, 61, "one at once, the next sixty after a minute");
        assert_eq!(open.due("k", at(-3_600)), Some(60), "a clock that moved back silences nothing");
    }

    #[test]
    fn a_key_names_the_box_or_the_account_and_the_rest() {
        let cause = Cause {
            kind: Kind::ProviderKey,
            account: Some("acc_00000000000000000001".parse().unwrap()),
            smartbox: None,
            about: "anthropic".into(),
            message: String::new(),
            hint: String::new(),
        };
        assert_eq!(cause.key(), "provider-key:acc_00000000000000000001:anthropic");
        let machine = Cause { account: None, about: String::new(), kind: Kind::DiskLow, ..cause };
        assert_eq!(machine.key(), "disk-low");
    }
}
