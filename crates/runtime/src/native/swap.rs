//! Whether conversations may be paged out: swap holds them, so it must be compressed memory or
//! encrypted, unless the operator allows otherwise. The platform never turns swap on.

use std::fs;
use std::path::Path;

/// The decision, and why.
pub(super) fn allowed(allow_plain: bool) -> Result<String, String> {
    let text = fs::read_to_string("/proc/swaps").unwrap_or_default();
    decide(&text, allow_plain, &is_encrypted)
}

fn decide(
    swaps: &str,
    allow_plain: bool,
    is_encrypted: &dyn Fn(&str) -> bool,
) -> Result<String, String> {
    let names: Vec<&str> =
        swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    if names.is_empty() {
        return Err(
            "there is no swap; `smartbox doctor` has the commands that make some of compressed memory"
                .to_owned(),
        );
    }
    let plain: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !name.starts_with("/dev/zram") && !is_encrypted(name))
        .collect();
    if plain.is_empty() || allow_plain {
        Ok(format!("to {}", names.join(", ")))
    } else {
        Err(format!(
            "swap on {} is not encrypted and would hold conversations; use zram, encrypt it or allow it",
            plain.join(", ")
        ))
    }
}

/// Whether a swap device is a dm-crypt one.
fn is_encrypted(device: &str) -> bool {
    let Ok(real) = fs::canonicalize(device) else { return false };
    let Some(name) = real.file_name() else { return false };
    fs::read_to_string(Path::new("/sys/class/block").join(name).join("dm/uuid"))
        .is_ok_and(|uuid| uuid.starts_with("CRYPT-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Filename Type Size Used Priority\n";

    #[test]
    fn plain_swap_needs_permission_and_compressed_memory_does_not() {
        let decide = |line: &str, allow| decide(&format!("{HEAD}{line}"), allow, &|_| false);
        assert!(decide("", true).is_err());
        assert!(decide("/dev/zram0 partition 1 0 -2", false).is_ok());
        assert!(decide("/swapfile file 1 0 -2", false).is_err());
        assert!(decide("/swapfile file 1 0 -2", true).is_ok());
        assert!(decide("/dev/zram0 partition 1 0 5\n/swapfile file 1 0 -2", false).is_err());
    }

    #[test]
    fn encrypted_swap_is_fine() {
        let text = format!("{HEAD}/dev/dm-1 partition 1 0 -2");
        assert!(super::decide(&text, false, &|name| name == "/dev/dm-1").is_ok());
    }
}
