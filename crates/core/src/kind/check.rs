//! What a template may hold. Its files go into homes, so no path of theirs leads out of one.

use super::Template;
use crate::egress::{Rule, is_preset};

const NAME: usize = 40;
const DESCRIPTION: usize = 200;
const ENTRIES: usize = 100;
const FILES: usize = 20;
const FILE_BYTES: usize = 64 << 10;
const DEPTH: usize = 4;

/// Why a template is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKind {
    /// Its name cannot be one.
    #[error(
        "`{0}` is not a kind's name; use 1 to 40 of a-z, 0-9 and -, beginning with a letter and not ending with -"
    )]
    Name(String),
    /// A key holds something that it must not.
    #[error("{key}: {why}")]
    Value {
        /// Which key.
        key: String,
        /// What is wrong.
        why: String,
    },
}

fn bad(key: impl Into<String>, why: impl Into<String>) -> BadKind {
    BadKind::Value { key: key.into(), why: why.into() }
}

pub(super) fn name(text: &str) -> bool {
    (1..=NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
}

pub(super) fn check(kind: &Template) -> Result<(), BadKind> {
    line("description", &kind.description)?;
    if let Some(notice) = &kind.notice {
        line("notice", notice)?;
    }
    for (key, list) in [("egress", &kind.egress), ("tools", &kind.tools)] {
        if list.len() > ENTRIES {
            return Err(bad(key, format!("it has more than {ENTRIES} entries")));
        }
    }
    if let Some((host, why)) = kind.egress.iter().find_map(|host| refuse_egress(host)) {
        return Err(bad("egress", format!("`{}`: {why}", cut(host))));
    }
    if let Some(tool) = kind.tools.iter().find(|tool| !is_tool(tool)) {
        return Err(bad("tools", format!("`{}` is not a tool's name", cut(tool))));
    }
    if kind.files.len() > FILES {
        return Err(bad("files", format!("there are more than {FILES}")));
    }
    for (path, text) in &kind.files {
        if !is_path(path) {
            let why = "it is not a path in the workspace, like `SOUL.md` or `knowledge/rules.md`";
            return Err(bad(format!("files, `{}`", cut(path)), why));
        }
        if text.trim().is_empty() || text.len() > FILE_BYTES {
            let why = format!("it is empty, or longer than {FILE_BYTES} bytes");
            return Err(bad(format!("files, `{path}`"), why));
        }
    }
    Ok(())
}

fn line(key: &str, text: &str) -> Result<(), BadKind> {
    let good = !text.trim().is_empty()
        && text.chars().count() <= DESCRIPTION
        && !text.chars().any(char::is_control);
    let why = format!("write one line of at most {DESCRIPTION} characters");
    if good { Ok(()) } else { Err(bad(key, why)) }
}

/// What is wrong with a host (`example.com`, `*.example.com:443,8443`) or the name of a preset.
fn refuse_egress(text: &str) -> Option<(&str, String)> {
    if is_preset(text) {
        return None;
    }
    Rule::parse(text).err().map(|bad| (text, bad.to_string()))
}

fn is_tool(tool: &str) -> bool {
    (1..=64).contains(&tool.len())
        && tool.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}

fn is_path(path: &str) -> bool {
    let part = |part: &str| {
        (1..=100).contains(&part.len())
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    path.split('/').count() <= DEPTH && path.split('/').all(part)
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::{Base, Kind};

    fn blank() -> Template {
        Template {
            name: Kind::CUSTOM,
            base: Base::Custom,
            description: "A test".into(),
            notice: None,
            tier: None,
            egress: vec![],
            tools: vec![],
            settings: serde_json::Map::new(),
            files: [("SOUL.md".to_owned(), "You.".to_owned())].into(),
        }
    }

    #[test]
    fn no_file_leads_out_of_the_workspace() {
        assert_eq!(blank().check(), Ok(()));
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            ".openclaw/openclaw.json",
            "a/.git/config",
            "a/b/c/d/e",
            "a\0b",
            "a b",
            "a\nb",
        ] {
            let mut kind = blank();
            kind.files.insert(path.to_owned(), "x".into());
            assert!(kind.check().is_err(), "{path:?}");
        }
    }

    #[test]
    fn what_is_shown_and_kept_is_bounded() {
        let with = |edit: fn(&mut Template)| {
            let mut kind = blank();
            edit(&mut kind);
            kind.check()
        };
        for edit in [
            (|k| k.description = String::new()) as fn(&mut Template),
            |k| k.description = "a\u{1b}[2J".into(),
            |k| k.notice = Some("x".repeat(201)),
            |k| k.egress = vec!["http://example.com".into()],
            |k| k.egress = vec!["Example".into()],
            |k| k.egress = vec!["a.b".into(); 101],
            |k| k.tools = vec!["rm -rf".into()],
            |k| k.files.extend((0..21).map(|n| (format!("{n}.md"), "x".into()))),
            |k| k.files.extend([("big.md".into(), "x".repeat(65_537))]),
            |k| k.files.extend([("empty.md".into(), " \n".into())]),
        ] {
            assert!(with(edit).is_err());
        }
        assert_eq!(with(|k| k.egress = vec!["*.example.com:22".into(), "git".into()]), Ok(()));
        assert!(Kind::parse("Research").is_none() && Kind::parse("a-").is_none());
        assert_eq!(Kind::parse("customer-service").unwrap().as_str(), "customer-service");
    }
}
