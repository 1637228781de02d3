//! The body of one answer: decoded, then filtered.

use bytes::Bytes;

use super::{Broken, Coding, Decoder, Scrub, Window};

/// Passes the body of one answer. After [`Body::feed`], [`Body::portion`] until there is none; at the
/// end [`Body::end`].
#[derive(Debug)]
pub struct Body {
    decoder: Decoder,
    window: Window,
}

impl Body {
    /// For a body of this coding, out of which `scrub` takes its values.
    pub fn new(coding: Coding, scrub: &Scrub) -> Self {
        Self { decoder: Decoder::new(coding), window: scrub.window() }
    }

    /// Takes a piece as it came.
    pub fn feed(&mut self, piece: Bytes) {
        self.decoder.feed(piece);
    }

    /// The next portion to pass on; none until more is fed.
    pub fn portion(&mut self) -> Result<Option<Bytes>, Broken> {
        while let Some(portion) = self.decoder.portion()? {
            let out = self.window.pass(portion);
            if !out.is_empty() {
                return Ok(Some(out));
            }
        }
        Ok(None)
    }

    /// The end: the last portion. A body that was cut is no whole one.
    pub fn end(&mut self) -> Result<Bytes, Broken> {
        self.decoder.end()?;
        Ok(self.window.rest())
    }

    /// How many values were masked.
    pub fn hits(&self) -> u64 {
        self.window.hits()
    }
}
