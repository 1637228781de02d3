//! The checks, grouped by boot.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;
use smartbox_core::BoxStream;
use smartbox_core::engine::port::{Engine, EngineError};
use smartbox_core::engine::{Health, HistoryEntry, Manifest, Role, Suspended, Turn, TurnEvent};
use tokio::time::timeout;

use super::{Failure, Process, config, conversations};
use crate::complaint::complaint;
use crate::openclaw::OpenClaw;

type Events = BoxStream<'static, Result<TurnEvent, EngineError>>;

pub(super) fn ensure(fine: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if fine { Ok(()) } else { Err(Failure::new(what())) }
}

pub(super) fn must<T>(doing: &str, result: Result<T, EngineError>) -> Result<T, Failure> {
    result.map_err(|error| Failure::new(format!("{doing}: {error}")))
}

pub(super) fn turn(session: &str, key: &str, text: &str) -> Turn {
    Turn { session: session.into(), text: text.into(), idempotency_key: key.into() }
}

/// Sends, waiting while the engine says that it is not ready.
async fn send(process: &Process, turn: &Turn) -> Result<Events, Failure> {
    let sending = async {
        loop {
            match process.engine.chat(process.dial(), turn.clone()).await {
                Ok(events) => return Ok(events),
                Err(EngineError::NotReady { retry_after_ms, .. }) => {
                    tokio::time::sleep(Duration::from_millis(retry_after_ms)).await;
                }
                Err(error) => return Err(Failure::new(format!("sending: {error}"))),
            }
        }
    };
    timeout(process.patience(), sending).await.map_err(|_| Failure::new("sending took too long"))?
}

/// What a turn said, and with what it ended.
async fn finish(process: &Process, mut events: Events) -> Result<(String, TurnEvent), Failure> {
    let reading = async {
        let mut so_far = String::new();
        while let Some(event) = events.next().await {
            match must("a turn", event)? {
                TurnEvent::Delta(text) => so_far.push_str(&text),
                TurnEvent::Replace(text) => so_far = text,
                last @ (TurnEvent::Answered(_) | TurnEvent::Failed(_)) => {
                    return Ok((so_far, last));
                }
                TurnEvent::Started | TurnEvent::Doing(_) => {}
            }
        }
        Err(Failure::new("the turn's events ended without an end"))
    };
    let limit = process.patience();
    timeout(limit, reading).await.map_err(|_| Failure::new("a turn took too long"))?
}

pub(super) async fn ask(process: &Process, turn: &Turn) -> Result<String, Failure> {
    match finish(process, send(process, turn).await?).await?.1 {
        TurnEvent::Answered(text) => Ok(text),
        other => Err(Failure::new(format!("`{}` ended with {other:?}", turn.text))),
    }
}

async fn history(process: &Process, session: &str) -> Result<Vec<HistoryEntry>, Failure> {
    must("history", process.engine.history(&*process.dial(), session, 200).await)
}

fn times(history: &[HistoryEntry], key: &str) -> usize {
    let mine = |e: &&HistoryEntry| e.idempotency_key.as_deref() == Some(key);
    history.iter().filter(mine).filter(|e| e.role == Role::Person).count()
}

async fn suspend(process: &Process, request: &str) -> Result<Suspended, Failure> {
    must("suspending", process.engine.suspend(&*process.dial(), request).await)
}

/// Suspends, waiting while it is busy: a start has work of its own for some seconds.
async fn lease(process: &Process, request: &str) -> Result<String, Failure> {
    let asking = async {
        loop {
            match suspend(process, request).await? {
                Suspended::Ready { lease, .. } => return Ok(lease),
                Suspended::Busy { retry_after_ms, .. } => {
                    tokio::time::sleep(Duration::from_millis(retry_after_ms)).await;
                }
            }
        }
    };
    let limit = process.patience();
    timeout(limit, asking).await.map_err(|_| Failure::new("it stayed busy too long"))?
}

/// A fresh home: readiness, turns, keys, leases, the clock. Ends with a kill in the middle of a turn.
pub(super) async fn first_boot(process: &Process) -> Result<(), Failure> {
    let health = must("health", process.engine.health(&*process.dial()).await)?;
    ensure(health == Health::Silent, || format!("before it starts it is {health:?}"))?;
    process.boot().await?;
    version_floor(process).await?;
    turns(process).await?;
    conversations::listed_and_paged(process).await?;
    config::edits_are_taken_up(process).await?;
    leases(process).await?;
    clock(process).await?;
    busy_and_joined(process).await?;
    doctor(process, true).await?;
    // Cut off in the middle of a turn.
    process.model.hold(true);
    let mut events = send(process, &turn("main", "key-cut", "remember word-cut")).await?;
    let called = process.model.called_about("word-cut");
    let limit = process.patience();
    timeout(limit, called).await.map_err(|_| Failure::new("the model was not called"))?;
    process.kill().await?;
    process.model.hold(false);
    let ending = async {
        while let Some(event) = events.next().await {
            match event {
                Ok(TurnEvent::Answered(_) | TurnEvent::Failed(_)) => {
                    return Err(Failure::new("a killed engine ended the turn"));
                }
                Ok(_) => {}
                Err(EngineError::Interrupted) => return Ok(()),
                Err(error) => return Err(Failure::new(format!("a kill is told as: {error}"))),
            }
        }
        Err(Failure::new("a kill is not told"))
    };
    timeout(limit, ending).await.map_err(|_| Failure::new("a kill is not noticed"))?
}

/// It looks after itself, also while it runs, and sees what keeps it from running.
async fn doctor(process: &Process, well: bool) -> Result<(), Failure> {
    let status = process.doctor().await?;
    ensure(status.success() == well, || format!("its doctor ended with {status}"))
}

async fn version_floor(process: &Process) -> Result<(), Failure> {
    let high = Manifest { floor: "2999.1.1".into(), ..process.engine.manifest().clone() };
    let strict = OpenClaw::with(high);
    for (what, result) in [
        ("health", strict.health(&*process.dial()).await.map(drop)),
        ("history", strict.history(&*process.dial(), "main", 1).await.map(drop)),
    ] {
        ensure(matches!(result, Err(EngineError::TooOld { .. })), || {
            format!("{what} below the floor is {result:?}")
        })?;
    }
    Ok(())
}

async fn turns(process: &Process) -> Result<(), Failure> {
    let first = turn("main", "key-1", "remember word-one");
    let (so_far, last) = finish(process, send(process, &first).await?).await?;
    let TurnEvent::Answered(answer) = last else {
        return Err(Failure::new(format!("the first turn ended with {last:?}")));
    };
    ensure(answer.contains("word-one"), || format!("the answer is `{answer}`"))?;
    ensure(answer == so_far, || format!("streamed `{so_far}`, answered `{answer}`"))?;
    let second = ask(process, &turn("main", "key-2", "what do you know? word-two")).await?;
    ensure(second.contains("word-one") && second.contains("word-two"), || {
        format!("the second turn knows only `{second}`")
    })?;
    let calls = process.model.calls_about("word-two");
    let again = ask(process, &turn("main", "key-2", "what do you know? word-two")).await?;
    ensure(again == second, || format!("the same key answers `{again}`"))?;
    ensure(process.model.calls_about("word-two") == calls, || "one key, two turns".into())?;
    let told = history(process, "main").await?;
    ensure(times(&told, "key-1") == 1 && times(&told, "key-2") == 1, || {
        format!("the history is {told:?}")
    })?;
    let newest = must("history", process.engine.history(&*process.dial(), "main", 1).await)?;
    ensure(newest.len() == 1 && newest[0].role == Role::Assistant && newest[0].complete, || {
        format!("the newest entry is {newest:?}")
    })?;
    let other = history(process, "other").await?;
    ensure(other.is_empty(), || format!("another conversation holds {other:?}"))
}

async fn leases(process: &Process) -> Result<(), Failure> {
    let first = lease(process, "request-1").await?;
    let health = must("health", process.engine.health(&*process.dial()).await)?;
    ensure(health == Health::Draining, || format!("suspended it is {health:?}"))?;
    let renewed = lease(process, "request-1").await?;
    ensure(renewed == first, || "renewing gave another lease".into())?;
    let other = process.engine.suspend(&*process.dial(), "request-2").await;
    ensure(matches!(other, Err(EngineError::NotReady { .. })), || {
        format!("a second request is answered with {other:?}")
    })?;
    let sent = process.engine.chat(process.dial(), turn("main", "key-s", "word-s")).await;
    ensure(matches!(sent, Err(EngineError::NotReady { .. })), || {
        "a suspended engine takes a message".into()
    })?;
    for again in ["resuming", "resuming twice"] {
        must(again, process.engine.resume(&*process.dial(), &first).await)?;
    }
    Ok(process.becomes(&Health::Ready).await?)
}

async fn clock(process: &Process) -> Result<(), Failure> {
    let dial = process.dial();
    let none = must("the next wake", process.engine.next_wake(&*dial).await)?;
    ensure(none.is_none(), || format!("unasked, it wants to wake at {none:?}"))?;
    let job = json!({
        "name": "check", "schedule": { "kind": "every", "everyMs": 3_600_000 },
        "sessionTarget": "isolated", "wakeMode": "now",
        "payload": { "kind": "agentTurn", "message": "tick" }, "delivery": { "mode": "none" },
    });
    let added = must("cron.add", process.engine.ask(&*dial, "cron.add", job).await)?;
    let added: serde_json::Value = added.read().map_err(|e| Failure::new(e.to_string()))?;
    let next = must("the next wake", process.engine.next_wake(&*dial).await)?;
    let expected = added["nextRunAtMs"].as_i64().or(added["state"]["nextRunAtMs"].as_i64());
    ensure(next.is_some() && next.map(|t| t.0) == expected, || {
        format!("it wants to wake at {next:?}, the job at {expected:?}")
    })?;
    let id = json!({ "id": added["id"] });
    must("cron.remove", process.engine.ask(&*dial, "cron.remove", id).await)?;
    let none = must("the next wake", process.engine.next_wake(&*dial).await)?;
    ensure(none.is_none(), || format!("without jobs it wants to wake at {none:?}"))
}

async fn busy_and_joined(process: &Process) -> Result<(), Failure> {
    process.model.hold(true);
    let held = turn("main", "key-held", "remember word-held");
    let events = send(process, &held).await?;
    let called = process.model.called_about("word-held");
    timeout(process.patience(), called)
        .await
        .map_err(|_| Failure::new("the model was not called"))?;
    let answer = suspend(process, "request-3").await?;
    ensure(matches!(answer, Suspended::Busy { .. }), || "a turn runs and it suspends".into())?;
    let joined = send(process, &held).await?;
    process.model.hold(false);
    let (first, second) = tokio::join!(finish(process, events), finish(process, joined));
    let (first, second) = (first?.1, second?.1);
    ensure(first == second && matches!(first, TurnEvent::Answered(_)), || {
        format!("the turn told {first:?} and, joined, {second:?}")
    })?;
    ensure(process.model.calls_about("word-held") == 1, || "joining called the model".into())
}

/// The message that was at work is there once, and is answered without being sent again. Ends with a
/// kill right after the first message of a new conversation was taken in.
pub(super) async fn after_a_kill_in_a_turn(process: &Process) -> Result<(), Failure> {
    process.boot().await?;
    let cut = turn("main", "key-cut", "remember word-cut");
    let answer = ask(process, &cut).await?;
    ensure(answer.contains("word-cut"), || format!("the interrupted turn says `{answer}`"))?;
    let told = history(process, "main").await?;
    ensure(times(&told, "key-cut") == 1, || format!("after the kill: {told:?}"))?;
    let again = ask(process, &cut).await?;
    ensure(again == answer, || format!("asked again it says `{again}`"))?;
    drop(send(process, &turn("fresh", "key-first", "remember word-first")).await?);
    Ok(process.kill().await?)
}

/// The first message of a conversation survives too. Ends with a clean stop.
pub(super) async fn after_a_kill_at_the_first_message(process: &Process) -> Result<(), Failure> {
    process.boot().await?;
    let answer = ask(process, &turn("fresh", "key-first", "remember word-first")).await?;
    ensure(answer.contains("word-first"), || format!("the first message says `{answer}`"))?;
    let told = history(process, "fresh").await?;
    ensure(times(&told, "key-first") == 1, || format!("after the kill: {told:?}"))?;
    let status = process.stop().await?;
    ensure(status.success(), || format!("a clean stop ends with {status}"))
}

/// The history is what it was, and finished messages are not answered anew.
pub(super) async fn after_a_clean_stop(process: &Process) -> Result<(), Failure> {
    process.boot().await?;
    let told = history(process, "main").await?;
    for key in ["key-1", "key-2", "key-held", "key-cut"] {
        ensure(times(&told, key) == 1, || format!("`{key}` after a restart: {told:?}"))?;
    }
    let calls = process.model.calls_about("word-one");
    let answer = ask(process, &turn("main", "key-1", "remember word-one")).await?;
    ensure(answer.contains("word-one"), || format!("the old key says `{answer}`"))?;
    ensure(process.model.calls_about("word-one") == calls, || "it was answered anew".into())?;
    let later = ask(process, &turn("main", "key-3", "what do you know?")).await?;
    ensure(later.contains("word-one") && later.contains("word-cut"), || {
        format!("after restarts it knows only `{later}`")
    })?;
    let second = process.second().await?;
    let known = &process.engine.manifest().config_exit;
    ensure(second.code().is_some_and(|code| known.contains(&code)), || {
        format!("a second engine on the same home ends with {second}")
    })?;
    process.becomes(&Health::Ready).await?;
    Ok(process.kill().await?)
}

/// A configuration that is refused ends the process with a known code, and the key is named.
pub(super) async fn bad_configuration(process: &Process) -> Result<(), Failure> {
    let spoil = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).replacen('{', "{\"noSuchKey\": 1,", 1);
        text.into_bytes()
    };
    process.configure(spoil).await?;
    process.start().await?;
    let status = process.exit().await?;
    let known = &process.engine.manifest().config_exit;
    ensure(status.code().is_some_and(|code| known.contains(&code)), || {
        format!("a bad configuration ends with {status}")
    })?;
    let said = complaint(&process.log()).map(|(_, said)| said).unwrap_or_default();
    ensure(said.contains("noSuchKey"), || format!("the complaint is `{said}`"))?;
    doctor(process, false).await?;
    // The owner's odd key is theirs: repairing is taking it out.
    let heal = |bytes: Vec<u8>| {
        String::from_utf8_lossy(&bytes).replace("\"noSuchKey\": 1,", "").into_bytes()
    };
    Ok(process.configure(heal).await?)
}

/// A lease that nobody renews ends by itself, and the engine works again.
pub(super) async fn lease_ends(process: &Process, length: Duration) -> Result<(), Failure> {
    process.boot().await?;
    let held = lease(process, "request-e").await?;
    let ready = timeout(length + process.patience(), process.becomes(&Health::Ready)).await;
    ready.map_err(|_| Failure::new("the lease does not end"))??;
    must("resuming a lease that is over", process.engine.resume(&*process.dial(), &held).await)?;
    ask(process, &turn("main", "key-e", "word-e")).await?;
    Ok(process.kill().await?)
}
