//! Coded bodies: masked as plain ones are, and bounded whatever they are.

use std::io::Write as _;

use bytes::Bytes;
use proptest::prelude::*;
use smartbox_egress::scrub::{Body, Broken, Coding, Decoder, GRACE, RATIO};

use crate::cut::{cuts, pieces};
use crate::reference;
use crate::scrub::scrub;
use crate::texts::values_and_text;

fn coding() -> impl Strategy<Value = Coding> {
    prop::sample::select(vec![Coding::Identity, Coding::Gzip, Coding::Br, Coding::Zstd])
}

fn coded(coding: Coding, text: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Identity => text.to_vec(),
        Coding::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(text).unwrap();
            out.finish().unwrap()
        }
        Coding::Br => {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4096, 1, 16).write_all(text).unwrap();
            out
        }
        Coding::Zstd => zstd::bulk::compress(text, 1).unwrap(),
    }
}

/// All that comes out, or why it ended.
fn decoded(coding: Coding, coded: &[u8], cuts: &[usize]) -> Result<Vec<u8>, Broken> {
    let (mut decoder, mut out) = (Decoder::new(coding), Vec::new());
    for piece in pieces(coded, cuts) {
        decoder.feed(Bytes::copy_from_slice(piece));
        while let Some(portion) = decoder.portion()? {
            out.extend_from_slice(&portion);
        }
    }
    decoder.end()?;
    Ok(out)
}

proptest! {
    #[test]
    fn a_coded_body_is_masked_as_a_plain_one(
        (values, text) in values_and_text(), coding in coding(), cuts in cuts(),
    ) {
        let scrub = scrub(&values);
        let mut body = Body::new(coding, &scrub);
        let mut out = Vec::new();
        for piece in pieces(&coded(coding, &text), &cuts) {
            body.feed(Bytes::copy_from_slice(piece));
            while let Some(portion) = body.portion().unwrap() {
                out.extend_from_slice(&portion);
            }
        }
        out.extend_from_slice(&body.end().unwrap());
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let mask = scrub.mask(values[0].as_bytes()).unwrap()[0];
        prop_assert_eq!(out, reference::masked(&text, &values, mask));
    }

    #[test]
    fn a_broken_body_ends_and_nothing_else_happens(
        coding in coding(),
        text in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cuts in cuts(),
    ) {
        let mut coded = coded(coding, &text);
        for (at, byte) in changes {
            if !coded.is_empty() {
                let at = at.index(coded.len());
                coded[at] ^= byte;
            }
        }
        // A few bytes become a few more, or an error; never a panic, never without end.
        if let Ok(out) = decoded(coding, &coded, &cuts) {
            prop_assert!(out.len() as u64 <= GRACE.max(coded.len() as u64 * RATIO));
        }
    }
}

#[test]
fn a_body_is_seen_while_it_streams() {
    for coding in [Coding::Gzip, Coding::Br, Coding::Zstd] {
        let mut decoder = Decoder::new(coding);
        let mut first = Vec::new();
        match coding {
            Coding::Gzip => {
                let mut out =
                    flate2::write::GzEncoder::new(&mut first, flate2::Compression::default());
                out.write_all(b"data: one\n\n").unwrap();
                out.flush().unwrap();
                std::mem::forget(out);
            }
            Coding::Br => {
                let mut out = brotli::CompressorWriter::new(&mut first, 4096, 1, 16);
                out.write_all(b"data: one\n\n").unwrap();
                out.flush().unwrap();
                std::mem::forget(out);
            }
            Coding::Zstd | Coding::Identity => {
                let mut out = zstd::stream::write::Encoder::new(&mut first, 1).unwrap();
                out.write_all(b"data: one\n\n").unwrap();
                out.flush().unwrap();
                std::mem::forget(out);
            }
        }
        decoder.feed(first.into());
        let mut out = Vec::new();
        while let Some(portion) = decoder.portion().unwrap() {
            out.extend_from_slice(&portion);
        }
        assert_eq!(out, b"data: one\n\n", "{coding:?}");
        assert_eq!(decoder.end(), Err(Broken::Coded), "{coding:?} was cut");
    }
}

#[test]
fn several_members_and_frames_are_one_body() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let both = [coded(coding, b"one"), coded(coding, b"two")].concat();
        for cut in 1..both.len() {
            assert_eq!(decoded(coding, &both, &[cut]).unwrap(), b"onetwo", "{coding:?} {cut}");
        }
    }
}

#[test]
fn a_bomb_ends_early() {
    let zeros = vec![0; 20 << 20];
    for coding in [Coding::Gzip, Coding::Br, Coding::Zstd] {
        let bomb = coded(coding, &zeros);
        assert!((bomb.len() as u64) * RATIO < zeros.len() as u64, "{coding:?} {}", bomb.len());
        let (mut decoder, mut given) = (Decoder::new(coding), 0);
        decoder.feed(bomb.into());
        let ended = loop {
            match decoder.portion() {
                Ok(Some(portion)) => given += portion.len() as u64,
                other => break other,
            }
        };
        assert_eq!(ended, Err(Broken::Bomb), "{coding:?}");
        assert!(given <= 4 * GRACE, "{coding:?} gave {given}");
    }
}

#[test]
fn a_window_beyond_what_is_promised_is_refused() {
    let with_window = |log: u32| {
        let mut coder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        coder.window_log(log).unwrap();
        coder.write_all(b"a little").unwrap();
        coder.finish().unwrap()
    };
    assert_eq!(decoded(Coding::Zstd, &with_window(23), &[7]).unwrap(), b"a little");
    assert_eq!(decoded(Coding::Zstd, &with_window(27), &[7]), Err(Broken::Coded));
}

#[test]
fn a_body_without_a_byte_is_whole() {
    for coding in [Coding::Identity, Coding::Gzip, Coding::Br, Coding::Zstd] {
        assert_eq!(decoded(coding, b"", &[1]), Ok(Vec::new()));
    }
}

#[test]
fn what_follows_the_end_is_refused() {
    for coding in [Coding::Gzip, Coding::Br, Coding::Zstd] {
        let more = [coded(coding, b"one"), b"garbage".to_vec()].concat();
        assert_eq!(decoded(coding, &more, &[400]), Err(Broken::Coded), "{coding:?}");
    }
}
