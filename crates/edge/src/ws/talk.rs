//! The little that the relay understands of what is said: whether a client's frame is a person's
//! doing, how often the engine ticks, the engine's farewell, and whether it takes work. Everything is
//! read from bounded prefixes, and nothing is changed but that last word.

use std::time::Duration;

use crate::settings::EngineWords;
use crate::ws::frame::{Head, Piece, SNIFF, TEXT};

/// Whether a frame of a client is a person's doing. What is not understood is: better awake for
/// nothing than deaf.
pub(crate) fn by_person(words: &EngineWords, head: &Head, bytes: &[u8]) -> bool {
    if head.control() || head.opcode == 0 {
        return false;
    }
    if head.opcode != TEXT {
        return true;
    }
    let prefix = head.payload(bytes, SNIFF);
    let Some(method) = method(&prefix) else { return true };
    let quiet = words.quiet_methods.iter().any(|quiet| match quiet.strip_suffix('*') {
        Some(begin) => method.starts_with(begin.as_bytes()),
        None => method == quiet.as_bytes(),
    });
    if !quiet {
        // What keeps a box awake should be findable.
        tracing::debug!(method = %String::from_utf8_lossy(&method[..method.len().min(64)]), "a person's frame");
    }
    !quiet
}

/// The text of the top-level key `method` in the beginning of a JSON object. A key of that name
/// deeper inside, or in a text, is not it.
fn method(json: &[u8]) -> Option<&[u8]> {
    let (mut depth, mut at, mut key) = (0_u32, 0, None::<&[u8]>);
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let text = string(&json[at..])?;
                at += text.len() + 1;
                match key {
                    Some(b"method") if depth == 1 => return Some(text),
                    Some(_) => key = None,
                    None => key = Some(text),
                }
            }
            b'{' | b'[' => (depth, key) = (depth + 1, None),
            b'}' | b']' => (depth, key) = (depth.checked_sub(1)?, None),
            b',' => key = None,
            _ => {}
        }
    }
    None
}

/// The text up to the closing quote, escapes as they are.
fn string(json: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        match json.get(at)? {
            b'"' => return Some(&json[..at]),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Messages of the engine that are searched for the greeting.
const MESSAGES: u8 = 32;
const GREETING: usize = 64 * 1024;

/// Listens to the engine's first messages for its tick interval.
#[derive(Debug, Default)]
pub(crate) struct Greeting {
    kept: Vec<u8>,
    seen: u8,
    done: bool,
}

impl Greeting {
    /// Listens to a piece; the interval once it is found.
    pub(crate) fn hear(
        &mut self,
        words: &EngineWords,
        piece: &Piece,
        ends_message: bool,
    ) -> Option<Duration> {
        if self.done {
            return None;
        }
        let part: &[u8] = match piece {
            Piece::Whole(head, _) if head.control() => return None,
            Piece::Whole(head, bytes) | Piece::Begin(head, bytes) => {
                bytes.get(head.size..).unwrap_or_default()
            }
            Piece::More(bytes) => bytes,
        };
        let room = GREETING.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&part[..part.len().min(room)]);
        if !ends_message {
            return None;
        }
        let found = interval(&self.kept, &words.tick_key);
        self.seen += 1;
        self.kept.clear();
        if found.is_some() || self.seen >= MESSAGES {
            self.done = true;
            self.kept = Vec::new();
        }
        found
    }
}

/// The number after `"key":`, as milliseconds between a second and ten minutes.
fn interval(json: &[u8], key: &str) -> Option<Duration> {
    let quoted = format!("\"{key}\"");
    let at = json.windows(quoted.len()).position(|window| window == quoted.as_bytes())?;
    let rest = json[at + quoted.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let digits = rest.iter().take(7).take_while(|byte| byte.is_ascii_digit());
    let number = digits.fold(None, |sum: Option<u64>, digit| {
        Some(sum.unwrap_or(0) * 10 + u64::from(digit - b'0'))
    })?;
    Some(Duration::from_millis(number.clamp(1_000, 600_000)))
}

/// Whether a whole frame of the engine announces its end.
pub(crate) fn is_farewell(words: &EngineWords, head: &Head, bytes: &[u8]) -> bool {
    let begins = |payload: &[u8]| payload.starts_with(words.farewell.as_bytes());
    head.opcode == TEXT && head.fin && bytes.get(head.size..).is_some_and(begins)
}

/// No frame about a suspension is longer.
const SUSPENSION: usize = 4096;

/// What a frame of the engine says of its suspension.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Suspension {
    /// It takes work.
    pub(crate) takes_work: bool,
    /// The payload as a page may read it: one that hears of a suspension keeps to itself what a person
    /// does, and nobody would wake the box for it.
    pub(crate) calm: Vec<u8>,
}

/// What this frame says of a suspension, if it is about one.
pub(crate) fn suspension(words: &EngineWords, head: &Head, bytes: &[u8]) -> Option<Suspension> {
    let payload = bytes.get(head.size..).filter(|payload| payload.len() <= SUSPENSION)?;
    if head.opcode != TEXT || !head.fin || !payload.starts_with(words.suspension.as_bytes()) {
        return None;
    }
    let (key, accepting) = &words.phase;
    let quoted = format!("\"{key}\":\"");
    let at = payload.windows(quoted.len()).position(|window| window == quoted.as_bytes())?;
    let begin = at + quoted.len();
    let phase = string(&payload[begin..])?;
    let end = begin + phase.len();
    let calm = [&payload[..begin], accepting.as_bytes(), &payload[end..]].concat();
    Some(Suspension { takes_work: phase == accepting.as_bytes(), calm })
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::ws::frame::{self, Sender, head, make};

    fn person(text: &str) -> bool {
        let bytes = make(TEXT, text.as_bytes(), Sender::Engine);
        by_person(&EngineWords::default(), &head(&bytes).unwrap().unwrap(), &bytes)
    }

    #[test]
    fn a_pages_own_polling_is_no_person() {
        for (text, is) in [
            (r#"{"type":"req","id":"1","method":"sessions.catalog.list","params":{}}"#, false),
            (r#"{"type":"req","id":"1", "method" : "health"}"#, false),
            (r#"{"type":"req","id":"1","method":"presence.anything"}"#, false),
            (r#"{"type":"req","id":"1","method":"chat.send","params":{"message":"hi"}}"#, true),
            (r#"{"type":"req","params":{"method":"health"},"method":"chat.send"}"#, true),
            (r#"{"type":"req","id":"method","x":"health","method":"chat.send"}"#, true),
            (r#"{"a":["method","health"],"method":"chat.send"}"#, true),
            (r#"{"id":"\"method\":\"health\"","method":"chat.send"}"#, true),
            (r#"{"method":"health.not"}"#, true),
            (r#"{"method":12}"#, true),
            (r#"{"method":"heal"#, true),
            ("}}}}", true),
            ("", true),
        ] {
            assert_eq!(person(text), is, "{text}");
        }
        let long = format!(r#"{{"params":{{"x":"{}"}},"method":"health"}}"#, "y".repeat(600));
        assert!(person(&long));
    }

    #[test]
    fn a_page_is_told_of_no_suspension() {
        let said = |text: &str| {
            let bytes = make(TEXT, text.as_bytes(), Sender::Client);
            let said = suspension(&EngineWords::default(), &head(&bytes).unwrap().unwrap(), &bytes);
            said.map(|said| (said.takes_work, String::from_utf8(said.calm).unwrap()))
        };
        let of = |phase: &str| {
            format!(
                r#"{{"type":"event","event":"gateway.suspension","payload":{{"phase":"{phase}"}},"seq":5}}"#
            )
        };
        for phase in ["preparing", "draining", "prepared"] {
            assert_eq!(said(&of(phase)), Some((false, of("accepting"))), "{phase}");
        }
        assert_eq!(said(&of("accepting")), Some((true, of("accepting"))));
        assert_eq!(said(r#"{"type":"event","event":"gateway.suspension","payload":{}}"#), None);
        assert_eq!(said(r#"{"type":"event","event":"tick","payload":{"phase":"prepared"}}"#), None);
        assert_eq!(said(&format!("{}{}", of("prepared"), " ".repeat(5000))), None);
    }

    #[test]
    fn the_interval_is_read_in_bounds() {
        for (text, ms) in [
            (r#"{"policy":{"tickIntervalMs":30000}}"#, Some(30_000)),
            (r#"{"tickIntervalMs" : 5}"#, Some(1_000)),
            (r#"{"tickIntervalMs":99999999999999999999}"#, Some(600_000)),
            (r#"{"tickIntervalMs":"x"}"#, None),
            (r#"{"tickIntervalMs":-5}"#, None),
            (r#"{"tickIntervalMs""#, None),
            (r#"{}"#, None),
        ] {
            let found = interval(text.as_bytes(), "tickIntervalMs");
            assert_eq!(found, ms.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn the_greeting_is_found_in_pieces_and_not_sought_for_ever() {
        let words = EngineWords::default();
        let text = format!(r#"{{"x":"{}","tickIntervalMs":8000}}"#, "y".repeat(6000));
        let mut stream = make(TEXT, text.as_bytes(), Sender::Client);
        let mut reader = frame::Reader::new(Sender::Engine, 1 << 20);
        let mut greeting = Greeting::default();
        let (mut buffer, mut found) = (BytesMut::new(), None);
        while !stream.is_empty() {
            buffer.extend_from_slice(&stream.split_to(stream.len().min(700)));
            while let Some(piece) = reader.next(&mut buffer).unwrap() {
                found = found.or(greeting.hear(&words, &piece, reader.between_messages()));
            }
        }
        assert_eq!(found, Some(Duration::from_secs(8)));

        let mut deaf = Greeting::default();
        let bytes = make(TEXT, b"{}", Sender::Client);
        let other = Piece::Whole(head(&bytes).unwrap().unwrap(), bytes);
        for _ in 0..MESSAGES {
            assert_eq!(deaf.hear(&words, &other, true), None);
        }
        assert!(deaf.done);
    }
}
