//! Faults on demand.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use smartbox_core::sandbox::port::RuntimeError;

/// A method of the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `list`.
    List,
    /// `observe`.
    Observe,
    /// `start`.
    Start,
    /// `shift`.
    Shift,
    /// `dial`.
    Dial,
    /// `incoming`.
    Incoming,
    /// `kept`.
    Kept,
    /// Any method of `Homes`.
    Files,
    /// Any method of `Places`.
    Places,
}

/// Which calls are to fail.
#[derive(Debug, Default)]
pub struct Faults {
    failing: Mutex<HashMap<Call, u32>>,
    hanging: Mutex<HashMap<Call, u32>>,
    made: Mutex<HashMap<Call, u32>>,
}

impl Faults {
    /// The next `times` calls of this method fail.
    pub fn fail(&self, call: Call, times: u32) {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).insert(call, times);
    }

    /// The next `times` calls of this method never return; whoever waits must have a deadline.
    pub fn hang(&self, call: Call, times: u32) {
        self.hanging.lock().unwrap_or_else(PoisonError::into_inner).insert(call, times);
    }

    /// How often a method was called.
    pub fn calls(&self, call: Call) -> u32 {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&call).copied().unwrap_or(0)
    }

    pub(super) async fn before(&self, call: Call) -> Result<(), RuntimeError> {
        // A real driver gives others a turn here; races between callers would hide otherwise.
        tokio::task::yield_now().await;
        *self.made.lock().unwrap_or_else(PoisonError::into_inner).entry(call).or_default() += 1;
        if take(&self.hanging, call) {
            std::future::pending::<()>().await;
        }
        if take(&self.failing, call) {
            return Err(RuntimeError::Broken {
                doing: "what was told to fail",
                source: "a fault on demand".into(),
            });
        }
        Ok(())
    }
}

/// Uses one up, if there is one left.
fn take(left: &Mutex<HashMap<Call, u32>>, call: Call) -> bool {
    let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
    match left.get_mut(&call).filter(|left| **left > 0) {
        Some(left) => {
            *left -= 1;
            true
        }
        None => false,
    }
}
