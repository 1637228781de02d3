//! Carries what a box sends out from its sandbox to the broker, and keeps the account.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use smartbox_core::BoxFuture;
use smartbox_core::egress::port::Egress;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::{Incoming, RuntimeError};
use smartbox_core::sandbox::{DNS_PORT, PROXY_PORT};
use tokio::task::JoinHandle;

use super::count::EVERY;
use crate::control::Control;
use crate::doors::Queue;
use crate::keeper::Keeper;

/// How soon to ask again for a listener that is not there.
const AGAIN: Duration = Duration::from_secs(60);
/// Writes between two sweeps: about an hour.
const SWEEP: u32 = 1_800;

/// What becomes of a connection.
type Serve = fn(&(dyn Egress + 'static), SmartboxId, Incoming) -> BoxFuture<'static, ()>;

impl Control {
    /// Serves the proxy and the name service of a box until its sandbox ends, and then tells the keeper.
    /// Connections made while nobody serves them wait at the listener.
    pub(crate) fn serve_egress(
        self: &Arc<Self>,
        keeper: &Arc<Keeper>,
        id: &SmartboxId,
    ) -> JoinHandle<()> {
        let (control, keeper, id) = (self.clone(), keeper.clone(), id.clone());
        self.tasks.spawn(async move {
            let proxy = async {
                let places = Some(control.proxy_places.queue());
                let served = control.serve_door(&id, PROXY_PORT, <dyn Egress>::serve, places).await;
                if let Err(error) = served {
                    tracing::warn!(smartbox = %id, %error, "what this smartbox sends out cannot be served");
                    // Its sandbox may be of an older platform, which made no such listener.
                    tokio::time::sleep(AGAIN).await;
                }
            };
            let names = async {
                // A sandbox of an older platform has none, and goes on without.
                while let Err(error) =
                    control.serve_door(&id, DNS_PORT, <dyn Egress>::serve_names, None).await
                {
                    tracing::debug!(smartbox = %id, %error, "this smartbox has no name service");
                    tokio::time::sleep(AGAIN).await;
                }
            };
            let serve = async {
                tokio::select! {
                    // In an order, so that a test can have the second of them fail alone.
                    biased;
                    () = names => {}
                    () = proxy => {}
                }
            };
            let _ = control.draining.run_until_cancelled(serve).await;
            keeper.nudge();
        })
    }

    /// Serves one of them until the sandbox ends. The name service counts by itself, and drops what is
    /// too much: a question is asked again.
    async fn serve_door(
        &self,
        id: &SmartboxId,
        port: u16,
        serve: Serve,
        places: Option<Queue>,
    ) -> Result<(), RuntimeError> {
        let mut calls = self.parts.runtime.incoming(id.clone(), port).await?;
        while let Some(conn) = calls.next().await {
            let place = match &places {
                Some(queue) => queue.place().await,
                None => None,
            };
            let call = serve(&*self.parts.egress, id.clone(), conn);
            let draining = self.draining.clone();
            self.tasks.spawn(async move {
                let _ = draining.run_until_cancelled(call).await;
                drop(place);
            });
        }
        Ok(())
    }

    /// Writes the account until the platform goes down, and once more then.
    pub(crate) async fn keep_account(self: Arc<Self>) {
        let book = self.parts.book.clone();
        for round in 0_u32.. {
            let slept = self.draining.run_until_cancelled(tokio::time::sleep(EVERY)).await;
            if let Err(error) = book.write().await {
                self.heed(&error);
                tracing::warn!(%error, "the account of what left could not be written");
            }
            if slept.is_none() {
                return;
            }
            if round.is_multiple_of(SWEEP)
                && let Err(error) = book.sweep().await
            {
                tracing::warn!(%error, "sweeping the account of what left");
            }
        }
    }
}
