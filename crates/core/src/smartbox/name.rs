//! Names and host labels.

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Empty, too long, or with characters that a host label cannot have.
    #[error(
        "`{0}` is not a name; use 1 to 40 of a-z, 0-9 and -, beginning with a letter and not ending with -"
    )]
    Shape(String),
    /// Kept for the platform.
    #[error("`{0}` is kept for the platform; choose another name")]
    Reserved(String),
}

const RESERVED: [&str; 8] =
    ["www", "api", "admin", "login", "smartbox", "localhost", "static", "edge"];

/// Checks that `name` can be a smartbox's name and, as it is, a DNS label (RFC 1123 §2.1).
pub fn check(name: &str) -> Result<(), BadName> {
    let good = (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.starts_with("xn--");
    if !good {
        return Err(BadName::Shape(name.chars().take(64).collect()));
    }
    if RESERVED.contains(&name) {
        return Err(BadName::Reserved(name.to_owned()));
    }
    Ok(())
}

/// The host label for a box: its name, or name and account when the plain name is taken.
pub fn label(name: &str, account: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let second = format!("{name}-{account}");
    if check(&second).is_ok() && !taken(&second) {
        return second;
    }
    (2_u32..)
        .map(|n| format!("{}-{n}", &name[..name.len().min(50)]))
        .find(|l| !taken(l))
        .unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_labels() {
        for good in ["pa", "a", "my-project-2"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "1a", "a_b", "../x", "xn--a", &"a".repeat(41)] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(check("api"), Err(BadName::Reserved("api".into())));
    }

    #[test]
    fn a_taken_label_gets_the_account_then_a_number() {
        assert_eq!(label("pa", "ann", |_| false), "pa");
        assert_eq!(label("pa", "ann", |l| l == "pa"), "pa-ann");
        assert_eq!(label("pa", "ann", |l| l == "pa" || l == "pa-ann"), "pa-2");
    }
}
