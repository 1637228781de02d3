//! A box as the API shows it.

use smartbox_api::smartbox::{SandboxView, SmartboxView};
use smartbox_control::View;
use smartbox_core::smartbox::Smartbox;

use crate::site::Site;

/// From its row alone: in listings.
pub(super) fn row(row: Smartbox, phase: String, site: &Site) -> SmartboxView {
    SmartboxView {
        asleep: row.asleep(),
        url: site.box_origin(&row.label),
        id: row.id,
        name: row.name,
        kind: row.kind,
        state: row.state,
        desired: row.desired,
        phase,
        failure: row.failure,
        tier: row.tier,
        engine: row.engine,
        notice: None,
        waiting: None,
        busy: None,
        usage: None,
        sandbox: None,
        alarm: row.alarm,
        starts: row.epoch,
        last_active: row.last_active,
        created: row.created,
    }
}

/// With its evidence.
pub(super) fn whole(view: View, site: &Site) -> SmartboxView {
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
        ..row(view.row, view.phase, site)
    }
}
