//! Sizes as people write them.

/// Reads `512MiB`, `2GiB`, `8 GiB` or a bare number of bytes.
pub fn parse(text: &str) -> Option<u64> {
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "tib" | "t" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(parse("2GiB"), Some(2 << 30));
        assert_eq!(parse("8 mib"), Some(8 << 20));
        assert_eq!(parse("77"), Some(77));
        for bad in ["", "GiB", "2 GB?", "-1", "99999999999TiB"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
