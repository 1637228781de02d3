//! Replies of lines, each of them a JSON document.

use std::marker::PhantomData;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use smartbox_api::call::{self, Call};

use super::Client;
use crate::error::CliError;

/// The longest line that is believed.
const MAX_LINE: usize = 1 << 20;

/// A reply of lines.
pub(crate) struct Lines<T> {
    body: Incoming,
    begun: Vec<u8>,
    of: PhantomData<T>,
}

impl Client {
    /// Begins to read.
    pub(crate) async fn lines<T>(&self, call: &Call<call::Lines<T>>) -> Result<Lines<T>, CliError> {
        let reply = self.send(call, None).await?;
        Ok(Lines { body: reply.into_body(), begun: Vec::new(), of: PhantomData })
    }
}

impl<T: DeserializeOwned> Lines<T> {
    /// The next line; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, CliError> {
        loop {
            if let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.begun.drain(..=end).collect();
                if line.len() > 1 {
                    let line = serde_json::from_slice(&line);
                    return line.map(Some).map_err(|e| CliError::Garbled(e.to_string()));
                }
            } else if self.begun.len() > MAX_LINE {
                return Err(CliError::Garbled("a line is too long".into()));
            } else {
                match self.body.frame().await {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(CliError::Broken(error.into())),
                    Some(Ok(frame)) => {
                        self.begun.extend(frame.data_ref().into_iter().flatten());
                    }
                }
            }
        }
    }
}
