//! Sizes for people.

/// Bytes in the largest unit of which there is at least one, to one decimal.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let Some(power) = (1..=4_u32).rev().find(|p| n >= 1 << (10 * p)) else {
        return format!("{n} B");
    };
    let unit = 1_u64 << (10 * power);
    let tenths = (n / unit * 10) + (n % unit) * 10 / unit;
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[power as usize - 1])
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_one_decimal() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(2 << 30), "2.0 GiB");
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
    }
}
