//! Making a sandbox and starting the engine in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smartbox_core::egress::port::Rules as _;
use smartbox_core::engine::port::EngineError;
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::sandbox::{DNS_PORT, HOME_DIR, Limits, PROXY_PORT, SandboxSpec};
use smartbox_core::smartbox::plan::Step;
use smartbox_core::smartbox::{Failure, Reason};
use smartbox_core::time::Timestamp;
use smartbox_link::wire::EngineOrder;
use smartbox_link::{Link, LinkError};

use super::{Done, Keeper};
use crate::control::Control;
use crate::egress::{add_standins, add_way_out};
use crate::error::ControlError;

/// Where the last configuration that worked is kept, relative to the home.
pub(crate) const LAST_GOOD: &str = ".smartbox/config.last-good";
/// Where a configuration that the engine refused is put aside, relative to the home.
pub(super) const REFUSED: &str = ".smartbox/config.refused";

/// For how long a boot keeps the others waiting.
const TURN: Duration = Duration::from_secs(45);

impl Keeper {
    /// Makes a sandbox under a new epoch. Boots are admitted a few at a time, since each takes a processor.
    pub(super) async fn start(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Done, ControlError> {
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        let version = self.keep_before_upgrade(control, &row).await?;
        self.say("looking for its home");
        control.begin_home(self, &row).await?;
        self.say("waiting for its turn to start");
        let permit = control.boots.acquire().await.map_err(|_| ControlError::Draining)?;
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        self.admit(control, limits(control, &row.tier)?.memory_bytes)?;
        self.say("making the sandbox");
        self.forget_sandbox();
        let began = control.parts.clock.now();
        let row = control
            .change(&self.id, None, move |row| {
                row.epoch += 1;
                row.restarted = row.restart;
                row.running_tier = Some(row.tier.clone());
                row.suspension = None;
                row.vitals.starts(began);
                row.vitals.engine = Some(version);
                Ok(())
            })
            .await?;
        let slot = control.engine(&row.engine)?;
        let limits = limits(control, &row.tier)?;
        let spec = SandboxSpec {
            id: self.id.clone(),
            fence: row.epoch,
            slot: row.slot,
            limits,
            engine_dir: slot.dir.clone(),
            listeners: vec![slot.engine.manifest().model_port, PROXY_PORT, DNS_PORT],
        };
        control.new_authority(&self.id).await?;
        self.make(control, spec).await?;
        self.serve_calls(control)?;
        self.start_engine(control).await?;
        let mut ready = std::pin::pin!(self.wait_until_ready(control));
        let turn = TURN * control.parts.settings.patience;
        if let Ok(done) = tokio::time::timeout(turn, &mut ready).await {
            done?;
        } else {
            // One that hangs needs no processor, and keeps nobody else from starting.
            drop(permit);
            ready.await?;
        }
        Ok(Done::Yes)
    }

    /// Configures the engine and tells init to start it.
    pub(super) async fn start_engine(
        self: &Arc<Self>,
        control: &Arc<Control>,
    ) -> Result<Done, ControlError> {
        self.say("starting the engine");
        let link = control.link(&self.id).await?;
        self.port_is_free(control, &link).await?;
        let row = control.row(&self.id).await?.ok_or(ControlError::Missing { what: "smartbox" })?;
        control.furnish_trust(&self.id, &link).await?;
        let engine = &control.engine(&row.engine)?.engine;
        let found = control.config_at_start(&row).await?;
        let mut current = found.bytes.clone();
        if !row.furnished {
            control.furnish(&row, &link).await?;
            current = current.or_else(|| control.first_settings(&row));
        }
        let configured = engine.configure(current.as_deref(), &control.engine_settings(&row));
        self.memory().fell_back = found.unreadable.is_some();
        if let Some(why) = &found.unreadable {
            let kept = match &found.bytes {
                Some(bytes) => {
                    link.write(REFUSED, 0o600, bytes.clone()).await?;
                    format!("; it is kept as ~/{REFUSED}")
                }
                None => String::new(),
            };
            let notice = format!("The engine's configuration could not be read ({why}){kept}.");
            self.refused(control, notice).await?;
        }
        self.order(control, &link, configured.bytes.into()).await?;
        if !row.furnished {
            // Only now: what a killed start left half done is done again, and harms nothing.
            control
                .change(&self.id, None, |row| {
                    row.furnished = true;
                    Ok(())
                })
                .await?;
        }
        Ok(Done::Yes)
    }

    /// Writes a configuration and has init start the engine with it.
    pub(super) async fn order(
        &self,
        control: &Control,
        link: &Link,
        config: Bytes,
    ) -> Result<(), ControlError> {
        let manifest = control.engine(&self.engine)?.engine.manifest();
        link.write(&manifest.config, 0o600, config.clone()).await?;
        let mut env = manifest.env.clone();
        env.insert("SMARTBOX_MODEL_TOKEN".into(), control.model_token(&self.id).expose().clone());
        add_way_out(&mut env);
        add_standins(&mut env, &control.parts.book.standing(&self.id).await?.standins);
        let order = EngineOrder {
            argv: manifest.argv.clone(),
            env,
            cwd: HOME_DIR.into(),
            final_codes: manifest.config_exit.clone(),
        };
        self.memory().config = Some(config);
        link.engine_start(&order).await?;
        Ok(())
    }
}

/// The limits of a tier.
pub(super) fn limits(control: &Control, tier: &str) -> Result<Limits, ControlError> {
    control.parts.settings.tiers.get(tier).copied().ok_or_else(|| ControlError::Refused {
        why: format!("the tier `{tier}` is no longer defined"),
        hint: "define it in smartbox.toml, or choose another: `smartbox set <box> --tier …`".into(),
    })
}

/// What an error means for the owner.
pub(super) fn classify(error: &ControlError, step: Step, at: Timestamp) -> Failure {
    let (reason, message, hint) = match error {
        ControlError::Failed(failure) => return Failure { at, ..failure.clone() },
        ControlError::Runtime(RuntimeError::Full) => {
            (Reason::Disk, "The disk is full.".to_owned(), "Free some space; the smartbox starts by itself then.".to_owned())
        }
        ControlError::Runtime(RuntimeError::Unsupported { why }) => {
            (Reason::Runtime, format!("No sandbox can be made here: {why}."), "Run `smartbox doctor`.".to_owned())
        }
        ControlError::Engine(EngineError::TooOld { .. }) => {
            (Reason::EngineTooOld, format!("{error}."), "Run `smartbox up` again to install the engine it pins.".to_owned())
        }
        ControlError::Late { .. } => (
            Reason::Timeout,
            "The engine did not become ready in time.".to_owned(),
            "Look at `smartbox logs`; a slow machine may need more patience (see `patience` in smartbox.toml).".to_owned(),
        ),
        ControlError::Refused { why, hint } => (Reason::Runtime, why.clone(), hint.clone()),
        ControlError::Link(LinkError::Refused(why)) => {
            (Reason::Crash, format!("Init refused: {why}."), "Look at `smartbox logs`.".to_owned())
        }
        other => {
            let cause = std::error::Error::source(other).map(|source| format!(": {source}")).unwrap_or_default();
            (Reason::Runtime, format!("{other}{cause} (while doing {step:?})."), "Look at `smartbox logs` and `smartbox doctor`.".to_owned())
        }
    };
    Failure { reason, message, hint, at }
}
