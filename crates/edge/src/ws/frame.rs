//! Frame headers (RFC 6455 §5.2), read incrementally from a stream whose payloads pass untouched.
//! Stricter than it must be nowhere, laxer nowhere: what breaks the rules ends the relay.

use bytes::{Buf as _, BytesMut};

/// Frames up to this size are handed on whole, so that they can be held back.
pub(crate) const SMALL: u64 = 4096;
/// Payload bytes that are there when a larger frame begins.
pub(crate) const SNIFF: usize = 512;

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Who sends the frames of a stream: clients mask, engines do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Client,
    Engine,
}

/// How a stream broke the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("reserved bits or opcode")]
    Reserved,
    #[error("a mask where none belongs, or none where one does")]
    Mask,
    #[error("a control frame that is long or in pieces")]
    Control,
    #[error("a length that is not written the short way")]
    Length,
    #[error("a frame that is too large")]
    TooLarge,
    #[error("pieces of messages in the wrong order")]
    Order,
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) mask: Option<[u8; 4]>,
    /// Of the payload.
    pub(crate) length: u64,
    /// Of the header itself.
    pub(crate) size: usize,
}

impl Head {
    pub(crate) const fn control(&self) -> bool {
        self.opcode >= 8
    }

    /// The payload's beginning, unmasked, at most `limit` bytes; `bytes` begins with the header.
    pub(crate) fn payload(&self, bytes: &[u8], limit: usize) -> Vec<u8> {
        let payload = bytes.get(self.size..).unwrap_or_default();
        let mut out = payload[..payload.len().min(limit)].to_vec();
        if let Some(mask) = self.mask {
            for (byte, key) in out.iter_mut().zip(mask.iter().cycle()) {
                *byte ^= key;
            }
        }
        out
    }
}

/// Reads one header; `None` if there are too few bytes yet.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<Head>, Violation> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
    if first & 0x70 != 0 || !matches!(opcode, 0..=2 | 8..=10) {
        return Err(Violation::Reserved);
    }
    let (length, size) = match second & 0x7f {
        126 => {
            let Some(bytes) = rest.first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*bytes)), 4)
        }
        127 => {
            let Some(bytes) = rest.first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*bytes), 10)
        }
        short => (u64::from(short), 2),
    };
    if opcode >= 8 && (!fin || length > 125) {
        return Err(Violation::Control);
    }
    if (size == 4 && length < 126) || (size == 10 && (length < 0x1_0000 || length >> 63 != 0)) {
        return Err(Violation::Length);
    }
    if second & 0x80 == 0 {
        return Ok(Some(Head { fin, opcode, mask: None, length, size }));
    }
    let Some(mask) = bytes.get(size..).and_then(|b| b.first_chunk()) else { return Ok(None) };
    Ok(Some(Head { fin, opcode, mask: Some(*mask), length, size: size + 4 }))
}

/// What the reader hands on. The bytes of all pieces in order are the stream's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A whole frame of at most [`SMALL`] bytes of payload.
    Whole(Head, BytesMut),
    /// The beginning of a larger one, with at least [`SNIFF`] bytes of payload.
    Begin(Head, BytesMut),
    /// More of its payload.
    More(BytesMut),
}

/// Finds the frames in a stream.
#[derive(Debug)]
pub(crate) struct Reader {
    sender: Sender,
    max: u64,
    /// Payload bytes of the present frame that are still to come.
    rest: u64,
    /// Inside a message that comes in several frames.
    in_message: bool,
}

impl Reader {
    pub(crate) const fn new(sender: Sender, max: u64) -> Self {
        Self { sender, max, rest: 0, in_message: false }
    }

    /// Whether what was handed on ends with a frame: a control frame may be put here.
    pub(crate) const fn between_frames(&self) -> bool {
        self.rest == 0
    }

    /// Whether what was handed on ends with a message: any frame may be put here.
    pub(crate) const fn between_messages(&self) -> bool {
        self.rest == 0 && !self.in_message
    }

    /// The next piece in `buffer`, or `None` if more bytes are needed.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Piece>, Violation> {
        if self.rest > 0 {
            if buffer.is_empty() {
                return Ok(None);
            }
            let most = usize::try_from(self.rest).unwrap_or(usize::MAX);
            let part = buffer.split_to(buffer.len().min(most));
            self.rest -= part.len() as u64;
            return Ok(Some(Piece::More(part)));
        }
        let Some(head) = head(buffer)? else { return Ok(None) };
        self.check(&head)?;
        let whole = head.length <= SMALL;
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        let need = head.size + if whole { length } else { SNIFF };
        if buffer.len() < need {
            return Ok(None);
        }
        if !head.control() {
            self.in_message = !head.fin;
        }
        let part = buffer.split_to(buffer.len().min(head.size.saturating_add(length)));
        self.rest = head.length - (part.len() - head.size) as u64;
        Ok(Some(if whole { Piece::Whole(head, part) } else { Piece::Begin(head, part) }))
    }

    fn check(&self, head: &Head) -> Result<(), Violation> {
        if head.mask.is_some() != (self.sender == Sender::Client) {
            return Err(Violation::Mask);
        }
        if head.length > self.max {
            return Err(Violation::TooLarge);
        }
        if !head.control() && (head.opcode == 0) != self.in_message {
            return Err(Violation::Order);
        }
        Ok(())
    }
}

/// A whole frame with a payload below 64 KiB; toward an engine it is masked with zeros.
pub(crate) fn make(opcode: u8, payload: &[u8], toward: Sender) -> BytesMut {
    let mask = if toward == Sender::Engine { 0x80 } else { 0 };
    let mut out = BytesMut::with_capacity(payload.len() + 8);
    out.extend_from_slice(&[0x80 | opcode]);
    match u16::try_from(payload.len()) {
        Ok(length) if length > 125 => {
            out.extend_from_slice(&[mask | 126]);
            out.extend_from_slice(&length.to_be_bytes());
        }
        Ok(length) => out.extend_from_slice(&[mask | length.to_le_bytes()[0]]),
        Err(_) => return make(opcode, &payload[..usize::from(u16::MAX)], toward),
    }
    if mask != 0 {
        out.extend_from_slice(&[0; 4]);
    }
    out.extend_from_slice(payload);
    out
}

/// A close frame.
pub(crate) fn close(code: u16, reason: &str, toward: Sender) -> BytesMut {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(&reason.as_bytes()[..reason.len().min(123)]);
    make(CLOSE, &payload, toward)
}

/// The code in a close frame's payload, if it has one.
pub(crate) fn close_code(mut payload: &[u8]) -> Option<u16> {
    (payload.len() >= 2).then(|| payload.get_u16())
}
