//! What base64 makes of a text, wherever the text lies in what is encoded.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The characters that the text alone decides, for each of its three positions within the groups of
/// three bytes and for both alphabets, each once.
pub(super) fn cores(text: &[u8]) -> Vec<Vec<u8>> {
    let mut cores = Vec::new();
    for before in 0..3 {
        let bytes = [&[0; 2][..before], text].concat();
        // A character is six bits: those that hold bits of what comes before or after are not its own.
        let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            let core = encoded.as_bytes()[first..end].to_vec();
            if !cores.contains(&core) {
                cores.push(core);
            }
        }
    }
    cores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_is_in_whatever_is_encoded_around_it() {
        let text = b"\xfb\xff\xbfsecret>>>???";
        let cores = cores(text);
        assert_eq!(cores.len(), 6);
        for before in 0..7 {
            for after in 0..4 {
                let whole = [&b"before!"[..before], text, &b"tail"[..after]].concat();
                for encoded in [STANDARD_NO_PAD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                    let held = cores.iter().any(|core| {
                        encoded.as_bytes().windows(core.len()).any(|window| window == core)
                    });
                    assert!(held, "{before} {after}");
                }
            }
        }
    }
}
