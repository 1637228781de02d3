//! What came of a button, as one word in an address and one sentence on a page. The words are a closed list:
//! a link cannot have our page say what somebody else wrote.

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http::page) enum Done {
    Approve,
    Reject,
    Revoke,
    Rename,
    All,
    None,
    Late,
    Another,
}

const SAID: [(Done, &str, &str); 8] = [
    (Done::Approve, "approve", "It is let in. Go back to it: it goes on by itself."),
    (Done::Reject, "reject", "It is not let in."),
    (Done::Revoke, "revoke", "It is let in no more: its tokens and what it had open are over."),
    (Done::Rename, "rename", "It has its new name."),
    (Done::All, "all", "Those that asked are let in, none with own."),
    (Done::None, "none", "None asks any more."),
    (Done::Late, "late", "That was decided already, or its time was over. Nothing was changed."),
    (
        Done::Another,
        "another",
        "It has asked anew since it was shown, maybe for more. Nothing was changed: look at it again.",
    ),
];

impl Done {
    pub(in crate::http::page) fn word(self) -> &'static str {
        SAID.iter().find(|(done, ..)| *done == self).map_or("", |(_, word, _)| word)
    }

    /// The sentence for a word; none for what is no word of ours.
    pub(in crate::http::page) fn said(word: &str) -> Option<&'static str> {
        SAID.iter().find(|(_, known, _)| *known == word).map(|(.., said)| *said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_sentences_are_said() {
        for (done, word, said) in SAID {
            assert_eq!((done.word(), Done::said(word)), (word, Some(said)));
        }
        for word in ["", "Approve", "<b>", "done"] {
            assert_eq!(Done::said(word), None, "{word}");
        }
    }
}
