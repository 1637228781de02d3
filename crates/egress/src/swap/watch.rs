//! Reads along in a request's body.

use super::plan::Swap;
use super::refusal::{Refusal, Spot};

/// Finds a placeholder in a body as it streams out, in any of its forms, across the borders of its
/// pieces. A body that is compressed or encrypted is not seen through: what stands in there is
/// worthless all the same, and only the message about it is missing.
#[derive(Debug)]
pub struct Watch {
    swap: Swap,
    /// The end of what passed, as far as it may be the beginning of a placeholder.
    tail: Vec<u8>,
}

impl Watch {
    pub(super) fn new(swap: Swap) -> Self {
        Self { swap, tail: Vec::new() }
    }

    /// A piece on its way to `host`. A refusal means that it must not be sent, nor an end of the body:
    /// the server gets a request that was cut off.
    pub fn pass(&mut self, piece: &[u8], host: &str) -> Result<(), Refusal> {
        let Some(hunt) = &self.swap.hunt else { return Ok(()) };
        let joined;
        let text = if self.tail.is_empty() {
            piece
        } else {
            joined = [&self.tail, piece].concat();
            &joined
        };
        if let Some(span) = hunt.spans(text).first() {
            return Err(self.swap.misplaced(span.of, Spot::Body, host.to_owned()));
        }
        self.tail = text[hunt.open_from(text)..].to_vec();
        Ok(())
    }
}
