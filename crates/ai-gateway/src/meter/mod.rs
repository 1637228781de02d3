//! Metering: what a call used, read from the bytes that pass, and the one row it leaves.
//! Nothing here delays a byte, and nothing here is estimated: what the provider did not report
//! counts as zero.

pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod sse;

use std::sync::Arc;

use smartbox_core::id::SmartboxId;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_core::usage::Usage;
use tracing::Span;

use crate::call::limits::Held;
use crate::meter::read::Reader;
use crate::meter::record::Recorder;

/// The status of a call whose box hung up before any answer.
const HUNG_UP: u16 = 499;

/// Tokens as a provider reported them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Read, uncached.
    pub(crate) input: u64,
    /// Written.
    pub(crate) output: u64,
    /// Read from the cache.
    pub(crate) cache_read: u64,
    /// Written to the cache.
    pub(crate) cache_write: u64,
}

/// Which vendor's words the answer uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Anthropic Messages.
    Messages,
    /// OpenAI chat completions.
    Chat,
    /// OpenAI responses.
    Responses,
}

/// What is known of a call when it begins.
pub(crate) struct Call {
    /// Which box called.
    pub(crate) id: SmartboxId,
    /// Which provider answers.
    pub(crate) provider: String,
    /// The model that was asked for.
    pub(crate) model: String,
}

/// One call being metered. Dropped, at the end of the answer or wherever the call broke off, it
/// records its row and lets the box sleep again.
pub(crate) struct Meter {
    call: Option<Call>,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
    began: Timestamp,
    status: u16,
    reader: Reader,
    /// Lasts as long as the call.
    span: Span,
    _held: Held,
}

impl Meter {
    /// Begins a call, whose `span` ends with it. Without `call` nothing is recorded, only the box
    /// kept awake.
    pub(crate) fn begin(
        call: Option<Call>,
        span: Span,
        clock: Arc<dyn Clock>,
        recorder: Recorder,
        held: Held,
    ) -> Self {
        let began = clock.now();
        let reader = Reader::Nothing;
        Self { call, clock, recorder, began, status: HUNG_UP, reader, span, _held: held }
    }

    /// The box gets this status, and nothing that counts.
    pub(crate) fn refused(&mut self, status: u16) {
        self.status = status;
    }

    /// The box gets this status and an answer that `reader` understands.
    pub(crate) fn answering(&mut self, status: u16, reader: Reader) {
        self.status = status;
        self.reader = reader;
    }

    /// A piece of the answer passes.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        self.reader.feed(piece);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        let counts = self.reader.counts();
        let took = self.clock.now().since(self.began);
        self.span.record("http.response.status_code", self.status);
        self.span.record("gen_ai.usage.input_tokens", counts.input);
        self.span.record("gen_ai.usage.output_tokens", counts.output);
        if self.status >= 400 {
            self.span.record("otel.status_code", "ERROR");
        }
        self.recorder.record(Usage {
            smartbox: call.id,
            provider: call.provider,
            model: call.model,
            input: counts.input,
            output: counts.output,
            cache_read: counts.cache_read,
            cache_write: counts.cache_write,
            status: self.status,
            at: self.began,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        });
    }
}
