//! All boxes at once: from their rows and what their keepers saw last. No sandbox is asked.

use std::collections::HashMap;

use smartbox_core::account::Account;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::issue::{Filter, Severity, Tally};
use smartbox_core::machine::Machine;
use smartbox_core::sandbox::Memory;
use smartbox_core::smartbox::{Smartbox, State};
use smartbox_core::store;
use smartbox_core::time::Timestamp;
use smartbox_core::usage::Total;

use crate::control::Control;
use crate::error::ControlError;

const DAY_MS: i64 = 86_400_000;

/// The boxes of an account, or of all, as they are now.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// Those that need somebody first, then by name.
    pub members: Vec<Member>,
    /// The accounts that own them, by id.
    pub owners: HashMap<AccountId, String>,
    /// How many issues are open, those of no box included.
    pub issues: Vec<Tally>,
    /// The machine.
    pub machine: Machine,
    /// What model calls used since midnight, UTC.
    pub today: Total,
}

/// One box among many.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its row.
    pub row: Smartbox,
    /// What its keeper is doing.
    pub phase: String,
    /// What its engine's processes held when they were seen last.
    pub memory: Memory,
    /// When that was; none if nobody has looked yet.
    pub seen: Option<Timestamp>,
    /// Whether something is going on in it.
    pub busy: bool,
    /// Its open issues.
    pub issues: u64,
    /// The gravest of them.
    pub worst: Option<Severity>,
}

impl Member {
    /// Whether somebody should see to it.
    pub fn needs_somebody(&self) -> bool {
        self.row.state == State::Failed || self.row.vitals.breaker.is_open() || self.issues > 0
    }

    /// Its place in the listing: first those that failed, then those with issues, then the others.
    pub fn rank(&self) -> u8 {
        match self.worst {
            _ if self.row.vitals.breaker.is_open() => 0,
            _ if self.row.state == State::Failed => 1,
            Some(Severity::Critical | Severity::High) => 2,
            Some(_) => 3,
            None => 4,
        }
    }
}

impl Control {
    /// Looks at the boxes of an account, or of all. Wakes nothing and asks no sandbox.
    pub async fn fleet(&self, account: Option<&AccountId>) -> Result<Fleet, ControlError> {
        let now = self.parts.clock.now();
        let midnight = Timestamp(now.0 - now.0.rem_euclid(DAY_MS));
        let whose = account.cloned();
        let (rows, accounts, issues, today) = store::read(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let rows = tx.boxes().list(whose.clone()).await?;
                let accounts = match whose.clone() {
                    Some(id) => tx.accounts().get(id).await?.into_iter().collect(),
                    None => tx.accounts().list().await?,
                };
                let filter = Filter { account: whose.clone(), ..Filter::default() };
                let issues = tx.issues().tally(filter).await?;
                let today = tx.usage().sum(whose, midnight).await?;
                Ok((rows, accounts, issues, today))
            })
        })
        .await?;
        let owners = accounts.into_iter().map(|Account { id, name, .. }| (id, name)).collect();
        let mut members = self.members(rows, &issues);
        members.sort_by(|a, b| {
            (a.rank(), &a.row.name, &a.row.id).cmp(&(b.rank(), &b.row.name, &b.row.id))
        });
        Ok(Fleet { members, owners, issues, machine: self.parts.gauges.machine(), today })
    }

    fn members(&self, rows: Vec<Smartbox>, issues: &[Tally]) -> Vec<Member> {
        let mut open: HashMap<&SmartboxId, (u64, Severity)> = HashMap::new();
        for tally in issues {
            let Some(id) = &tally.smartbox else { continue };
            let (count, worst) = open.entry(id).or_insert((0, tally.severity));
            *count += tally.open;
            *worst = (*worst).min(tally.severity);
        }
        let look = |mut row: Smartbox| {
            row.last_active = self.last_active(&row);
            let keeper = self.keeper(&row.id);
            let seen = keeper.as_ref().and_then(|keeper| keeper.seen());
            let (issues, worst) = open.get(&row.id).map_or((0, None), |(n, w)| (*n, Some(*w)));
            Member {
                phase: keeper.map(|keeper| keeper.now().phase).unwrap_or_default(),
                busy: self.parts.activity.going(&row.id).busy,
                memory: seen.as_ref().map(|(_, seen)| seen.memory).unwrap_or_default(),
                seen: seen.map(|(at, _)| at),
                issues,
                worst,
                row,
            }
        };
        rows.into_iter().map(look).collect()
    }
}
