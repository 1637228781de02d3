//! The first line of an engine log's file: at which byte of the whole log the file begins.
//!
//! Init writes it and the platform reads it, so that a place in the log keeps its number when the
//! files are turned over. It counts only as a file's very first bytes, which init writes before
//! anything that an engine says.

/// What the line begins with.
const MARK: &str = "#smartbox-log ";
/// The longest such line.
pub const HEAD_MAX: usize = MARK.len() + 20;
/// The farthest place that is believed: sums with it do not overflow.
const FARTHEST: u64 = 1 << 62;

/// The line for a file that begins at this byte of the whole log.
pub fn head(base: u64) -> String {
    format!("{MARK}{base}\n")
}

/// Where a file begins, and how long its first line is. One without such a line begins at 0.
pub fn base(bytes: &[u8]) -> (u64, u64) {
    let parsed = || {
        let line = bytes.get(..bytes.len().min(HEAD_MAX))?;
        let end = line.iter().position(|byte| *byte == b'\n')?;
        let number = std::str::from_utf8(line[..end].strip_prefix(MARK.as_bytes())?).ok()?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        let base = number.parse().ok().filter(|base| plain && *base <= FARTHEST)?;
        Some((base, end as u64 + 1))
    };
    parsed().unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_says_where_its_file_begins() {
        for place in [0, 7, FARTHEST] {
            let text = head(place);
            assert!(text.len() <= HEAD_MAX);
            assert_eq!(
                base(format!("{text}an engine's words\n").as_bytes()),
                (place, text.len() as u64)
            );
        }
    }

    #[test]
    fn what_is_no_such_line_is_a_log_from_its_start() {
        let far = format!("{MARK}{}\n", FARTHEST + 1);
        for text in
            ["", "words\n", "#smartbox-log 5", "#smartbox-log +5\n", "#smartbox-log \n", &far]
        {
            assert_eq!(base(text.as_bytes()), (0, 0), "{text:?}");
        }
    }
}
