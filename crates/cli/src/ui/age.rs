//! Times for people.

use smartbox_core::time::Timestamp;

/// How long ago, in the largest unit that fits: `12s`, `5m`, `3h`, `2d`.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    span(now.since(then).as_secs())
}

/// `ago`, or how long until then, as a phrase.
pub(crate) fn when(now: Timestamp, then: Timestamp) -> String {
    if then > now {
        format!("in {}", span(then.since(now).as_secs()))
    } else {
        format!("{} ago", ago(now, then))
    }
}

/// A span of time in the largest unit that fits.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds}s"),
        100..=5_999 => format!("{}m", seconds / 60),
        6_000..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short_and_never_negative() {
        let now = Timestamp(1_000_000_000);
        for (seconds, text) in
            [(0, "0s"), (99, "99s"), (100, "1m"), (5_999, "99m"), (6_000, "1h"), (172_800, "2d")]
        {
            assert_eq!(ago(now, Timestamp(now.0 - seconds * 1000)), text);
        }
        assert_eq!(ago(now, Timestamp(now.0 + 5_000)), "0s");
        assert_eq!(when(now, Timestamp(now.0 + 5_000)), "in 5s");
        assert_eq!(when(now, Timestamp(now.0 - 5_000)), "5s ago");
    }
}
