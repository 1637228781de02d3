//! Lists on the wire: a page of things, and the cursor to the next one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How many things a page has if nobody says.
pub const DEFAULT_LIMIT: u16 = 50;
/// The most that a page has.
pub const MAX_LIMIT: u16 = 200;
/// The longest cursor.
const MAX_CURSOR: usize = 1024;

/// A part of a list, in the list's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// What is in this part.
    pub items: Vec<T>,
    /// The `cursor` of the part after this one; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct PageQuery {
    /// How many things at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The `next` of the page before; the first page if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page that cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPage {
    /// The limit is not between 1 and [`MAX_LIMIT`].
    Limit,
    /// The cursor was not given by this list.
    Cursor,
}

impl std::fmt::Display for BadPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Limit => write!(f, "`limit` is a number from 1 to {MAX_LIMIT}"),
            Self::Cursor => f.write_str("`cursor` is not the `next` of a page of this list"),
        }
    }
}

impl std::error::Error for BadPage {}

impl PageQuery {
    /// What is asked of the list of this name: how many, and after which key.
    ///
    /// The cursor is the key itself, so a page needs nothing remembered, and what is made or removed
    /// between two pages moves no other thing out of sight. It gives away nothing: the list looks
    /// only among what its asker may see.
    pub fn read(&self, list: &str) -> Result<(usize, Option<String>), BadPage> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(BadPage::Limit);
        }
        let after = self.cursor.as_deref().map(|text| decode(text, list)).transpose()?;
        Ok((usize::from(limit), after))
    }
}

impl<T> Page<T> {
    /// The page of the list of this name. `found` is what comes after the cursor, in order: one more
    /// than `limit`, if there is one more.
    pub fn of(
        found: impl IntoIterator<Item = T>,
        list: &str,
        limit: usize,
        key: impl Fn(&T) -> &str,
    ) -> Self {
        let mut found = found.into_iter();
        let items: Vec<T> = found.by_ref().take(limit).collect();
        let more = found.next().is_some();
        let next = items.last().filter(|_| more).map(|last| encode(list, key(last)));
        Self { items, next }
    }

    /// A page of the list of this name whose next key somebody else knows.
    pub fn then(items: Vec<T>, list: &str, next: Option<&str>) -> Self {
        Self { items, next: next.map(|key| encode(list, key)) }
    }

    /// The same page of other things.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(each).collect(), next: self.next }
    }
}

fn encode(list: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{key}"))
}

fn decode(text: &str, list: &str) -> Result<String, BadPage> {
    if text.len() > MAX_CURSOR {
        return Err(BadPage::Cursor);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadPage::Cursor)?;
    let whole = String::from_utf8(bytes).map_err(|_| BadPage::Cursor)?;
    let key = whole.strip_prefix(list).and_then(|rest| rest.strip_prefix('\n'));
    key.map(str::to_owned).ok_or(BadPage::Cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every page of a list of words.
    fn pages(words: &[&str], limit: u16) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut query = PageQuery { limit: Some(limit), cursor: None };
        loop {
            let (limit, after) = query.read("words").unwrap();
            let rest = words.iter().filter(|w| after.as_deref().is_none_or(|after| **w > after));
            let page = Page::of(rest.map(|w| (*w).to_owned()), "words", limit, String::as_str);
            pages.push(page.items);
            query.cursor = page.next;
            if query.cursor.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn each_thing_is_in_one_page_and_the_last_page_is_not_empty() {
        assert_eq!(pages(&[], 2), [vec![] as Vec<String>]);
        assert_eq!(pages(&["a", "b"], 2), [["a", "b"]]);
        assert_eq!(pages(&["a", "b\n", "c"], 2), [vec!["a", "b\n"], vec!["c"]]);
    }

    #[test]
    fn what_no_page_gave_is_refused() {
        let ask = |limit, cursor: Option<&str>| {
            PageQuery { limit, cursor: cursor.map(str::to_owned) }.read("words")
        };
        assert_eq!(ask(None, None), Ok((50, None)));
        assert_eq!(ask(Some(200), Some(&encode("words", "b"))), Ok((200, Some("b".into()))));
        for limit in [0, 201, u16::MAX] {
            assert_eq!(ask(Some(limit), None), Err(BadPage::Limit));
        }
        let long = encode("words", &"x".repeat(MAX_CURSOR));
        for cursor in ["", "%", "b", "_w", &encode("boxes", "b"), &encode("word", "s\nb"), &long] {
            assert_eq!(ask(None, Some(cursor)), Err(BadPage::Cursor), "{cursor}");
        }
    }
}
