//! HTTP/2 frames that cost their sender nothing: each kind of flood ends its own connection, and others
//! are served meanwhile.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Front, World, mirror, soon};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = length[1..].to_vec();
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// A head in HPACK without a table: `GET / pa.localhost`, signed in.
fn head() -> Vec<u8> {
    // :method GET, :scheme http and :path / are indexed; the rest is literal and not kept.
    let mut out = vec![0x82, 0x86, 0x84];
    for (name, value) in [(1_u8, "pa.localhost"), (15, "")] {
        if name < 15 {
            out.extend_from_slice(&[name, u8::try_from(value.len()).unwrap()]);
            out.extend_from_slice(value.as_bytes());
        }
    }
    let (name, value) = ("cookie", "smartbox_session=good");
    out.push(0);
    for text in [name, value] {
        out.push(u8::try_from(text.len()).unwrap());
        out.extend_from_slice(text.as_bytes());
    }
    out
}

/// A stream that the edge has to reset: its window is to be larger than a window can be. (One of
/// nothing is a mistake of the connection, and ends it by itself.)
fn mistaken(id: u32) -> Vec<u8> {
    let window = 0x7fff_ffff_u32.to_be_bytes();
    [frame(HEADERS, 5, id, &head()), frame(WINDOW_UPDATE, 0, id, &window)].concat()
}

async fn greeted(front: &Front) -> TcpStream {
    let mut stream = front.connect().await;
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// Sends what `next` makes until the edge ends the connection, for at most so many, and waits for its end;
/// whether it came. What comes back is read beside it, so that nothing waits for us.
async fn flood(stream: TcpStream, most: usize, mut next: impl FnMut(u32) -> Vec<u8>) -> bool {
    let (mut read, mut write) = stream.into_split();
    let reading = tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(1..) = read.read(&mut buffer).await {}
    });
    for n in 0..most {
        if write.write_all(&next(u32::try_from(n).unwrap())).await.is_err() {
            return true;
        }
        if reading.is_finished() {
            return true;
        }
    }
    // It may be ended with the last bytes on their way; one that goes on does not end here.
    reading.await.is_ok()
}

fn says_goaway(mut bytes: &[u8]) -> bool {
    while let [a, b, c, kind, rest @ ..] = bytes {
        if *kind == GOAWAY {
            return true;
        }
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        bytes = rest.get(5 + length..).unwrap_or_default();
    }
    false
}

async fn front() -> Front {
    Front::new(World::new(Some(mirror().await))).await
}

#[tokio::test]
async fn the_frames_of_these_tests_are_understood() {
    let front = front().await;
    let mut stream = greeted(&front).await;
    stream.write_all(&frame(HEADERS, 5, 1, &head())).await.unwrap();
    let mut seen = Vec::new();
    let found = |seen: &[u8]| seen.windows(13).any(|part| part == b"x-smartbox-us");
    while !found(&seen) {
        assert!(
            soon(stream.read_buf(&mut seen)).await.unwrap() > 0,
            "{}",
            String::from_utf8_lossy(&seen)
        );
    }
}

#[tokio::test]
async fn rapid_resets_end_their_connection() {
    // CVE-2023-44487: a stream is opened and taken back at once, again and again.
    let front = front().await;
    let stream = greeted(&front).await;
    let ended = flood(stream, 20_000, |n| {
        let id = 2 * n + 1;
        let mut both = frame(HEADERS, 5, id, &head());
        both.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        both
    });
    assert!(soon(ended).await, "the flood went on");
    let reached = World::count(&front.world.dials);
    assert!(reached < 2_000, "{reached} requests of a flood reached the engine");
    assert_eq!(front.ask("GET /x", "").await.status, 200);
}

#[tokio::test]
async fn how_many_streams_are_taken_back_and_mistaken_is_a_setting() {
    let reset = |n: u32| {
        let id = 2 * n + 1;
        [frame(HEADERS, 5, id, &head()), frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())].concat()
    };
    let mistake = |n: u32| mistaken(2 * n + 1);
    for (resets, mistakes, ends) in [(3, 1000, true), (1000, 3, true), (1000, 1000, false)] {
        let front = Front::with(World::new(Some(mirror().await)), |settings| {
            (settings.limits.resets, settings.limits.mistakes) = (resets, mistakes);
        })
        .await;
        let mut stream = greeted(&front).await;
        let flood: Vec<u8> = (0..20).flat_map(reset).chain((20..40).flat_map(mistake)).collect();
        stream.write_all(&flood).await.unwrap();
        // Whoever is not sent away is answered.
        stream.write_all(&frame(PING, 0, 0, b"are-they")).await.unwrap();
        let mut seen = Vec::new();
        let answered = |seen: &[u8]| seen.windows(8).any(|part| part == b"are-they");
        while !answered(&seen) && soon(stream.read_buf(&mut seen)).await.unwrap_or(0) > 0 {}
        let ended = says_goaway(&seen) || !answered(&seen);
        assert_eq!(ended, ends, "{resets} {mistakes}");
    }
}

#[tokio::test]
async fn resets_that_are_our_own_doing_end_their_connection_too() {
    // MadeYouReset (CVE-2025-8671): the client makes mistakes for which the server resets streams.
    let front = front().await;
    let stream = greeted(&front).await;
    let ended = flood(stream, 20_000, |n| mistaken(2 * n + 1));
    assert!(soon(ended).await, "the flood went on");
    assert_eq!(front.ask("GET /x", "").await.status, 200);
}

#[tokio::test]
async fn a_head_that_never_ends_ends_its_connection() {
    // CONTINUATION flood (CVE-2024-27316 and its like).
    for piece in [vec![], vec![0; 8], vec![0x40; 16_000]] {
        let front = front().await;
        let mut stream = greeted(&front).await;
        stream.write_all(&frame(HEADERS, 1, 1, &head())).await.unwrap();
        let ended = flood(stream, 100_000, |_| frame(CONTINUATION, 0, 1, &piece));
        assert!(soon(ended).await, "{} bytes a frame went on", piece.len());
        assert_eq!(World::count(&front.world.dials), 0);
        assert_eq!(front.ask("GET /x", "").await.status, 200);
    }
}

#[tokio::test]
async fn a_header_list_that_grows_when_it_is_unpacked_is_refused() {
    // An HPACK bomb: one entry of the table, named a thousand times in a thousand bytes.
    let front = front().await;
    let mut stream = greeted(&front).await;
    let mut bomb = head();
    bomb.extend_from_slice(&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    bomb.extend(std::iter::repeat_n(b'y', 4000));
    bomb.extend(std::iter::repeat_n(0xbe, 8_000));
    for (n, part) in bomb.chunks(16_000).enumerate() {
        let last = (n + 1) * 16_000 >= bomb.len();
        let kind = if n == 0 { HEADERS } else { CONTINUATION };
        let flags = u8::from(n == 0) | if last { 4 } else { 0 };
        stream.write_all(&frame(kind, flags, 1, part)).await.unwrap();
    }
    let mut seen = Vec::new();
    let over = |seen: &[u8]| says_goaway(seen) || seen.windows(3).any(|part| part == b"431");
    while !over(&seen) && soon(stream.read_buf(&mut seen)).await.unwrap_or(0) > 0 {
        if has_reset(&seen) {
            break;
        }
    }
    assert_eq!(World::count(&front.world.dials), 0, "it reached an engine");
    assert_eq!(front.ask("GET /x", "").await.status, 200);
}

fn has_reset(mut bytes: &[u8]) -> bool {
    while let [a, b, c, kind, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        // A stream that is refused is answered with 431 in HPACK, or reset.
        if *kind == RST_STREAM || *kind == HEADERS {
            return true;
        }
        bytes = rest.get(5 + length..).unwrap_or_default();
    }
    false
}

#[tokio::test]
async fn pings_and_settings_that_nobody_reads_the_answers_of_fill_no_memory() {
    for kind in [PING, SETTINGS] {
        let front = front().await;
        let stream = greeted(&front).await;
        let payload: &[u8] = if kind == PING { &[0; 8] } else { &[0, 3, 0, 0, 0, 100] };
        // Nobody reads the answers: the edge stops reading before long, and waits, or hangs up.
        let mut sent = 0_usize;
        let piece = frame(kind, 0, 0, payload).repeat(1000);
        let mut stream = stream;
        // Stuck is the good outcome: there is nothing to wait for then but that nothing more is taken.
        let still = std::time::Duration::from_secs(2);
        while let Ok(Ok(())) = tokio::time::timeout(still, stream.write_all(&piece)).await {
            sent += piece.len();
            assert!(sent < 64 << 20, "{sent} bytes were taken, and their answers kept");
        }
        assert_eq!(front.ask("GET /x", "").await.status, 200);
    }
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_and_window_games_hold_no_answer() {
    let front = Front::with(World::new(Some(mirror().await)), |settings| {
        settings.limits.head_time = std::time::Duration::from_millis(300);
        settings.limits.drain = std::time::Duration::from_millis(50);
    })
    .await;
    let mut stream = front.connect().await;
    stream.write_all(PREFACE).await.unwrap();
    // A window of nothing: no byte of an answer's body may be sent, and it would be held for ever.
    stream.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).await.unwrap();
    for n in 0..300 {
        stream.write_all(&frame(HEADERS, 5, 2 * n + 1, &head())).await.unwrap();
    }
    let mut seen = Vec::new();
    let _ = soon(stream.read_to_end(&mut seen)).await;
    assert!(World::count(&front.world.begun) <= 256, "{}", World::count(&front.world.begun));
    assert_eq!(front.edge.connections(), 0, "its connection is over");
    // Its requests end with it, each in a task of its own.
    soon(async {
        while World::count(&front.world.busy) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
