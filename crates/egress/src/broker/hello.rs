//! The first bytes that a box sends through a tunnel, and what they say that they are.

use rustls::server::Acceptor;
use smartbox_core::egress::{Host, HostName, Refusal};

use super::target::Target;

/// A TLS handshake's first message is longer than this in no honest client.
const LONGEST: usize = 32 << 10;
/// The ports that are for the web: nothing else is passed there.
const WEB: &[u16] = &[80, 443];
/// What HTTP/1 requests begin with.
const METHODS: &[&[u8]] = &[
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"TRACE ",
    b"CONNECT ",
];

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// More bytes are needed to tell.
    Unknown,
    /// TLS towards the right host.
    Tls,
    /// Bytes of a protocol that we have no word about.
    Pass,
    /// HTTP in the open: each request is to be asked about.
    Http,
}

/// Looks at what came so far. HTTP/2 in the open is refused with what is malformed: its requests
/// would not be seen.
pub(crate) fn first(bytes: &[u8], target: &Target) -> Result<First, Refusal> {
    if bytes.first() == Some(&0x16) {
        return tls(bytes, target);
    }
    if bytes.starts_with(b"PRI * HTTP/2") {
        return Err(Refusal::Malformed);
    }
    let begins = |method: &&&[u8]| {
        let n = method.len().min(bytes.len());
        bytes[..n] == method[..n]
    };
    match METHODS.iter().find(begins) {
        Some(method) if bytes.len() >= method.len() => Ok(First::Http),
        Some(_) => Ok(First::Unknown),
        None if b"PRI * HTTP/2".starts_with(bytes) => Ok(First::Unknown),
        None if WEB.contains(&target.port) => Err(Refusal::Malformed),
        None => Ok(First::Pass),
    }
}

/// The name in the handshake must be the host that was asked for: a server of many would be led to
/// another of its hosts by it.
fn tls(bytes: &[u8], target: &Target) -> Result<First, Refusal> {
    let mut acceptor = Acceptor::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        match acceptor.read_tls(&mut rest) {
            Ok(n) if n > 0 => {}
            _ => return Err(Refusal::Malformed),
        }
        let accepted = match acceptor.accept() {
            Ok(Some(accepted)) => accepted,
            Ok(None) => continue,
            Err(_) => return Err(Refusal::Malformed),
        };
        let hello = accepted.client_hello();
        let same = match (&target.host, hello.server_name()) {
            (Host::Name(host), Some(name)) => HostName::parse(name).as_ref() == Ok(host),
            (Host::Ip(_), None) => true,
            (Host::Name(_), None) | (Host::Ip(_), Some(_)) => false,
        };
        return if same { Ok(First::Tls) } else { Err(Refusal::Mismatch) };
    }
    if bytes.len() >= LONGEST { Err(Refusal::Malformed) } else { Ok(First::Unknown) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text, None).unwrap()
    }

    /// A ClientHello with this name, or none (RFC 8446, 4.1.2; RFC 6066, 3).
    fn hello(name: Option<&str>) -> Vec<u8> {
        let mut extensions = vec![0, 43, 0, 3, 2, 3, 4, 0, 13, 0, 4, 0, 2, 8, 4];
        if let Some(name) = name {
            let n = u16::try_from(name.len()).unwrap();
            let be = |n: u16| n.to_be_bytes();
            extensions.extend([0, 0]);
            extensions.extend(be(n + 5));
            extensions.extend(be(n + 3));
            extensions.push(0);
            extensions.extend(be(n));
            extensions.extend(name.as_bytes());
        }
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 1, 1, 0]);
        body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend(extensions);
        let mut message = vec![1, 0];
        message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        message.extend(body);
        let mut record = vec![0x16, 3, 1];
        record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
        record.extend(message);
        record
    }

    #[test]
    fn the_name_in_the_handshake_is_the_host_that_was_asked_for() {
        let to = target("example.com:443");
        assert_eq!(first(&hello(Some("example.com")), &to), Ok(First::Tls));
        assert_eq!(first(&hello(Some("EXAMPLE.com")), &to), Ok(First::Tls));
        for other in [Some("evil.com"), Some("www.example.com"), None] {
            assert_eq!(first(&hello(other), &to), Err(Refusal::Mismatch), "{other:?}");
        }
        let ip = target("8.8.8.8:853");
        assert_eq!(first(&hello(None), &ip), Ok(First::Tls));
        assert_eq!(first(&hello(Some("example.com")), &ip), Err(Refusal::Mismatch));
    }

    #[test]
    fn a_handshake_may_come_in_pieces() {
        let (whole, to) = (hello(Some("example.com")), target("example.com:443"));
        for n in 1..whole.len() {
            assert_eq!(first(&whole[..n], &to), Ok(First::Unknown), "{n}");
        }
    }

    #[test]
    fn the_web_is_for_the_web() {
        assert_eq!(first(b"GET / HTTP/1.1\r\n", &target("a.b:80")), Ok(First::Http));
        assert_eq!(first(b"GE", &target("a.b:80")), Ok(First::Unknown));
        assert_eq!(first(b"SSH-2.0-x", &target("a.b:443")), Err(Refusal::Malformed));
        assert_eq!(first(b"SSH-2.0-x", &target("a.b:22")), Ok(First::Pass));
        assert_eq!(first(b"POST / HTTP/1.1", &target("a.b:22")), Ok(First::Http));
        assert_eq!(first(b"PRI * HTTP/2.0\r\n", &target("a.b:8080")), Err(Refusal::Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(mut bytes in prop::collection::vec(any::<u8>(), 0..600), tls in any::<bool>()) {
            if tls && bytes.len() > 5 { bytes[..3].copy_from_slice(&[0x16, 3, 1]); bytes[3] = 0; }
            let _ = first(&bytes, &target("example.com:443"));
        }
    }
}
