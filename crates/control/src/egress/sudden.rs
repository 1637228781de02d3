//! Alarms: a box that sends far more than it usually does, that used up its day, or that asks for one
//! stranger after the other. Each is an issue, raised once for what was seen, and over after a day
//! without.

use std::time::Duration;

use smartbox_core::egress::Use;
use smartbox_core::egress::alarm::{FLOOR, SHORT, STRANGERS, USUAL, is_sudden, usual};
use smartbox_core::id::SmartboxId;
use smartbox_core::issue::{Issue, Kind};
use smartbox_core::smartbox::Smartbox;
use smartbox_core::time::Timestamp;

use super::book::Book;
use crate::control::Control;
use crate::issues::Cause;

/// An alarm that was not raised again for so long is over.
const CALM: Duration = Duration::from_hours(24);

/// Something that a person should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    /// It sent so many bytes in the last hour, and usually in a day so many.
    Sudden(u64, u64),
    /// It used up the day's bytes.
    UsedUp,
    /// It asked for so many hosts that it was refused.
    Strangers(usize),
}

impl Book {
    /// What is worth an alarm since it was looked for last.
    async fn alarms(&self, now: Timestamp) -> Vec<(SmartboxId, Alarm)> {
        let mut found = self.counts.look(now, |id, watching| {
            if watching.lately.strangers(now) < STRANGERS {
                return None;
            }
            watching.lately.looked_at_refused();
            Some((id.clone(), Alarm::Strangers(STRANGERS)))
        });
        found.extend(self.counts.look(now, |id, watching| {
            std::mem::take(&mut watching.used_up).then(|| (id.clone(), Alarm::UsedUp))
        }));
        let much = self.counts.look(now, |id, watching| {
            let hour = watching.lately.hour(now);
            (hour >= FLOOR).then(|| (id.clone(), hour))
        });
        for (id, hour) in much {
            let since = Timestamp(now.0.saturating_sub(ms(Duration::from_hours(24 * USUAL))));
            let known = match self.uses(&id, since).await {
                Ok(known) => known,
                // What else was found must not be lost; this one is looked at again.
                Err(error) => {
                    tracing::warn!(smartbox = %id, %error, "what is usual could not be read");
                    continue;
                }
            };
            let usual = usual(known.iter().map(|one: &Use| (one.day, one.up)), now);
            if is_sudden(hour, usual) {
                self.counts.look(now, |one, watching| {
                    if *one == id {
                        watching.lately.looked_at_sent();
                    }
                    None::<()>
                });
                found.push((id, Alarm::Sudden(hour, usual)));
            }
        }
        found
    }
}

impl Control {
    /// Raises what is worth an alarm.
    pub(crate) async fn look_at_egress(&self, rows: &[Smartbox], now: Timestamp) {
        for (id, alarm) in self.parts.book.alarms(now).await {
            if let Some(row) = rows.iter().find(|row| row.id == id) {
                self.raise(cause(row, alarm)).await;
            }
        }
    }

    /// Ends an alarm that was not raised again for long.
    pub(crate) async fn calm_egress(&self, issue: &Issue, now: Timestamp) {
        let alarm = matches!(issue.kind, Kind::EgressVolume | Kind::EgressRefused);
        if alarm && now.since(issue.last) >= CALM {
            self.settle_key(&issue.key).await;
        }
    }
}

fn cause(row: &Smartbox, alarm: Alarm) -> Cause {
    let name = &row.name;
    let (kind, message, hint) = match alarm {
        Alarm::Sudden(hour, usual) => (
            Kind::EgressVolume,
            format!(
                "{name} sent {} MiB within an hour; on a usual day it sends {} MiB.",
                hour >> 20,
                usual >> 20
            ),
            format!(
                "See where to with `smartbox egress {name}`. If you did not ask for it: \
                 `smartbox stop {name}`, and take back what it may reach."
            ),
        ),
        Alarm::UsedUp => (
            Kind::EgressVolume,
            format!("{name} used up the bytes that it may send or fetch in a day."),
            format!(
                "See where to with `smartbox egress {name}`. The next day begins at 00:00 UTC; the \
                 operator raises egress.out_per_day and egress.in_per_day in smartbox.toml."
            ),
        ),
        Alarm::Strangers(hosts) => (
            Kind::EgressRefused,
            format!(
                "{name} asked for {hosts} hosts or more that it may not reach, within {} minutes.",
                SHORT.as_secs() / 60
            ),
            format!(
                "See them with `smartbox egress {name} --refused`. A page or a message may have \
                 told it to; nothing left."
            ),
        ),
    };
    Cause {
        kind,
        account: Some(row.account.clone()),
        smartbox: Some(row.id.clone()),
        about: String::new(),
        message,
        hint,
    }
}

fn ms(of: Duration) -> i64 {
    i64::try_from(of.as_millis()).unwrap_or(i64::MAX)
}
