//! People, and what they are given: each change stands in the audit of the accounts that it is about, and
//! holds at once.

use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, PersonId, SmartboxId};
use smartbox_core::person::{Person, Right, Role, email};
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::token::Purpose;

use super::{Access, Caller};

/// As many people as one account, or one box, is given to.
const MANY: usize = 200;

/// Whom somebody means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// By their identifier.
    Id(PersonId),
    /// By their address, in its one form.
    Email(String),
}

impl Whom {
    /// Reads an identifier or an address.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().map(Self::Id).ok().or_else(|| email(text).map(Self::Email))
    }
}

/// Why somebody is not given something, or not bereft of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It would lock the account's last owner out of it.
    LastOwner,
    /// They would do it to themselves.
    Oneself,
    /// Too many have it already.
    Many,
    /// Several people have the address by which one was named.
    Several,
}

/// What a change may come to.
pub type Changed<T> = Result<Result<T, Unfit>, StoreError>;

/// Something that an account or a box is to somebody.
#[derive(Debug, Clone)]
pub enum Gift {
    /// What they are in an account.
    Role(Option<Role>),
    /// What they may with a smartbox of it.
    Share(SmartboxId, Option<Right>),
}

/// What is to be different about a person; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct PersonChange {
    /// What people call them.
    pub name: Option<String>,
    /// How much of the installation they run.
    pub operator: Option<Option<Right>>,
    /// Lets them in no more, or again.
    pub disabled: Option<bool>,
}

impl Access {
    /// Gives somebody something in an account, or takes it. Whoever is named by an address that nobody
    /// has is written down: who gives learns nothing about who is known here, and whoever signs in with
    /// that address has it.
    pub async fn give(
        &self,
        by: &Caller,
        account: &AccountId,
        whom: Whom,
        gift: Gift,
    ) -> Changed<Person> {
        let now = self.clock.now();
        let (by, account) = (by.clone(), account.clone());
        let fresh = self.nobody();
        self.change(move |tx| {
            Box::pin(async move {
                let takes = matches!(gift, Gift::Role(None) | Gift::Share(_, None));
                let mut found = sought(tx, &whom).await?;
                if takes {
                    found = holders(tx, &account, &gift, found).await?;
                }
                let person = match (found.into_iter().next(), &whom) {
                    (Some(person), _) => person,
                    (None, Whom::Email(email)) if !takes => {
                        let person =
                            Person { name: email.clone(), email: Some(email.clone()), ..fresh };
                        tx.people().add(person.clone()).await?;
                        person
                    }
                    (None, _) => return Err(StoreError::Missing { what: "person" }),
                };
                let (action, smartbox, word) = match &gift {
                    Gift::Role(role) => {
                        if let Some(unfit) = unfit(tx, &by, &account, &person, *role, now).await? {
                            return Ok(Err(unfit));
                        }
                        tx.grants().set_role(account.clone(), person.id.clone(), *role).await?;
                        ("member", None, role.map(Role::as_str))
                    }
                    Gift::Share(id, right) => {
                        let shares = tx.grants().shares(id.clone()).await?;
                        let has = shares.iter().any(|(other, _)| other.id == person.id);
                        if right.is_none() && !has {
                            return Err(StoreError::Missing { what: "share" });
                        }
                        if !has && shares.len() >= MANY {
                            return Ok(Err(Unfit::Many));
                        }
                        tx.grants().set_share(id.clone(), person.id.clone(), *right).await?;
                        ("share", Some(id.clone()), right.map(Right::as_str))
                    }
                };
                let verb = if word.is_some() { "set" } else { "remove" };
                let detail = [Some(person.id.as_str()), word].into_iter().flatten();
                tx.audit()
                    .append(Act {
                        account,
                        actor: by.actor,
                        action: format!("{action}.{verb}"),
                        smartbox,
                        detail: detail.collect::<Vec<_>>().join(" "),
                        at: now,
                    })
                    .await?;
                Ok(Ok(person))
            })
        })
        .await
    }

    /// Writes somebody down, for whom no provider has vouched yet.
    pub async fn new_person(
        &self,
        by: &Caller,
        email: String,
        name: String,
        operator: Option<Right>,
    ) -> Result<Person, StoreError> {
        let person = Person { name, email: Some(email.clone()), operator, ..self.nobody() };
        let act = told(by, &by.account, "person.create", &person, "", self.clock.now());
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                if !sought(tx, &Whom::Email(email)).await?.is_empty() {
                    return Err(StoreError::Exists { what: "person" });
                }
                tx.people().add(person.clone()).await?;
                tx.audit().append(act).await?;
                Ok(person)
            })
        })
        .await
    }

    /// Changes a person. Whoever is disabled has no session left.
    pub async fn change_person(
        &self,
        by: &Caller,
        whom: Whom,
        change: PersonChange,
    ) -> Changed<Person> {
        let (by, now) = (by.clone(), self.clock.now());
        self.change(move |tx| {
            Box::pin(async move {
                let before = match one(tx, &whom).await? {
                    Ok(person) => person,
                    Err(unfit) => return Ok(Err(unfit)),
                };
                let mut after = before.clone();
                after.name = change.name.unwrap_or(after.name);
                after.operator = change.operator.unwrap_or(after.operator);
                after.disabled = change.disabled.unwrap_or(after.disabled);
                let less = after.disabled || after.operator < before.operator;
                if less && by.person.as_ref() == Some(&after.id) {
                    return Ok(Err(Unfit::Oneself));
                }
                tx.people().put(after.clone()).await?;
                if after.disabled && !before.disabled {
                    tx.sessions().end_all(after.id.clone()).await?;
                }
                let words = differences(&before, &after);
                for account in whose(tx, &by, &after).await? {
                    let act = told(&by, &account, "person.change", &after, &words, now);
                    tx.audit().append(act).await?;
                }
                Ok(Ok(after))
            })
        })
        .await
    }

    /// Removes a person with all that they may, their sessions and tokens.
    pub async fn remove_person(&self, by: &Caller, whom: Whom) -> Changed<()> {
        let (by, now) = (by.clone(), self.clock.now());
        self.change(move |tx| {
            Box::pin(async move {
                let person = match one(tx, &whom).await? {
                    Ok(person) => person,
                    Err(unfit) => return Ok(Err(unfit)),
                };
                if by.person.as_ref() == Some(&person.id) {
                    return Ok(Err(Unfit::Oneself));
                }
                for account in whose(tx, &by, &person).await? {
                    let act = told(&by, &account, "person.remove", &person, "", now);
                    tx.audit().append(act).await?;
                }
                tx.people().remove(person.id).await?;
                Ok(Ok(()))
            })
        })
        .await
    }

    fn nobody(&self) -> Person {
        Person {
            id: PersonId::generate(&*self.entropy),
            name: String::new(),
            email: None,
            operator: None,
            disabled: false,
            created: self.clock.now(),
        }
    }
}

/// Who may be meant. Of one address there may be several: whoever comes by two providers is two people,
/// since neither provider speaks for the other.
async fn sought(tx: &mut dyn Tx, whom: &Whom) -> Result<Vec<Person>, StoreError> {
    match whom {
        Whom::Id(id) => Ok(tx.people().get(id.clone()).await?.into_iter().collect()),
        Whom::Email(email) => {
            let found = tx.people().addressed(email.clone()).await?;
            Ok(found.into_iter().map(|(person, _)| person).collect())
        }
    }
}

/// The one who is meant, and no other.
async fn one(tx: &mut dyn Tx, whom: &Whom) -> Changed<Person> {
    let mut found = sought(tx, whom).await?;
    match (found.pop(), found.is_empty()) {
        (Some(person), true) => Ok(Ok(person)),
        (Some(_), false) => Ok(Err(Unfit::Several)),
        (None, _) => Err(StoreError::Missing { what: "person" }),
    }
}

/// Those of them who have it.
async fn holders(
    tx: &mut dyn Tx,
    account: &AccountId,
    gift: &Gift,
    of: Vec<Person>,
) -> Result<Vec<Person>, StoreError> {
    let mut found = Vec::new();
    for person in of {
        let (account, id) = (account.clone(), person.id.clone());
        let has = match gift {
            Gift::Role(_) => tx.grants().role(account, id).await?.is_some(),
            Gift::Share(smartbox, _) => tx.grants().share(smartbox.clone(), id).await?.is_some(),
        };
        if has {
            found.push(person);
        }
    }
    Ok(found)
}

/// In whose audits a change of a person stands: the installation's, and of each account that gave them
/// something.
async fn whose(
    tx: &mut dyn Tx,
    by: &Caller,
    person: &Person,
) -> Result<Vec<AccountId>, StoreError> {
    let mut accounts = givers(tx, person).await?;
    accounts.push(by.account.clone());
    accounts.sort();
    accounts.dedup();
    Ok(accounts)
}

/// The accounts that gave somebody something.
pub(super) async fn givers(tx: &mut dyn Tx, person: &Person) -> Result<Vec<AccountId>, StoreError> {
    let roles = tx.grants().accounts(person.id.clone()).await?;
    let mut accounts: Vec<AccountId> = roles.into_iter().map(|(id, _)| id).collect();
    for (id, _) in tx.grants().shared(person.id.clone()).await? {
        accounts.extend(tx.boxes().get(id).await?.map(|row| row.account));
    }
    accounts.sort();
    accounts.dedup();
    Ok(accounts)
}

/// Why somebody may not be made that in an account, if so.
async fn unfit(
    tx: &mut dyn Tx,
    by: &Caller,
    account: &AccountId,
    person: &Person,
    role: Option<Role>,
    now: smartbox_core::time::Timestamp,
) -> Result<Option<Unfit>, StoreError> {
    let members = tx.grants().members(account.clone()).await?;
    let has = members.iter().find(|(other, _)| other.id == person.id).map(|(_, role)| *role);
    if has.is_none() && role.is_none() {
        return Err(StoreError::Missing { what: "member" });
    }
    if has.is_none() && members.len() >= MANY {
        return Ok(Some(Unfit::Many));
    }
    let oneself = by.person.as_ref() == Some(&person.id);
    let steps_down = has == Some(Role::Owner) && role != Some(Role::Owner);
    if !(oneself && steps_down) {
        return Ok(None);
    }
    let owns = |(other, role): &(Person, Role)| {
        *role == Role::Owner && !other.disabled && other.id != person.id
    };
    let mut way_in = members.iter().any(owns);
    for purpose in [Purpose::Link, Purpose::Api] {
        way_in |= tx.tokens().list(Some(account.clone()), purpose).await?.iter().any(|token| {
            token.person.is_none()
                && token.smartbox.is_none()
                && token.right == Right::Own
                && token.expires.is_none_or(|at| at > now)
        });
    }
    Ok((!way_in).then_some(Unfit::LastOwner))
}

fn told(
    by: &Caller,
    account: &AccountId,
    action: &str,
    person: &Person,
    words: &str,
    at: smartbox_core::time::Timestamp,
) -> Act {
    Act {
        account: account.clone(),
        actor: by.actor.clone(),
        action: action.to_owned(),
        smartbox: None,
        // No name and no address: what stands here stands for ever.
        detail: format!("{} {words}", person.id).trim_end().to_owned(),
        at,
    }
}

fn differences(before: &Person, after: &Person) -> String {
    let mut words = Vec::new();
    if before.name != after.name {
        words.push("name".to_owned());
    }
    if before.operator != after.operator {
        words.push(format!("operator={}", after.operator.map_or("none", Right::as_str)));
    }
    match (before.disabled, after.disabled) {
        (false, true) => words.push("disabled".to_owned()),
        (true, false) => words.push("enabled".to_owned()),
        _ => {}
    }
    words.join(", ")
}
