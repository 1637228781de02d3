//! Calls about devices. What a device itself asks before it is let in is a form, and no call.

use super::{Call, Json};
use crate::device::{Approve, Approved, DeviceView, FindDevice, Invite, Invited, RenameDevice};
use crate::page::{Page, PageQuery};
use crate::paths;

/// The devices of the account, the newest first.
pub fn devices(page: &PageQuery) -> Call<Json<Page<DeviceView>>> {
    Call::new("GET", super::paged(paths::DEVICES.to_owned(), page))
}

/// One device.
pub fn device(id: &str) -> Call<Json<DeviceView>> {
    Call::new("GET", paths::device(id))
}

/// The device that shows this code.
pub fn find_device(code: &str) -> Call<Json<DeviceView>> {
    Call::new("POST", paths::DEVICES_FIND).with(&FindDevice { code: code.to_owned() })
}

/// Lets a device in.
pub fn approve_device(id: &str, how: &Approve) -> Call<Json<DeviceView>> {
    Call::new("POST", format!("{}/approve", paths::device(id))).with(how)
}

/// Does not let it in.
pub fn reject_device(id: &str) -> Call<Json<DeviceView>> {
    Call::new("POST", format!("{}/reject", paths::device(id)))
}

/// Lets it in no more.
pub fn revoke_device(id: &str) -> Call<Json<DeviceView>> {
    Call::new("POST", format!("{}/revoke", paths::device(id)))
}

/// Calls it something else.
pub fn rename_device(id: &str, name: &str) -> Call<Json<DeviceView>> {
    Call::new("PATCH", paths::device(id)).with(&RenameDevice { name: name.to_owned() })
}

/// A link that signs one browser in, and lets it in.
pub fn invite(new: &Invite) -> Call<Json<Invited>> {
    Call::new("POST", paths::DEVICES_INVITE).with(new)
}

/// Lets in all that wait.
pub fn approve_all_devices() -> Call<Json<Approved>> {
    Call::new("POST", paths::DEVICES_APPROVE_ALL)
}
