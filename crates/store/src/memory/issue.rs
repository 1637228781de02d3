//! Issues in memory.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::{IssueId, SmartboxId};
use smartbox_core::issue::port::Issues;
use smartbox_core::issue::{Filter, Issue, Severity, Tally};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;

/// The largest count, as in SQLite: what a JSON number holds exactly.
const MOST: u64 = 9_007_199_254_740_991;

impl Records<'_> {
    fn raise_issue(&mut self, issue: Issue) -> Result<(), StoreError> {
        self.change()?;
        if let Some(id) = &issue.account {
            self.need_account(id, "smartbox")?;
        }
        if let Some(id) = &issue.smartbox {
            self.need_box(id, "smartbox")?;
        }
        let issues = Arc::make_mut(&mut self.state.issues);
        match issues.iter_mut().find(|old| old.resolved.is_none() && old.key == issue.key) {
            Some(open) => {
                open.count = open.count.saturating_add(issue.count).min(MOST);
                open.last = open.last.max(issue.last);
                open.severity = issue.severity;
                open.message = issue.message;
                open.hint = issue.hint;
            }
            None => issues.push(issue),
        }
        Ok(())
    }

    fn settle_issue(&mut self, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        let issues = Arc::make_mut(&mut self.change()?.issues);
        let open = issues.iter_mut().find(|issue| issue.resolved.is_none() && issue.key == key);
        Ok(open.map(|issue| issue.resolved = Some(now)).is_some())
    }

    fn sweep_issues(&mut self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        let issues = Arc::make_mut(&mut self.change()?.issues);
        let had = issues.len();
        issues.retain(|issue| issue.resolved.is_none_or(|at| at >= before));
        let mut ends: Vec<_> =
            issues.iter().enumerate().filter_map(|(n, issue)| Some((issue.resolved?, n))).collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let surplus: Vec<usize> = ends.iter().skip(most as usize).map(|(_, n)| *n).collect();
        let mut place = 0..;
        issues.retain(|_| place.next().is_none_or(|n| !surplus.contains(&n)));
        Ok((had - issues.len()) as u64)
    }
}

impl Issues for Records<'_> {
    fn raise(&mut self, issue: Issue) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.raise_issue(issue)))
    }

    fn settle(&mut self, key: String, now: Timestamp) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(ready(self.settle_issue(&key, now)))
    }

    fn get(&mut self, id: IssueId) -> BoxFuture<'_, Result<Option<Issue>, StoreError>> {
        Box::pin(ready(Ok(self.state.issues.iter().find(|issue| issue.id == id).cloned())))
    }

    fn list(
        &mut self,
        filter: Filter,
        after: Option<IssueId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Issue>, StoreError>> {
        let issues = &self.state.issues;
        let end = match after {
            None => issues.len(),
            Some(id) => issues.iter().position(|issue| issue.id == id).unwrap_or(0),
        };
        let found = issues[..end].iter().rev().filter(|issue| filter.admits(issue));
        Box::pin(ready(Ok(found.take(limit as usize).cloned().collect())))
    }

    fn tally(&mut self, filter: Filter) -> BoxFuture<'_, Result<Vec<Tally>, StoreError>> {
        let mut counts: BTreeMap<(Option<SmartboxId>, Severity), u64> = BTreeMap::new();
        let open = self.state.issues.iter().filter(|issue| issue.resolved.is_none());
        for issue in open.filter(|issue| filter.admits(issue)) {
            *counts.entry((issue.smartbox.clone(), issue.severity)).or_default() += 1;
        }
        let tallies = counts.into_iter().map(|((smartbox, severity), open)| Tally {
            smartbox,
            severity,
            open,
        });
        Box::pin(ready(Ok(tallies.collect())))
    }

    fn sweep(&mut self, before: Timestamp, most: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.sweep_issues(before, most)))
    }
}
