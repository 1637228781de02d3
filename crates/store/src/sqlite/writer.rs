//! The one writer: takes works from a queue, does each in a savepoint, commits several at once
//! and answers them afterwards.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use smartbox_core::BoxFuture;
use smartbox_core::store::StoreError;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::error;
use super::records::Records;
use super::vault::Current;

/// How long works are gathered before they are committed together.
const GATHER: Duration = Duration::from_millis(5);

/// A work over the records themselves.
pub(super) type Job = Box<
    dyn for<'t, 'c> FnOnce(&'t mut Records<'c>) -> BoxFuture<'t, Result<(), StoreError>> + Send,
>;

/// What the writer is asked.
pub(super) enum Order {
    /// Do this work and say when it is on disk.
    Work(Job, Answer),
    /// Close the file.
    Close(oneshot::Sender<()>),
}

type Answer = oneshot::Sender<Result<(), StoreError>>;

/// The owner of the connection that writes.
pub(super) struct Writer {
    conn: SqliteConnection,
    fence: i64,
    fenced: bool,
    vault: Current,
    /// Counts commits, for [`Store::version`](smartbox_core::store::Store::version).
    version: Arc<AtomicU64>,
    guard: Duration,
}

/// How one work of a transaction went.
enum Outcome {
    /// Its savepoint is released.
    Done,
    /// Its savepoint is rolled back; the others stand.
    Undone(StoreError),
    /// SQLite has rolled back the whole transaction, or no longer says what state it is in.
    Lost(StoreError),
}

impl Writer {
    pub(super) fn new(
        conn: SqliteConnection,
        fence: i64,
        vault: Current,
        version: Arc<AtomicU64>,
        guard: Duration,
    ) -> Self {
        Self { conn, fence, fenced: false, vault, version, guard }
    }

    /// Serves the queue until it is closed.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        let mut closing = None;
        while let Some(order) = queue.recv().await {
            closing = match order {
                Order::Work(work, answer) => self.transaction(work, answer, &mut queue).await,
                Order::Close(done) => Some(done),
            };
            if closing.is_some() {
                break;
            }
        }
        drop(queue);
        if let Err(e) = self.conn.close().await {
            tracing::warn!(error = %e, "the database was not closed cleanly");
        }
        if let Some(done) = closing {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    /// Does this work and those that queue up meanwhile, in one transaction. Returns an order to
    /// close that came among them.
    async fn transaction(
        &mut self,
        work: Job,
        answer: Answer,
        queue: &mut mpsc::Receiver<Order>,
    ) -> Option<oneshot::Sender<()>> {
        if let Err(e) = self.begin().await {
            tell(answer, Err(e));
            return None;
        }
        let began = Instant::now();
        let mut answers = Vec::new();
        let mut closing = None;
        let mut next = Some((work, answer));
        while let Some((work, answer)) = next.take() {
            match self.one(work).await {
                Outcome::Done => answers.push((answer, Ok(()))),
                Outcome::Undone(e) => answers.push((answer, Err(e))),
                Outcome::Lost(e) => {
                    answers.push((answer, Ok(())));
                    self.give_up(answers, &e).await;
                    return None;
                }
            }
            if began.elapsed() < GATHER {
                match queue.try_recv() {
                    Ok(Order::Work(work, answer)) => next = Some((work, answer)),
                    Ok(Order::Close(done)) => closing = Some(done),
                    Err(_) => {}
                }
            }
        }
        // Refusals wait for the commit too: a name may be taken by a work that is not on disk yet.
        let committed = self.run_sql("COMMIT").await;
        // Before anybody is told; and after a failure too, which may have reached the disk.
        self.version.fetch_add(1, Ordering::Release);
        match committed {
            Ok(()) => answers.into_iter().for_each(|(answer, result)| tell(answer, result)),
            Err(e) => self.give_up(answers, &e).await,
        }
        closing
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        if self.fenced {
            return Err(StoreError::Fenced);
        }
        if let Err(e) = self.run_sql("BEGIN IMMEDIATE").await {
            // Should an earlier rollback have failed, this ends what it left open.
            self.roll_back().await;
            return Err(e);
        }
        let fence: Result<i64, _> =
            sqlx::query_scalar("SELECT fence FROM owner").fetch_one(&mut self.conn).await;
        let error = match fence {
            Ok(fence) if fence == self.fence => return Ok(()),
            Ok(fence) => {
                tracing::error!(
                    ours = self.fence,
                    theirs = fence,
                    "another control plane took over"
                );
                self.fenced = true;
                StoreError::Fenced
            }
            Err(e) => error::store(e),
        };
        self.roll_back().await;
        Err(error)
    }

    async fn one(&mut self, work: Job) -> Outcome {
        if let Err(e) = self.run_sql("SAVEPOINT work").await {
            return Outcome::Lost(e);
        }
        let vault = self.vault.now();
        let mut records = Records::new(&mut self.conn, &vault);
        let attempt = AssertUnwindSafe(async { work(&mut records).await }).catch_unwind();
        let result = match timeout(self.guard, attempt).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => {
                tracing::error!("a work panicked and was rolled back");
                Err(StoreError::Broken("a work panicked".into()))
            }
            Err(_) => {
                tracing::error!(guard = ?self.guard, "a work did not end in time and was rolled back");
                Err(StoreError::Broken("a work did not end in time".into()))
            }
        };
        match records.spoilt().map_or(result, Err) {
            Ok(()) => match self.run_sql("RELEASE work").await {
                Ok(()) => Outcome::Done,
                Err(e) => Outcome::Lost(e),
            },
            Err(e) => match self.undo().await {
                Ok(()) => Outcome::Undone(e),
                // The savepoint is gone with its transaction; the work's own error says why.
                Err(_) => Outcome::Lost(e),
            },
        }
    }

    async fn undo(&mut self) -> Result<(), StoreError> {
        self.run_sql("ROLLBACK TO work").await?;
        self.run_sql("RELEASE work").await
    }

    /// Nothing of this transaction stands: everyone in it is told the same.
    async fn give_up(&mut self, answers: Vec<(Answer, Result<(), StoreError>)>, why: &StoreError) {
        tracing::error!(error = %why, works = answers.len(), "a transaction was lost");
        self.roll_back().await;
        for (answer, _) in answers {
            tell(answer, Err(error::again(why)));
        }
    }

    async fn roll_back(&mut self) {
        // Fails where SQLite has rolled back by itself, which is as good.
        let _ = self.run_sql("ROLLBACK").await;
    }

    async fn run_sql(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::query(sql).execute(&mut self.conn).await.map(|_| ()).map_err(error::store)
    }
}

fn tell(answer: Answer, result: Result<(), StoreError>) {
    // Whoever asked may have stopped waiting.
    let _ = answer.send(result);
}
