//! What templates do with text of ours that is also read in a terminal.

#![expect(unreachable_pub, reason = "askama makes a filter so, whoever is to use it")]

use std::fmt::Display;

use askama::Values;
use askama::filters::{Escaper as _, Html, Safe};

/// What stands between backticks is code; everything else is text, whatever it holds.
#[askama::filter_fn]
pub(super) fn coded(text: impl Display, _: &dyn Values) -> askama::Result<Safe<String>> {
    let text = text.to_string();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, code, after)) = next(rest) {
        Html.write_escaped_str(&mut out, before)?;
        out.push_str("<code>");
        Html.write_escaped_str(&mut out, code)?;
        out.push_str("</code>");
        rest = after;
    }
    Html.write_escaped_str(&mut out, rest)?;
    Ok(Safe(out))
}

/// The first pair of backticks: what is before, between and after them.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        coded::default().execute(text, askama::NO_VALUES).map(|safe| safe.0).unwrap_or_default()
    }

    #[test]
    fn code_is_code_and_nothing_else_is_markup() {
        for (text, want) in [
            ("plain", "plain"),
            ("try `smartbox ls`, or `a`", "try <code>smartbox ls</code>, or <code>a</code>"),
            ("a ` alone", "a ` alone"),
            ("``", "<code></code>"),
            ("`<b>` & \"x\"", "<code>&#60;b&#62;</code> &#38; &#34;x&#34;"),
            ("<script>`</script>", "&#60;script&#62;`&#60;/script&#62;"),
        ] {
            assert_eq!(said(text), want, "{text}");
        }
    }
}
