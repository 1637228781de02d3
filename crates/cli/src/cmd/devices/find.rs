//! Which device is meant.

use smartbox_api::call;
use smartbox_api::device::{DeviceId, DeviceView};
use smartbox_api::problem::Exit;
use smartbox_core::device::code;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// A device, by what people know of it.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The code that it shows, its name, or the beginning of its id
    #[arg(value_name = "DEVICE")]
    device: String,
}

impl Which {
    pub(super) async fn find(&self, client: &Client) -> Result<DeviceView, CliError> {
        if let Some(code) = code::typed(&self.device) {
            return or_interrupt(client.json(call::find_device(&code))).await;
        }
        if self.device.parse::<DeviceId>().is_ok() {
            return or_interrupt(client.json(call::device(&self.device))).await;
        }
        let all = or_interrupt(client.all(call::devices)).await?;
        let mut found = all.into_iter().filter(|device| self.means(device));
        match (found.next(), found.next()) {
            (Some(device), None) => Ok(device),
            (None, _) => Err(CliError::Here {
                what: "there is no such device".into(),
                hint: "`smartbox devices ls` shows those that there are".into(),
                exit: Exit::NotFound,
            }),
            (Some(_), Some(_)) => {
                let what = "more than one device is meant";
                Err(CliError::usage(what, "give more of its id: `smartbox devices ls`"))
            }
        }
    }

    fn means(&self, device: &DeviceView) -> bool {
        let begins = self.device.len() >= 6 && device.id.as_str().starts_with(&self.device);
        begins || device.name == self.device
    }
}
