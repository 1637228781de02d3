//! Brotli, without the large windows that no browser takes either.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Broken, PORTION, Step};

pub(super) struct Br {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    whole: bool,
}

impl Br {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new_strict(alloc(), alloc(), alloc()), whole: false }
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Step, Broken> {
        if self.whole {
            // Something stands behind the end.
            return Err(Broken::Coded);
        }
        out.resize(PORTION, 0);
        let (mut left, mut read) = (input.len(), 0);
        let (mut room, mut wrote, mut total) = (out.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            input,
            &mut room,
            &mut wrote,
            out,
            &mut total,
            &mut self.state,
        );
        out.truncate(wrote);
        match result {
            BrotliResult::ResultFailure => return Err(Broken::Coded),
            BrotliResult::ResultSuccess => self.whole = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { read, more: matches!(result, BrotliResult::NeedsMoreOutput) })
    }

    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }
}
