//! Everything that is known of one smartbox.

use std::collections::BTreeMap;

use smartbox_core::id::SmartboxId;
use smartbox_core::issue::{Filter, Issue};
use smartbox_core::machine::HomeUse;
use smartbox_core::sandbox::{Capabilities, Limits, Observed};
use smartbox_core::smartbox::Smartbox;
use smartbox_core::smartbox::plan::SleepPolicy;
use smartbox_core::store;
use smartbox_core::time::Timestamp;
use smartbox_core::usage::Total;

use crate::control::Control;
use crate::error::ControlError;
use crate::kinds::Kinds;

/// The most issues that are shown with a box; of one kind there is one.
const SHOWN: u32 = 50;

/// What everybody is told of every box under `--insecure-no-sandbox`.
const UNISOLATED: &str = "It is NOT isolated (--insecure-no-sandbox): what it runs can read and change all \
     that the platform's own user can.";

/// A smartbox with its evidence.
#[derive(Debug, Clone)]
pub struct View {
    /// Its row.
    pub row: Smartbox,
    /// What the keeper is doing, in one short phrase.
    pub phase: String,
    /// What the runtime sees.
    pub observed: Observed,
    /// Whether something is going on in it.
    pub busy: bool,
    /// Messages that wait for an answer.
    pub waiting: usize,
    /// What its model calls used since it was made.
    pub usage: Total,
    /// The version of its engine.
    pub engine_version: String,
    /// What its home holds; none if it cannot be measured.
    pub home: Option<HomeUse>,
    /// Its limits; none if its tier is no longer defined.
    pub limits: Option<Limits>,
    /// Its open issues.
    pub issues: Vec<Issue>,
    /// Something that its owner should know, like a refused configuration.
    pub notice: Option<String>,
}

impl Control {
    /// When a box sleeps.
    pub fn sleep_policy(&self, row: &Smartbox) -> SleepPolicy {
        row.sleep_policy(self.parts.settings.sleep)
    }

    /// When a person did something with a box, or it did something for one. The row learns of it when
    /// the box changes its state.
    pub fn last_active(&self, row: &Smartbox) -> Timestamp {
        row.last_active.max(self.parts.activity.going(&row.id).last)
    }

    /// The tiers by name, and the name of the default one.
    pub fn tiers(&self) -> (&BTreeMap<String, Limits>, &str) {
        (&self.parts.settings.tiers, &self.parts.settings.default_tier)
    }

    /// The kinds that boxes are made from.
    pub fn kinds(&self) -> &Kinds {
        &self.parts.kinds
    }

    /// The version of the engine that a box runs from its next start on; empty if it is not installed.
    pub fn engine_version(&self, row: &Smartbox) -> String {
        let slot = self.engine(&row.engine).ok();
        slot.map(|slot| slot.engine.manifest().version.clone()).unwrap_or_default()
    }

    /// Whether boxes run without a sandbox, as somebody asked for out loud.
    pub(crate) fn is_unisolated(&self) -> bool {
        self.parts.runtime.capabilities().profile == Capabilities::UNISOLATED
    }

    /// Looks at a smartbox. Wakes nothing and changes nothing.
    pub async fn view(&self, id: &SmartboxId) -> Result<View, ControlError> {
        let wanted = id.clone();
        let (row, waiting, usage, issues) = store::read(&*self.parts.store, |tx| {
            Box::pin(async move {
                let Some(row) = tx.boxes().get(wanted.clone()).await? else { return Ok(None) };
                let waiting = tx.messages().open(Some(wanted.clone())).await?.len();
                let usage = tx.usage().total(wanted.clone(), row.created).await?;
                let filter =
                    Filter { smartbox: Some(wanted), open: Some(true), ..Filter::default() };
                let issues = tx.issues().list(filter, None, SHOWN).await?;
                Ok(Some((row, waiting, usage, issues)))
            })
        })
        .await?
        .ok_or(ControlError::Missing { what: "smartbox" })?;
        let observed = self.parts.runtime.observe(id.clone()).await?;
        let now = self.keeper(id).map(|keeper| keeper.now()).unwrap_or_default();
        let busy = self.parts.activity.going(id).busy;
        let of_kind = self.template(&row).and_then(|template| template.notice.clone());
        let open = self.is_unisolated().then(|| UNISOLATED.to_owned());
        let notices = [open, now.notice, of_kind].into_iter().flatten();
        let notice = notices.reduce(|a, b| format!("{a} {b}"));
        let engine_version = self.engine_version(&row);
        let home = self.parts.gauges.home(id.clone()).await.ok();
        let limits = self.parts.settings.tiers.get(&row.tier).copied();
        Ok(View {
            row,
            phase: now.phase,
            observed,
            busy,
            waiting,
            usage,
            engine_version,
            home,
            limits,
            issues,
            notice,
        })
    }
}
