//! Content codings, undone as they stream. What a piece becomes is given in portions, and a body that
//! becomes too much of too little ends there.

mod br;
mod gzip;
mod zstd;

use bytes::Bytes;

/// Until a body has become so long, it may be as dense as it likes.
pub const GRACE: u64 = 8 << 20;
/// Beyond that, how many bytes one byte may become. Text is seldom denser than 50.
pub const RATIO: u64 = 256;
/// Bytes of a portion, about.
const PORTION: usize = 64 << 10;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Br,
    /// RFC 8878, with a window of 8 MiB at most (RFC 9659).
    Zstd,
}

impl Coding {
    /// By its name in `content-encoding`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "br" => Self::Br,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }
}

/// A body that cannot be passed on any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is not coded as its head says, or was cut.
    #[error("the answer is not in the coding that its head names, or was cut")]
    Coded,
    /// It would be endless.
    #[error("the answer unpacks to more than {RATIO} times its size")]
    Bomb,
}

/// What one step of a decoder did.
struct Step {
    /// Bytes taken of the input.
    read: usize,
    /// Whether there is more to give without further input.
    more: bool,
}

enum Codec {
    Identity,
    Gzip(gzip::Gzip),
    Br(Box<br::Br>),
    Zstd(zstd::Zstd),
}

/// Undoes the coding of one body.
pub struct Decoder {
    codec: Codec,
    input: Bytes,
    more: bool,
    taken: u64,
    given: u64,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Decoder {
    /// For a body of this coding.
    pub fn new(coding: Coding) -> Self {
        let codec = match coding {
            Coding::Identity => Codec::Identity,
            Coding::Gzip => Codec::Gzip(gzip::Gzip::new()),
            Coding::Br => Codec::Br(Box::new(br::Br::new())),
            Coding::Zstd => Codec::Zstd(zstd::Zstd::new()),
        };
        Self { codec, input: Bytes::new(), more: false, taken: 0, given: 0 }
    }

    /// Takes a piece. The portions of the last one were all asked for.
    pub fn feed(&mut self, piece: Bytes) {
        debug_assert!(self.input.is_empty(), "the last piece was not asked for whole");
        self.taken += piece.len() as u64;
        self.input = piece;
    }

    /// The next portion of what was fed; none if there is no more.
    pub fn portion(&mut self) -> Result<Option<Bytes>, Broken> {
        while self.more || !self.input.is_empty() {
            let mut out = Vec::new();
            let step = match &mut self.codec {
                Codec::Identity => return Ok(Some(std::mem::take(&mut self.input))),
                Codec::Gzip(gzip) => gzip.step(&self.input, &mut out)?,
                Codec::Br(br) => br.step(&self.input, &mut out)?,
                Codec::Zstd(zstd) => zstd.step(&self.input, &mut out)?,
            };
            let stuck = step.read == 0 && out.is_empty() && !self.input.is_empty();
            if stuck {
                return Err(Broken::Coded);
            }
            drop(self.input.split_to(step.read));
            self.more = step.more;
            self.given += out.len() as u64;
            if self.given > GRACE && self.given > self.taken.saturating_mul(RATIO) {
                return Err(Broken::Bomb);
            }
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
        Ok(None)
    }

    /// The body's end: whether it was whole. One without a byte is (an answer to HEAD, a 304).
    pub fn end(&mut self) -> Result<(), Broken> {
        let whole = self.taken == 0
            || match &mut self.codec {
                Codec::Identity => true,
                Codec::Gzip(gzip) => gzip.is_whole(),
                Codec::Br(br) => br.is_whole(),
                Codec::Zstd(zstd) => zstd.is_whole(),
            };
        if whole { Ok(()) } else { Err(Broken::Coded) }
    }
}
