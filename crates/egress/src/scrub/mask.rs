//! The values that must not come back, and what covers them.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use smartbox_core::secret::Secret;
use zeroize::Zeroizing;

use super::Window;
use crate::forms::{Hunt, Span};

/// What covers a value, in the order of liking. None can be part of an escape, or end a string.
const MASKS: &[u8] = b"*#~.-_!=;@$^&|?";

/// Some values to take out of answers. Shared by all that belongs to one answer.
#[derive(Debug, Clone)]
pub struct Scrub {
    hunt: Arc<Hunt>,
    /// The values in lower case: names of headers are.
    lower: Arc<Vec<Zeroizing<String>>>,
    mask: u8,
}

impl Scrub {
    /// Takes out these values; none if there is nothing that could be recognised.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a Secret<String>>) -> Option<Self> {
        let values: Vec<&str> = values.into_iter().map(|value| value.expose().as_str()).collect();
        let hunt = Hunt::new(values.iter().map(|value| value.as_bytes()))?;
        let lower = values.iter().filter(|value| value.len() >= crate::forms::SHORTEST);
        let lower = lower.map(|value| Zeroizing::new(value.to_ascii_lowercase())).collect();
        // What is part of no value cannot make a new one together with what stands around it.
        let mask = MASKS.iter().copied().find(|mask| hunt.is_foreign(*mask)).unwrap_or(MASKS[0]);
        Some(Self { hunt: Arc::new(hunt), lower: Arc::new(lower), mask })
    }

    /// A filter for one stream.
    pub fn window(&self) -> Window {
        Window::new(self.clone())
    }

    /// Masks a text that is whole; none if there was nothing to mask.
    pub fn mask(&self, text: &[u8]) -> Option<Vec<u8>> {
        let spans = self.hunt.spans(text);
        if spans.is_empty() {
            return None;
        }
        let mut masked = text.to_vec();
        self.cover(&mut masked, &spans);
        Some(masked)
    }

    /// Masks the values of headers, and drops headers that have a value in their name. How many had.
    pub fn headers(&self, headers: &mut HeaderMap) -> usize {
        let mut hits = 0;
        for value in headers.values_mut() {
            if let Some(masked) = self.mask(value.as_bytes()) {
                hits += 1;
                // A mask is a visible character: what was a value before is one still.
                *value = HeaderValue::from_bytes(&masked).unwrap_or(HeaderValue::from_static(""));
            }
        }
        let named = |name: &&HeaderName| {
            self.lower.iter().any(|value| name.as_str().contains(value.as_str()))
        };
        let names: Vec<HeaderName> = headers.keys().filter(named).cloned().collect();
        for name in &names {
            headers.remove(name);
        }
        hits + names.len()
    }

    pub(super) fn hunt(&self) -> &Hunt {
        &self.hunt
    }

    /// Covers these places of a text, as far as it goes.
    pub(super) fn cover(&self, text: &mut [u8], spans: &[Span]) {
        for span in spans {
            let end = span.end.min(text.len());
            if span.start < end {
                text[span.start..end].fill(self.mask);
            }
        }
    }

    /// Covers the first `n` bytes, as far as there are.
    pub(super) fn cover_first(&self, text: &mut [u8], n: usize) {
        let n = n.min(text.len());
        text[..n].fill(self.mask);
    }
}
