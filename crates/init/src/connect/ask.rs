//! Asks the proxy for a tunnel (RFC 9110, 9.3.6), and says what it answers to whoever wants through.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde::Deserialize;

/// Bytes of an answer that are read.
const LONGEST: u64 = 64 << 10;
/// How long the answer may take: as long as the platform may be away and a host may be dialled.
const PATIENCE: Duration = Duration::from_secs(120);

/// A tunnel; what came behind the proxy's answer is in the reader.
pub(super) type Tunnel = BufReader<TcpStream>;

/// What is read of a refusal (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    hint: String,
}

/// Opens a tunnel.
pub(super) fn ask(proxy: &str, host: &str, port: &str) -> Result<Tunnel, String> {
    let proxy: u16 = proxy.parse().map_err(|_| "the proxy's port is no number")?;
    let to = authority(host, port)?;
    let away = |error| format!("the way out of this smartbox is closed: {error}");
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy)).map_err(away)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(away)?;
    let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(away)?;
    let mut reader = BufReader::new(stream);
    let head = head(&mut reader)?;
    let (status, reason) = status(&head)?;
    if (200..300).contains(&status) {
        reader.get_ref().set_read_timeout(None).map_err(away)?;
        return Ok(reader);
    }
    let mut body = Vec::new();
    // A body that breaks off says less, and that the tunnel was refused all the same.
    let _ = reader.take(LONGEST).read_to_end(&mut body);
    Err(refusal(&to, status, &reason, &body))
}

/// `host:port`, with the brackets that an IPv6 address has there.
fn authority(host: &str, port: &str) -> Result<String, String> {
    let fits = |text: &str| {
        !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic())
    };
    if !fits(host) || !fits(port) {
        return Err("that is no host with a port".into());
    }
    Ok(match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    })
}

/// The answer up to its empty line, and not a byte more.
fn head(reader: &mut Tunnel) -> Result<Vec<u8>, String> {
    let mut head = Vec::new();
    let mut rest = reader.take(LONGEST);
    while !head.ends_with(b"\r\n\r\n") {
        match rest.read_until(b'\n', &mut head) {
            Ok(1..) => {}
            Ok(0) => return Err("the way out of this smartbox broke off".into()),
            Err(error) => return Err(format!("the way out of this smartbox broke off: {error}")),
        }
    }
    Ok(head)
}

fn status(head: &[u8]) -> Result<(u16, String), String> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match (response.parse(head), response.code) {
        (Ok(httparse::Status::Complete(_)), Some(code)) => {
            Ok((code, response.reason.unwrap_or_default().to_owned()))
        }
        _ => Err("what leads out of this smartbox is no HTTP proxy".into()),
    }
}

/// What was refused and what helps, a line each.
fn refusal(to: &str, status: u16, reason: &str, body: &[u8]) -> String {
    let said = match serde_json::from_slice::<Problem>(body) {
        Ok(Problem { title, hint }) => format!("{title}\n{hint}"),
        Err(_) => format!("there is no way to {to}: {status} {reason}"),
    };
    said.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv6_gets_its_brackets() {
        assert_eq!(authority("example.com", "22").unwrap(), "example.com:22");
        assert_eq!(authority("2606::1", "22").unwrap(), "[2606::1]:22");
        assert_eq!(authority("[2606::1]", "22").unwrap(), "[2606::1]:22");
    }

    #[test]
    fn nothing_is_smuggled_into_the_request() {
        for host in ["", "a b", "a\r\nX: y", "a\0", "ä.example", &"a".repeat(256)] {
            assert!(authority(host, "22").is_err(), "{host:?}");
            assert!(authority("a.example", host).is_err(), "{host:?}");
        }
    }

    #[test]
    fn a_refusal_is_said_in_its_own_words() {
        let body =
            br#"{"title":"a.example:22 is not allowed for pa","hint":"its owner\u001b allows it"}"#;
        assert_eq!(
            refusal("a.example:22", 403, "x", body),
            "a.example:22 is not allowed for pa\nits owner allows it"
        );
        let said = refusal("a.example:22", 503, "Service Unavailable", b"");
        assert_eq!(said, "there is no way to a.example:22: 503 Service Unavailable");
    }

    #[test]
    fn a_status_is_read_from_http_alone() {
        let (status, reason) = status(b"HTTP/1.1 403 no; ask\r\na: b\r\n\r\n").unwrap();
        assert_eq!((status, reason.as_str()), (403, "no; ask"));
        assert!(super::status(b"SSH-2.0-x\r\n\r\n").is_err());
    }
}
