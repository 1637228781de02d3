//! Numbers for people.

/// `1 call`, `2 calls`.
pub(crate) fn of(n: impl Into<u64>, one: &str, more: &str) -> String {
    match n.into() {
        1 => format!("1 {one}"),
        n => format!("{n} {more}"),
    }
}

/// `once`, `2 times`.
pub(crate) fn times(n: impl Into<u64>) -> String {
    match n.into() {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_everything_else_is_many() {
        let told: Vec<_> = [0_u32, 1, 2].iter().map(|n| of(*n, "call", "calls")).collect();
        assert_eq!(told, ["0 calls", "1 call", "2 calls"]);
        assert_eq!([0_u32, 1, 2].map(times), ["0 times", "once", "2 times"]);
    }
}
