use super::*;
use crate::sandbox::LogPage;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn page(from: u64, text: &str) -> LogPage {
    LogPage { from, next: from + text.len() as u64, bytes: text.as_bytes().to_vec() }
}

fn told(pieces: &[Piece]) -> Vec<(u64, u64, &str)> {
    pieces.iter().map(|piece| (piece.from, piece.to, piece.text.as_str())).collect()
}

#[test]
fn lines_are_whole_however_the_pages_are_cut() {
    let text = "one\ntwo\r\n\nthree ☂\nfo";
    for cut in 0..text.len() {
        let (mut split, mut pieces) = (Split::new(100), Vec::new());
        let (first, second) = text.as_bytes().split_at(cut);
        for bytes in [first, second] {
            let from = split.next();
            let next = from + bytes.len() as u64;
            pieces.extend(split.push(&LogPage { from, next, bytes: bytes.to_vec() }));
        }
        assert_eq!(
            told(&pieces),
            [(100, 104, "one"), (104, 109, "two"), (109, 110, ""), (110, 120, "three ☂")]
        );
        assert_eq!((split.given(), split.next()), (120, 122));
        assert_eq!(split.rest().unwrap().text, "fo");
        assert_eq!(split.rest(), None);
    }
}

#[test]
fn a_line_without_a_time_has_that_of_the_line_before() {
    let log = "no time yet\n2026-11-27T20:50:47.773+00:00 [gateway] plugins:\n- memory\n\
               2026-11-27T22:50:50+02:00 ready\n2026-11-27T20:51:00.1Z\n2026-11-27T20:52:00Zulu\n";
    let pieces = Split::new(0).push(&page(0, log));
    let told: Vec<_> = pieces.iter().map(|p| (p.time.map(|t| t.0), p.text.as_str())).collect();
    let at = |ms: i64| Some(1_795_812_600_000 + ms);
    assert_eq!(
        told,
        [
            (None, "no time yet"),
            (at(47_773), "[gateway] plugins:"),
            (at(47_773), "- memory"),
            (at(50_000), "ready"),
            (at(60_100), ""),
            (at(60_100), "2026-11-27T20:52:00Zulu"),
        ]
    );
}

#[test]
fn whoever_goes_on_knows_the_time_of_what_stands_before() {
    let before = page(100, "2027-01-15T08:00:00Z one\n- and\n2027-01-15T09:00:00Z two\n");
    for (from, time) in [(90, None), (100, None), (125, Some(NOW)), (131, Some(NOW))] {
        let mut split = Split::behind(&before, from);
        assert_eq!((split.given(), split.next()), (from, from));
        assert_eq!(split.push(&page(from, "- more\n"))[0].time, time, "{from}");
    }
}

#[test]
fn a_gap_is_told_with_the_line_behind_it() {
    let mut split = Split::new(0);
    assert_eq!(told(&split.push(&page(0, "one\ntw"))), [(0, 4, "one")]);
    let pieces = split.push(&page(50, "x\ny\n"));
    assert_eq!(told(&pieces), [(4, 6, "tw"), (50, 52, "x"), (52, 54, "y")]);
    assert_eq!(pieces.iter().map(|p| p.missed).collect::<Vec<_>>(), [0, 44, 0]);
    assert_eq!(split.push(&page(90, "")), [], "an empty page says nothing");
}

#[test]
fn a_line_without_an_end_takes_no_memory() {
    let long = "x".repeat(100_000);
    let mut split = Split::new(0);
    let pieces = split.push(&page(0, &long));
    assert!(pieces.iter().all(|piece| piece.text.len() <= 16 << 10), "{}", pieces.len());
    let given: usize = pieces.iter().map(|piece| piece.text.len()).sum();
    assert_eq!(given + split.rest().unwrap().text.len(), long.len());
}

#[test]
fn a_time_to_begin_at_is_a_time_or_how_long_ago() {
    for (text, ms) in [
        ("10m", NOW.0 - 600_000),
        ("2d", NOW.0 - 172_800_000),
        ("2027-01-15T08:00:00Z", NOW.0),
        ("2027-01-15t08:00:00.123456z", NOW.0 + 123),
        ("2027-01-15 09:30:00+01:30", NOW.0),
        ("2027-01-15T09:30:00 01:30", NOW.0),
        ("2027-01-15T03:00:00-0500", NOW.0),
        ("1969-12-31T23:59:59Z", -1000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ] {
        assert_eq!(parse_since(text, NOW), Ok(Timestamp(ms)), "{text}");
    }
    for text in [
        "",
        "10",
        "yesterday",
        "2027-01-15",
        "2027-13-01T00:00:00Z",
        "2027-02-29T00:00:00Z",
        "2027-01-15T24:00:00Z",
        "2027-01-15T08:00:00",
        "2027-01-15T08:00:00Zx",
        "٢٠٢٧-01-15T08:00:00Z",
        "2027-01-15T08:00:00.Z",
        "é",
    ] {
        assert!(parse_since(text, NOW).is_err(), "{text}");
    }
}

#[test]
fn a_time_is_printed_as_it_is_read() {
    for ms in [0, NOW.0 + 7, -1, 951_782_400_000, 1_709_251_199_999, 4_107_542_400_000] {
        let text = Timestamp(ms).to_string();
        assert_eq!(parse_since(&text, NOW), Ok(Timestamp(ms)), "{text}");
    }
    assert_eq!(Timestamp(1_709_251_199_999).to_string(), "2024-02-29T23:59:59.999Z");
}

#[test]
fn a_place_is_two_numbers() {
    let place = Place { engine: 4711, platform: 12 };
    assert_eq!(place.to_string().parse(), Ok(place));
    for bad in ["", "1", "1.", ".1", "1.2.3", "-1.2", "+1.2", "1.99999999999999999999"] {
        assert_eq!(bad.parse::<Place>(), Err(BadPlace), "{bad}");
    }
}

#[test]
fn both_logs_are_one_by_time_and_each_line_has_the_place_behind_it() {
    let piece = |from: u64, ms: Option<i64>, missed| Piece {
        from,
        to: from + 10,
        time: ms.map(Timestamp),
        text: format!("engine {from}"),
        missed,
    };
    let entry = |ms, event: &str, detail: &str| Entry {
        smartbox: "box_00000000000000000001".parse().unwrap(),
        at: Timestamp(ms),
        event: event.into(),
        detail: detail.into(),
    };
    let pieces = vec![piece(0, None, 0), piece(10, Some(5), 0), piece(90, Some(7), 70)];
    let entries = vec![
        (3, entry(4, "start", "number 1")),
        (8, entry(6, "failed", "crash: it")),
        (9, entry(9, "breaker", "open: it")),
    ];
    let mut place = Place { engine: 0, platform: 2 };
    let lines = merge(pieces, entries, &mut place);
    let told: Vec<_> =
        lines.iter().map(|line| (line.text.as_str(), line.place.to_string())).collect();
    assert_eq!(
        told,
        [
            ("engine 0", "10.2".into()),
            ("start: number 1", "10.3".into()),
            ("engine 10", "20.3".into()),
            ("failed: crash: it", "20.8".into()),
            ("70 bytes of the engine's log were gone before they were read", "90.8".into()),
            ("engine 90", "100.8".into()),
            ("breaker: open: it", "100.9".into()),
        ]
    );
    let levels: Vec<_> = lines.iter().map(|line| line.level).collect();
    let (info, warn, error) = (Some(Level::Info), Some(Level::Warn), Some(Level::Error));
    assert_eq!(levels, [None, info, None, error, warn, None, error]);
    assert_eq!(place, lines[6].place);
}
