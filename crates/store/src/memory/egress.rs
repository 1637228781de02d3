//! Rules about what may leave, and the account of what left, in memory.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::egress::port::{EgressRules, EgressUses};
use smartbox_core::egress::{Kept, Scope, Use, day};
use smartbox_core::id::{EgressRuleId, SmartboxId};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;

impl Records<'_> {
    fn add_egress_rule(&mut self, kept: Kept) -> Result<(), StoreError> {
        self.change()?;
        match &kept.scope {
            Scope::Account(id) => self.need_account(id, "account")?,
            Scope::Smartbox(id) => self.need_box(id, "smartbox")?,
        }
        Arc::make_mut(&mut self.state.egress_rules).push(kept);
        Ok(())
    }

    /// Keeps the rules that `keep` says; how many went.
    fn keep_egress_rules(&mut self, keep: impl Fn(&Kept) -> bool) -> Result<u64, StoreError> {
        let rules = Arc::make_mut(&mut self.change()?.egress_rules);
        let before = rules.len();
        rules.retain(keep);
        Ok((before - rules.len()) as u64)
    }

    fn add_egress_uses(&mut self, uses: Vec<Use>) -> Result<(), StoreError> {
        let state = self.change()?;
        let all = Arc::make_mut(&mut state.egress_uses);
        for one in uses {
            if !state.boxes.contains_key(&one.smartbox) {
                continue;
            }
            let key = (one.smartbox.clone(), one.day, one.host.clone(), one.port);
            all.entry(key).and_modify(|known| known.add(&one)).or_insert(one);
        }
        Ok(())
    }

    fn sweep_egress_uses(&mut self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        let all = Arc::make_mut(&mut self.change()?.egress_uses);
        let many = all.len();
        all.retain(|(_, day, ..), _| *day >= before);
        let mut latest: Vec<_> = all.iter().map(|(key, one)| (key.clone(), one.last)).collect();
        latest.sort_by(|(a, last_a), (b, last_b)| (last_b, a).cmp(&(last_a, b)));
        let mut places: HashMap<(SmartboxId, Timestamp), u32> = HashMap::new();
        for (key, _) in latest {
            let place = places.entry((key.0.clone(), key.1)).or_default();
            *place += 1;
            if *place > most {
                all.remove(&key);
            }
        }
        Ok((many - all.len()) as u64)
    }
}

impl EgressRules for Records<'_> {
    fn add(&mut self, kept: Kept) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_egress_rule(kept)))
    }

    fn list(&mut self, scope: Scope) -> BoxFuture<'_, Result<Vec<Kept>, StoreError>> {
        let rules = self.state.egress_rules.iter().filter(|kept| kept.scope == scope);
        Box::pin(ready(Ok(rules.cloned().collect())))
    }

    fn remove(
        &mut self,
        scope: Scope,
        id: EgressRuleId,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        let gone = self.keep_egress_rules(|kept| kept.id != id || kept.scope != scope);
        Box::pin(ready(gone.map(|gone| gone > 0)))
    }

    fn sweep(&mut self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        let over = |kept: &Kept| kept.until.is_some_and(|until| until < before);
        Box::pin(ready(self.keep_egress_rules(|kept| !over(kept))))
    }
}

impl EgressUses for Records<'_> {
    fn add(&mut self, uses: Vec<Use>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_egress_uses(uses)))
    }

    fn list(
        &mut self,
        id: SmartboxId,
        since: Timestamp,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Use>, StoreError>> {
        let from = day(since);
        let meant = |one: &&Use| one.smartbox == id && one.day >= from;
        let mut found: Vec<Use> = self.state.egress_uses.values().filter(meant).cloned().collect();
        found.sort_by(|a, b| (b.last, &a.host, a.port).cmp(&(a.last, &b.host, b.port)));
        found.truncate(limit as usize);
        Box::pin(ready(Ok(found)))
    }

    fn sweep(&mut self, before: Timestamp, most: u32) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.sweep_egress_uses(before, most)))
    }
}
