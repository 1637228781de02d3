//! Looking at rules and changing them, for whoever has the right to.

use smartbox_core::egress::port::Rules as _;
use smartbox_core::egress::{Effect, Host, Kept, Scope, Source, Use, What, decide, decide_name};
use smartbox_core::id::{AccountId, EgressRuleId, SmartboxId};
use smartbox_core::store;
use smartbox_core::time::Timestamp;

use super::presets::Preset;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Rules that an account or a box may have.
const MOST: usize = 500;

/// A rule that somebody wants.
#[derive(Debug, Clone)]
pub struct NewRule {
    /// What it does.
    pub effect: Effect,
    /// What it is about.
    pub what: What,
    /// When it ends, if it does.
    pub until: Option<Timestamp>,
    /// For one connection only.
    pub once: bool,
}

/// How things stand with what may leave a box.
#[derive(Debug, Clone)]
pub struct Standings {
    /// What the installation's settings and its kind allow.
    pub given: Vec<(Source, What)>,
    /// The rules of the account and of the box, as they are kept.
    pub kept: Vec<Kept>,
}

impl Control {
    /// What may leave a box, and who says so.
    pub async fn egress(&self, id: &SmartboxId) -> Result<Standings, ControlError> {
        let book = &self.parts.book;
        let (row, kept) = book.read(id).await?;
        Ok(Standings { given: book.given(&row), kept })
    }

    /// Lists of hosts under a name.
    pub fn presets(&self) -> impl Iterator<Item = &Preset> {
        self.parts.book.presets.iter()
    }

    /// The rules of an account.
    pub async fn account_egress(&self, id: &AccountId) -> Result<Vec<Kept>, ControlError> {
        let scope = Scope::Account(id.clone());
        Ok(store::read(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.egress_rules().list(scope).await })
        })
        .await?)
    }

    /// Adds a rule to an account or a box. It counts at once, on connections that are open too. The
    /// same rule again is the one that is there.
    pub async fn add_egress(
        &self,
        actor: &Actor,
        account: &AccountId,
        scope: Scope,
        new: NewRule,
    ) -> Result<Kept, ControlError> {
        let now = self.parts.clock.now();
        self.check_rule(&new, now)?;
        let kept = Kept {
            id: EgressRuleId::generate(&*self.parts.entropy),
            scope: scope.clone(),
            effect: new.effect,
            what: new.what,
            until: new.until,
            once: new.once,
            added: now,
        };
        let action = format!("egress.{}", kept.effect);
        let act = self.act((actor, account), &action, its(&scope), &text(&kept.what));
        let work = self.parts.book.change(
            move |tx| {
                Box::pin(async move {
                    let present = tx.egress_rules().list(scope).await?;
                    let same = |one: &&Kept| {
                        (one.effect, &one.what, one.until, one.once)
                            == (kept.effect, &kept.what, kept.until, kept.once)
                    };
                    if let Some(found) = present.iter().find(same) {
                        return Ok(Some(found.clone()));
                    }
                    if present.len() >= MOST {
                        return Ok(None);
                    }
                    tx.egress_rules().add(kept.clone()).await?;
                    tx.audit().append(act).await?;
                    Ok(Some(kept))
                })
            },
            Option::is_some,
        );
        let kept = work.await.inspect_err(|error| self.heed(error))?;
        kept.ok_or_else(|| ControlError::Refused {
            why: format!("there are {MOST} rules already"),
            hint: "remove some, or use a pattern like *.example.com".into(),
        })
    }

    /// Removes a rule; what it let out is cut.
    pub async fn remove_egress(
        &self,
        actor: &Actor,
        account: &AccountId,
        scope: Scope,
        id: EgressRuleId,
    ) -> Result<(), ControlError> {
        let act = self.act((actor, account), "egress.remove", its(&scope), id.as_str());
        let work = self.parts.book.change(
            move |tx| {
                Box::pin(async move {
                    let gone = tx.egress_rules().remove(scope, id).await?;
                    if gone {
                        tx.audit().append(act).await?;
                    }
                    Ok(gone)
                })
            },
            |gone| *gone,
        );
        let gone = work.await.inspect_err(|error| self.heed(error))?;
        if gone { Ok(()) } else { Err(ControlError::Missing { what: "rule" }) }
    }

    /// What a box did since then, the last of it first; each with whether it would be let out now.
    pub async fn egress_uses(
        &self,
        id: &SmartboxId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Use, bool)>, ControlError> {
        let book = &self.parts.book;
        // What happened a moment ago is asked for most of all.
        book.write().await?;
        let now = self.parts.clock.now();
        let policy = book.standing(id).await?.policy;
        let id = id.clone();
        let found = store::read(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.egress_uses().list(id, since, limit).await })
        })
        .await?;
        let allowed = |one: &Use| match (Host::parse(&one.host), one.port) {
            // It was asked for by a question about its name.
            (Ok(Host::Name(name)), 0) => decide_name(&policy, &name, now).is_ok(),
            (Ok(host), port) => decide(&policy, &host, port, now).is_ok(),
            (Err(_), _) => false,
        };
        Ok(found.into_iter().map(|one| (allowed(&one), one)).map(|(yes, one)| (one, yes)).collect())
    }

    fn check_rule(&self, new: &NewRule, now: Timestamp) -> Result<(), ControlError> {
        let refused =
            |why: String, hint: &str| Err(ControlError::Refused { why, hint: hint.to_owned() });
        if new.until.is_some_and(|until| until <= now) {
            return refused("the rule would be over already".into(), "give a time to come");
        }
        if new.once && new.effect == Effect::Deny {
            return refused("a rule that refuses is not for once".into(), "leave `once` out");
        }
        match &new.what {
            What::Preset(name) if self.parts.book.presets.get(name).is_none() => refused(
                format!("there is no preset `{name}`"),
                "`smartbox egress presets` lists them; a host has a dot, like example.com",
            ),
            What::Preset(_) if new.once => {
                refused("a preset is not for once".into(), "name one host, or use `--for 1h`")
            }
            What::Rule(rule) => match rule.check() {
                Ok(()) => Ok(()),
                Err(bad) => refused(bad.to_string(), "mend the rule"),
            },
            What::Preset(_) => Ok(()),
        }
    }
}

/// The box that a rule is of, if it is of one.
fn its(scope: &Scope) -> Option<&SmartboxId> {
    if let Scope::Smartbox(id) = scope { Some(id) } else { None }
}

fn text(what: &What) -> String {
    match what {
        What::Rule(rule) => rule.to_string(),
        What::Preset(name) => name.clone(),
    }
}
