//! People in memory, who says who they are, and what they may.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, PersonId, SmartboxId};
use smartbox_core::person::port::{Grants, Known, People};
use smartbox_core::person::{Person, Right, Role};
use smartbox_core::store::StoreError;

use super::records::Records;

impl Records<'_> {
    fn add_person(&mut self, person: Person) -> Result<(), StoreError> {
        let people = Arc::make_mut(&mut self.change()?.people);
        if people.contains_key(&person.id) {
            return Err(StoreError::Exists { what: "person" });
        }
        people.insert(person.id.clone(), person);
        Ok(())
    }

    fn put_person(&mut self, person: Person) -> Result<(), StoreError> {
        let people = Arc::make_mut(&mut self.change()?.people);
        let row = people.get_mut(&person.id).ok_or(StoreError::Missing { what: "person" })?;
        *row = Person { created: row.created, ..person };
        Ok(())
    }

    fn need_person(&self, id: &PersonId, what: &'static str) -> Result<(), StoreError> {
        match self.state.people.contains_key(id) {
            true => Ok(()),
            false => Err(StoreError::Missing { what }),
        }
    }

    fn know_person(&mut self, name: (String, String), person: PersonId) -> Result<(), StoreError> {
        self.change()?;
        if self.state.identities.contains_key(&name) {
            return Err(StoreError::Exists { what: "identity" });
        }
        self.need_person(&person, "person")?;
        Arc::make_mut(&mut self.state.identities).insert(name, person);
        Ok(())
    }

    fn remove_person(&mut self, id: &PersonId) -> Result<(), StoreError> {
        let state = self.change()?;
        Arc::make_mut(&mut state.people).remove(id);
        Arc::make_mut(&mut state.identities).retain(|_, person| person != id);
        Arc::make_mut(&mut state.members).retain(|(_, person), _| person != id);
        Arc::make_mut(&mut state.shares).retain(|(_, person), _| person != id);
        Arc::make_mut(&mut state.devices).retain(|_, d| d.person.as_ref() != Some(id));
        Arc::make_mut(&mut state.sessions).retain(|_, s| s.person.as_ref() != Some(id));
        Arc::make_mut(&mut state.tokens).retain(|_, t| t.person.as_ref() != Some(id));
        state.uproot();
        Ok(())
    }

    fn give_role(
        &mut self,
        account: AccountId,
        person: PersonId,
        role: Option<Role>,
    ) -> Result<(), StoreError> {
        self.change()?;
        let Some(role) = role else {
            Arc::make_mut(&mut self.state.members).remove(&(account, person));
            return Ok(());
        };
        self.need_account(&account, "account or person")?;
        self.need_person(&person, "account or person")?;
        Arc::make_mut(&mut self.state.members).insert((account, person), role);
        Ok(())
    }

    fn give_share(
        &mut self,
        smartbox: SmartboxId,
        person: PersonId,
        right: Option<Right>,
    ) -> Result<(), StoreError> {
        self.change()?;
        let Some(right) = right else {
            Arc::make_mut(&mut self.state.shares).remove(&(smartbox, person));
            return Ok(());
        };
        self.need_box(&smartbox, "smartbox or person")?;
        self.need_person(&person, "smartbox or person")?;
        let right = right.min(Right::Manage);
        Arc::make_mut(&mut self.state.shares).insert((smartbox, person), right);
        Ok(())
    }

    fn person(&self, id: &PersonId) -> Option<Person> {
        self.state.people.get(id).cloned()
    }
}

fn by_name(a: &Person, b: &Person) -> std::cmp::Ordering {
    (&a.name, &a.id).cmp(&(&b.name, &b.id))
}

impl People for Records<'_> {
    fn add(&mut self, person: Person) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_person(person)))
    }

    fn put(&mut self, person: Person) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_person(person)))
    }

    fn get(&mut self, id: PersonId) -> BoxFuture<'_, Result<Option<Person>, StoreError>> {
        Box::pin(ready(Ok(self.person(&id))))
    }

    fn known(
        &mut self,
        issuer: String,
        subject: String,
    ) -> BoxFuture<'_, Result<Option<Person>, StoreError>> {
        let id = self.state.identities.get(&(issuer, subject));
        Box::pin(ready(Ok(id.and_then(|id| self.person(id)))))
    }

    fn know(
        &mut self,
        issuer: String,
        subject: String,
        person: PersonId,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.know_person((issuer, subject), person)))
    }

    fn addressed(&mut self, email: String) -> BoxFuture<'_, Result<Vec<Known>, StoreError>> {
        let people = self.state.people.values();
        let mut found: Vec<_> =
            people.filter(|person| person.email.as_ref() == Some(&email)).cloned().collect();
        found.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        let issuers = |of: &Person| {
            let theirs = self.state.identities.iter().filter(|(_, id)| **id == of.id);
            theirs.map(|((issuer, _), _)| issuer.clone()).collect()
        };
        let found = found.into_iter().map(|person| (issuers(&person), person));
        let found = found.map(|(issuers, person)| (person, issuers)).collect();
        Box::pin(ready(Ok(found)))
    }

    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Person>, StoreError>> {
        let mut all: Vec<_> = self.state.people.values().cloned().collect();
        all.sort_by(by_name);
        Box::pin(ready(Ok(all)))
    }

    fn remove(&mut self, id: PersonId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.remove_person(&id)))
    }
}

impl Grants for Records<'_> {
    fn set_role(
        &mut self,
        account: AccountId,
        person: PersonId,
        role: Option<Role>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.give_role(account, person, role)))
    }

    fn role(
        &mut self,
        account: AccountId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<Role>, StoreError>> {
        Box::pin(ready(Ok(self.state.members.get(&(account, person)).copied())))
    }

    fn members(
        &mut self,
        account: AccountId,
    ) -> BoxFuture<'_, Result<Vec<(Person, Role)>, StoreError>> {
        let of = self.state.members.iter().filter(|((id, _), _)| *id == account);
        let mut all: Vec<_> =
            of.filter_map(|((_, id), role)| Some((self.person(id)?, *role))).collect();
        all.sort_by(|(a, _), (b, _)| by_name(a, b));
        Box::pin(ready(Ok(all)))
    }

    fn accounts(
        &mut self,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Vec<(AccountId, Role)>, StoreError>> {
        let of = self.state.members.iter().filter(|((_, id), _)| *id == person);
        let mut all: Vec<_> =
            of.filter_map(|((id, _), role)| Some((self.state.accounts.get(id)?, *role))).collect();
        all.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let all = all.into_iter().map(|(account, role)| (account.id.clone(), role)).collect();
        Box::pin(ready(Ok(all)))
    }

    fn set_share(
        &mut self,
        smartbox: SmartboxId,
        person: PersonId,
        right: Option<Right>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.give_share(smartbox, person, right)))
    }

    fn share(
        &mut self,
        smartbox: SmartboxId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<Right>, StoreError>> {
        Box::pin(ready(Ok(self.state.shares.get(&(smartbox, person)).copied())))
    }

    fn shares(
        &mut self,
        smartbox: SmartboxId,
    ) -> BoxFuture<'_, Result<Vec<(Person, Right)>, StoreError>> {
        let of = self.state.shares.iter().filter(|((id, _), _)| *id == smartbox);
        let mut all: Vec<_> =
            of.filter_map(|((_, id), right)| Some((self.person(id)?, *right))).collect();
        all.sort_by(|(a, _), (b, _)| by_name(a, b));
        Box::pin(ready(Ok(all)))
    }

    fn shared(
        &mut self,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Vec<(SmartboxId, Right)>, StoreError>> {
        let of = self.state.shares.iter().filter(|((_, id), _)| *id == person);
        let all = of.map(|((smartbox, _), right)| (smartbox.clone(), *right)).collect();
        Box::pin(ready(Ok(all)))
    }
}
