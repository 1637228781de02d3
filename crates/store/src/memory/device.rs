//! Devices in memory.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::device::port::Devices;
use smartbox_core::device::{Device, DeviceId, FORGOTTEN, Kind, LASTS, Place, State, Swept};
use smartbox_core::id::AccountId;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;

const OWNER: &str = "account, person, smartbox or root";

impl Records<'_> {
    fn put_device(&mut self, device: Device) -> Result<(), StoreError> {
        self.change()?;
        if let Some(id) = &device.account {
            self.need_account(id, OWNER)?;
        }
        if device.person.as_ref().is_some_and(|id| !self.state.people.contains_key(id)) {
            return Err(StoreError::Missing { what: OWNER });
        }
        if let Some(id) = &device.smartbox {
            self.need_box(id, OWNER)?;
        }
        let root = &device.root;
        let token = root
            .token
            .as_ref()
            .is_none_or(|id| self.state.tokens.values().any(|token| token.id == *id));
        if !token || root.device.as_ref().is_some_and(|id| !self.state.devices.contains_key(id)) {
            return Err(StoreError::Missing { what: OWNER });
        }
        let same = |other: &Device| match (&other.ask, &device.ask) {
            (Some(a), Some(b)) => a.user_code == b.user_code || a.device_code == b.device_code,
            _ => false,
        };
        if self.state.devices.values().any(|other| other.id != device.id && same(other)) {
            return Err(StoreError::Exists { what: "device" });
        }
        let (id, stays) = (device.id.clone(), device.state != State::Revoked);
        let above = device.root.clone();
        let forgotten = device.decided_by.as_deref() == Some(FORGOTTEN);
        let state = &mut self.state;
        Arc::make_mut(&mut state.devices).insert(id.clone(), device);
        if !stays {
            let hangs = |device: &Device| device.root.device.as_ref() == Some(&id);
            let devices = Arc::make_mut(&mut state.devices);
            if forgotten {
                for device in devices.values_mut().filter(|device| hangs(device)) {
                    device.root.clone_from(&above);
                }
            }
            devices.retain(|_, device| !hangs(device));
            Arc::make_mut(&mut state.sessions).retain(|_, s| s.root.device.as_ref() != Some(&id));
            Arc::make_mut(&mut state.tokens).retain(|_, t| t.root.device.as_ref() != Some(&id));
            state.uproot();
        }
        Ok(())
    }

    fn sweep_devices(&mut self, now: Timestamp) -> Result<Swept, StoreError> {
        let state = self.change()?;
        let roots = state.sessions.values().map(|s| &s.root);
        let roots = roots.chain(state.tokens.values().map(|t| &t.root));
        let roots = roots.chain(state.devices.values().map(|d| &d.root));
        let held: BTreeSet<_> = roots.filter_map(|root| root.device.clone()).collect();
        let devices = Arc::make_mut(&mut state.devices);
        let before = devices.len();
        devices.retain(|id, device| {
            let asks = device.ask.as_ref().is_some_and(|ask| ask.expires > now);
            // One that has signed in only now asks in a moment.
            let new = device.created.plus(LASTS) > now;
            let bare = device.kind == Kind::Browser && device.key.is_none() && !held.contains(id);
            !bare && (asks || new || !matches!(device.state, State::Pending | State::Rejected))
        });
        let gone = before - devices.len();
        for device in devices.values_mut() {
            device.ask.take_if(|ask| ask.expires <= now);
        }
        let forgotten = devices.values().filter(|device| device.is_forgotten(now));
        let away = forgotten.map(|device| device.id.clone()).collect();
        state.uproot();
        Ok(Swept { gone: gone as u64, away })
    }

    fn one_device(&self, is: impl Fn(&Device) -> bool) -> Option<Device> {
        self.state.devices.values().find(|device| is(device)).cloned()
    }
}

impl Devices for Records<'_> {
    fn put(&mut self, device: Device) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_device(device)))
    }

    fn get(&mut self, id: DeviceId) -> BoxFuture<'_, Result<Option<Device>, StoreError>> {
        Box::pin(ready(Ok(self.state.devices.get(&id).cloned())))
    }

    fn by_user_code(&mut self, hash: String) -> BoxFuture<'_, Result<Option<Device>, StoreError>> {
        let is = |device: &Device| device.ask.as_ref().is_some_and(|ask| ask.user_code == hash);
        Box::pin(ready(Ok(self.one_device(is))))
    }

    fn by_device_code(
        &mut self,
        hash: String,
    ) -> BoxFuture<'_, Result<Option<Device>, StoreError>> {
        let is = |device: &Device| device.ask.as_ref().is_some_and(|ask| ask.device_code == hash);
        Box::pin(ready(Ok(self.one_device(is))))
    }

    fn list(&mut self, account: AccountId) -> BoxFuture<'_, Result<Vec<Device>, StoreError>> {
        let of = |device: &&Device| device.account.as_ref() == Some(&account);
        let mut found: Vec<_> = self.state.devices.values().filter(of).cloned().collect();
        found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        Box::pin(ready(Ok(found)))
    }

    fn waiting(&mut self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Place>, StoreError>> {
        let place = |device: &Device| {
            let ask = device.ask.as_ref().filter(|ask| ask.waits(now))?;
            Some(Place {
                id: device.id.clone(),
                account: device.account.clone(),
                name: device.name.clone(),
                address: device.address.clone(),
                at: ask.at,
            })
        };
        Box::pin(ready(Ok(self.state.devices.values().filter_map(place).collect())))
    }

    fn seen(&mut self, id: DeviceId, at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.change().map(|state| {
            if let Some(device) = Arc::make_mut(&mut state.devices).get_mut(&id) {
                device.seen = device.seen.max(Some(at));
            }
        })))
    }

    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(ready(self.sweep_devices(now)))
    }
}
