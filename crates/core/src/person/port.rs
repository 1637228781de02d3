//! What a store must do for people, and for what they may.

use crate::BoxFuture;
use crate::id::{AccountId, PersonId, SmartboxId};
use crate::person::{Person, Right, Role};
use crate::store::StoreError;

/// A person, and the issuers that know them.
pub type Known = (Person, Vec<String>);

/// The people within one unit of work.
pub trait People: Send {
    /// Adds a person.
    fn add(&mut self, person: Person) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Replaces the row; [`StoreError::Missing`] if it is gone.
    fn put(&mut self, person: Person) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The person with this id.
    fn get(&mut self, id: PersonId) -> BoxFuture<'_, Result<Option<Person>, StoreError>>;
    /// The person whom this issuer calls so.
    fn known(
        &mut self,
        issuer: String,
        subject: String,
    ) -> BoxFuture<'_, Result<Option<Person>, StoreError>>;
    /// Notes that this issuer calls the person so; [`StoreError::Exists`] if that is somebody.
    fn know(
        &mut self,
        issuer: String,
        subject: String,
        person: PersonId,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Who has this address, in the form of [`super::email`], whoever was written down first first; each
    /// with the issuers that know them.
    fn addressed(&mut self, email: String) -> BoxFuture<'_, Result<Vec<Known>, StoreError>>;
    /// Everybody, by name and id.
    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Person>, StoreError>>;
    /// Removes a person with all that they may, their sessions and tokens. Removing twice is once.
    fn remove(&mut self, id: PersonId) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// What people may, within one unit of work.
pub trait Grants: Send {
    /// Makes somebody that in an account, or nothing any more. [`StoreError::Missing`] if there is no such
    /// account or person.
    fn set_role(
        &mut self,
        account: AccountId,
        person: PersonId,
        role: Option<Role>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// What somebody is in an account.
    fn role(
        &mut self,
        account: AccountId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<Role>, StoreError>>;
    /// The members of an account, by name.
    fn members(
        &mut self,
        account: AccountId,
    ) -> BoxFuture<'_, Result<Vec<(Person, Role)>, StoreError>>;
    /// The accounts that somebody is in, in the order of their names.
    fn accounts(
        &mut self,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Vec<(AccountId, Role)>, StoreError>>;
    /// Shares a smartbox with somebody, or not any more. [`StoreError::Missing`] if there is no such
    /// smartbox or person.
    fn set_share(
        &mut self,
        smartbox: SmartboxId,
        person: PersonId,
        right: Option<Right>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// What somebody may by a share of exactly this smartbox.
    fn share(
        &mut self,
        smartbox: SmartboxId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<Right>, StoreError>>;
    /// With whom a smartbox is shared, by name.
    fn shares(
        &mut self,
        smartbox: SmartboxId,
    ) -> BoxFuture<'_, Result<Vec<(Person, Right)>, StoreError>>;
    /// What is shared with somebody.
    fn shared(
        &mut self,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Vec<(SmartboxId, Right)>, StoreError>>;
}
