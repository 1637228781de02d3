//! What has to be looked at where a box has no sandbox, and so no ports of its own.

use smartbox_core::sandbox::port::{RuntimeError, Target};
use smartbox_link::Link;
use smartbox_link::wire::EngineState;

use super::Keeper;
use crate::control::Control;
use crate::error::ControlError;

impl Keeper {
    /// Refuses to start the engine where another program has its port already: it would be taken for the
    /// engine, be it somebody's own assistant, and be told what is meant for this box.
    pub(super) async fn port_is_free(
        &self,
        control: &Control,
        link: &Link,
    ) -> Result<(), ControlError> {
        if !control.is_unisolated() || link.status().await?.engine.state == EngineState::Running {
            return Ok(());
        }
        let port = control.engine(&self.engine)?.engine.manifest().port;
        match control.parts.runtime.dial(self.id.clone(), Target::Port(port)).await {
            Err(RuntimeError::Refused { .. }) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Err(ControlError::Refused {
                why: format!("another program of this machine answers on port {port} already"),
                hint: "End it; without isolation the engine's port is the machine's own.".into(),
            }),
        }
    }
}
