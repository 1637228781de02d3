//! The suspend contract and the engine's own clock.
//!
//! While a lease is held the engine refuses every other call, `cron.status` too: read the next wake
//! before suspending, and again if a cron event may have come between.

use serde::Deserialize;
use serde_json::json;
use smartbox_core::engine::Suspended;
use smartbox_core::engine::port::EngineError;
use smartbox_core::sandbox::port::Dial;
use smartbox_core::time::Timestamp;

use super::OpenClaw;
use crate::gateway::garbled;
use crate::gateway::loose::list;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Clock {
    #[serde(default)]
    next_wake_at_ms: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prepared {
    status: String,
    #[serde(default)]
    suspension_id: String,
    #[serde(default)]
    expires_at_ms: i64,
    #[serde(default)]
    retry_after_ms: u64,
    #[serde(default, deserialize_with = "list")]
    blockers: Vec<Blocker>,
}

#[derive(Deserialize)]
struct Blocker {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    message: String,
}

pub(super) async fn suspend(
    engine: &OpenClaw,
    dial: &dyn Dial,
    request: &str,
) -> Result<Suspended, EngineError> {
    let mut socket = engine.program(dial).await?;
    let answer = socket.call("gateway.suspend.prepare", json!({ "requestId": request })).await?;
    let prepared: Prepared =
        answer.read().map_err(|_| garbled("its answer to suspending has no status"))?;
    match prepared.status.as_str() {
        "ready" if !prepared.suspension_id.is_empty() => Ok(Suspended::Ready {
            lease: prepared.suspension_id,
            expires: Timestamp(prepared.expires_at_ms),
        }),
        "busy" | "draining" => Ok(Suspended::Busy {
            why: reason(&prepared.blockers),
            // It says 20 seconds whatever it does; a turn mostly ends sooner.
            retry_after_ms: prepared.retry_after_ms.clamp(250, 5_000),
        }),
        _ => Err(garbled("its answer to suspending is neither ready nor busy")),
    }
}

fn reason(blockers: &[Blocker]) -> String {
    let one = |b: &Blocker| {
        let text = if b.message.is_empty() { &b.kind } else { &b.message };
        text.chars().take(120).collect::<String>()
    };
    let all: Vec<String> = blockers.iter().take(8).map(one).collect();
    if all.is_empty() { "active work".into() } else { all.join("; ") }
}

pub(super) async fn resume(
    engine: &OpenClaw,
    dial: &dyn Dial,
    lease: &str,
) -> Result<(), EngineError> {
    let mut socket = engine.program(dial).await?;
    socket.call("gateway.suspend.resume", json!({ "suspensionId": lease })).await.map(drop)
}

pub(super) async fn next_wake(
    engine: &OpenClaw,
    dial: &dyn Dial,
) -> Result<Option<Timestamp>, EngineError> {
    let mut socket = engine.program(dial).await?;
    let status = socket.call("cron.status", json!({})).await?;
    let clock: Option<Clock> =
        status.read().map_err(|_| garbled("its next wake is not a number"))?;
    #[expect(clippy::cast_possible_truncation, reason = "a float of milliseconds")]
    let at = clock.and_then(|clock| clock.next_wake_at_ms).map(|ms| Timestamp(ms as i64));
    Ok(at)
}
