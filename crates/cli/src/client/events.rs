//! What happens to a message, live.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use smartbox_api::call::{self, Call};
use smartbox_api::message::TurnEvent;
use smartbox_api::sse::Decoder;

use super::Client;
use crate::error::CliError;

/// A stream of events.
pub(crate) struct Events {
    body: Incoming,
    decoder: Decoder,
}

impl Client {
    /// Begins to follow.
    pub(crate) async fn events(&self, call: &Call<call::Events>) -> Result<Events, CliError> {
        let reply = self.send(call, None).await?;
        Ok(Events { body: reply.into_body(), decoder: Decoder::default() })
    }
}

impl Events {
    /// The next event. The stream's end is an error: it may only end after its last event.
    pub(crate) async fn next(&mut self) -> Result<TurnEvent, CliError> {
        loop {
            let event = self.decoder.next_event().map_err(|e| CliError::Garbled(e.0.to_owned()))?;
            if let Some(event) = event {
                return Ok(event);
            }
            match self.body.frame().await {
                None => return Err(CliError::Broken("the events ended early".into())),
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
