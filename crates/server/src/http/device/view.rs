//! A device as somebody sees it who decides.

use smartbox_api::device::{Asks, DeviceView};
use smartbox_core::device::{Device, code};
use smartbox_core::time::Timestamp;

/// The device, with what it asks for while somebody may decide.
pub(super) fn view(device: Device, now: Timestamp) -> DeviceView {
    let asks = device.ask.as_ref().filter(|ask| ask.waits(now)).map(|ask| Asks {
        right: ask.requested,
        ask: ask.mark(),
        comparison: code::comparison(device.key.as_ref(), &ask.nonce),
        at: ask.at,
        expires: ask.expires,
    });
    DeviceView {
        expires: device.expires(),
        id: device.id,
        kind: device.kind,
        name: device.name,
        platform: device.platform,
        address: device.address,
        state: device.state,
        keyed: device.key.is_some(),
        granted: device.granted,
        asks,
        created: device.created,
        decided: device.decided,
        decided_by: device.decided_by,
        seen: device.seen,
    }
}
