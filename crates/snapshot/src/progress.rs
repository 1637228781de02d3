//! How far the library is, for a meter.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustic_core::{Progress, ProgressBars, ProgressType, RusticProgress};
use smartbox_core::snapshot::port::Meter;

/// What the library asks for a bar; the bytes of all of them are one sum.
pub(crate) struct Bars(pub(crate) Option<(Meter, Arc<AtomicU64>)>);

impl ProgressBars for Bars {
    fn progress(&self, kind: ProgressType, _: &str) -> Progress {
        match (&self.0, kind) {
            (Some((meter, sum)), ProgressType::Bytes) => {
                Progress::new(Bytes { meter: meter.clone(), sum: sum.clone() })
            }
            _ => Progress::hidden(),
        }
    }
}

impl fmt::Debug for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bars")
    }
}

struct Bytes {
    meter: Meter,
    sum: Arc<AtomicU64>,
}

impl RusticProgress for Bytes {
    fn is_hidden(&self) -> bool {
        false
    }
    fn set_length(&self, _: u64) {}
    fn set_title(&self, _: &str) {}
    fn inc(&self, more: u64) {
        (self.meter)(self.sum.fetch_add(more, Ordering::Relaxed) + more);
    }
    fn finish(&self) {}
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes")
    }
}
