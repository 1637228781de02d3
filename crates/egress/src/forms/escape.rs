//! One escape: what stands at a `%`, a `\` or a `+`.

/// What an escape stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// Some bytes, and how long the escape is.
    Is(Decoded, usize),
    /// It may be one, if more comes.
    Cut,
    /// It is none.
    No,
}

/// One to four bytes: a byte, or a character in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decoded {
    bytes: [u8; 4],
    len: usize,
}

impl Decoded {
    fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], len: 1 }
    }

    fn char(c: char) -> Self {
        let mut bytes = [0; 4];
        let len = c.encode_utf8(&mut bytes).len();
        Self { bytes, len }
    }

    /// The bytes.
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Reads the escape at the beginning of `text`, which may end before it does.
pub(super) fn read(text: &[u8]) -> Escape {
    match text.first() {
        Some(b'%') => match hex(&text[1..], 2) {
            Hex::Is(byte) => Escape::Is(Decoded::byte(byte as u8), 3),
            Hex::Cut => Escape::Cut,
            Hex::No => Escape::No,
        },
        Some(b'+') => Escape::Is(Decoded::byte(b' '), 1),
        Some(b'\\') => backslash(text),
        _ => Escape::No,
    }
}

fn backslash(text: &[u8]) -> Escape {
    let Some(letter) = text.get(1) else { return Escape::Cut };
    let byte = match letter {
        b'u' => return unicode(text),
        b'"' | b'\\' | b'/' | b'\'' => *letter,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return Escape::No,
    };
    Escape::Is(Decoded::byte(byte), 2)
}

fn unicode(text: &[u8]) -> Escape {
    let first = match hex(&text[2..], 4) {
        Hex::Is(unit) => unit,
        Hex::Cut => return Escape::Cut,
        Hex::No => return Escape::No,
    };
    if let Some(c) = char::from_u32(first) {
        return Escape::Is(Decoded::char(c), 6);
    }
    if first >= 0xdc00 {
        return Escape::No;
    }
    match (text.get(6), text.get(7)) {
        (None | Some(b'\\'), None) => return Escape::Cut,
        (Some(b'\\'), Some(b'u')) => {}
        _ => return Escape::No,
    }
    match hex(&text[8..], 4) {
        Hex::Is(second @ 0xdc00..=0xdfff) => {
            let point = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            char::from_u32(point).map_or(Escape::No, |c| Escape::Is(Decoded::char(c), 12))
        }
        Hex::Is(_) | Hex::No => Escape::No,
        Hex::Cut => Escape::Cut,
    }
}

enum Hex {
    Is(u32),
    Cut,
    No,
}

fn hex(text: &[u8], digits: usize) -> Hex {
    let mut value = 0;
    for at in 0..digits {
        match text.get(at).map(|b| char::from(*b).to_digit(16)) {
            Some(Some(digit)) => value = value * 16 + digit,
            Some(None) => return Hex::No,
            None => return Hex::Cut,
        }
    }
    Hex::Is(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_read_as_far_as_it_goes() {
        for (text, bytes, long) in [
            ("%4a", "J", 3),
            ("%4Ax", "J", 3),
            ("+", " ", 1),
            (r"\u004A", "J", 6),
            (r"\u00e4", "ä", 6),
            (r"\ud83d\uDE00!", "😀", 12),
            (r"\/", "/", 2),
            (r"\n", "\n", 2),
        ] {
            let Escape::Is(decoded, took) = read(text.as_bytes()) else { panic!("{text}") };
            assert_eq!((decoded.as_slice(), took), (bytes.as_bytes(), long), "{text}");
            for cut in 1..long {
                assert_eq!(read(&text.as_bytes()[..cut]), Escape::Cut, "{text} {cut}");
            }
        }
        for no in
            ["", "a", "%g0", "%4g", r"\x41", r"\u00g0", r"\udc00", r"\ud83dx", r"\ud83d\u0041"]
        {
            assert_eq!(read(no.as_bytes()), Escape::No, "{no}");
        }
    }
}
