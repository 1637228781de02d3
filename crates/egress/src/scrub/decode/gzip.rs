//! gzip: one or more members.

use std::io::Write as _;

use flate2::write::MultiGzDecoder;

use super::{Broken, Step};

/// One byte becomes 1032 at most: so much at once becomes a megabyte.
const BITE: usize = 1 << 10;

pub(super) struct Gzip(MultiGzDecoder<Vec<u8>>);

impl Gzip {
    pub(super) fn new() -> Self {
        Self(MultiGzDecoder::new(Vec::new()))
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Step, Broken> {
        let bite = &input[..input.len().min(BITE)];
        let read = self.0.write(bite).map_err(|_| Broken::Coded)?;
        if read == input.len() {
            // What was sent so far is to be seen now: the next event may be minutes away.
            self.0.flush().map_err(|_| Broken::Coded)?;
        }
        *out = std::mem::take(self.0.get_mut());
        Ok(Step { read, more: false })
    }

    pub(super) fn is_whole(&mut self) -> bool {
        self.0.try_finish().is_ok()
    }
}
