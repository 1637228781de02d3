//! Tickets: they take a browser from the platform's origin to a box's, once and within a minute.

use std::time::Duration;

use smartbox_core::audit::Act;
use smartbox_core::id::{SmartboxId, TokenId};
use smartbox_core::secret::Secret;
use smartbox_core::store::{self, StoreError};
use smartbox_core::token::{Purpose, Token};

use super::{Access, Caller, hash};

const LASTS: Duration = Duration::from_mins(1);

impl Access {
    /// Makes a ticket to a box for whoever this is. What they may there, the records say
    /// when it is burnt.
    pub async fn ticket(
        &self,
        who: &Caller,
        smartbox: &SmartboxId,
    ) -> Result<Secret<String>, StoreError> {
        let now = self.clock.now();
        let root = match who.until {
            Some(until) => self.anchor(who, until).await?,
            None => who.root.clone(),
        };
        let value = self.value("sbt");
        let token = Token {
            id: TokenId::generate(&*self.entropy),
            hash: hash(value.expose()),
            name: String::new(),
            account: who.account.clone(),
            person: who.person.clone(),
            smartbox: Some(smartbox.clone()),
            purpose: Purpose::Ticket,
            right: who.cap,
            root,
            created: now,
            expires: Some(now.plus(LASTS)),
            used: None,
        };
        let (actor, id) = (who.actor.clone(), smartbox.clone());
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                tx.tokens().add(token).await?;
                // The owner of the box learns who has a way in, whoever's account that is; and by `box.enter`
                // that somebody went in by it.
                let row = tx.boxes().get(id.clone()).await?;
                let row = row.ok_or(StoreError::Missing { what: "smartbox" })?;
                let (smartbox, detail) = (Some(id), String::new());
                let (account, action) = (row.account, "box.link".to_owned());
                tx.audit().append(Act { account, actor, action, smartbox, detail, at: now }).await
            })
        })
        .await?;
        Ok(value)
    }

    /// Burns a ticket to this box; whom it lets in stands in it. One that leads elsewhere, or that is no ticket,
    /// stays as it is.
    pub(super) async fn burn(
        &self,
        value: &str,
        smartbox: &SmartboxId,
    ) -> Result<Option<Token>, StoreError> {
        let (hash, now, smartbox) = (hash(value), self.clock.now(), smartbox.clone());
        let wanted = hash.clone();
        let there = store::read(&*self.store, move |tx| {
            Box::pin(async move { tx.tokens().find(wanted, now).await })
        });
        // Whoever has none waits for no writer, nor does anybody for them.
        if there.await?.is_none() {
            return Ok(None);
        }
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                let leads_here = |token: &Token| {
                    token.purpose == Purpose::Ticket && token.smartbox.as_ref() == Some(&smartbox)
                };
                match tx.tokens().find(hash.clone(), now).await? {
                    Some(token) if leads_here(&token) => tx.tokens().burn(hash, now).await,
                    _ => Ok(None),
                }
            })
        })
        .await
    }
}
