//! Query strings: few keys, percent-encoded, each at most once.

/// The value of `key`, decoded; `None` if it is absent. Says what is wrong with the query otherwise.
pub(crate) fn get(query: Option<&str>, key: &str) -> Result<Option<String>, &'static str> {
    let mut found = None;
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("the query is not understood")?;
        if name == key && found.replace(decode(value)?).is_some() {
            return Err("the query says the same thing twice");
        }
    }
    Ok(found)
}

fn decode(text: &str) -> Result<String, &'static str> {
    const BAD: &str = "the query's percent-encoding is not understood";
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).ok_or(BAD);
        let value = digit()? * 16 + digit()?;
        out.push(u8::try_from(value).map_err(|_| BAD)?);
    }
    String::from_utf8(out).map_err(|_| BAD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        let query = Some("path=a%2Fb%20%C3%A9&mode=644&");
        assert_eq!(get(query, "path").unwrap().unwrap(), "a/b é");
        assert_eq!(get(query, "mode").unwrap().unwrap(), "644");
        assert_eq!(get(query, "nothing").unwrap(), None);
        assert_eq!(get(None, "path").unwrap(), None);
    }

    #[test]
    fn doubtful_queries_are_refused() {
        for query in
            ["path=a&path=b", "path", "path=%", "path=%2", "path=%zz", "path=%ff", "path=%+1"]
        {
            assert!(get(Some(query), "path").is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(query in "[a-z=&%0-9A-F\u{e9}]{0,40}") {
            let _ = get(Some(&query), "a");
        }

        #[test]
        fn what_the_client_encodes_is_read_back(path in "\\PC{0,24}") {
            let mut query = String::from("path=");
            for byte in path.bytes() {
                query.push_str(&format!("%{byte:02X}"));
            }
            prop_assert_eq!(get(Some(&query), "path").unwrap().unwrap(), path);
        }
    }
}
