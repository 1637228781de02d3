//! The engine's log, turned over beneath its readers.

use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::{Kept, Runtime};
use smartbox_core::sandbox::{LogPage, Shift};
use smartbox_runtime::{Native, Profile};

use crate::bench::{Bench, engine, link, new_id};
use crate::conformance::until;

const CAP: u64 = 256 << 10;
/// Lines that each of two engines writes: together three times what the log keeps.
const LINES: usize = 3500;
const PADDING: &str = "a line of the log that is followed, long enough for the log to be full again and again and again";

#[tokio::test]
async fn an_engine_that_never_stops_talking_has_a_bounded_log() {
    let bench = Bench::with(Profile::Auto, |config| config.log_cap = CAP).await;
    let id = new_id();
    bench.native.start(bench.spec(&id, 1)).await.unwrap();
    let order = engine(&["/usr/bin/yes", "a line of the log"]);
    let link = link(&bench.native, &id, 1).await;
    link.engine_start(&order).await.unwrap();
    let log = bench.config.data_dir.join("boxes").join(id.as_str()).join("log");
    let length = |name| std::fs::metadata(log.join(name)).map_or(0, |meta| meta.len());
    until(|| async { (length("engine.log.1") > CAP / 4).then_some(()) }).await;
    link.engine_stop(Duration::from_secs(1)).await.unwrap();
    // The limit, and lines that are not the engine's.
    let both = length("engine.log") + length("engine.log.1");
    assert!(both <= CAP + 1024, "{both}");
    let tail = bench.native.kept(id, Kept::LogTail { bytes: 1 << 20 }).await.unwrap();
    assert!(String::from_utf8_lossy(&tail.bytes).contains("a line of the log\n"));
    bench.clean().await;
}

/// Everything that whoever follows a log has read.
struct Reader<'a> {
    native: &'a Native,
    id: &'a SmartboxId,
    text: String,
    at: u64,
}

impl Reader<'_> {
    /// Reads on until it has read this.
    async fn reads(&mut self, what: &str) {
        while !self.text.contains(what) {
            let at = self.at;
            let page: LogPage = until(|| async {
                let page = self.native.kept(self.id.clone(), Kept::Log { from: at }).await;
                Some(page.expect("a page")).filter(|page| !page.bytes.is_empty())
            })
            .await;
            assert_eq!(page.from, at, "nothing was passed over");
            self.text += std::str::from_utf8(&page.bytes).expect("text");
            self.at = page.next;
        }
    }
}

/// An engine that numbers its lines, no faster than a log is kept: a tenth of it in a tenth of a second.
fn numbered(from: usize) -> Vec<String> {
    let to = from + LINES;
    let script = format!(
        "i={from}; while [ $i -lt {to} ]; do echo \"<$i> {PADDING}\"; i=$((i+1)); \
         [ $((i % 100)) -ne 0 ] || sleep 0.1; done; echo done {from}; exec sleep 1000"
    );
    ["/bin/sh", "-c", &script].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn whoever_follows_loses_and_doubles_nothing_over_rotation_sleep_and_restart() {
    let bench = Bench::with(Profile::Auto, |config| config.log_cap = CAP).await;
    let (id, native) = (new_id(), bench.native.clone());
    let mut reader = Reader { native: &native, id: &id, text: String::new(), at: 0 };
    for (fence, first) in [(1, 0), (2, LINES)] {
        native.start(bench.spec(&id, fence)).await.unwrap();
        let argv = numbered(first);
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        link(&native, &id, fence).await.engine_start(&engine(&argv)).await.unwrap();
        reader.reads(&format!("<{}> ", first + LINES / 3)).await;
        native.shift(id.clone(), Shift::Freeze { page_out: false }).await.unwrap();
        native.shift(id.clone(), Shift::Thaw).await.unwrap();
        reader.reads(&format!("done {first}\n")).await;
        bench.down(&id).await;
    }
    assert!(reader.at > 2 * CAP, "{} bytes went through the log", reader.at);
    let numbers = reader.text.lines().filter_map(|line| line.strip_prefix('<'));
    let numbers: Vec<usize> =
        numbers.map(|rest| rest.split_once('>').unwrap().0.parse().unwrap()).collect();
    assert_eq!(numbers, (0..2 * LINES).collect::<Vec<_>>());
    let oldest = native.kept(id.clone(), Kept::Log { from: 0 }).await.unwrap();
    assert!(oldest.from > 0 && oldest.bytes.starts_with(b"<"), "it begins with a whole line");
    bench.clean().await;
}
