//! A box as the API shows it.

use std::time::Duration;

use smartbox_api::smartbox::{SandboxView, SleepView, SmartboxView};
use smartbox_control::View;
use smartbox_core::smartbox::{SleepChoice, Smartbox};

use crate::app::App;

/// From its row alone: in listings.
pub(super) fn row(app: &App, row: Smartbox, phase: String) -> SmartboxView {
    SmartboxView {
        last_active: app.control.last_active(&row),
        asleep: row.asleep(),
        url: app.site.box_origin(&row.label),
        sleep: sleep(app, &row),
        engine_version: app.control.engine_version(&row),
        id: row.id,
        name: row.name,
        account: row.account,
        display_name: row.display,
        labels: row.labels,
        kind: row.kind,
        base: row.base,
        state: row.state,
        desired: row.desired,
        phase,
        failure: row.failure,
        tier: row.tier,
        running_tier: row.running_tier,
        engine: row.engine,
        revision: row.revision,
        notice: None,
        waiting: None,
        busy: None,
        usage: None,
        sandbox: None,
        vitals: row.vitals,
        limits: None,
        home: None,
        issues: None,
        alarm: row.alarm,
        starts: row.epoch,
        created: row.created,
    }
}

fn sleep(app: &App, row: &Smartbox) -> SleepView {
    let policy = app.control.sleep_policy(row);
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    SleepView {
        freeze_after_ms: millis(policy.freeze_after),
        stop_after_ms: millis(policy.stop_after),
        own: row.sleep != SleepChoice::default(),
    }
}

/// With its evidence.
pub(in crate::http) fn whole(app: &App, view: View) -> SmartboxView {
    let sandbox = SandboxView {
        phase: view.observed.phase,
        engine: view.observed.engine,
        memory: view.observed.memory,
    };
    SmartboxView {
        notice: view.notice,
        waiting: Some(u32::try_from(view.waiting).unwrap_or(u32::MAX)),
        busy: Some(view.busy),
        usage: Some(view.usage),
        sandbox: Some(sandbox),
        limits: view.limits,
        home: view.home,
        issues: Some(view.issues),
        ..row(app, view.row, view.phase)
    }
}
