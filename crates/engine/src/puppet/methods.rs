//! The methods that a connected client may call.

use serde_json::{Value, json};

use super::connect::Guest;
use super::journal::Entry;
use super::sessions::Pending;
use super::socket::Reply;
use super::{Phase, Puppet, rows};

impl Puppet {
    pub(super) async fn call(&self, guest: &Guest, method: &str, params: &Value) -> Reply {
        let phase = self.phase();
        let lease = method.starts_with("gateway.suspend.");
        if !lease && matches!(phase, Phase::Suspended | Phase::Draining) {
            let why = format!("{method} unavailable during gateway suspension");
            return Reply::unavailable(&why, "gateway-suspending", 1_000);
        }
        let may = guest.admin || guest.chat && method.starts_with(['c', 's']) && !lease;
        if !may {
            return Reply::refused("INVALID_REQUEST", "missing scope: operator.admin");
        }
        match method {
            "chat.send" => self.chat_send(guest, params).await,
            "chat.history" => self.chat_history(params),
            "config.get" => self.config_get(),
            "sessions.create" => self.sessions_create(params).await,
            "sessions.list" => self.sessions_list(params),
            "cron.status" => self.cron_status(),
            "cron.add" => self.cron_add(params).await,
            "cron.remove" => self.cron_remove(params).await,
            "gateway.suspend.prepare" => self.suspend_prepare(params),
            "gateway.suspend.status" => self.suspend_status(),
            "gateway.suspend.resume" => self.suspend_resume(params),
            _ => Reply::invalid("unknown method"),
        }
    }

    fn chat_history(&self, params: &Value) -> Reply {
        let limit = params["limit"].as_u64().unwrap_or(200);
        if !(1..=1_000).contains(&limit) {
            return Reply::invalid("invalid chat.history params: at /limit: must be <= 1000");
        }
        let key = session_key(params);
        let state = self.state();
        let offset = usize::try_from(params["offset"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Reply::Ok(match state.sessions.0.get(&key) {
            Some(session) => session.history(&key, limit, offset),
            None => json!({
                "sessionKey": key, "messages": [], "pendingInputs": { "items": [], "total": 0 },
            }),
        })
    }

    fn config_get(&self) -> Reply {
        let told = self.look_at_file();
        let issue = |text: &String| {
            let (path, message) = text.split_once(": ").unwrap_or(("", text));
            json!({ "path": path, "message": message })
        };
        Reply::Ok(json!({
            "exists": true, "valid": told.issues.is_empty(),
            "issues": told.issues.iter().map(issue).collect::<Vec<_>>(),
            "configRevisionHash": told.hash, "appliedConfigHash": told.applied,
            "config": { "gateway": { "reload": { "mode": if told.watches { "hybrid" } else { "off" } } } },
        }))
    }

    async fn sessions_create(&self, params: &Value) -> Reply {
        let Some(key) = params["key"].as_str().map(str::to_owned) else {
            return Reply::invalid("key is required");
        };
        self.make_session(&key).await;
        let id = self.state().sessions.0.get(&key).map(|s| s.id.clone());
        Reply::Ok(json!({ "ok": true, "key": key, "sessionId": id }))
    }

    fn sessions_list(&self, params: &Value) -> Reply {
        let number = |name: &str, default| {
            usize::try_from(params[name].as_u64().unwrap_or(default)).unwrap_or(usize::MAX)
        };
        let (limit, offset) = (number("limit", 100), number("offset", 0));
        let state = self.state();
        let mut sessions: Vec<Value> =
            state.sessions.0.iter().map(|(key, session)| session.listed(key)).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session["updatedAt"].as_i64()));
        let total = sessions.len();
        let page: Vec<Value> = sessions.into_iter().skip(offset).take(limit).collect();
        let end = offset.saturating_add(page.len());
        Reply::Ok(json!({
            "count": page.len(), "totalCount": total, "sessions": page,
            "hasMore": end < total, "nextOffset": (end < total).then_some(end),
        }))
    }

    async fn make_session(&self, key: &str) {
        if !self.state().sessions.0.contains_key(key) {
            let id = self.fresh_id("session");
            self.record(vec![Entry::Session { key: key.to_owned(), id }]).await;
        }
    }

    /// What is durable when `started` is answered differs as in OpenClaw: a page's message to an
    /// idle, existing conversation is in the transcript; a page's first message is nowhere; any
    /// other is set apart and, after a kill, waits to be sent again.
    async fn chat_send(&self, guest: &Guest, params: &Value) -> Reply {
        let session = session_key(params);
        let text = params["message"].as_str().unwrap_or_default().to_owned();
        let Some(key) = params["idempotencyKey"].as_str().filter(|k| !k.is_empty()) else {
            return Reply::invalid("idempotencyKey is required");
        };
        match self.seen(guest, &session, key) {
            Seen::New => {}
            Seen::Told(reply) => return reply,
        }
        let existed = self.state().sessions.0.contains_key(&session);
        self.make_session(&session).await;
        let at = self.now();
        let (idle, again) = {
            let state = self.state();
            let found = state.sessions.0.get(&session);
            (found.is_some_and(|s| s.runs.is_empty()), found.is_some_and(|s| s.has(key)))
        };
        let safe = guest.page && existed && idle && !text.starts_with(['/', '!']);
        let mut ack = json!({ "runId": key, "status": "started" });
        if again {
            // Forgotten over a restart: a program's message is answered a second time.
        } else if safe {
            let row = rows::user(key, &text, at);
            self.record(vec![Entry::Row { session: session.clone(), row }]).await;
            ack["messageSeq"] = json!(1);
        } else {
            let item = Pending { key: key.into(), text, at: at.0, interrupted: false };
            if existed || !guest.page {
                self.record(vec![Entry::Pending { session: session.clone(), item }]).await;
            } else {
                self.state().sessions.pend(&session, item);
            }
        }
        self.begin(&session, key);
        Reply::Ok(ack)
    }

    fn seen(&self, guest: &Guest, session: &str, key: &str) -> Seen {
        let state = self.state();
        let Some(session) = state.sessions.0.get(session) else { return Seen::New };
        let told = |status: &str| Seen::Told(Reply::Ok(json!({ "runId": key, "status": status })));
        if session.runs.iter().any(|run| run == key) {
            return told("in_flight");
        }
        if session.finished.contains(key) {
            return told("ok");
        }
        if !(guest.page && session.has(key)) {
            return Seen::New;
        }
        if session.interrupted || !session.runs.is_empty() {
            return Seen::Told(Reply::unavailable(
                "accepted chat turn recovery is still pending; retry",
                "chat-turn-recovery",
                1_000,
            ));
        }
        told("ok")
    }
}

enum Seen {
    New,
    Told(Reply),
}

fn session_key(params: &Value) -> String {
    let key = params["sessionKey"].as_str().unwrap_or("main");
    if key.contains(':') { key.to_owned() } else { format!("agent:main:{key}") }
}
