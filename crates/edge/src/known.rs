//! Somebody who was recognised at a box's door, and whether they are still.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use smartbox_core::route::Route;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::admit::Person;
use crate::edge::Inner;

/// Records that do not answer for so long end nothing.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is known once a person was recognised.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) route: Route,
    pub(crate) person: Person,
    pub(crate) cookie: String,
    pub(crate) host: HeaderValue,
    pub(crate) peer: SocketAddr,
}

/// How somebody stands who was recognised before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As before, as far as anybody can say.
    Same,
    /// They may something else: what the engine was told of them holds no more.
    Other,
    /// They are signed in no more.
    Gone,
}

impl Known {
    /// Under what their visits to this box are counted.
    pub(crate) fn visitor(&self) -> String {
        format!("{} {}", self.person.who, self.route.id)
    }

    /// How they stand now.
    pub(crate) async fn standing(&self, edge: &Inner) -> Standing {
        match timeout(PATIENCE, edge.admit.who(&self.route, &self.cookie)).await {
            Ok(Ok(None)) => Standing::Gone,
            Ok(Ok(Some(person))) if person != self.person => Standing::Other,
            _ => Standing::Same,
        }
    }

    /// Ends when they do not stand as before: at once when sessions may have ended, and now and then for what
    /// ends by the clock. `sessions` was subscribed to before they were recognised.
    pub(crate) async fn shut_out(&self, edge: &Inner, sessions: &mut watch::Receiver<u64>) {
        loop {
            let changed = timeout(edge.settings.limits.recheck, sessions.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                return std::future::pending().await;
            }
            if self.standing(edge).await != Standing::Same {
                return;
            }
        }
    }

    /// The same, for something that goes on after its request was answered.
    pub(crate) async fn gone(self, edge: Arc<Inner>, mut sessions: watch::Receiver<u64>) {
        self.shut_out(&edge, &mut sessions).await;
    }
}
