//! The book: policies put together from what the kind, the account and the box's owner say,
//! remembered until one of them changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::egress::port::{Authority, Rules, Standing};
use smartbox_core::egress::{
    Effect, Entry, Kept, Layer, Policy, Rule, Scope, Source, Spent, What, is_preset,
};
use smartbox_core::id::{EgressRuleId, Entropy, SmartboxId};
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store::{self, Store, StoreError, Tx};
use smartbox_core::time::{Clock, Timestamp};
use tokio::sync::watch;

use super::count::Counts;
use super::presets::Presets;
use super::services::Services;
use crate::kinds::Kinds;

/// What a book is made of.
pub struct BookParts {
    /// Records.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Makes stand-ins.
    pub entropy: Arc<dyn Entropy>,
    /// The templates of boxes, which say what theirs may reach.
    pub kinds: Kinds,
    /// Lists of rules.
    pub presets: Presets,
    /// How the keys of services are sent.
    pub services: Services,
    /// What every box may reach: hosts and presets.
    pub everywhere: Vec<String>,
}

/// Knows what may leave, and takes account of what does. Shared by the engine room and the broker.
pub struct Book {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) kinds: Kinds,
    /// Lists of rules.
    pub presets: Presets,
    /// How the keys of services are sent.
    pub services: Services,
    /// What the installation's settings allow to every box.
    everywhere: Vec<What>,
    pub(super) counts: Counts,
    known: Mutex<HashMap<SmartboxId, Standing>>,
    version: watch::Sender<u64>,
    authorities: Mutex<HashMap<SmartboxId, Authority>>,
}

impl Book {
    /// A book over the records.
    pub fn new(parts: BookParts) -> Arc<Self> {
        let BookParts { store, clock, entropy, kinds, presets, services, everywhere } = parts;
        Arc::new(Self {
            store,
            clock,
            entropy,
            kinds,
            presets,
            services,
            everywhere: read(&everywhere),
            counts: Counts::default(),
            known: Mutex::default(),
            version: watch::Sender::new(1),
            authorities: Mutex::default(),
        })
    }

    /// Does a change of the records, and then forgets what was known if `changed` says so. Who asks for
    /// it may be gone before it is done: the change is made all the same, and must count.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>>
        + Send
        + 'static,
        changed: fn(&T) -> bool,
    ) -> Result<T, StoreError> {
        let book = self.clone();
        let done = tokio::spawn(async move {
            let done = store::write(&*book.store, work).await;
            // Of a commit that failed it may be unknown whether it was made.
            if done.as_ref().map_or(true, changed) {
                book.forget();
            }
            done
        });
        done.await.unwrap_or_else(|error| Err(StoreError::Broken(error.into())))
    }

    /// What was known does not count any more, on connections that are open too.
    pub(super) fn forget(&self) {
        // The version first: what is put together from older records meanwhile is of the older version.
        self.version.send_modify(|version| *version += 1);
        self.known().clear();
    }

    pub(super) fn authorities(&self) -> MutexGuard<'_, HashMap<SmartboxId, Authority>> {
        self.authorities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self) -> MutexGuard<'_, HashMap<SmartboxId, Standing>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The policy of a box, with its rules as they are kept.
    pub(super) async fn read(&self, id: &SmartboxId) -> Result<(Smartbox, Vec<Kept>), StoreError> {
        let id = id.clone();
        store::read(&*self.store, move |tx| {
            Box::pin(async move {
                let missing = StoreError::Missing { what: "smartbox" };
                let row = tx.boxes().get(id).await?.ok_or(missing)?;
                let account = Scope::Account(row.account.clone());
                let mut kept = tx.egress_rules().list(account).await?;
                kept.extend(tx.egress_rules().list(Scope::Smartbox(row.id.clone())).await?);
                Ok((row, kept))
            })
        })
        .await
    }

    /// What they all say together.
    pub(super) fn policy(&self, row: &Smartbox, kept: &[Kept], now: Timestamp) -> Policy {
        let mut layers: Vec<Layer> = Vec::new();
        for (source, what) in self.given(row) {
            layers.push(Layer { source, allow: self.stands_for(&what), deny: vec![] });
        }
        for (source, is) in [
            (Source::Account, (|scope| matches!(scope, Scope::Account(_))) as fn(&Scope) -> bool),
            (Source::Smartbox, |scope| matches!(scope, Scope::Smartbox(_))),
        ] {
            let mut layer = Layer { source, allow: vec![], deny: vec![] };
            let holds = |kept: &&Kept| kept.until.is_none_or(|until| now < until);
            for kept in kept.iter().filter(|kept| is(&kept.scope)).filter(holds) {
                let entries = self.entries(kept);
                match kept.effect {
                    Effect::Allow => layer.allow.extend(entries),
                    Effect::Deny => layer.deny.extend(entries.into_iter().map(|e| e.rule)),
                }
            }
            layers.push(layer);
        }
        Policy { layers }
    }

    /// What the installation's settings and its kind allow.
    pub(super) fn given(&self, row: &Smartbox) -> Vec<(Source, What)> {
        let template = self.kinds.get(&row.kind).map(|template| template.egress.as_slice());
        let kind = read(template.unwrap_or_default());
        let everywhere = self.everywhere.iter().map(|what| (Source::Platform, what.clone()));
        everywhere.chain(kind.into_iter().map(|what| (Source::Kind, what))).collect()
    }

    fn entries(&self, kept: &Kept) -> Vec<Entry> {
        let its = |entry: Entry| Entry {
            id: kept.id.to_string(),
            until: kept.until,
            once: kept.once,
            ..entry
        };
        self.stands_for(&kept.what).into_iter().map(its).collect()
    }

    fn stands_for(&self, what: &What) -> Vec<Entry> {
        match what {
            What::Rule(rule) => vec![Entry::new(rule.clone())],
            What::Preset(name) => self.presets.entries(name),
        }
    }
}

/// Reads hosts and names of presets; they were checked where they came from.
fn read(texts: &[String]) -> Vec<What> {
    let of = |text: &String| match is_preset(text) {
        true => Some(What::Preset(text.clone())),
        false => Rule::parse(text).ok().map(What::Rule),
    };
    texts.iter().filter_map(of).collect()
}

impl Rules for Book {
    fn standing<'a>(&'a self, id: &'a SmartboxId) -> BoxFuture<'a, Result<Standing, StoreError>> {
        Box::pin(async move {
            let version = *self.version.borrow();
            if let Some(known) = self.known().get(id).filter(|known| known.version == version) {
                return Ok(known.clone());
            }
            let (row, kept) = self.read(id).await?;
            let policy = Arc::new(self.policy(&row, &kept, self.clock.now()));
            let standins = Arc::new(self.standins(&row).await?);
            let standing = Standing { name: row.name, policy, standins, version };
            self.known().insert(id.clone(), standing.clone());
            Ok(standing)
        })
    }

    fn changed(&self, id: SmartboxId, version: u64) -> BoxFuture<'static, ()> {
        let mut seen = self.version.subscribe();
        let known = self.known().get(&id).cloned();
        let now = self.clock.now();
        let next = known.and_then(|known| {
            let ends = known.policy.allowing().filter_map(|(_, entry)| entry.until);
            ends.filter(|until| *until > now).min()
        });
        // An entry that ends is a change that nobody makes.
        let wait = next.map_or(Duration::from_secs(86_400), |until| until.since(now));
        Box::pin(async move {
            // The watch's guard must not be held over an await: it is not `Send`.
            let changed = async { seen.wait_for(|now| *now != version).await.map(drop) };
            // A book that is gone changes no more; the connections end with their platform.
            if let Ok(Err(_)) = tokio::time::timeout(wait, changed).await {
                std::future::pending::<()>().await;
            }
        })
    }

    fn authority<'a>(
        &'a self,
        id: &'a SmartboxId,
    ) -> BoxFuture<'a, Result<Option<Authority>, StoreError>> {
        Box::pin(self.authority_of(id))
    }

    fn take<'a>(
        &'a self,
        id: &'a SmartboxId,
        entry: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let Ok(entry) = entry.parse::<EgressRuleId>() else { return Ok(false) };
            let id = id.clone();
            let taken = store::write(&*self.store, move |tx| {
                Box::pin(async move {
                    let missing = StoreError::Missing { what: "smartbox" };
                    let account = tx.boxes().get(id.clone()).await?.ok_or(missing)?.account;
                    for scope in [Scope::Smartbox(id), Scope::Account(account)] {
                        if tx.egress_rules().remove(scope, entry.clone()).await? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                })
            })
            .await?;
            self.forget();
            Ok(taken)
        })
    }

    fn spent<'a>(&'a self, id: &'a SmartboxId) -> BoxFuture<'a, Result<Spent, StoreError>> {
        Box::pin(self.read_spent(id))
    }
}
