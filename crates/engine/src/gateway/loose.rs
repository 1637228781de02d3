//! What is taken out of JSON whose shape is the box's to choose: nothing is kept but what is asked for,
//! and lists have an end. What is of another kind counts as absent, as an engine's other versions may
//! have it.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Entries of a list at the most; the platform asks for a thousand and no engine gives more.
const MOST: usize = 4_096;

/// A string, or nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) String);

/// The text of a message's content: a string, or parts of which some are text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

/// A list that is refused once it is longer than any engine's.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct List<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MOST}")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = seq.next_element()? {
                if items.len() == MOST {
                    return Err(A::Error::invalid_length(MOST + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_seq(List(PhantomData))
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('"') {
            return Ok(Self::default());
        }
        serde_json::from_str(raw.get()).map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let text = match raw.get().as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw.get()),
            Some(b'[') => serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Parts),
            _ => Ok(String::new()),
        };
        text.map(Self).map_err(D::Error::custom)
    }
}

/// Joins the parts that are text.
struct Parts;

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type", default)]
    kind: Word,
    #[serde(default)]
    text: Word,
}

impl<'de> Visitor<'de> for Parts {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parts of a message")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<String, A::Error> {
        let mut all = String::new();
        while let Some(raw) = seq.next_element::<&RawValue>()? {
            if !raw.get().starts_with('{') {
                continue;
            }
            let part: Part = serde_json::from_str(raw.get()).map_err(A::Error::custom)?;
            if part.kind.0 == "text" {
                all.push_str(&part.text.0);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        serde_json::from_str::<Text>(json).unwrap().0
    }

    #[test]
    fn text_is_a_string_or_the_parts_that_are_text() {
        assert_eq!(text(r#""plain \u00e9""#), "plain \u{e9}");
        let parts = r#"[{"type":"text","text":"a"},{"type":"toolCall","text":"no"},7,null,["x"],"s",
            {"text":"b","type":"text","more":{"deep":[1,{"x":2}]}},{"type":"text","text":7},true,1.5,-1]"#;
        assert_eq!(text(parts), "ab");
        for other in ["null", "7", "-7", "1.5", "true", "{}", r#"{"text":"x"}"#, "[]", "[[[]]]"] {
            assert_eq!(text(other), "", "{other}");
        }
        assert!(serde_json::from_str::<Text>("[").is_err());
    }

    #[test]
    fn what_is_no_string_is_no_word() {
        let word = |json| serde_json::from_str::<Word>(json).unwrap().0;
        assert_eq!(word(r#""yes""#), "yes");
        for other in ["[1,[2]]", r#"{"a":{"b":1}}"#, "null", "3"] {
            assert_eq!(word(other), "", "{other}");
        }
    }

    #[test]
    fn a_list_has_an_end() {
        #[derive(Debug, Deserialize)]
        struct Listed {
            #[serde(deserialize_with = "list")]
            items: Vec<Word>,
        }
        let of = |n: usize| format!(r#"{{"items":[{}1]}}"#, "1,".repeat(n - 1));
        assert_eq!(serde_json::from_str::<Listed>(&of(MOST)).unwrap().items.len(), MOST);
        assert!(serde_json::from_str::<Listed>(&of(MOST + 1)).is_err());
    }
}
