//! What an issuer publishes, kept for a while: fetched when somebody needs it, refreshed before it is old,
//! good for a day if the issuer is away, and never asked for more often than a limit, whoever wants it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::time::{Clock, Timestamp};
use tokio::sync::Mutex as Turn;

use crate::http::Fault;

/// From this age on it is fetched anew, beside the work.
const YOUNG: Duration = Duration::from_secs(60 * 60);
/// At this age it is not believed any more.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two questions, when the last was answered: whoever asks for what is not there waits for nobody.
const CALM: Duration = Duration::from_secs(30);
/// Between two questions, when the last was not.
const RETRY: Duration = Duration::from_secs(5);

/// Asks for it.
pub(crate) type Fetch<T> = Box<dyn Fn() -> BoxFuture<'static, Result<T, Fault>> + Send + Sync>;

/// Something of an issuer's. Clones are the same.
pub(crate) struct Cached<T>(Arc<Inner<T>>);

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Inner<T> {
    /// For the log.
    what: &'static str,
    fetch: Fetch<T>,
    clock: Arc<dyn Clock>,
    state: Mutex<State<T>>,
    /// Held by the one who asks.
    turn: Turn<()>,
}

struct State<T> {
    value: Option<Arc<T>>,
    fetched: Timestamp,
    tried: Option<Timestamp>,
    failed: Option<Fault>,
}

impl<T: Send + Sync + 'static> Cached<T> {
    pub(crate) fn new(what: &'static str, clock: Arc<dyn Clock>, fetch: Fetch<T>) -> Self {
        let state = State { value: None, fetched: Timestamp(0), tried: None, failed: None };
        Self(Arc::new(Inner { what, fetch, clock, state: Mutex::new(state), turn: Turn::new(()) }))
    }

    /// What is known, from memory if that is young enough.
    pub(crate) async fn get(&self) -> Result<Arc<T>, Fault> {
        if let Some((value, age)) = self.known() {
            if age >= YOUNG && self.may_ask() {
                let this = self.clone();
                tokio::spawn(async move { this.ask().await });
            }
            return Ok(value);
        }
        self.again().await
    }

    /// Asks once more, unless it was asked a moment ago; what is known then.
    pub(crate) async fn again(&self) -> Result<Arc<T>, Fault> {
        if self.may_ask() {
            let this = self.clone();
            // A task of its own: whoever wants it may go away, and others wait for the same answer.
            let asked = tokio::spawn(async move { this.ask().await });
            asked.await.map_err(|_| Fault("the question was given up".to_owned()))?;
        }
        let none = || Fault("it was not fetched yet".to_owned());
        match self.known() {
            Some((value, _)) => Ok(value),
            None => Err(self.state().failed.clone().unwrap_or_else(none)),
        }
    }

    /// Asks, if nobody else did while we waited for our turn.
    async fn ask(&self) {
        let _turn = self.0.turn.lock().await;
        if !self.may_ask() {
            return;
        }
        let answer = (self.0.fetch)().await;
        let now = self.0.clock.now();
        let mut state = self.state();
        state.tried = Some(now);
        match answer {
            Ok(value) => {
                state.value = Some(Arc::new(value));
                state.fetched = now;
                state.failed = None;
            }
            Err(error) => {
                tracing::warn!(kind = self.0.what, %error, "an issuer's document cannot be fetched");
                state.failed = Some(error);
            }
        }
    }

    fn known(&self) -> Option<(Arc<T>, Duration)> {
        let state = self.state();
        let now = self.0.clock.now();
        // A clock that moved back says nothing about the age; so it is fetched anew, and believed meanwhile.
        let age = if state.fetched > now { YOUNG } else { now.since(state.fetched) };
        state.value.clone().filter(|_| age < OLD).map(|value| (value, age))
    }

    fn may_ask(&self) -> bool {
        let state = self.state();
        let now = self.0.clock.now();
        let wait = if state.failed.is_some() { RETRY } else { CALM };
        state.tried.is_none_or(|tried| tried > now || now.since(tried) >= wait)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State<T>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
