//! Times, counts and bytes, in the words of a page.

use std::time::Duration;

use smartbox_core::time::Timestamp;

/// `just now`, `5 minutes ago`.
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    match now.since(then) {
        short if short < Duration::from_secs(60) => "just now".into(),
        long => format!("{} ago", span(long)),
    }
}

/// `in 40 minutes`.
pub(super) fn ends(now: Timestamp, until: Timestamp) -> String {
    match until.since(now) {
        short if short < Duration::from_secs(60) => "within a minute".into(),
        long => format!("in {}", span(long)),
    }
}

/// `3 hours`.
pub(super) fn span(of: Duration) -> String {
    let seconds = of.as_secs();
    let (n, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {unit}{s}")
}

/// `once`, `3 times`.
pub(super) fn times(n: u64) -> String {
    match n {
        1 => "once".into(),
        2 => "twice".into(),
        _ => format!("{n} times"),
    }
}

/// `17 MiB`.
pub(super) fn bytes(n: u64) -> String {
    let unit = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = unit.into_iter().find(|(bits, _)| n >> bits > 0);
    unit.map_or_else(|| format!("{n} B"), |(bits, unit)| format!("{} {unit}", n >> bits))
}

/// The words of an error, which end a line of a terminal, as those of a page.
pub(super) fn sentence(words: &str) -> String {
    let mut rest = words.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + rest.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_for_people() {
        let now = Timestamp(1_000_000_000);
        let before = |seconds: i64| ago(now, Timestamp(now.0 - seconds * 1_000));
        assert_eq!(before(59), "just now");
        assert_eq!(before(-5), "just now");
        assert_eq!(before(119), "1 minute ago");
        assert_eq!(before(3_600 * 5), "5 hours ago");
        assert_eq!(before(86_400 * 3), "3 days ago");
        assert_eq!(ends(now, Timestamp(now.0 + 3_599_000)), "in 59 minutes");
        assert_eq!((bytes(1_023), bytes(5 << 30)), ("1023 B".into(), "5 GiB".into()));
        assert_eq!((times(1), times(7)), ("once".into(), "7 times".into()));
        assert_eq!(span(Duration::from_secs(30)), "30 seconds");
        for (words, want) in [("", ""), ("éa b", "Éa b"), ("`a` b", "`a` b"), ("/a b", "/a b")] {
            assert_eq!(sentence(words), want);
        }
    }
}
