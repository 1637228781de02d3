//! The forms in which a text may stand in what passes: exactly, percent-encoded, escaped as in JSON,
//! in base64. Placeholders are looked for so in what goes out, real values in what comes back.
//!
//! What is found, wherever the pieces of a stream are cut:
//! - the text itself;
//! - with any of its bytes as `%41` (either case of the digits), a space also as `+`;
//! - with any of its characters as `\u0041` (pairs of surrogates included) or as one of JSON's short
//!   escapes (`\/`, `\"`, `\n`); all of these in any mix;
//! - in base64, of both alphabets, wherever it lies in what was encoded; what surrounds it may share
//!   its first and last characters, which are not looked at. The base64 again plain or escaped.
//!
//! What is not, and no list of forms would ever be whole: encryption, hashes, compression inside of
//! an archive, hexadecimal, other character sets, entities of HTML, what is escaped twice, base64 of
//! base64 or with line breaks or of both alphabets mixed, another case of letters, reversed or split
//! by other text. So a secret goes only to hosts that are trusted not to play with it.

mod base64;
mod escape;
mod hunt;
mod plain;
mod walk;

pub use hunt::{Hunt, SHORTEST, Span};
