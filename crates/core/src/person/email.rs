//! Addresses of mail, as far as they tell people apart.

/// The longest that there is (RFC 5321).
const LONGEST: usize = 254;

/// An address in the one form in which it is kept and compared: no blanks around it, in small letters.
/// `None` if it is none. Whether a person has it, only who vouches for it knows.
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| !c.is_whitespace() && !c.is_control() && !"@<>\",;:/\\".contains(c))
    };
    let good = text.len() <= LONGEST && plain(local) && plain(domain);
    good.then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        assert_eq!(email(" Ann@Example.COM\n").as_deref(), Some("ann@example.com"));
        assert_eq!(email("a.b+c@x.y").as_deref(), Some("a.b+c@x.y"));
        let long = format!("{}@x", "a".repeat(253));
        for text in
            ["", "ann", "@x", "ann@", "a@b@c", "a b@x", "a\n@x", "<a@x>", "a@x,b@y", "a/b@x", &long]
        {
            assert_eq!(email(text), None, "{text:?}");
        }
    }
}
