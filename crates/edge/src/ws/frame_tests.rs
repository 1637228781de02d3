//! The frame reader against streams of every shape and cut, good and bad.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use super::frame::{Piece, Reader, Sender, Violation, head, make};

/// Reads a stream that comes in these cuts; the pieces and whether each ended a message.
fn read(
    sender: Sender,
    stream: &[u8],
    cuts: &[usize],
) -> Result<(Vec<Piece>, Vec<bool>), Violation> {
    let mut reader = Reader::new(sender, 1 << 20);
    let (mut buffer, mut at) = (BytesMut::new(), 0);
    let (mut pieces, mut ends) = (vec![], vec![]);
    let mut cuts = cuts.iter().copied().chain(std::iter::repeat(stream.len().max(1)));
    while at < stream.len() {
        let to = (at + cuts.next().unwrap_or(1).max(1)).min(stream.len());
        buffer.extend_from_slice(&stream[at..to]);
        at = to;
        while let Some(piece) = reader.next(&mut buffer)? {
            pieces.push(piece);
            ends.push(reader.between_messages());
        }
    }
    Ok((pieces, ends))
}

fn bytes(piece: &Piece) -> &[u8] {
    match piece {
        Piece::Whole(_, bytes) | Piece::Begin(_, bytes) | Piece::More(bytes) => bytes,
    }
}

/// One frame, written by the letter of RFC 6455 §5.2.
fn encode(fin: bool, opcode: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![u8::from(fin) << 7 | opcode];
    let bit = u8::from(mask.is_some()) << 7;
    match payload.len() {
        n @ 0..=125 => out.push(bit | u8::try_from(n).unwrap()),
        n @ 126..=0xffff => {
            out.push(bit | 126);
            out.extend_from_slice(&u16::try_from(n).unwrap().to_be_bytes());
        }
        n => {
            out.push(bit | 127);
            out.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    out.extend(mask.into_iter().flatten());
    out.extend(payload.iter().zip(mask.unwrap_or_default().iter().cycle()).map(|(b, k)| b ^ k));
    out
}

/// A message in one or several frames, with pings between them.
fn message() -> impl Strategy<Value = Vec<(bool, u8, usize)>> {
    let size = prop_oneof![0..200_usize, 3_900..4_300_usize, 65_000..70_000_usize];
    (1..=2_u8, vec((size, any::<bool>()), 1..4)).prop_map(|(opcode, parts)| {
        let last = parts.len() - 1;
        let mut frames = vec![];
        for (n, (size, ping)) in parts.into_iter().enumerate() {
            frames.push((n == last, if n == 0 { opcode } else { 0 }, size));
            if ping {
                frames.push((true, 9, size % 126));
            }
        }
        frames
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_cut_gives_the_same_bytes_and_the_same_boundaries(
        messages in vec(message(), 1..4),
        cuts in vec(prop_oneof![1..4_usize, 1..3_000_usize], 0..80),
        key in any::<Option<[u8; 4]>>(),
    ) {
        let sender = if key.is_some() { Sender::Client } else { Sender::Engine };
        let (mut stream, mut open, mut boundaries) = (vec![], false, vec![]);
        for (fin, opcode, size) in messages.into_iter().flatten() {
            stream.extend(encode(fin, opcode, key, &vec![b'x'; size]));
            if opcode < 8 {
                open = !fin;
            }
            if !open {
                boundaries.push(stream.len());
            }
        }
        let (pieces, ends) = read(sender, &stream, &cuts).unwrap();
        let joined: Vec<u8> = pieces.iter().flat_map(|piece| bytes(piece).to_vec()).collect();
        prop_assert!(joined == stream);
        let (mut at, mut found) = (0, vec![]);
        for (piece, end) in pieces.iter().zip(ends) {
            at += bytes(piece).len();
            if end {
                found.push(at);
            }
        }
        prop_assert_eq!(found, boundaries);
    }

    #[test]
    fn noise_neither_panics_nor_grows(noise in vec(any::<u8>(), 0..600), cut in 1..50_usize) {
        for sender in [Sender::Client, Sender::Engine] {
            if let Ok((pieces, _)) = read(sender, &noise, &[cut; 600]) {
                let joined: Vec<u8> = pieces.iter().flat_map(|p| bytes(p).to_vec()).collect();
                prop_assert!(noise.starts_with(&joined));
            }
        }
    }
}

#[test]
fn a_stream_byte_by_byte_waits_for_whole_small_frames() {
    let frame = make(1, b"hello", Sender::Engine);
    let (pieces, ends) = read(Sender::Client, &frame, &[1; 64]).unwrap();
    assert!(matches!(&pieces[..], [Piece::Whole(head, _)] if head.length == 5));
    assert_eq!(ends, [true]);
}

#[test]
fn what_breaks_the_rules_is_named() {
    let mask = Some([1, 2, 3, 4]);
    let long = vec![0; 126];
    let huge = encode(true, 2, mask, &vec![0; (1 << 20) + 1]);
    for (sender, stream, violation) in [
        (Sender::Client, encode(true, 1, None, b"x"), Violation::Mask),
        (Sender::Engine, encode(true, 1, mask, b"x"), Violation::Mask),
        (Sender::Client, vec![0xc1, 0x80], Violation::Reserved),
        (Sender::Client, vec![0x91, 0x80], Violation::Reserved),
        (Sender::Client, encode(true, 3, mask, b""), Violation::Reserved),
        (Sender::Client, encode(true, 11, mask, b""), Violation::Reserved),
        (Sender::Client, encode(true, 9, mask, &long), Violation::Control),
        (Sender::Client, encode(false, 9, mask, b""), Violation::Control),
        (Sender::Engine, encode(true, 8, None, &long), Violation::Control),
        (Sender::Engine, vec![0x82, 126, 0, 125], Violation::Length),
        (Sender::Engine, vec![0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Violation::Length),
        (Sender::Engine, vec![0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0], Violation::Length),
        (Sender::Client, huge, Violation::TooLarge),
        (Sender::Client, encode(true, 0, mask, b"x"), Violation::Order),
        (
            Sender::Engine,
            [encode(false, 1, None, b"a"), encode(true, 1, None, b"b")].concat(),
            Violation::Order,
        ),
    ] {
        let result = read(sender, &stream, &[]);
        assert_eq!(result.map(|_| ()), Err(violation), "{stream:.20?}");
    }
}

#[test]
fn a_length_is_refused_before_its_payload_comes() {
    let header = [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert_eq!(read(Sender::Client, &header, &[]).map(|_| ()), Err(Violation::TooLarge));
    assert_eq!(head(&header[..5]), Ok(None));
}
