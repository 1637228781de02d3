//! Server-sent events, as far as the API uses them: one `event` word, one line of JSON `data`, an `id`
//! where one can go on after it, and comments that keep the connection alive. Hostile input is bounded.

use std::marker::PhantomData;

use bytes::{Buf, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smartbox_core::engine::TurnEvent;

/// The media type.
pub const MEDIA_TYPE: &str = "text/event-stream";
/// A comment that says nothing: sent while nothing happens, so that nobody in between gives up.
pub const KEEP_ALIVE: &str = ":\n\n";
/// The longest event that a client takes, in bytes.
pub const MAX_EVENT: usize = 8 << 20;

/// One event of a stream, in the OpenAPI document.
#[derive(Debug, utoipa::ToSchema)]
#[schema(as = StreamEvent)]
pub struct Event {
    /// What kind of event, in one word.
    pub event: String,
    /// The event, one line of JSON.
    #[schema(content_media_type = "application/json")]
    pub data: String,
}

/// An event as bytes of the stream.
pub fn encode(event: &TurnEvent) -> String {
    let word = match event {
        TurnEvent::Started => "started",
        TurnEvent::Doing(_) => "doing",
        TurnEvent::Delta(_) => "delta",
        TurnEvent::Replace(_) => "replace",
        TurnEvent::Answered(_) => "answered",
        TurnEvent::Failed(_) => "failed",
    };
    format!("event: {word}\ndata: {}\n\n", line(event))
}

/// An event with a number, by which a client that was cut off says what it saw last.
pub fn numbered(id: u64, word: &str, event: &impl Serialize) -> String {
    format!("id: {id}\nevent: {word}\ndata: {}\n\n", line(event))
}

/// JSON has no raw line breaks.
fn line(event: &impl Serialize) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// The stream is not one of the events that are expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEvent(pub &'static str);

impl std::fmt::Display for BadEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the platform's event is not understood: {}", self.0)
    }
}

impl std::error::Error for BadEvent {}

/// Reads events out of bytes that come in any pieces.
#[derive(Debug)]
pub struct Decoder<T = TurnEvent> {
    buffer: BytesMut,
    event: PhantomData<T>,
}

impl<T> Default for Decoder<T> {
    fn default() -> Self {
        Self { buffer: BytesMut::new(), event: PhantomData }
    }
}

impl<T: DeserializeOwned> Decoder<T> {
    /// More bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole event; `None` if more bytes are needed. Comments are passed over.
    pub fn next_event(&mut self) -> Result<Option<T>, BadEvent> {
        loop {
            let Some(end) = self.buffer.windows(2).position(|w| w == b"\n\n") else {
                return if self.buffer.len() > MAX_EVENT {
                    Err(BadEvent("it is too long"))
                } else {
                    Ok(None)
                };
            };
            let block = self.buffer.split_to(end);
            self.buffer.advance(2);
            let data = block
                .as_ref()
                .split(|b: &u8| *b == b'\n')
                .find_map(|line| line.strip_prefix(b"data:"));
            if let Some(data) = data {
                return serde_json::from_slice(data)
                    .map(Some)
                    .map_err(|_| BadEvent("its data is not an event of this kind"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_being_split_anywhere() {
        let events = [
            TurnEvent::Started,
            TurnEvent::Delta("a\n\nb".into()),
            TurnEvent::Answered("\u{1f980}".into()),
        ];
        let whole: String = KEEP_ALIVE.to_owned() + &events.each_ref().map(encode).concat();
        for cut in 0..whole.len() {
            let mut decoder = Decoder::<TurnEvent>::default();
            let mut seen = Vec::new();
            for part in [&whole.as_bytes()[..cut], &whole.as_bytes()[cut..]] {
                decoder.push(part);
                while let Some(event) = decoder.next_event().unwrap() {
                    seen.push(event);
                }
            }
            assert_eq!(seen, events);
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut decoder = Decoder::<TurnEvent>::default();
        decoder.push(&vec![b'x'; MAX_EVENT + 1]);
        assert!(decoder.next_event().is_err());
    }
}
