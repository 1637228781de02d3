//! Server-sent events that arrive in pieces, as the WHATWG standard cuts them: lines end with LF,
//! CR or CRLF, an empty line ends an event. Only what metering needs is kept: the event's name and
//! its data. An event that is too long is left out, not held.

/// Longest event that is read; a whole response object fits, a flood does not.
const LONGEST: usize = 4 << 20;

/// The parser.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    overlong: bool,
    after_cr: bool,
    begun: bool,
}

impl Events {
    /// Reads a piece and calls `each` with the name (empty if none) and data of every event that
    /// it completes.
    pub(crate) fn feed(&mut self, mut piece: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) {
        if self.after_cr && !piece.is_empty() {
            self.after_cr = false;
            if piece[0] == b'\n' {
                piece = &piece[1..];
            }
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', piece) {
            self.extend(&piece[..end]);
            let skip = match (piece[end], piece.get(end + 1)) {
                (b'\r', Some(b'\n')) => 2,
                (b'\r', None) => {
                    self.after_cr = true;
                    1
                }
                _ => 1,
            };
            piece = &piece[end + skip..];
            self.line_ended(each);
        }
        self.extend(piece);
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.line.len() + self.data.len() + bytes.len() > LONGEST {
            self.overlong = true;
            self.line = Vec::new();
            self.data = Vec::new();
        }
        if !self.overlong {
            self.line.extend_from_slice(bytes);
        } else if !bytes.is_empty() {
            // One byte stands for the line: not empty is all that must be known of it.
            self.line.clear();
            self.line.push(b':');
        }
    }

    fn line_ended(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) {
        let mut line = std::mem::take(&mut self.line);
        if !self.begun {
            self.begun = true;
            if line.starts_with("\u{feff}".as_bytes()) {
                line.drain(..3);
            }
        }
        if line.is_empty() {
            if self.has_data && !self.overlong {
                each(&self.name, &self.data);
            }
            self.name.clear();
            self.data.clear();
            self.has_data = false;
            self.overlong = false;
        } else {
            self.field(&line);
        }
        line.clear();
        self.line = line;
    }

    fn field(&mut self, line: &[u8]) {
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = value.to_vec(),
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let (mut events, mut seen) = (Events::default(), Vec::new());
        for piece in pieces {
            events.feed(piece, &mut |name, data| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                seen.push((text(name), text(data)));
            });
        }
        seen
    }

    fn pair(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_cut_as_the_standard_says() {
        let text = "\u{feff}: hi\n\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata\r\rid: 7\nretry: 1\n\ndata: {\"x\":\"y: z\"}\n\nevent: lost\ndata: no end";
        assert_eq!(
            whole(&[text.as_bytes()]),
            [pair("a", "1\n2"), pair("", ""), pair("", r#"{"x":"y: z"}"#)]
        );
    }

    #[test]
    fn an_endless_event_is_left_out_and_the_next_is_read() {
        let flood = vec![b'x'; LONGEST / 2 + 1];
        let seen =
            whole(&[b"data: ", &flood, &flood, b"\nevent: big\n", &flood, b"\n\ndata: ok\n\n"]);
        assert_eq!(seen, [pair("", "ok")]);
        let lines = [b"data: ".as_slice(), &vec![b'y'; LONGEST / 2], b"\n"].concat();
        assert_eq!(whole(&[&lines, &lines, &lines, b"\n\ndata: ok\n\n"]), [pair("", "ok")]);
    }

    proptest! {
        #[test]
        fn cutting_the_bytes_anywhere_changes_nothing(
            text in "(\\PC{0,3}|data: ?[a-z]{0,4}|event: ?[a-z]{0,3}|\n|\r|\r\n|\n\n){0,30}",
            cuts in prop::collection::vec(1..7_usize, 1..50),
        ) {
            let bytes = text.as_bytes();
            let mut pieces = Vec::new();
            let (mut rest, mut cut) = (bytes, cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, left) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
                pieces.push(piece);
                rest = left;
            }
            prop_assert_eq!(whole(&pieces), whole(&[bytes]));
        }
    }
}
