//! `smartbox devices ls`.

use smartbox_api::call;
use smartbox_api::device::DeviceView;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

pub(super) async fn run(client: &Client, json: bool) -> Result<(), CliError> {
    let mut devices = or_interrupt(client.all(call::devices)).await?;
    devices.sort_by_key(|device| device.asks.is_none());
    if json {
        return out::json(&devices);
    }
    let now = SystemClock.now();
    let row = |device: &DeviceView| {
        let asks = device.asks.as_ref();
        let may = device.granted.map_or("-", |right| right.as_str());
        [
            device.id.short().to_owned(),
            device.name.clone(),
            device.state.to_string(),
            may.to_owned(),
            asks.map_or("-", |asks| asks.right.as_str()).to_owned(),
            asks.map_or("-".to_owned(), |asks| asks.comparison.clone()),
            device.address.clone(),
            device.seen.map_or("-".to_owned(), |at| age::when(now, at)),
            device.expires.map_or("-".to_owned(), |at| age::when(now, at)),
        ]
    };
    let head = ["ID", "NAME", "STATE", "MAY", "ASKS", "DIGITS", "ADDRESS", "SEEN", "ENDS"];
    out::say(table::table(head, devices.iter().map(row).collect()))
}
