//! Accounts in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::account::Account;
use smartbox_core::account::port::Accounts;
use smartbox_core::id::AccountId;
use smartbox_core::store::StoreError;

use super::records::Records;
use super::state::Chain;
use crate::chain::{Head, START};

impl Records<'_> {
    fn add_account(&mut self, account: Account) -> Result<(), StoreError> {
        let taken = |other: &Account| other.id == account.id || other.name == account.name;
        if self.state.accounts.values().any(taken) {
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

    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Account>, StoreError>> {
        let mut all: Vec<_> = self.state.accounts.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Box::pin(ready(Ok(all)))
    }
}
