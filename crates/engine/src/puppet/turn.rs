//! Turns: one at a time in a conversation, an interrupted one run anew after a start.

use serde_json::{Value, json};

use super::journal::Entry;
use super::model::{self, Said};
use super::{Puppet, rows};

/// What the engine writes in a person's place when it runs a turn anew.
const INTERRUPTED: &str = "[System] Your previous turn was interrupted by a gateway restart while \
    it was in progress. Treat its actions as having an unknown outcome.";

/// Runs turns anew that a kill cut off.
pub(super) async fn recover(puppet: Puppet) {
    let interrupted: Vec<String> = {
        let state = puppet.state();
        let all = state.sessions.0.iter();
        all.filter(|(_, s)| s.interrupted).map(|(key, _)| key.clone()).collect()
    };
    if interrupted.is_empty() {
        return;
    }
    tokio::time::sleep(puppet.inner.play.start + puppet.inner.play.recovery).await;
    for session in interrupted {
        let run = puppet.fresh_id("recovery");
        let row = rows::user(&run, INTERRUPTED, puppet.now());
        puppet.record(vec![Entry::Row { session: session.clone(), row }]).await;
        puppet.begin(&session, &run);
        if let Some(found) = puppet.state().sessions.0.get_mut(&session) {
            found.interrupted = false;
        }
    }
}

/// Counts a turn as long as it lives, so that a cut-off one is not counted for ever.
struct Busy(Puppet);

impl Busy {
    fn new(puppet: &Puppet) -> Self {
        puppet.inner.busy.send_modify(|n| *n += 1);
        Self(puppet.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.inner.busy.send_modify(|n| *n -= 1);
    }
}

impl Puppet {
    /// Starts a turn, or lets it wait for the one before.
    pub(super) fn begin(&self, session: &str, run: &str) {
        let first = {
            let mut state = self.state();
            let Some(found) = state.sessions.0.get_mut(session) else { return };
            found.runs.push(run.to_owned());
            found.runs.len() == 1
        };
        if !first {
            return;
        }
        let busy = Busy::new(self);
        let (me, session, mut run) = (self.clone(), session.to_owned(), run.to_owned());
        self.spawn(async move {
            let _busy = busy;
            loop {
                me.run_turn(&session, &run, &run).await;
                let mut state = me.state();
                let Some(found) = state.sessions.0.get_mut(&session) else { return };
                found.runs.retain(|other| *other != run);
                found.finished.insert(run);
                match found.runs.first() {
                    Some(next) => run = next.clone(),
                    None => return,
                }
            }
        });
    }

    /// One turn, from the message to its answer.
    pub(super) async fn run_turn(&self, session: &str, run: &str, key: &str) {
        let chat = |state: &str, more: Value| {
            let mut payload = json!({ "runId": run, "sessionKey": session, "state": state });
            if let (Value::Object(all), Value::Object(more)) = (&mut payload, more) {
                all.extend(more);
            }
            self.tell("chat", payload);
        };
        chat("status", json!({ "phase": "preparing_workspace" }));
        let pending = {
            let state = self.state();
            let found = state.sessions.0.get(session);
            found.and_then(|s| s.pending.iter().find(|item| item.key == key)).cloned()
        };
        if let Some(item) = pending {
            let row = rows::user(key, &item.text, self.now());
            self.record(vec![Entry::Row { session: session.to_owned(), row }]).await;
        }
        chat("status", json!({ "phase": "starting_model" }));
        let rows = {
            let state = self.state();
            state.sessions.0.get(session).map(|s| s.rows.clone()).unwrap_or_default()
        };
        let mut so_far = String::new();
        let answer = model::ask(self, &rows, |said| match said {
            Said::More(text) => {
                so_far.push_str(&text);
                let message = message(&so_far);
                chat("delta", json!({ "deltaText": text, "message": message }));
            }
            Said::Anew => so_far.clear(),
        })
        .await;
        let at = self.now();
        let row = match &answer {
            Ok(text) => rows::assistant(run, text, at),
            Err(why) => rows::failure(run, why, at),
        };
        self.record(vec![Entry::Row { session: session.to_owned(), row }]).await;
        match answer {
            Ok(text) => chat("final", json!({ "stopReason": "stop", "message": message(&text) })),
            Err(why) => chat("error", json!({ "errorMessage": why })),
        }
    }
}

fn message(text: &str) -> Value {
    json!({ "role": "assistant", "content": [{ "type": "text", "text": text }] })
}
