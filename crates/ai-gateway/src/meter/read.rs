//! Reading the tokens out of an answer, in either vendor's words, streamed or whole.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::Deserialize;

use crate::json::scan::Scanner;
use crate::meter::sse::Events;
use crate::meter::{Counts, Wire};

/// Longest `usage` object that is read.
const LONGEST_USAGE: usize = 64 << 10;

/// Reads along in one answer.
pub(crate) enum Reader {
    /// An answer that says nothing of usage.
    Nothing,
    /// A stream of events.
    Stream {
        /// Its words.
        wire: Wire,
        /// The parser.
        events: Box<Events>,
        /// What is known so far.
        counts: Counts,
    },
    /// One JSON object.
    Whole {
        /// Its words.
        wire: Wire,
        /// Looks for `usage`; none once the text turned out not to be such an object.
        scanner: Option<Box<Scanner>>,
    },
}

impl Reader {
    /// The reader for an answer with these headers. A compressed answer passes unread: the box is
    /// told to ask for none, but a provider may send it all the same.
    pub(crate) fn of(wire: Wire, headers: &HeaderMap) -> Self {
        let plain = headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim();
        if !plain {
            tracing::warn!("the answer is compressed against our wish: its usage is unknown");
            Self::Nothing
        } else if kind.eq_ignore_ascii_case("text/event-stream") {
            Self::Stream { wire, events: Box::default(), counts: Counts::default() }
        } else if kind.eq_ignore_ascii_case("application/json") {
            Self::Whole { wire, scanner: Some(Box::new(Scanner::new("usage", LONGEST_USAGE))) }
        } else {
            Self::Nothing
        }
    }

    /// A piece passes.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        match self {
            Self::Nothing => {}
            Self::Stream { wire, events, counts } => {
                events.feed(piece, &mut |name, data| event(*wire, name, data, counts));
            }
            Self::Whole { scanner, .. } => {
                if scanner.as_mut().is_some_and(|scanner| scanner.feed(piece).is_err()) {
                    *scanner = None;
                }
            }
        }
    }

    /// What is known so far.
    pub(crate) fn counts(&self) -> Counts {
        match self {
            Self::Nothing => Counts::default(),
            Self::Stream { counts, .. } => *counts,
            Self::Whole { wire, scanner } => {
                let mut counts = Counts::default();
                let found = scanner.as_ref().and_then(|scanner| scanner.found());
                if let Some(tokens) = found.and_then(|f| serde_json::from_slice(&f.raw).ok()) {
                    take(*wire, &tokens, &mut counts);
                }
                counts
            }
        }
    }
}

/// A `usage` object: the members of all three wires, each where its vendor puts it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    input_tokens_details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Option<u64>,
}

/// An event's data, as far as it matters. Anthropic puts `usage` into `message` at the beginning
/// and beside it at the end, OpenAI into the last chunk, or into `response`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Data {
    usage: Option<Tokens>,
    message: Option<Holder>,
    response: Option<Holder>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Holder {
    usage: Option<Tokens>,
}

fn event(wire: Wire, name: &[u8], data: &[u8], counts: &mut Counts) {
    let matters = match wire {
        Wire::Messages => matches!(name, b"message_start" | b"message_delta"),
        Wire::Responses => {
            matches!(name, b"response.completed" | b"response.incomplete" | b"response.failed")
        }
        Wire::Chat => memchr::memmem::find(data, b"\"usage\"").is_some(),
    };
    if !matters {
        return;
    }
    let Ok(data) = serde_json::from_slice::<Data>(data) else { return };
    let inner = data.message.or(data.response).and_then(|holder| holder.usage);
    if let Some(tokens) = data.usage.or(inner) {
        take(wire, &tokens, counts);
    }
}

/// Takes over what is reported. Later reports are totals, not additions.
fn take(wire: Wire, tokens: &Tokens, counts: &mut Counts) {
    let set = |to: &mut u64, from: Option<u64>| {
        if let Some(from) = from {
            *to = from;
        }
    };
    if wire == Wire::Messages {
        set(&mut counts.input, tokens.input_tokens);
        set(&mut counts.output, tokens.output_tokens);
        set(&mut counts.cache_read, tokens.cache_read_input_tokens);
        set(&mut counts.cache_write, tokens.cache_creation_input_tokens);
        return;
    }
    // OpenAI counts cached tokens within the input, we beside it.
    let details = tokens.prompt_tokens_details.as_ref().or(tokens.input_tokens_details.as_ref());
    set(&mut counts.cache_read, details.and_then(|details| details.cached_tokens));
    let input = tokens.prompt_tokens.or(tokens.input_tokens);
    set(&mut counts.input, input.map(|all| all.saturating_sub(counts.cache_read)));
    set(&mut counts.output, tokens.completion_tokens.or(tokens.output_tokens));
}

#[cfg(test)]
mod tests;
