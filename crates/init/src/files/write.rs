//! Writes a file whole or not at all.

use bytes::Bytes;
use smartbox_home::{Beneath, Condition, Home, Order};
use smartbox_link::wire::MAX_ANSWER;

use super::{FileFault, elsewhere};

/// A file on its way. Dropped before it is placed, it leaves nothing behind.
pub(crate) struct Draft(smartbox_home::Draft);

impl Draft {
    /// Begins.
    pub(crate) async fn begin(home: Home, path: &str, mode: u32) -> Result<Self, FileFault> {
        let path = Beneath::named(path.as_bytes(), true)?;
        let (condition, room) = (Condition::Any, MAX_ANSWER as u64);
        let order = Order { mode: Some(mode), parents: true, condition, room };
        elsewhere(move || Ok(Self(home.write(path, order)?))).await
    }

    /// Adds bytes.
    pub(crate) async fn add(mut self, bytes: Bytes) -> Result<Self, FileFault> {
        elsewhere(move || {
            self.0.add(&bytes)?;
            Ok(self)
        })
        .await
    }

    /// Puts the file in its place.
    pub(crate) async fn place(self) -> Result<(), FileFault> {
        elsewhere(move || Ok(self.0.place().map(drop)?)).await
    }
}
