//! Somebody for whom an issuer vouches: who that is in our records, and what the rules make of them.

use smartbox_core::audit::Act;
use smartbox_core::id::{AccountId, PersonId};
use smartbox_core::person::{Identity, Person, Right, Role, Rule, email, rule};
use smartbox_core::session::Root;
use smartbox_core::store::{self, StoreError, Tx};
use smartbox_core::time::Timestamp;

use super::people::givers;
use super::seat::standing;
use super::{Access, Caller, admitted};

/// What somebody may be called, in characters.
const LONGEST: usize = 64;

/// What came of somebody who came.
#[derive(Debug)]
pub enum Arrival {
    /// They may come in.
    In(Box<Caller>),
    /// Nobody gave them anything.
    Stranger,
    /// They may not come in any more.
    ShutOut,
}

impl Access {
    /// Who somebody is here, and what they may. Whoever is given something for the first time is written
    /// down; nobody else leaves a trace. Whoever was written down by an address before they came is who
    /// comes with it first. In the accounts that rules name the rules decide, each time that somebody comes.
    pub async fn arrive(
        &self,
        who: &Identity,
        rules: &[Rule],
        first: &AccountId,
    ) -> Result<Arrival, StoreError> {
        let given = rule::given(rules, who);
        let fresh = PersonId::generate(&*self.entropy);
        let now = self.clock.now();
        let wanted = {
            let (who, given, fresh) = (who.clone(), given.clone(), fresh.clone());
            store::read(&*self.store, move |tx| {
                Box::pin(async move { Wanted::of(tx, &who, &given, fresh, now).await })
            })
            .await?
        };
        let Some(mut wanted) = wanted else { return Ok(Arrival::Stranger) };
        if wanted.person.disabled {
            return Ok(Arrival::ShutOut);
        }
        if wanted.changes() {
            let (who, first) = (who.clone(), first.clone());
            wanted = self
                .change(move |tx| {
                    Box::pin(async move {
                        // Again: two windows of one person may come at the same time.
                        let wanted = Wanted::of(tx, &who, &given, fresh, now).await?;
                        let wanted = wanted.ok_or(StoreError::Missing { what: "person" })?;
                        wanted.write(tx, &who, &first, now).await?;
                        Ok(wanted)
                    })
                })
                .await?;
        }
        let (person, first) = (wanted.person.id.clone(), first.clone());
        let caller = store::read(&*self.store, move |tx| {
            Box::pin(async move { caller(tx, person, &first).await })
        })
        .await?;
        Ok(caller.map_or(Arrival::Stranger, |caller| Arrival::In(Box::new(caller))))
    }

    /// What somebody may now for whom somebody else gave their word, for something that they have open;
    /// `None` once that word is over, or they may not come in any more.
    pub(crate) async fn again(&self, was: &Caller) -> Result<Option<Caller>, StoreError> {
        let now = self.clock.now();
        if was.until.is_some_and(|until| until <= now) {
            return Ok(None);
        }
        let was = was.clone();
        store::read(&*self.store, move |tx| {
            Box::pin(async move {
                if !admitted(tx, &was.account).await? {
                    return Ok(None);
                }
                let standing = standing(tx, &was.account, was.person.as_ref()).await?;
                Ok(standing.map(|is| Caller { right: is.right, operator: is.operator, ..was }))
            })
        })
        .await
    }
}

/// What the records are to say of somebody.
struct Wanted {
    person: Person,
    /// As they are now; none if nobody wrote them down.
    before: Option<Person>,
    /// Whether this issuer's word led to them.
    known: bool,
    /// Roles that are to be others.
    roles: Vec<(AccountId, Option<Role>)>,
}

impl Wanted {
    /// `None` if they are unknown, and given nothing.
    async fn of(
        tx: &mut dyn Tx,
        who: &Identity,
        given: &rule::Given,
        fresh: PersonId,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let vouched = who.email.as_deref().filter(|_| who.email_verified && !who.service);
        let email = vouched.and_then(email);
        let mut before = tx.people().known(who.issuer.clone(), who.subject.clone()).await?;
        let known = before.is_some();
        if let (None, Some(email)) = (&before, &email) {
            before = expected(tx, email).await?;
        }
        if before.is_none() && !given.is_something() {
            return Ok(None);
        }
        let mut person = before.clone().unwrap_or_else(|| Person {
            id: fresh,
            name: String::new(),
            email: None,
            operator: None,
            disabled: false,
            created: now,
        });
        if let Some(name) = &who.name {
            person.name.clone_from(name);
        }
        if person.name.is_empty() {
            person.name = email.clone().unwrap_or_else(|| who.subject.clone());
        }
        person.name = person.name.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        person.email = email.or(person.email);
        if let Some(operator) = given.operator {
            person.operator = operator;
        }
        let mut roles = Vec::new();
        for (name, role) in &given.roles {
            // An account of a rule may be made later; then the rule begins to hold.
            let Some(account) = tx.accounts().named(name.clone()).await? else { continue };
            if tx.grants().role(account.id.clone(), person.id.clone()).await? != *role {
                roles.push((account.id, *role));
            }
        }
        Ok(Some(Self { person, before, known, roles }))
    }

    fn changes(&self) -> bool {
        !self.known || self.before.as_ref() != Some(&self.person) || !self.roles.is_empty()
    }

    /// What a sign-in changes about them that the installation is to know: that they are there, how much of it
    /// they run, and by which address they are called. What they call themselves is no news.
    fn changed(&self) -> Option<(&'static str, String)> {
        let before = self.before.as_ref();
        let mut words = vec![self.person.id.to_string()];
        if before.and_then(|before| before.operator) != self.person.operator {
            let operator = self.person.operator.map_or("none", Right::as_str);
            words.push(format!("operator={operator}"));
        }
        if before.is_some_and(|before| before.email != self.person.email) {
            words.push("email".into());
        }
        match before {
            None => Some(("create", words.join(" "))),
            Some(_) if words.len() > 1 => Some(("change", words.join(" "))),
            Some(_) => None,
        }
    }

    async fn write(
        &self,
        tx: &mut dyn Tx,
        who: &Identity,
        first: &AccountId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = &self.person.id;
        match &self.before {
            None => tx.people().add(self.person.clone()).await?,
            Some(before) if *before != self.person => tx.people().put(self.person.clone()).await?,
            Some(_) => {}
        }
        if let Some((verb, detail)) = self.changed() {
            let act = by_rules(first.clone(), format!("person.{verb}"), detail, now);
            tx.audit().append(act).await?;
        }
        if !self.known {
            tx.people().know(who.issuer.clone(), who.subject.clone(), id.clone()).await?;
            // Who gave them something sees that somebody has it now.
            for account in givers(tx, &self.person).await? {
                tx.audit().append(arrived(account, id, &who.issuer, now)).await?;
            }
        }
        for (account, role) in &self.roles {
            tx.grants().set_role(account.clone(), id.clone(), *role).await?;
            let detail = format!("{id} {}", role.map_or("nobody", Role::as_str));
            let act = by_rules(account.clone(), "member.set".into(), detail, now);
            tx.audit().append(act).await?;
        }
        Ok(())
    }
}

/// Who was written down by an address that somebody comes with, and has not come before. Whom an issuer
/// knows is found by that alone: it may give the address to somebody else later, and another issuer does
/// not speak for it.
async fn expected(tx: &mut dyn Tx, email: &str) -> Result<Option<Person>, StoreError> {
    let found = tx.people().addressed(email.to_owned()).await?;
    Ok(found.into_iter().find(|(_, issuers)| issuers.is_empty()).map(|(person, _)| person))
}

fn by_rules(account: AccountId, action: String, detail: String, at: Timestamp) -> Act {
    Act { account, actor: "sign-in-rules".into(), action, smartbox: None, detail, at }
}

fn arrived(account: AccountId, person: &PersonId, issuer: &str, at: Timestamp) -> Act {
    Act {
        account,
        actor: format!("person:{person}"),
        action: "person.arrive".into(),
        smartbox: None,
        detail: issuer.to_owned(),
        at,
    }
}

/// For whom they act: the installation's first account if they are in it, else the one where they may most,
/// else that of something that is shared with them. `None` if they may nothing.
async fn caller(
    tx: &mut dyn Tx,
    person: PersonId,
    first: &AccountId,
) -> Result<Option<Caller>, StoreError> {
    let mut accounts = tx.grants().accounts(person.clone()).await?;
    // A stable sort: among equals the first by name.
    accounts.sort_by_key(|(id, role)| (id != first, std::cmp::Reverse(*role)));
    let mut candidates: Vec<AccountId> = accounts.into_iter().map(|(id, _)| id).collect();
    for (smartbox, _) in tx.grants().shared(person.clone()).await? {
        if let Some(row) = tx.boxes().get(smartbox).await? {
            candidates.push(row.account);
        }
    }
    let operator = tx.people().get(person.clone()).await?.and_then(|person| person.operator);
    if operator.is_some() {
        candidates.push(first.clone());
    }
    for account in candidates {
        if !admitted(tx, &account).await? {
            continue;
        }
        let Some(standing) = standing(tx, &account, Some(&person)).await? else { return Ok(None) };
        return Ok(Some(Caller {
            actor: format!("person:{person}"),
            account,
            person: Some(person),
            right: standing.right,
            only: None,
            operator: standing.operator,
            cap: Right::Own,
            root: Root::default(),
            welcome: false,
            until: None,
        }));
    }
    Ok(None)
}
