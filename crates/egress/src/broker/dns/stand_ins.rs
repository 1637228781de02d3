//! Which address stands for which name, in which box. Kept in memory: a program forgets an address
//! within a minute, and asks again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use smartbox_core::egress::HostName;
use smartbox_core::egress::address::STAND_INS;
use smartbox_core::id::SmartboxId;
use smartbox_core::time::Timestamp;

/// Names of one box at once. The one that was not spoken of for longest makes room.
const MOST: usize = 1_024;
/// How long a name has its address after it was last spoken of, in milliseconds.
const AGE: i64 = 3_600_000;
/// How many addresses there are.
const ADDRESSES: u32 = 1 << (32 - STAND_INS.1);

/// The stand-ins of every box.
#[derive(Default)]
pub(crate) struct StandIns(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    boxes: HashMap<SmartboxId, Table>,
    swept: i64,
}

/// Those of one box.
#[derive(Default)]
struct Table {
    addresses: HashMap<HostName, u32>,
    names: HashMap<u32, (HostName, i64)>,
}

impl StandIns {
    /// The address that stands for a name in this box.
    pub(super) fn stand_in(&self, id: &SmartboxId, name: &HostName, now: Timestamp) -> Ipv4Addr {
        let mut tables = self.lock();
        tables.sweep(now.0);
        let table = tables.boxes.entry(id.clone()).or_default();
        address(table.number(id, name, now.0))
    }

    /// The name that an address stands for in this box.
    pub(crate) fn name(&self, id: &SmartboxId, ip: Ipv4Addr, now: Timestamp) -> Option<HostName> {
        let number = ip.to_bits().checked_sub(STAND_INS.0.to_bits())?;
        let mut tables = self.lock();
        let (name, last) = tables.boxes.get_mut(id)?.names.get_mut(&number)?;
        if old(*last, now.0) {
            return None;
        }
        *last = now.0;
        Some(name.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    /// Forgets what is old, now and then.
    fn sweep(&mut self, now: i64) {
        if !old(self.swept, now) {
            return;
        }
        self.swept = now;
        self.boxes.retain(|_, table| {
            table.names.retain(|_, (_, last)| !old(*last, now));
            let Table { names, addresses } = table;
            addresses.retain(|_, number| names.contains_key(number));
            !names.is_empty()
        });
    }
}

impl Table {
    fn number(&mut self, id: &SmartboxId, name: &HostName, now: i64) -> u32 {
        if let Some(number) = self.addresses.get(name)
            && let Some((_, last)) = self.names.get_mut(number)
        {
            *last = now;
            return *number;
        }
        if self.names.len() >= MOST {
            self.make_room();
        }
        let number = self.free(id, name);
        self.names.insert(number, (name.clone(), now));
        self.addresses.insert(name.clone(), number);
        number
    }

    /// A number that nothing has. By the name, so that it is most often the same after the platform
    /// began anew or forgot it: an address that some program remembers should not come to mean another
    /// name. There are many more numbers than names.
    fn free(&self, id: &SmartboxId, name: &HostName) -> u32 {
        let mut hasher = DefaultHasher::new();
        (id, name).hash(&mut hasher);
        let first = u32::try_from(hasher.finish() % u64::from(ADDRESSES)).unwrap_or_default();
        let mut number = first;
        // The first and the last address of the block are nobody's, by custom.
        while number == 0 || number == ADDRESSES - 1 || self.names.contains_key(&number) {
            number = (number + 1) % ADDRESSES;
        }
        number
    }

    fn make_room(&mut self) {
        let oldest = self.names.iter().min_by_key(|(_, (_, last))| *last);
        if let Some((number, (name, _))) = oldest.map(|(number, known)| (*number, known.clone())) {
            self.names.remove(&number);
            self.addresses.remove(&name);
        }
    }
}

fn old(last: i64, now: i64) -> bool {
    now.saturating_sub(last) >= AGE
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(STAND_INS.0.to_bits() + number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use smartbox_core::egress::address::is_stand_in;

    use super::*;

    fn name(text: &str) -> HostName {
        HostName::parse(text).unwrap()
    }

    fn id(n: u32) -> SmartboxId {
        format!("box_{n:020}").parse().unwrap()
    }

    #[test]
    fn an_address_means_one_name_in_one_box() {
        let (all, now) = (StandIns::default(), Timestamp(AGE));
        let (a, b) = (name("a.example"), name("b.example"));
        let (at, other) = (all.stand_in(&id(1), &a, now), all.stand_in(&id(1), &b, now));
        assert!(is_stand_in(at) && is_stand_in(other) && at != other);
        assert_eq!(all.stand_in(&id(1), &a, now), at);
        assert_eq!(all.name(&id(1), at, now), Some(a.clone()));
        assert_eq!(all.name(&id(2), at, now), None, "another box's");
        assert_ne!(all.stand_in(&id(2), &a, now), at);
        for ip in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, Ipv4Addr::LOCALHOST] {
            assert_eq!(all.name(&id(1), ip, now), None);
        }
    }

    #[test]
    fn it_is_the_same_after_the_platform_began_anew() {
        let (a, now) = (name("a.example"), Timestamp(AGE));
        let before = StandIns::default().stand_in(&id(1), &a, now);
        let anew = StandIns::default();
        assert_eq!(anew.name(&id(1), before, now), None);
        anew.stand_in(&id(1), &name("b.example"), now);
        assert_eq!(anew.stand_in(&id(1), &a, now), before);
    }

    #[test]
    fn what_nobody_speaks_of_is_forgotten() {
        let (all, a) = (StandIns::default(), name("a.example"));
        let at = all.stand_in(&id(1), &a, Timestamp(AGE));
        assert!(all.name(&id(1), at, Timestamp(2 * AGE - 1)).is_some(), "spoken of again");
        assert!(all.name(&id(1), at, Timestamp(3 * AGE - 2)).is_some());
        assert_eq!(all.name(&id(1), at, Timestamp(4 * AGE)), None);
        all.stand_in(&id(2), &a, Timestamp(4 * AGE));
        assert_eq!(all.lock().boxes.keys().collect::<Vec<_>>(), [&id(2)]);
    }

    #[test]
    fn a_box_that_asks_for_a_million_names_has_some() {
        let (all, kept) = (StandIns::default(), name("kept.example"));
        let at = all.stand_in(&id(1), &kept, Timestamp(AGE));
        let mut seen = HashSet::new();
        for n in 1..20_000 {
            let now = Timestamp(AGE + n);
            seen.insert(all.stand_in(&id(1), &name(&format!("n{n}.example")), now));
            assert_eq!(all.name(&id(1), at, now), Some(kept.clone()), "what is used stays");
        }
        assert!(!seen.contains(&at));
        let tables = all.lock();
        let table = &tables.boxes[&id(1)];
        assert_eq!((table.names.len(), table.addresses.len()), (MOST, MOST));
    }
}
