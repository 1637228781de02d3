//! Everybody who is connected. When the room is full, whoever has been quiet for the longest makes
//! place for the newcomer: a thousand clients that hold a connection and say nothing keep nobody out.

mod pulse;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smartbox_core::limit::Client;
use tokio_util::sync::CancellationToken;

pub(crate) use pulse::{Beat, Pulse, Reading};

/// How many are looked at to find somebody quiet.
const FEW: usize = 64;

/// Keeps seats. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Crowd {
    room: usize,
    per_client: usize,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By the seat's number.
    seats: Vec<Option<Arc<Sitting>>>,
    /// Numbers of those that are empty.
    free: Vec<usize>,
    /// Where the last look for somebody quiet ended.
    hand: usize,
    clients: HashMap<Client, usize>,
    /// Seats of relayed sockets.
    relayed: usize,
}

#[derive(Debug)]
struct Sitting {
    pulse: Arc<Pulse>,
    /// A relayed socket: it is quiet by nature, and its session is watched instead.
    stays: AtomicBool,
    sent_away: CancellationToken,
}

/// A place among those who are connected; free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    /// Who sits there.
    pub peer: SocketAddr,
    number: usize,
    /// Counted for this client; none if its address is a proxy's, which is many people.
    client: Option<Client>,
    sitting: Arc<Sitting>,
    crowd: Crowd,
}

impl Crowd {
    /// With so many seats, and so many of them for one client.
    pub fn new(room: usize, per_client: usize) -> Self {
        Self { room, per_client, inner: Arc::default() }
    }

    /// A seat for whoever has connected, or none: too many come from there, or everybody is busy.
    /// `shared`: the address is a proxy's, so that it is not one client.
    pub fn seat(&self, peer: SocketAddr, shared: bool) -> Option<Seat> {
        let client = (!shared).then(|| Client::from(peer.ip()));
        let mut inner = self.lock();
        if let Some(client) = client {
            let of_client = inner.clients.entry(client).or_default();
            if *of_client >= self.per_client {
                return None;
            }
            *of_client += 1;
        }
        if inner.taken() >= self.room && !inner.make_room() {
            inner.left(client);
            return None;
        }
        let sitting = Arc::new(Sitting {
            pulse: Arc::new(Pulse::new()),
            stays: AtomicBool::new(false),
            sent_away: CancellationToken::new(),
        });
        let number = inner.sit(sitting.clone());
        Some(Seat { peer, number, client, sitting, crowd: self.clone() })
    }

    /// How many are there.
    pub fn len(&self) -> usize {
        self.lock().taken()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn taken(&self) -> usize {
        self.seats.len() - self.free.len()
    }

    fn sit(&mut self, sitting: Arc<Sitting>) -> usize {
        let number = self.free.pop().unwrap_or(self.seats.len());
        match self.seats.get_mut(number) {
            Some(seat) => *seat = Some(sitting),
            None => self.seats.push(Some(sitting)),
        }
        number
    }

    /// Sends away whoever has been quiet for the longest among the next few; `false` if everybody is
    /// busy. Among a few of those who do nothing all are much quieter than one who merely thinks, and
    /// looking at everybody for each newcomer would be the flood's work.
    fn make_room(&mut self) -> bool {
        for _ in 0..self.seats.len().div_ceil(FEW) {
            let here = (0..FEW.min(self.seats.len())).map(|n| (self.hand + n) % self.seats.len());
            let quietest = here
                .filter_map(|number| Some((self.seats[number].as_ref()?, number)))
                .filter(|(sitting, _)| !sitting.stays.load(Ordering::Acquire))
                .filter_map(|(sitting, number)| Some((sitting.pulse.quiet_for()?, number)))
                .max();
            self.hand = (self.hand + FEW) % self.seats.len();
            if let Some((_, number)) = quietest {
                // The seat is free at once, though its connection takes a moment to end.
                let sitting = self.seats[number].take();
                self.free.push(number);
                return sitting.inspect(|sitting| sitting.sent_away.cancel()).is_some();
            }
        }
        false
    }

    /// Frees a seat, unless whoever sat there was sent away and somebody else sits there by now.
    fn stand(&mut self, number: usize, sitting: &Arc<Sitting>) {
        let seat = self.seats.get_mut(number);
        if let Some(seat) =
            seat.filter(|seat| seat.as_ref().is_some_and(|it| Arc::ptr_eq(it, sitting)))
        {
            *seat = None;
            self.free.push(number);
        }
    }

    fn left(&mut self, client: Option<Client>) {
        let Some(client) = client else { return };
        if let Some(count) = self.clients.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                self.clients.remove(&client);
            }
        }
    }
}

impl Seat {
    /// Resolves when somebody else needs the place.
    pub async fn sent_away(&self) {
        self.sitting.sent_away.cancelled().await;
    }

    /// Whether its address is a proxy's, which is many people.
    pub fn is_shared(&self) -> bool {
        self.client.is_none()
    }

    pub(crate) fn pulse(&self) -> &Arc<Pulse> {
        &self.sitting.pulse
    }

    /// From now on it is a relayed socket's, until what comes of this is dropped. Such a seat is not
    /// taken from it, so that a part is left for everybody else: `None` beyond three quarters.
    pub(crate) fn stay(self: &Arc<Self>) -> Option<Staying> {
        let mut inner = self.crowd.lock();
        if inner.relayed >= (self.crowd.room - self.crowd.room / 4).max(1) {
            return None;
        }
        inner.relayed += 1;
        self.sitting.stays.store(true, Ordering::Release);
        Some(Staying(self.clone()))
    }
}

/// A seat that is a relayed socket's.
#[derive(Debug)]
pub(crate) struct Staying(Arc<Seat>);

impl Drop for Staying {
    fn drop(&mut self) {
        self.0.sitting.stays.store(false, Ordering::Release);
        self.0.crowd.lock().relayed -= 1;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inner = self.crowd.lock();
        inner.stand(self.number, &self.sitting);
        inner.left(self.client);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn peer(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_quietest_makes_place_and_the_busy_and_the_relayed_stay() {
        let crowd = Crowd::new(3, 10);
        let relayed = Arc::new(crowd.seat(peer("192.0.2.1:1"), false).unwrap());
        let stays = relayed.stay().unwrap();
        let busy = crowd.seat(peer("192.0.2.1:2"), false).unwrap();
        let beat = busy.pulse().begin();
        let quiet = crowd.seat(peer("192.0.2.1:3"), false).unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        let next = crowd.seat(peer("192.0.2.2:1"), false).unwrap();
        quiet.sent_away().await;
        assert_eq!(crowd.len(), 3);
        drop(quiet);
        assert_eq!(crowd.len(), 3, "its seat was free before");
        let busy_too = next.pulse().begin();
        assert!(crowd.seat(peer("192.0.2.3:1"), false).is_none(), "everybody is busy");
        drop((beat, busy_too));
        assert!(crowd.seat(peer("192.0.2.3:1"), false).is_some());
        drop(stays);
    }

    #[test]
    fn sockets_leave_a_quarter_of_the_seats_to_others() {
        let crowd = Crowd::new(4, 4);
        let seats: Vec<_> = (0..4)
            .map(|n| Arc::new(crowd.seat(SocketAddr::new([10, 0, 0, n].into(), 1), false).unwrap()))
            .collect();
        let mut stays: Vec<_> = seats[..3].iter().map(|seat| seat.stay().unwrap()).collect();
        assert!(seats[3].stay().is_none());
        stays.pop();
        assert!(seats[3].stay().is_some());
    }

    #[test]
    fn one_client_has_so_many_seats_and_a_proxy_all_of_them() {
        let crowd = Crowd::new(100, 2);
        let one = crowd.seat(peer("[2001:db8::1]:1"), false);
        let two = crowd.seat(peer("[2001:db8::2]:1"), false);
        assert!(one.is_some() && two.is_some());
        assert!(crowd.seat(peer("[2001:db8::3]:1"), false).is_none());
        assert!(crowd.seat(peer("[2001:db8:0:1::3]:1"), false).is_some());
        let proxy: Vec<_> = (0..50).map(|_| crowd.seat(peer("10.0.0.1:1"), true)).collect();
        assert!(proxy.iter().all(Option::is_some));
        drop(one);
        assert!(crowd.seat(peer("[2001:db8::3]:1"), false).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_those_who_left() {
        let crowd = Crowd::new(4, 4);
        for n in 0..1000_u16 {
            drop(crowd.seat(SocketAddr::new([10, 0, 0, 1].into(), n), false));
            drop(crowd.seat(
                SocketAddr::new([10, 0, n.to_be_bytes()[0], n.to_be_bytes()[1]].into(), 1),
                false,
            ));
        }
        assert!(crowd.is_empty() && crowd.lock().clients.is_empty());
    }
}
