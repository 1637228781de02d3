//! Accounts in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::account::Account;
use smartbox_core::account::port::Accounts;
use smartbox_core::egress;
use smartbox_core::id::AccountId;
use smartbox_core::secret::Scope;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;
use super::state::Chain;
use crate::chain::{Head, START};

impl Records<'_> {
    fn add_account(&mut self, account: Account) -> Result<(), StoreError> {
        let taken = |other: &Account| other.id == account.id || other.name == account.name;
        let buried = self.state.buried.contains(&account.id);
        if buried || self.state.accounts.values().any(taken) {
            return Err(StoreError::Exists { what: "account" });
        }
        let head = Head::sign(self.signer, account.id.as_str(), 0, START.to_owned());
        let state = self.change()?;
        let chain = Chain { entries: Vec::new(), head };
        Arc::make_mut(&mut state.chains).insert(account.id.clone(), chain);
        Arc::make_mut(&mut state.accounts).insert(account.id.clone(), account);
        Ok(())
    }
}

impl Records<'_> {
    fn put_account(&mut self, account: Account) -> Result<(), StoreError> {
        self.change()?;
        self.need_account(&account.id, "account")?;
        let accounts = Arc::make_mut(&mut self.state.accounts);
        // The name is for ever: other things are called after it.
        let old = accounts.get(&account.id).map(|old| (old.name.clone(), old.created));
        let (name, created) = old.unwrap_or((account.name.clone(), account.created));
        accounts.insert(account.id.clone(), Account { name, created, ..account });
        Ok(())
    }

    fn bury_account(&mut self, id: &AccountId) -> Result<(), StoreError> {
        self.change()?;
        if self.state.boxes.values().any(|row| row.account == *id) {
            return Err(StoreError::Exists { what: "smartbox of the account" });
        }
        let state = &mut self.state;
        if Arc::make_mut(&mut state.accounts).remove(id).is_some() {
            Arc::make_mut(&mut state.buried).insert(id.clone());
            Arc::make_mut(&mut state.members).retain(|(account, _), _| account != id);
            Arc::make_mut(&mut state.devices).retain(|_, d| d.account.as_ref() != Some(id));
            Arc::make_mut(&mut state.sessions).retain(|_, s| s.account != *id);
            Arc::make_mut(&mut state.tokens).retain(|_, t| t.account != *id);
            state.uproot();
            Arc::make_mut(&mut state.secrets).remove(&Scope::Account(id.clone()));
            let rules = egress::Scope::Account(id.clone());
            Arc::make_mut(&mut state.egress_rules).retain(|kept| kept.scope != rules);
        }
        Ok(())
    }
}

impl Accounts for Records<'_> {
    fn add(&mut self, account: Account) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_account(account)))
    }

    fn get(&mut self, id: AccountId) -> BoxFuture<'_, Result<Option<Account>, StoreError>> {
        Box::pin(ready(Ok(self.state.accounts.get(&id).cloned())))
    }

    fn named(&mut self, name: String) -> BoxFuture<'_, Result<Option<Account>, StoreError>> {
        Box::pin(ready(Ok(self.state.accounts.values().find(|a| a.name == name).cloned())))
    }

    fn put(&mut self, account: Account) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_account(account)))
    }

    fn bury(&mut self, id: AccountId, _: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.bury_account(&id)))
    }

    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Account>, StoreError>> {
        let mut all: Vec<_> = self.state.accounts.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Box::pin(ready(Ok(all)))
    }
}
