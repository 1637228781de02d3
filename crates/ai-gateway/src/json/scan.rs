//! Finds one top-level member of a JSON object that arrives in pieces, and where its value stands.
//! It is not a validator: it follows strings and brackets, and refuses what could make it and a
//! real parser disagree about the member (a second one of that name in any letter case, something
//! that is no object).

use std::ops::Range;

/// Longest member name that is looked at, escapes included; longer ones are not the one.
const LONGEST_KEY: usize = 128;

/// The text cannot be read as an object with one such member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    /// It is no JSON object.
    #[error("it is not a JSON object")]
    NotObject,
    /// The member stands there twice.
    #[error("it names the same field twice")]
    Twice,
    /// The value is longer than it may be.
    #[error("a field is too long")]
    TooLong,
}

/// The member's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// As it stands there.
    pub(crate) raw: Vec<u8>,
    /// Where it stands, in bytes from the beginning.
    pub(crate) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Key,
    InKey,
    Colon,
    Value,
    After,
    End,
}

/// The reader.
#[derive(Debug)]
pub(crate) struct Scanner {
    name: &'static str,
    longest: usize,
    at: At,
    offset: usize,
    depth: u32,
    in_string: bool,
    escaped: bool,
    key: Vec<u8>,
    capture: Option<Found>,
    found: Option<Found>,
}

impl Scanner {
    /// Looks for the member `name`, whose value may have `longest` bytes.
    pub(crate) fn new(name: &'static str, longest: usize) -> Self {
        Self {
            name,
            longest,
            at: At::Start,
            offset: 0,
            depth: 0,
            in_string: false,
            escaped: false,
            key: Vec::new(),
            capture: None,
            found: None,
        }
    }

    /// The value, once all of it was read.
    pub(crate) fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// Whether the object is complete.
    pub(crate) fn ended(&self) -> bool {
        self.at == At::End
    }

    /// Reads the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<(), ScanError> {
        for &byte in piece {
            self.step(byte)?;
            self.offset += 1;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), ScanError> {
        let space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match self.at {
            At::InKey => self.key_byte(byte),
            At::Value if self.depth > 0 || self.in_string => self.inside(byte),
            At::Value => self.outside(byte, space),
            _ if space => Ok(()),
            At::Start => self.expect(byte, b'{', At::Key),
            At::Key => match byte {
                b'"' => {
                    self.key.clear();
                    self.at = At::InKey;
                    Ok(())
                }
                b'}' => self.expect(byte, b'}', At::End),
                _ => Err(ScanError::NotObject),
            },
            At::Colon => {
                self.expect(byte, b':', At::Value)?;
                if self.is_wanted() {
                    if self.found.is_some() {
                        return Err(ScanError::Twice);
                    }
                    let here = self.offset + 1;
                    self.capture = Some(Found { raw: Vec::new(), range: here..here });
                }
                Ok(())
            }
            At::After => match byte {
                b',' => self.expect(byte, b',', At::Key),
                _ => self.expect(byte, b'}', At::End),
            },
            At::End => Err(ScanError::NotObject),
        }
    }

    fn expect(&mut self, byte: u8, wanted: u8, then: At) -> Result<(), ScanError> {
        if byte != wanted {
            return Err(ScanError::NotObject);
        }
        self.at = then;
        Ok(())
    }

    fn key_byte(&mut self, byte: u8) -> Result<(), ScanError> {
        if byte == b'"' && !self.escaped {
            self.at = At::Colon;
            return Ok(());
        }
        self.escaped = byte == b'\\' && !self.escaped;
        if self.key.len() <= LONGEST_KEY {
            self.key.push(byte);
        }
        Ok(())
    }

    /// Whether the member just read is the wanted one, its escapes resolved. Letter case is
    /// ignored because some parsers ignore it.
    fn is_wanted(&self) -> bool {
        if self.key.len() > LONGEST_KEY {
            return false;
        }
        let quoted = [b"\"", self.key.as_slice(), b"\""].concat();
        serde_json::from_slice::<String>(&quoted)
            .is_ok_and(|key| key.eq_ignore_ascii_case(self.name))
    }

    /// A byte of a value, within a string or brackets.
    fn inside(&mut self, byte: u8) -> Result<(), ScanError> {
        self.keep(byte)?;
        if self.in_string {
            if byte == b'"' && !self.escaped {
                self.in_string = false;
                self.escaped = false;
            } else {
                self.escaped = byte == b'\\' && !self.escaped;
            }
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
        }
        if self.depth == 0 && !self.in_string {
            self.value_ended();
            self.at = At::After;
        }
        Ok(())
    }

    /// A byte of a value, outside of strings and brackets: its beginning, or a number or word.
    fn outside(&mut self, byte: u8, space: bool) -> Result<(), ScanError> {
        match byte {
            b',' => {
                self.value_ended();
                self.at = At::Key;
                Ok(())
            }
            b'}' => {
                self.value_ended();
                self.at = At::End;
                Ok(())
            }
            b']' | b':' => Err(ScanError::NotObject),
            b'"' => {
                self.in_string = true;
                self.keep(byte)
            }
            b'{' | b'[' => {
                self.depth = 1;
                self.keep(byte)
            }
            _ if space => Ok(()),
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) -> Result<(), ScanError> {
        if let Some(capture) = &mut self.capture {
            if capture.raw.len() >= self.longest {
                return Err(ScanError::TooLong);
            }
            if capture.raw.is_empty() {
                capture.range.start = self.offset;
            }
            capture.raw.push(byte);
            capture.range.end = self.offset + 1;
        }
        Ok(())
    }

    fn value_ended(&mut self) {
        if let Some(capture) = self.capture.take() {
            self.found = Some(capture);
        }
    }
}

#[cfg(test)]
mod tests;
