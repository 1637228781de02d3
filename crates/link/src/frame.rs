//! Frames of an exec stream: one byte of type, four bytes of length (big endian), the payload.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::wire::{ExecOrder, Exit, TtySize};

/// The largest payload of a frame, in bytes.
pub const MAX_PAYLOAD: usize = 64 << 10;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Caller: what to run. The first frame.
    Order(Box<ExecOrder>),
    /// Caller: bytes for standard input.
    Stdin(Bytes),
    /// Caller: standard input ends.
    StdinEnd,
    /// Caller: the terminal has another size.
    Resize(TtySize),
    /// Caller: a signal for the command, by number.
    Signal(i32),
    /// Init: bytes of standard output (or of the terminal).
    Stdout(Bytes),
    /// Init: bytes of standard error.
    Stderr(Bytes),
    /// Init: the command ended. The last frame.
    Exit(Exit),
    /// Init: the command could not be started. The last frame.
    Failed(String),
}

/// The bytes are not frames.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a frame: {0}")]
pub struct BadFrame(pub &'static str);

impl Frame {
    /// Appends the frame's bytes. Payloads over [`MAX_PAYLOAD`] must be split by the caller.
    pub fn encode(&self, out: &mut BytesMut) {
        let (kind, payload): (u8, Bytes) = match self {
            Self::Order(order) => (b'c', json(order)),
            Self::Stdin(bytes) => (b'i', bytes.clone()),
            Self::StdinEnd => (b'z', Bytes::new()),
            Self::Resize(size) => (b'w', json(size)),
            Self::Signal(number) => (b's', Bytes::copy_from_slice(&number.to_be_bytes())),
            Self::Stdout(bytes) => (b'o', bytes.clone()),
            Self::Stderr(bytes) => (b'e', bytes.clone()),
            Self::Exit(exit) => (b'x', json(exit)),
            Self::Failed(why) => (b'f', Bytes::copy_from_slice(why.as_bytes())),
        };
        out.reserve(5 + payload.len());
        out.put_u8(kind);
        out.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(&payload);
    }

    /// Takes the next whole frame off the front of `input`; `None` if more bytes are needed.
    pub fn decode(input: &mut BytesMut) -> Result<Option<Self>, BadFrame> {
        let Some(head) = input.get(..5) else { return Ok(None) };
        let kind = head[0];
        let len = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if len > MAX_PAYLOAD {
            return Err(BadFrame("its payload is too long"));
        }
        if input.len() < 5 + len {
            return Ok(None);
        }
        input.advance(5);
        let payload = input.split_to(len).freeze();
        let bad = |_| BadFrame("its JSON is not understood");
        Ok(Some(match kind {
            b'c' => Self::Order(serde_json::from_slice(&payload).map_err(bad)?),
            b'i' => Self::Stdin(payload),
            b'z' => Self::StdinEnd,
            b'w' => Self::Resize(serde_json::from_slice(&payload).map_err(bad)?),
            b's' => {
                let number =
                    payload.as_ref().try_into().map_err(|_| BadFrame("a signal has four bytes"))?;
                Self::Signal(i32::from_be_bytes(number))
            }
            b'o' => Self::Stdout(payload),
            b'e' => Self::Stderr(payload),
            b'x' => Self::Exit(serde_json::from_slice(&payload).map_err(bad)?),
            b'f' => Self::Failed(String::from_utf8_lossy(&payload).into_owned()),
            _ => return Err(BadFrame("its type is unknown")),
        }))
    }
}

fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value).map(Bytes::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_being_split_anywhere() {
        let frames = [
            Frame::Stdin(Bytes::from_static(b"abc")),
            Frame::StdinEnd,
            Frame::Signal(15),
            Frame::Exit(Exit { code: Some(3), ..Exit::default() }),
            Frame::Failed("no such program".into()),
        ];
        let mut whole = BytesMut::new();
        for frame in &frames {
            frame.encode(&mut whole);
        }
        for cut in 0..whole.len() {
            let mut input = BytesMut::from(&whole[..cut]);
            let mut seen = Vec::new();
            while let Some(frame) = Frame::decode(&mut input).unwrap() {
                seen.push(frame);
            }
            input.extend_from_slice(&whole[cut..]);
            while let Some(frame) = Frame::decode(&mut input).unwrap() {
                seen.push(frame);
            }
            assert_eq!(seen, frames);
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_is_awaited() {
        let mut input = BytesMut::from(&[b'o', 0xff, 0xff, 0xff, 0xff][..]);
        assert!(Frame::decode(&mut input).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic_or_read_for_ever() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        };
        for _ in 0..20_000 {
            let len = usize::from(next() % 40);
            let mut input: BytesMut = (0..len).map(|_| next()).collect();
            // A known type and a short length, so that payloads are reached.
            if len > 5 {
                input[0] = b"ciwszoexf"[usize::from(next() % 9)];
                input[1..4].fill(0);
                input[4] %= 36;
            }
            let mut before = input.len();
            while let Ok(Some(_)) = Frame::decode(&mut input) {
                assert!(input.len() < before);
                before = input.len();
            }
        }
    }
}
