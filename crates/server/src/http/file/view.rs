//! Files as they are shown, and permission bits and tags as they are read.

use http::HeaderMap;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use smartbox_api::file::{FileKind, FileView};
use smartbox_api::problem::Code;
use smartbox_core::home::{self, FileEntry, Precondition};

use crate::http::trouble::Trouble;

pub(in crate::http) fn view(entry: &FileEntry) -> FileView {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let encoded = std::str::from_utf8(&entry.name).is_err().then(|| encode(&entry.name));
    FileView {
        name: text(&entry.name),
        name_encoded: encoded,
        kind: match entry.kind {
            home::FileKind::File => FileKind::File,
            home::FileKind::Directory => FileKind::Directory,
            home::FileKind::Link => FileKind::Link,
            home::FileKind::Other => FileKind::Other,
        },
        size: entry.size,
        mode: format!("{:04o}", entry.mode),
        modified: entry.modified.0,
        etag: etag(entry),
        target: entry.target.as_deref().map(text),
    }
}

pub(super) fn etag(entry: &FileEntry) -> String {
    format!("\"{}\"", entry.tag)
}

fn encode(name: &[u8]) -> String {
    name.iter().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => {
                out.push(char::from(*byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

/// Permission bits in octal digits.
pub(super) fn mode(text: Option<&str>) -> Result<Option<u32>, Trouble> {
    let bad = || {
        let hint = "write them like 0644; setuid and its kin do not exist here";
        Trouble::new(Code::BadRequest, "the mode is not three octal digits", hint)
    };
    let digits = |text: &str| text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let Some(text) = text else { return Ok(None) };
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777 && digits(text));
    mode.map(Some).ok_or_else(bad)
}

/// `If-Match` and `If-None-Match` of a request that changes something.
pub(super) fn condition(headers: &HeaderMap) -> Result<Precondition, Trouble> {
    match (tags(headers, &IF_MATCH)?, tags(headers, &IF_NONE_MATCH)?) {
        (None, None) => Ok(Precondition::Any),
        (Some(Tags::Any), None) => Ok(Precondition::Present),
        (Some(Tags::These(tags)), None) => Ok(Precondition::OneOf(tags)),
        (None, Some(Tags::Any)) => Ok(Precondition::Absent),
        _ => Err(Trouble::new(
            Code::BadRequest,
            "these conditions are not understood",
            "send `If-Match` with entity tags or *, or `If-None-Match: *`",
        )),
    }
}

/// Entity tags in a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tags {
    Any,
    These(Vec<String>),
}

impl Tags {
    pub(super) fn fit(&self, entry: &FileEntry) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.contains(&entry.tag),
        }
    }
}

pub(super) fn tags(headers: &HeaderMap, name: &http::HeaderName) -> Result<Option<Tags>, Trouble> {
    let bad = || Trouble::new(Code::BadRequest, format!("`{name}` is not understood"), "");
    let mut found = Vec::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| bad())?;
        if text.trim() == "*" {
            return Ok(Some(Tags::Any));
        }
        for tag in text.split(',') {
            // A weak one is never the same as ours, which are strong.
            let tag = tag.trim().trim_start_matches("W/");
            let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            found.push(tag.ok_or_else(bad)?.to_owned());
        }
    }
    Ok((!found.is_empty()).then_some(Tags::These(found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_permission_bits() {
        assert_eq!(mode(Some("0644")).unwrap(), Some(0o644));
        assert_eq!(mode(None).unwrap(), None);
        for bad in ["", "4755", "+644", "9", "rw", "-1", "01000"] {
            assert!(mode(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn conditions_are_tags_or_all_or_nothing() {
        let of = |name: &http::HeaderName, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            condition(&headers)
        };
        assert_eq!(of(&IF_NONE_MATCH, "*").unwrap(), Precondition::Absent);
        assert_eq!(of(&IF_MATCH, "*").unwrap(), Precondition::Present);
        let two = Precondition::OneOf(vec!["a".into(), "b".into()]);
        assert_eq!(of(&IF_MATCH, "\"a\", \"b\"").unwrap(), two);
        assert!(of(&IF_MATCH, "a").is_err());
        assert!(of(&IF_NONE_MATCH, "\"a\"").is_err());
        assert_eq!(condition(&HeaderMap::new()).unwrap(), Precondition::Any);
    }
}
