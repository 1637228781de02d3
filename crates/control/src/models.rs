//! Carries a box's model calls from its sandbox to the AI gateway.

use std::sync::Arc;

use futures_util::StreamExt;
use smartbox_core::id::SmartboxId;
use smartbox_core::model::Caller;
use smartbox_core::sandbox::port::Incoming;
use tokio::task::JoinHandle;

use crate::control::Control;
use crate::keeper::Keeper;

impl Control {
    /// Serves the model calls of a box until its sandbox ends, and then tells the keeper.
    /// Calls made while nobody serves them, or while the box has as many open as it may, wait at the
    /// listener.
    pub(crate) fn serve_models(
        self: &Arc<Self>,
        keeper: &Arc<Keeper>,
        id: &SmartboxId,
        port: u16,
    ) -> JoinHandle<()> {
        let (control, keeper, id) = (self.clone(), keeper.clone(), id.clone());
        self.tasks.spawn(async move {
            let serve = async {
                let mut calls = match control.parts.runtime.incoming(id.clone(), port).await {
                    Ok(calls) => calls,
                    Err(error) => {
                        tracing::warn!(smartbox = %id, %error, "model calls of this smartbox cannot be served");
                        return;
                    }
                };
                let queue = control.model_places.queue();
                while let Some(Incoming { conn, .. }) = calls.next().await {
                    let Some(place) = queue.place().await else { return };
                    let caller = Caller {
                        id: id.clone(),
                        token: control.model_token(&id),
                        demo: control.archiving.is_scratch(&id),
                    };
                    let call = control.parts.models.serve(caller, conn);
                    let draining = control.draining.clone();
                    control.tasks.spawn(async move {
                        let _ = draining.run_until_cancelled(call).await;
                        drop(place);
                    });
                }
            };
            let _ = control.draining.run_until_cancelled(serve).await;
            keeper.nudge();
        })
    }
}
