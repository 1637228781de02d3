//! What the platform's own log may say: fields by name. A name that is not listed is not written, be it
//! one of another crate or a later one of ours.
//!
//! No field holds a body, a message's text or a secret; `house.rs` compares this list with the sources,
//! so that whoever adds a name looks here first.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// The names, besides `message`, which is the sentence itself.
pub const FIELDS: &[&str] = &[
    "attempt",
    "base",
    "built_in",
    "by",
    "count",
    "error",
    "fence",
    "guard",
    "host",
    "id",
    "ignored",
    "ip",
    "job",
    "key",
    "kind",
    "message_id",
    "method",
    "name",
    "ours",
    "path",
    "peer",
    "port",
    "provider",
    "reason",
    "refusal",
    "request",
    "secret",
    "smartbox",
    "state",
    "status",
    "step",
    "taken",
    "theirs",
    "times",
    "took",
    "took_ms",
    "usage",
    "used",
    "violation",
    "why",
    "works",
];

/// The longest value, in bytes; an error may quote what it was told.
const LONGEST: usize = 2000;

/// Writes listed fields, each in one line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line { writer, begun: false, outcome: Ok(()) };
        fields.record(&mut line);
        line.outcome
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    begun: bool,
    outcome: fmt::Result,
}

impl Line<'_> {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let name = field.name();
        if self.outcome.is_err() || (name != "message" && FIELDS.binary_search(&name).is_err()) {
            return;
        }
        self.outcome = self.write(name, value);
    }

    fn write(&mut self, name: &str, value: fmt::Arguments<'_>) -> fmt::Result {
        if std::mem::replace(&mut self.begun, true) {
            self.writer.write_char(' ')?;
        }
        if name != "message" {
            write!(self.writer, "{name}=")?;
        }
        Plain { to: &mut self.writer, left: LONGEST }.write_fmt(value)
    }
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.add(field, format_args!("{value}"));
        } else {
            self.add(field, format_args!("{value:?}"));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut next = value.source();
        let causes = std::iter::from_fn(|| {
            let cause = next?;
            next = cause.source();
            Some(cause.to_string())
        });
        let causes: Vec<String> = causes.collect();
        match causes.as_slice() {
            [] => self.add(field, format_args!("{value}")),
            causes => self.add(field, format_args!("{value}: {}", causes.join(": "))),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

/// So much and no more, and no character that ends a line or moves a terminal: what is quoted from
/// elsewhere must not look like a line of ours.
struct Plain<'a, W> {
    to: &'a mut W,
    left: usize,
}

impl<W: Write> Write for Plain<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.left == 0 {
                return Ok(());
            }
            self.left = self.left.saturating_sub(c.len_utf8());
            if c.is_control() {
                write!(self.to, "{}", c.escape_default())?;
            } else {
                self.to.write_char(c)?;
            }
            if self.left == 0 {
                self.to.write_str("…")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::layer;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let to = kept.clone();
        let layer = layer().with_ansi(false).fmt_fields(Fields).with_writer(move || to.clone());
        tracing::subscriber::with_default(registry().with(layer), log);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_field_that_is_not_listed_is_not_written() {
        assert!(FIELDS.is_sorted(), "it is searched");
        let line = written(|| {
            tracing::warn!(smartbox = %"box_1", body = "canary", authorization = ?"canary", status = 500, "it failed");
        });
        assert!(line.ends_with("it failed smartbox=box_1 status=500\n"), "{line}");
        assert!(!line.contains("canary"), "{line}");
    }

    #[test]
    fn what_is_quoted_makes_no_line_of_its_own_and_no_long_one() {
        let error = io::Error::other("one\n2026-11-27 ERROR two \u{1b}[2J");
        let line = written(|| tracing::warn!(%error, "it failed"));
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains("error=one\\n2026") && !line.contains('\u{1b}'), "{line}");
        let long = "x".repeat(10 * LONGEST);
        let line = written(|| tracing::warn!(error = long, "it failed"));
        assert!(line.len() < 2 * LONGEST && line.ends_with("…\n"), "{}", line.len());
    }

    #[test]
    fn an_error_says_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] io::Error);
        let outer = Outer(io::Error::other("inner"));
        let line = written(|| {
            tracing::warn!(error = &outer as &dyn std::error::Error, "it failed");
        });
        assert!(line.ends_with("it failed error=outer: inner\n"), "{line}");
    }
}
