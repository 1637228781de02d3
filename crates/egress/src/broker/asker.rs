//! Which program asks, looked up while its request is read.

use std::task::Poll;
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::sandbox::Program;
use tokio::sync::watch;

/// How long a refusal waits for it: a program that was refused is soon gone, and nobody knows it then.
const WITHIN: Duration = Duration::from_millis(100);

/// A program that may not be known yet, or never.
#[derive(Clone)]
pub(crate) struct Asker(watch::Receiver<Option<Option<Program>>>);

impl Asker {
    /// Begins to look it up. What is known at once is.
    pub(crate) async fn begin(mut program: BoxFuture<'static, Option<Program>>) -> Self {
        let known = std::future::poll_fn(|cx| {
            Poll::Ready(match program.as_mut().poll(cx) {
                Poll::Ready(known) => Some(known),
                Poll::Pending => None,
            })
        });
        let known = known.await;
        let pending = known.is_none();
        let (tell, told) = watch::channel(known);
        if pending {
            tokio::spawn(async move {
                // The connection may be over; then nobody is told.
                tokio::select! {
                    program = program => drop(tell.send(Some(program))),
                    () = tell.closed() => {}
                }
            });
        }
        Self(told)
    }

    /// If it is settled: the program, or that it is not known.
    pub(crate) fn settled(&self) -> Option<Option<Program>> {
        self.0.borrow().clone()
    }

    /// Once it is settled, or late.
    pub(crate) async fn wait(&self) -> Option<Program> {
        let mut told = self.0.clone();
        let settled = tokio::time::timeout(WITHIN, told.wait_for(Option::is_some)).await;
        settled.ok()?.ok()?.clone().flatten()
    }
}
