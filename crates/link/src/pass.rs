//! Handing descriptors over: one request per connection on the pass listener.
//!
//! The platform sends 11 bytes: kind, port (u16, big endian), fence (u64, big endian). Init answers
//! with one byte, [`OK`] or a refusal, and with [`OK`] one descriptor in `SCM_RIGHTS`.
//! The receiver checks that it is a stream socket of family INET or INET6 before it uses it.

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A socket connected to this port on the sandbox's loopback.
    Dial(u16),
    /// The listening socket of this port; it must be one of the inherited listeners.
    Listener(u16),
    /// The same port on `[::1]`, bound when it is first asked for: a listener that nobody serves
    /// would let clients of `localhost` hang.
    Listener6(u16),
}

/// The descriptor follows.
pub const OK: u8 = 0;
/// Nothing listens on that port.
pub const REFUSED: u8 = 1;
/// The fence is lower than one seen before.
pub const FENCED: u8 = 2;
/// The request is not understood, or the port is not one of the listeners.
pub const BAD: u8 = 3;
/// Length of a request in bytes.
pub const LEN: usize = 11;

impl Ask {
    /// The bytes of the request.
    pub fn encode(self, fence: u64) -> [u8; LEN] {
        let (kind, port) = match self {
            Self::Dial(port) => (b'd', port),
            Self::Listener(port) => (b'l', port),
            Self::Listener6(port) => (b'm', port),
        };
        let mut out = [0; LEN];
        out[0] = kind;
        out[1..3].copy_from_slice(&port.to_be_bytes());
        out[3..].copy_from_slice(&fence.to_be_bytes());
        out
    }

    /// Reads a request and its fence.
    pub fn decode(bytes: &[u8; LEN]) -> Option<(Self, u64)> {
        let port = u16::from_be_bytes([bytes[1], bytes[2]]);
        let fence = u64::from_be_bytes(bytes[3..].try_into().ok()?);
        match bytes[0] {
            b'd' => Some((Self::Dial(port), fence)),
            b'l' => Some((Self::Listener(port), fence)),
            b'm' => Some((Self::Listener6(port), fence)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_survive_the_wire() {
        for ask in [Ask::Dial(18789), Ask::Listener(1), Ask::Listener6(1)] {
            assert_eq!(Ask::decode(&ask.encode(7)), Some((ask, 7)));
        }
        assert_eq!(Ask::decode(&[0; LEN]), None);
    }
}
