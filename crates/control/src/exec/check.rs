//! What an order may be, before a box is woken for it.

use smartbox_link::wire::ExecOrder;

use crate::error::ControlError;

/// The most bytes of arguments, variables and directory together: with their JSON they go in one frame.
const MOST: usize = 24 << 10;

/// Refuses what init could not run.
pub(super) fn order(order: &ExecOrder) -> Result<(), ControlError> {
    if order.argv.first().is_none_or(String::is_empty) {
        return refuse("the command is empty", "write it after `--`");
    }
    let env = order.env.iter().flat_map(|(name, value)| [name, value]);
    let texts = order.argv.iter().chain(env).chain(&order.cwd);
    let mut bytes = 0_usize;
    for text in texts {
        if text.contains('\0') {
            let why = "an argument, variable or directory holds a NUL byte";
            return refuse(why, "leave it out; bytes go to standard input");
        }
        // A control character takes six bytes of JSON; nearly none does.
        let control = text.chars().filter(|c| c.is_control()).count();
        bytes = bytes.saturating_add(text.len() + 8 + control * 5);
    }
    if bytes > MOST {
        let why = format!("the command is longer than {MOST} bytes with its variables");
        return refuse(&why, "write it into a file, or send the long part by standard input");
    }
    if order.env.keys().any(|name| name.is_empty() || name.contains('=')) {
        let why = "a variable's name is empty or holds an equals sign";
        return refuse(why, "write it like NAME=VALUE");
    }
    Ok(())
}

fn refuse(why: &str, hint: &str) -> Result<(), ControlError> {
    Err(ControlError::Refused { why: why.to_owned(), hint: hint.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use smartbox_link::frame::{Frame, MAX_PAYLOAD};

    use super::*;

    fn with(argv: &[&str], env: &[(&str, &str)]) -> ExecOrder {
        let argv = argv.iter().map(|&arg| arg.to_owned()).collect();
        let env: BTreeMap<_, _> =
            env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        ExecOrder { argv, env, cwd: None, timeout_ms: None, tty: None }
    }

    #[test]
    fn what_init_could_not_run_is_refused() {
        assert!(order(&with(&["true"], &[("A", "b=c")])).is_ok());
        let long = "x".repeat(MOST);
        for bad in [
            with(&[], &[]),
            with(&[""], &[]),
            with(&["a\0b"], &[]),
            with(&["a", &long], &[]),
            with(&["a"], &[("", "x")]),
            with(&["a"], &[("A=B", "x")]),
            with(&["a"], &[("A", "\0")]),
        ] {
            assert!(matches!(order(&bad), Err(ControlError::Refused { .. })));
        }
    }

    #[test]
    fn what_is_admitted_fits_a_frame() {
        for text in ["\u{1}", "\"", "\u{e4}", "\\", "x", ""] {
            let many = |count| [&["a"][..], &vec![text; count]].concat();
            let mut count = 0;
            for step in (0..15).rev().map(|shift| 1 << shift) {
                if order(&with(&many(count + step), &[])).is_ok() {
                    count += step;
                }
            }
            let argv = many(count);
            let mut out = bytes::BytesMut::new();
            Frame::Order(Box::new(with(&argv, &[]))).encode(&mut out);
            assert!(out.len() <= MAX_PAYLOAD, "{text:?}: {}", out.len());
        }
    }
}
