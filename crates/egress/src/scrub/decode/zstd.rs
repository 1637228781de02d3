//! Zstandard: one or more frames.

use ::zstd::stream::raw::{DParameter, Decoder, Operation as _};

use super::{Broken, PORTION, Step};

/// The largest window: 8 MiB, which RFC 9659 lets a server count on.
const WINDOW_LOG: u32 = 23;

pub(super) struct Zstd {
    decoder: Option<Decoder<'static>>,
    whole: bool,
}

impl Zstd {
    pub(super) fn new() -> Self {
        let made = Decoder::new().and_then(|mut decoder| {
            decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
            Ok(decoder)
        });
        // There is no memory for it: the answer cannot be read.
        Self { decoder: made.ok(), whole: false }
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Step, Broken> {
        let decoder = self.decoder.as_mut().ok_or(Broken::Coded)?;
        out.resize(PORTION, 0);
        let status = decoder.run_on_buffers(input, out).map_err(|_| Broken::Coded)?;
        let more = status.bytes_written == out.len() && status.remaining > 0;
        out.truncate(status.bytes_written);
        self.whole = status.remaining == 0;
        Ok(Step { read: status.bytes_read, more })
    }

    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }
}
