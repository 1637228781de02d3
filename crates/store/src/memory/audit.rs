//! The audit in memory, with the same hashes and signatures as on disk.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::audit::port::Audit;
use smartbox_core::audit::{self, Act, Entry};
use smartbox_core::id::AccountId;
use smartbox_core::store::StoreError;

use super::records::Records;
use crate::chain::{self, Canonical, Check, Head};

const MISSING: StoreError = StoreError::Missing { what: "account" };

impl Records<'_> {
    fn append_act(&mut self, act: Act) -> Result<(), StoreError> {
        let signer = self.signer;
        let chains = Arc::make_mut(&mut self.change()?.chains);
        let chain = chains.get_mut(&act.account).ok_or(MISSING)?;
        let hash = chain::hash(&chain.head.hash, &Canonical::from(&act))?;
        let seq = chain.head.seq + 1;
        chain.head = Head::sign(signer, act.account.as_str(), seq, hash.clone());
        chain.entries.push(Entry { seq, act, hash });
        Ok(())
    }

    fn verify_chain(&self, account: &AccountId) -> Result<Option<u64>, StoreError> {
        let chain = self.state.chains.get(account).ok_or(MISSING)?;
        let mut check = Check::new();
        for entry in &chain.entries {
            let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
            if !check.entry(seq, &Canonical::from(&entry.act), &entry.hash)? {
                break;
            }
        }
        Ok(check.finish(&self.signer.verifying_key(), account.as_str(), Some(&chain.head)))
    }
}

impl Audit for Records<'_> {
    fn append(&mut self, act: Act) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.append_act(act)))
    }

    fn list(
        &mut self,
        account: AccountId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        let entries = self.state.chains.get(&account).map(|chain| {
            let newer = chain.entries.iter().filter(|e| e.seq > after);
            newer.take(limit as usize).cloned().collect()
        });
        Box::pin(ready(Ok(entries.unwrap_or_default())))
    }

    fn head(&mut self, account: AccountId) -> BoxFuture<'_, Result<audit::Head, StoreError>> {
        let head = self.state.chains.get(&account).ok_or(MISSING);
        let signer = self.signer;
        Box::pin(ready(head.map(|chain| chain.head.told(signer))))
    }

    fn verify(&mut self, account: AccountId) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        Box::pin(ready(self.verify_chain(&account)))
    }
}
