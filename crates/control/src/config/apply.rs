//! Following a change until the running engine has taken it up. Wakes nobody.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::activity::Doing;
use smartbox_core::config::{Applied, Fault, Taken};
use smartbox_core::home::Precondition;
use smartbox_core::sandbox::Phase;
use smartbox_core::sandbox::port::BoxDial;
use smartbox_core::smartbox::Smartbox;
use tokio::time::Instant;

use crate::control::Control;
use crate::error::ControlError;
use crate::keeper::LAST_GOOD;

/// How long the engine gets to take up an edit before the answer is that it will. Measured: 1 to 5 s.
const SOON: Duration = Duration::from_secs(10);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// What came of a change.
#[derive(Debug, PartialEq)]
pub(super) enum Came {
    /// It is in force, or will be.
    To(Applied),
    /// The engine goes by what it had before.
    Refused(Vec<Fault>),
}

impl Control {
    /// Waits until the running engine has taken up the file that was just written.
    pub(super) async fn follow_config(
        self: &Arc<Self>,
        row: &Smartbox,
        written: &[u8],
    ) -> Result<Came, ControlError> {
        let end = Instant::now() + SOON;
        let mut busy = None;
        loop {
            let came = self.ask_config(row).await?;
            match came {
                Came::To(Applied::Soon) if Instant::now() < end => {
                    // A box that runs is kept awake meanwhile; one that sleeps is not woken.
                    busy.get_or_insert_with(|| self.activity().begin(&row.id, Doing::Request));
                    tokio::time::sleep(PAUSE).await;
                }
                Came::To(Applied::Live) => {
                    // It works with it: what it falls back to if a later one is bad.
                    let bytes = written.to_vec().into();
                    let kept = self.write_home_file(row, LAST_GOOD, Precondition::Any, bytes);
                    if let Err(error) = kept.await {
                        tracing::warn!(smartbox = %row.id, %error, "the good configuration is not kept");
                    }
                    return Ok(Came::To(Applied::Live));
                }
                other => return Ok(other),
            }
        }
    }

    /// How the engine stands to its file, now.
    pub(super) async fn ask_config(&self, row: &Smartbox) -> Result<Came, ControlError> {
        let seen = self.parts.runtime.observe(row.id.clone()).await?;
        match seen.phase {
            Phase::Absent => return Ok(Came::To(Applied::AtNextStart)),
            Phase::Frozen => return Ok(Came::To(Applied::OnWake)),
            Phase::Up => {}
        }
        if !self.keeper(&row.id).is_some_and(|keeper| keeper.now().ready) {
            return Ok(Came::To(Applied::Soon));
        }
        let dial = BoxDial { runtime: self.parts.runtime.clone(), id: row.id.clone() };
        Ok(match self.engine(&row.engine)?.configs.taken(&dial).await {
            Ok(Taken::Yes) => Came::To(Applied::Live),
            Ok(Taken::NotYet) => Came::To(Applied::Soon),
            Ok(Taken::AtRestart) => Came::To(Applied::RestartNeeded),
            Ok(Taken::Refused(faults)) => Came::Refused(faults),
            // It starts again by itself for some keys.
            Err(error) if error.passes() => Came::To(Applied::Restarting),
            Err(error) => return Err(error.into()),
        })
    }
}
