//! What a store must do for devices.

use crate::BoxFuture;
#[cfg(doc)]
use crate::device::FORGOTTEN;
use crate::device::{Device, DeviceId, Place, Swept};
use crate::id::AccountId;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Devices within one unit of work. A device goes with its account, its box, its person and its root.
pub trait Devices: Send {
    /// Adds a device, or replaces its row. If it is let in no more, the sessions, tokens and devices that hang on
    /// it are over, in the same work; those of one that still waits reach nothing. If that is because it stayed away
    /// ([`FORGOTTEN`]), the devices hang on what it hung on itself: whoever has a new one leaves the old one in a
    /// drawer. [`StoreError::Exists`] if another one's request has its codes, [`StoreError::Missing`] if its
    /// account, box, person or root is gone.
    fn put(&mut self, device: Device) -> BoxFuture<'_, Result<(), StoreError>>;
    /// The device with this id.
    fn get(&mut self, id: DeviceId) -> BoxFuture<'_, Result<Option<Device>, StoreError>>;
    /// The one whose request has the code with this hash that people type; also one that is over.
    fn by_user_code(&mut self, hash: String) -> BoxFuture<'_, Result<Option<Device>, StoreError>>;
    /// The one whose request is polled for by the code with this hash; also one that is over.
    fn by_device_code(&mut self, hash: String)
    -> BoxFuture<'_, Result<Option<Device>, StoreError>>;
    /// The devices of an account, the newest first.
    fn list(&mut self, account: AccountId) -> BoxFuture<'_, Result<Vec<Device>, StoreError>>;
    /// The requests that wait now, in any order.
    fn waiting(&mut self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Place>, StoreError>>;
    /// Notes that a device was there. One that is gone is no error.
    fn seen(&mut self, id: DeviceId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Forgets requests that are over, the devices that never were let in, and browsers without a key
    /// that nothing hangs on any more. Those that stayed away for too long are only found: somebody has to end them
    /// who tells the audit, and the clock may be wrong.
    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<Swept, StoreError>>;
}
