//! What a box holds in place of a secret: a text that looks like one, and is worthless outside.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::Entropy;

/// The least entropy of a placeholder, in bits: that of an identifier. None is met by chance.
const LEAST_BITS: f64 = 100.0;
/// The longest that one may be.
const LONGEST: usize = 255;

/// How a placeholder looks, so that a program that checks the prefix or the length of a key accepts
/// it: text, with runs of random characters in braces. `{d9}` is nine digits, `{x9}` nine of lower
/// hexadecimal, `{a9}` of lower letters and digits, `{A9}` of letters of both cases and digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shape(String);

/// Shapes by the names that a person may use in place of them.
pub const SHAPES: &[(&str, &str)] = &[
    ("plain", "sbx_{a32}"),
    ("github", "ghp_{A36}"),
    ("github-fine", "github_pat_{A22}_{A59}"),
    ("gitlab", "glpat-{A20}"),
    ("slack-bot", "xoxb-{d11}-{d12}-{A24}"),
    ("slack-app", "xapp-1-A{d10}-{d13}-{x64}"),
    ("telegram", "1{d9}:AA{A33}"),
    ("hex", "{x40}"),
];

/// This is no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no shape of a placeholder ({why}); write something like sbx_{{a32}}")]
pub struct BadShape {
    /// What was given, cut.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A part of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Run(&'static [u8], usize),
}

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const LOWER: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const BOTH: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl Shape {
    /// Reads a shape, or the name of one of [`SHAPES`].
    pub fn parse(text: &str) -> Result<Self, BadShape> {
        if let Some((_, shape)) = SHAPES.iter().find(|(name, _)| *name == text) {
            return Ok(Self((*shape).to_owned()));
        }
        let bad = |why| BadShape {
            text: text.chars().take(80).filter(|c| !c.is_control()).collect(),
            why,
        };
        let (mut bits, mut length) = (0.0, 0_usize);
        for part in parts(text).ok_or_else(|| bad("a run is {d9}, {x9}, {a9} or {A9}"))? {
            match part {
                Part::Text(text) => {
                    // What needs no escape in a header, a query, a path or JSON.
                    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b)) {
                        return Err(bad("it is of letters, digits and -._:"));
                    }
                    length += text.len();
                }
                Part::Run(alphabet, n) => {
                    #[expect(clippy::cast_precision_loss, reason = "at most three digits")]
                    let more = (alphabet.len() as f64).log2() * n as f64;
                    bits += more;
                    length += n;
                }
            }
        }
        if length > LONGEST {
            return Err(bad("it is longer than 255 characters"));
        }
        if bits < LEAST_BITS {
            return Err(bad("it has too few random characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self(SHAPES[0].1.to_owned())
    }
}

/// The parts of a shape; none if it has a run that is none.
fn parts(shape: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = shape;
    while let Some((text, more)) = rest.split_once('{') {
        let (run, after) = more.split_once('}')?;
        let alphabet = match run.get(..1)? {
            "d" => DIGITS,
            "x" => HEX,
            "a" => LOWER,
            "A" => BOTH,
            _ => return None,
        };
        let n = run[1..].parse().ok().filter(|n| (1..=LONGEST).contains(n))?;
        parts.extend([Part::Text(text), Part::Run(alphabet, n)]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    Some(parts)
}

/// A box's stand-in for a secret. It may be shown: only the platform knows what it stands for, and
/// only for the box that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Placeholder(String);

impl Placeholder {
    /// A new one of this shape.
    pub fn generate(entropy: &dyn Entropy, shape: &Shape) -> Self {
        let mut text = String::new();
        for part in parts(&shape.0).unwrap_or_default() {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Run(alphabet, n) => {
                    let mut bytes = vec![0; n * 4];
                    entropy.fill(&mut bytes);
                    text.extend(bytes.chunks_exact(4).map(|four| {
                        let number = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
                        char::from(alphabet[number as usize % alphabet.len()])
                    }));
                }
            }
        }
        Self(text)
    }

    /// One that was made before, as it was kept.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// Its text, as the box has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Shape {
    type Error = BadShape;
    fn try_from(text: String) -> Result<Self, BadShape> {
        Self::parse(&text)
    }
}

impl From<Shape> for String {
    fn from(shape: Shape) -> Self {
        shape.0
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A generator of numbers that only look random.
    struct Counting(AtomicU64);

    impl Entropy for Counting {
        fn fill(&self, out: &mut [u8]) {
            for byte in out {
                // SplitMix64.
                let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                *byte = (z ^ (z >> 31)) as u8;
            }
        }
    }

    fn one(shape: &str) -> String {
        let entropy = Counting(AtomicU64::new(7));
        Placeholder::generate(&entropy, &Shape::parse(shape).unwrap()).to_string()
    }

    #[test]
    fn a_placeholder_looks_like_what_it_stands_for() {
        let github = one("github");
        assert!(github.starts_with("ghp_") && github.len() == 40, "{github}");
        let telegram = one("telegram");
        let (id, key) = telegram.split_once(':').unwrap();
        assert!(id.len() == 10 && id.bytes().all(|b| b.is_ascii_digit()), "{telegram}");
        assert!(key.starts_with("AA") && key.len() == 35, "{telegram}");
        assert!(one("plain").starts_with("sbx_"));
        for (name, _) in SHAPES {
            assert!(one(name).len() <= LONGEST);
        }
    }

    #[test]
    fn two_are_never_the_same() {
        let entropy = Counting(AtomicU64::new(7));
        let mut made = std::collections::HashSet::new();
        for _ in 0..1_000 {
            assert!(made.insert(Placeholder::generate(&entropy, &Shape::default())));
        }
    }

    #[test]
    fn what_could_be_met_by_chance_is_no_shape() {
        for bad in ["", "sbx_", "{d30}", "{a19}", "{a32", "a}{a32}", "{b32}", "{a}", "{a-1}"] {
            assert!(Shape::parse(bad).is_err(), "{bad}");
        }
        for bad in ["{a32} ", "ä{a32}", "{a256}", "{a0}{a32}", "/{a32}", "%{a32}", "\n{a32}"] {
            assert!(Shape::parse(bad).is_err(), "{bad}");
        }
        assert!(Shape::parse("my.own-{a20}").is_ok());
    }

    #[test]
    fn a_shape_is_kept_as_text() {
        let shape: Shape = serde_json::from_str(r#""telegram""#).unwrap();
        assert_eq!(serde_json::to_string(&shape).unwrap(), r#""1{d9}:AA{A33}""#);
        assert!(serde_json::from_str::<Shape>(r#""short""#).is_err());
    }
}
