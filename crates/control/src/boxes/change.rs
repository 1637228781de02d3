//! Changing what an owner decides of a smartbox.

use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::labels::Labels;
use smartbox_core::smartbox::{Desired, Smartbox};

use super::wish::again;
use crate::accounts::create::check_display;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Labels to set, and with none to remove.
pub type LabelChange = Vec<(String, Option<String>)>;

/// What is to be different; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What people call it.
    pub display: Option<String>,
    /// Labels to set, and with none to remove.
    pub labels: LabelChange,
    /// Its tier. A running sandbox keeps its limits until a safe moment: the next start.
    pub tier: Option<String>,
    /// What is wished of it.
    pub desired: Option<Desired>,
    /// Idle for so long: frozen; an inner none is the platform's time.
    pub freeze_after: Option<Option<Duration>>,
    /// Idle for so long: stopped; an inner none is the platform's time.
    pub stop_after: Option<Option<Duration>>,
}

/// Shorter times would freeze a box between two words of a person.
const SHORTEST: Duration = Duration::from_secs(1);
/// Longer ones are meant to be "never", which is what `on` says.
const LONGEST: Duration = Duration::from_hours(24 * 365);

impl Control {
    /// Changes a smartbox, if what its owner decided of it is still this revision.
    pub async fn change_box(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        change: Change,
        revision: Option<u64>,
    ) -> Result<Smartbox, ControlError> {
        self.check(&change)?;
        let (now, words) = (self.parts.clock.now(), change.words());
        let edit = move |row: &mut Smartbox| {
            row.labels = relabelled(&row.labels, change.labels)?;
            row.display = change.display.unwrap_or_else(|| row.display.clone());
            row.tier = change.tier.unwrap_or_else(|| row.tier.clone());
            row.sleep.freeze_after = change.freeze_after.unwrap_or(row.sleep.freeze_after);
            row.sleep.stop_after = change.stop_after.unwrap_or(row.sleep.stop_after);
            if let Some(desired) = change.desired.filter(|desired| *desired != row.desired) {
                let was_off = row.desired == Desired::Off;
                row.desired = desired;
                if desired == Desired::Off {
                    row.rest = None;
                } else if was_off {
                    row.touch(now);
                    again(row);
                }
            }
            Ok(())
        };
        self.change_at(id, (actor, "box.change", words), revision, edit).await
    }

    fn check(&self, change: &Change) -> Result<(), ControlError> {
        if let Some(display) = &change.display {
            check_display(display)?;
        }
        if let Some(tier) = &change.tier {
            self.known_tier(tier)?;
        }
        let times = [change.freeze_after, change.stop_after].into_iter().flatten().flatten();
        for time in times {
            if !(SHORTEST..=LONGEST).contains(&time) {
                return Err(ControlError::Refused {
                    why: "that is too short or too long a time to sleep after".into(),
                    hint: "write between 1s and 365d; a box that is `on` never sleeps".into(),
                });
            }
        }
        Ok(())
    }

    /// Refuses a tier that there is none of.
    pub(crate) fn known_tier(&self, tier: &str) -> Result<(), ControlError> {
        let tiers = &self.parts.settings.tiers;
        if tiers.contains_key(tier) {
            return Ok(());
        }
        let known: Vec<_> = tiers.keys().map(String::as_str).collect();
        Err(ControlError::Refused {
            why: format!("there is no tier `{}`", tier.chars().take(60).collect::<String>()),
            hint: format!("choose one of {}", known.join(", ")),
        })
    }
}

impl Change {
    /// What is changed, for the audit.
    fn words(&self) -> String {
        let mut words = Vec::new();
        if self.display.is_some() {
            words.push("display".to_owned());
        }
        if !self.labels.is_empty() {
            words.push("labels".to_owned());
        }
        words.extend(self.tier.as_ref().map(|tier| format!("tier {tier}")));
        words.extend(self.desired.map(|desired| format!("desired {desired}")));
        if self.freeze_after.is_some() || self.stop_after.is_some() {
            words.push("sleep".to_owned());
        }
        words.join(", ")
    }
}

/// Labels after a change.
pub(crate) fn relabelled(labels: &Labels, change: LabelChange) -> Result<Labels, ControlError> {
    labels.changed(change).map_err(|error| ControlError::Refused {
        why: error.to_string(),
        hint: "labels are like `team=support`".into(),
    })
}

/// Whether somebody else was faster.
pub(crate) fn stale(expected: Option<u64>, revision: u64) -> bool {
    expected.is_some_and(|expected| expected != revision)
}
