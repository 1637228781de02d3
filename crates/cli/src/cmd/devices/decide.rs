//! `smartbox devices approve` and `approve-all`.

use smartbox_api::call;
use smartbox_api::device::{Approve, DeviceView};
use smartbox_core::person::Right;

use super::shown;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

pub(super) async fn approve(
    client: &Client,
    device: &DeviceView,
    right: Option<Right>,
    yes: bool,
) -> Result<DeviceView, CliError> {
    if !yes {
        out::note(shown(device));
        if !ask::sure("Does it show the same digits, and is it yours?", "--yes")? {
            return Err(CliError::here("it was not let in", String::new()));
        }
    }
    // What was shown and nothing else, if it has asked anew while somebody was looking.
    let ask = device.asks.as_ref().map(|asks| asks.ask.clone()).unwrap_or_default();
    let how = Approve { ask, right };
    or_interrupt(client.json(call::approve_device(device.id.as_str(), &how))).await
}

pub(super) async fn approve_all(client: &Client, yes: bool, json: bool) -> Result<(), CliError> {
    if !yes && !ask::sure("Let in every device that asks?", "--yes")? {
        return Err(CliError::here("none was let in", String::new()));
    }
    let done = or_interrupt(client.json(call::approve_all_devices())).await?;
    if json {
        return out::json(&done.items);
    }
    for device in &done.items {
        out::say(format!("{}: let in", out::line(&device.name)))?;
    }
    if done.items.is_empty() { out::say("none asks") } else { Ok(()) }
}
