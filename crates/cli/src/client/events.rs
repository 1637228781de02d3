//! What happens to a message or a job, live.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use smartbox_api::call::{self, Call};
use smartbox_api::job::Event;
use smartbox_api::message::TurnEvent;
use smartbox_api::sse::Decoder;

use super::Client;
use crate::error::CliError;

/// A stream of events.
pub(crate) struct Events<T = TurnEvent> {
    body: Incoming,
    decoder: Decoder<T>,
}

impl Client {
    /// Begins to follow.
    pub(crate) async fn events(&self, call: &Call<call::Events>) -> Result<Events, CliError> {
        let reply = self.send(call, None).await?;
        Ok(Events { body: reply.into_body(), decoder: Decoder::default() })
    }

    /// Begins to follow a job; none if nothing will come any more.
    pub(crate) async fn job_events(
        &self,
        call: &Call<call::Events<Event>>,
    ) -> Result<Option<Events<Event>>, CliError> {
        let reply = self.send(call, None).await?;
        let over = reply.status() == http::StatusCode::NO_CONTENT;
        let events = Events { body: reply.into_body(), decoder: Decoder::default() };
        Ok((!over).then_some(events))
    }
}

impl<T: DeserializeOwned> Events<T> {
    /// The next event. The stream's end is an error: it may only end after its last event.
    pub(crate) async fn next(&mut self) -> Result<T, CliError> {
        let ended = || CliError::Broken("the events ended early".into());
        self.try_next().await?.ok_or_else(ended)
    }

    /// The next event; none at the stream's end.
    pub(crate) async fn try_next(&mut self) -> Result<Option<T>, CliError> {
        loop {
            let event = self.decoder.next_event().map_err(|e| CliError::Garbled(e.0.to_owned()))?;
            if let Some(event) = event {
                return Ok(Some(event));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(CliError::Broken(error.into())),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.decoder.push(data);
                    }
                }
            }
        }
    }
}
