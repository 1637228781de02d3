//! Begins a command. It wakes its box and keeps it awake.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::activity::{Busy, Doing};
use smartbox_core::egress::port::Rules as _;
use smartbox_core::id::SmartboxId;
use smartbox_core::route::port::Resolve;
use smartbox_core::sandbox::port::Target;
use smartbox_core::telemetry::{Event, TRACE, Telemetry};
use smartbox_link::client::Exec;
use smartbox_link::wire::ExecOrder;
use smartbox_link::{Link, LinkError};
use tokio::time::{Instant, timeout};
use tokio_util::compat::FuturesAsyncReadCompatExt;
use tracing::{Instrument, info_span};

use super::check;
use crate::control::Control;
use crate::egress::{add_standins, add_way_out};
use crate::error::ControlError;
use crate::parts::Actor;

/// How long init may take to say that it has begun; it answers before the command does anything.
const ANSWER: Duration = Duration::from_secs(30);

/// A command that runs. Dropping it kills the command.
pub struct Running {
    /// Its input and output.
    pub exec: Exec,
    /// Keeps the box awake.
    pub busy: Box<dyn Busy>,
}

/// Keeps the box awake, and notes at the end how long the command took.
struct Counted {
    began: Instant,
    telemetry: Arc<dyn Telemetry>,
    _busy: Box<dyn Busy>,
}

impl Busy for Counted {}

impl Drop for Counted {
    fn drop(&mut self) {
        self.telemetry.note(Event::Exec { took: self.began.elapsed() });
    }
}

impl Control {
    /// Wakes the box and begins a command in it.
    pub async fn exec(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        order: ExecOrder,
    ) -> Result<Running, ControlError> {
        let span = info_span!(target: TRACE, "control.exec", smartbox.id = %id);
        self.begin(actor, id, order).instrument(span).await
    }

    async fn begin(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        mut order: ExecOrder,
    ) -> Result<Running, ControlError> {
        check::order(&order)?;
        let standins = self.parts.book.standing(id).await?.standins;
        add_standins(&mut order.env, &standins);
        add_way_out(&mut order.env);
        let busy = self.activity().begin(id, Doing::Exec);
        Resolve::wake(&**self, id.clone(), self.wake_within()).await?;
        let program = order.argv[0].chars().take(200).collect();
        self.change(id, Some((actor, "box.exec", program)), |_| Ok(())).await?;
        let begun = timeout(ANSWER, async { Ok(self.link(id).await?.exec(order).await?) });
        let exec = begun.await.unwrap_or_else(|_| Err(ControlError::Link(silent())))?;
        let telemetry = self.parts.telemetry.clone();
        let busy = Box::new(Counted { began: Instant::now(), telemetry, _busy: busy });
        Ok(Running { exec, busy })
    }

    /// Opens the link to a box's init under its present epoch.
    pub(crate) async fn link(&self, id: &SmartboxId) -> Result<Link, ControlError> {
        let row = self.row(id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        let conn = self.parts.runtime.dial(id.clone(), Target::Link).await?;
        Ok(Link::open(conn.compat(), row.epoch).await?)
    }

    /// How long a wake may take at the most.
    pub(crate) fn wake_within(&self) -> Duration {
        Duration::from_secs(120) * self.parts.settings.patience
    }
}

/// Init is hostile input, its silence too.
fn silent() -> LinkError {
    LinkError::Broken("init did not answer in time".into())
}
