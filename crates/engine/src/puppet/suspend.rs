//! The suspend contract: one lease, two minutes, renewed by the same request.

use serde_json::{Value, json};
use smartbox_core::time::Timestamp;

use super::Puppet;
use super::socket::Reply;

/// The lease, if one was given.
#[derive(Debug, Default)]
pub(super) struct Suspension {
    lease: Option<Lease>,
}

#[derive(Debug)]
struct Lease {
    request: String,
    id: String,
    expires: Timestamp,
}

impl Suspension {
    /// Whether it still holds.
    pub(super) fn held(&self, now: Timestamp) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.expires > now)
    }
}

impl Puppet {
    pub(super) fn suspend_prepare(&self, params: &Value) -> Reply {
        let Some(request) = params["requestId"].as_str() else {
            return Reply::invalid("requestId is required");
        };
        let now = self.now();
        let fresh = self.fresh_id("suspension");
        let busy = *self.inner.busy.borrow();
        let mut state = self.state();
        let held = state.suspension.held(now);
        if let Some(lease) = state.suspension.lease.as_ref().filter(|_| held)
            && lease.request != request
        {
            let left = lease.expires.since(now).as_millis();
            return Reply::unavailable(
                "another gateway suspension is already prepared",
                "gateway-suspension-conflict",
                u64::try_from(left).unwrap_or(u64::MAX),
            );
        }
        if busy > 0 {
            return Reply::Ok(json!({
                "status": "busy", "reason": "active-work", "retryAfterMs": 20_000,
                "activeCount": busy, "blockers": [{
                    "kind": "chat-run", "count": busy,
                    "message": format!("{busy} active chat run(s)"),
                }],
            }));
        }
        let expires = now.plus(self.inner.play.lease);
        let id = match &state.suspension.lease {
            Some(lease) if held => lease.id.clone(),
            _ => fresh,
        };
        let answer = json!({
            "status": "ready", "suspensionId": id, "expiresAtMs": expires.0,
            "activeCount": 0, "blockers": [], "writeCustody": [],
        });
        state.suspension.lease = Some(Lease { request: request.to_owned(), id, expires });
        drop(state);
        self.tell("gateway.suspension", json!({ "phase": "prepared" }));
        Reply::Ok(answer)
    }

    pub(super) fn suspend_status(&self) -> Reply {
        let state = self.state();
        Reply::Ok(match &state.suspension.lease {
            Some(lease) if state.suspension.held(self.now()) => {
                json!({ "status": "ready", "expiresAtMs": lease.expires.0 })
            }
            _ => json!({ "status": "running" }),
        })
    }

    pub(super) fn suspend_resume(&self, params: &Value) -> Reply {
        let now = self.now();
        let mut state = self.state();
        let held = state.suspension.held(now);
        let ours = state
            .suspension
            .lease
            .as_ref()
            .is_some_and(|lease| params["suspensionId"].as_str() == Some(lease.id.as_str()));
        if held && !ours {
            return Reply::invalid("gateway suspension id does not match");
        }
        state.suspension.lease = None;
        drop(state);
        self.tell("gateway.suspension", json!({ "phase": "accepting" }));
        Reply::Ok(json!({ "ok": true, "status": "running", "resumed": held }))
    }
}
