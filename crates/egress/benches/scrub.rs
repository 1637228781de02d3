//! What looking for two secrets costs: bodies of a mebibyte in pieces of 16 KiB through the filter, and
//! the same pieces copied only. `cargo bench -p smartbox-egress` prints a table.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use smartbox_core::secret::Secret;
use smartbox_egress::scrub::{Body, Coding, Decoder, Scrub};

const BODY: usize = 1 << 20;
const PIECE: usize = 16 << 10;
/// Bodies of one round: so few that some rounds pass undisturbed, and the best of them counts.
const BODIES: u32 = 2;
const ROUNDS: u32 = 200;

/// Numbers that only look random.
fn random(n: &mut u64) -> u64 {
    *n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *n >> 33
}

/// As an API lists things.
fn json() -> Vec<u8> {
    let (mut text, mut n) = (String::new(), 1);
    while text.len() < BODY {
        let id = random(&mut n);
        let _ = write!(
            text,
            r#"{{"id":{id},"node_id":"MDEwOlJl{id:x}","name":"thing-{id}","private":false,"url":"https://api.example.com/things/{id}","description":"A \"thing\" that does\nthis & that","updated_at":"2026-11-27T20:50:24Z"}},"#
        );
    }
    text.into_bytes()
}

/// JSON within JSON: an escape at every third character or so.
fn escaped() -> Vec<u8> {
    let text = String::from_utf8_lossy(&json()).replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('/', "\\/").into_bytes()
}

/// A form of percent escapes alone.
fn percent() -> Vec<u8> {
    let mut text = String::new();
    for byte in &json()[..BODY / 3] {
        let _ = write!(text, "%{byte:02X}");
    }
    text.into_bytes()
}

/// What does not compress: an archive, an image.
fn binary() -> Vec<u8> {
    let mut n = 1;
    (0..BODY).map(|_| (random(&mut n) & 0xff) as u8).collect()
}

fn pieces(body: &[u8]) -> Vec<Bytes> {
    body.chunks(PIECE).map(Bytes::copy_from_slice).collect()
}

/// The best time of a round over so many bytes; `nanoseconds a byte` is what it comes to.
fn measure(mut round: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..BODIES {
            round();
        }
        best = best.min(begun.elapsed());
    }
    best
}

fn row(out: &mut impl std::io::Write, name: &str, bytes: usize, plain: Duration, scrub: Duration) {
    let mib = bytes as f64 * f64::from(BODIES) / f64::from(1 << 20);
    let per_gib = |time: Duration| time.as_secs_f64() * 1024.0 / mib;
    let _ = writeln!(
        out,
        "| {name} | {:.3} s | {:.3} s | {:.0} MiB/s | {:.1} |",
        per_gib(plain),
        per_gib(scrub),
        mib / scrub.as_secs_f64(),
        scrub.as_secs_f64() / plain.as_secs_f64()
    );
}

fn main() {
    let secrets = [
        Secret::new("ghp_16C7e42F292c6912E7710c838347Ae178B4a".to_owned()),
        Secret::new("1234567890:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8".to_owned()),
    ];
    let Some(scrub) = Scrub::new(&secrets) else { return };
    let out = &mut std::io::stdout().lock();
    let _ = writeln!(out, "| body of 1 MiB | without, per GiB | with, per GiB | with | ratio |");
    let _ = writeln!(out, "|---|---|---|---|---|");
    for (name, body) in [
        ("JSON", json()),
        ("binary", binary()),
        ("JSON in JSON", escaped()),
        ("all %41", percent()),
    ] {
        let pieces = pieces(&body);
        let plain = measure(|| {
            for piece in &pieces {
                black_box(Bytes::copy_from_slice(piece));
            }
        });
        let with = measure(|| {
            let mut window = scrub.window();
            for piece in &pieces {
                black_box(window.pass(piece.clone()));
            }
            black_box(window.rest());
        });
        row(out, name, body.len(), plain, with);
    }
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let coded = coder.write_all(&json()).and_then(|()| coder.finish()).unwrap_or_default();
    let coded = pieces(&coded);
    let plain = measure(|| {
        let mut decoder = Decoder::new(Coding::Gzip);
        for piece in &coded {
            decoder.feed(piece.clone());
            while let Ok(Some(portion)) = decoder.portion() {
                black_box(portion);
            }
        }
    });
    let with = measure(|| {
        let mut body = Body::new(Coding::Gzip, &scrub);
        for piece in &coded {
            body.feed(piece.clone());
            while let Ok(Some(portion)) = body.portion() {
                black_box(portion);
            }
        }
    });
    row(out, "JSON in gzip (without: decoded only)", BODY, plain, with);
}
