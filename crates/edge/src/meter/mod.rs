//! Counts in the memory of this process: bounded, gone with it, and not shared with another control
//! plane; for that there is the port.

#[cfg(test)]
mod conformance;
mod table;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::limit::port::Meter;
use smartbox_core::limit::{Bucket, Class, Key, Rates, Strikes};
use table::Table;
use tokio::time::Instant;

/// Whom is remembered at the most, in each of two tables: about 20 MiB.
const REMEMBERED: usize = 100_000;

/// Counts in memory.
pub struct MemoryMeter {
    rates: Rates,
    start: Instant,
    buckets: Mutex<Table<(Class, Key), Bucket>>,
    strikes: Mutex<Table<Key, Strikes>>,
}

impl MemoryMeter {
    /// With these limits.
    pub fn new(rates: Rates) -> Self {
        Self::of(rates, REMEMBERED)
    }

    fn of(rates: Rates, room: usize) -> Self {
        let start = Instant::now();
        let (buckets, strikes) = (Table::new(room).into(), Table::new(room).into());
        Self { rates, start, buckets, strikes }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn count(&self, class: Class, key: Key) -> Result<(), Duration> {
        let Some(rate) = self.rates.of(class) else { return Ok(()) };
        let now = self.now();
        let mut buckets = lock(&self.buckets);
        buckets.entry((class, key), now, |bucket| bucket.full(now)).take(rate, 1, now)
    }
}

/// Who is signed in neither strains the patience with strangers, nor suffers from it.
fn is_stranger(of: &Key) -> bool {
    matches!(of, Key::Client(_))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meter for MemoryMeter {
    fn take(&self, class: Class, key: Key) -> BoxFuture<'_, Result<(), Duration>> {
        let counted = self.count(class, key);
        Box::pin(std::future::ready(counted))
    }

    fn strike(&self, of: Key) -> BoxFuture<'_, ()> {
        let (now, patience) = (self.now(), self.rates.patience);
        if is_stranger(&of) {
            // The budget of all of them together: whether it is used up is asked in `barred`.
            let _ = self.count(Class::Guess, Key::All);
        }
        let mut strikes = lock(&self.strikes);
        strikes.entry(of, now, |one| one.over(patience, now)).strike(patience, now);
        Box::pin(std::future::ready(()))
    }

    fn barred(&self, of: Key) -> BoxFuture<'_, Option<Duration>> {
        let now = self.now();
        let strained =
            self.rates.of(Class::Guess).filter(|_| is_stranger(&of)).is_some_and(|rate| {
                let buckets = lock(&self.buckets);
                let all = buckets.get(&(Class::Guess, Key::All)).copied();
                all.is_some_and(|bucket| bucket.wait(rate, 1, now).is_some())
            });
        let struck = lock(&self.strikes).get(&of).copied();
        let wait = struck.and_then(|struck| struck.wait(self.rates.patience, strained, now));
        Box::pin(std::future::ready(wait))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use smartbox_core::limit::{Patience, Rate};
    use tokio::time::advance;

    use super::*;

    fn client(n: u32) -> Key {
        Key::Client(IpAddr::from(Ipv4Addr::from_bits(n)).into())
    }

    fn somebody(name: &str) -> Key {
        Key::Principal("acc_00000000000000000000".parse().unwrap(), name.to_owned())
    }

    fn rates() -> Rates {
        let patience = Patience {
            free: 2,
            first: Duration::from_secs(10),
            most: Duration::from_secs(60),
            forget: Duration::from_secs(3600),
        };
        Rates::NONE
            .patient(patience)
            .with(Class::Knock, Rate::parse("1/s", 3).ok())
            .with(Class::Guess, Rate::parse("1/min", 20).ok())
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_what_the_port_says() {
        super::conformance::conforms(|rates| {
            let meter: std::sync::Arc<dyn Meter> = std::sync::Arc::new(MemoryMeter::new(rates));
            [meter.clone(), meter]
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "a full budget, and not two")]
    async fn two_that_do_not_share_are_found_out() {
        super::conformance::conforms(|rates| {
            [(); 2].map(|()| std::sync::Arc::new(MemoryMeter::new(rates.clone())) as _)
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn each_client_has_a_bucket_of_its_own_and_no_limit_is_none() {
        let meter = MemoryMeter::new(rates());
        for n in 0..5 {
            for _ in 0..3 {
                assert_eq!(meter.take(Class::Knock, client(n)).await, Ok(()));
            }
            assert!(meter.take(Class::Knock, client(n)).await.is_err());
        }
        for _ in 0..1000 {
            assert_eq!(meter.take(Class::Read, Key::All).await, Ok(()));
        }
        advance(Duration::from_secs(1)).await;
        assert_eq!(meter.take(Class::Knock, client(1)).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_million_addresses_fill_no_memory_and_shut_out_nobody_who_was_there() {
        let meter = MemoryMeter::of(rates(), 1000);
        let good = client(u32::MAX);
        assert_eq!(meter.take(Class::Knock, good.clone()).await, Ok(()));
        for n in 0..1_000_000 {
            let _ = meter.take(Class::Knock, client(n)).await;
            meter.strike(client(n)).await;
        }
        assert!(lock(&meter.buckets).len() <= 1001 && lock(&meter.strikes).len() <= 1001);
        assert_eq!(meter.take(Class::Knock, good).await, Ok(()), "it has its own bucket still");
        // Whom there was no room for shared one bucket; it flows back like any other.
        advance(Duration::from_secs(5)).await;
        assert_eq!(meter.take(Class::Knock, client(77_777_777)).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_botnet_is_slowed_and_bars_nobody_else() {
        let meter = MemoryMeter::new(rates());
        for n in 0..100 {
            assert_eq!(meter.barred(client(n)).await, None, "the first is free for everybody");
            meter.strike(client(n)).await;
        }
        // One wrong one is borne, but not while so many come.
        assert!(meter.barred(client(5)).await.is_some());
        assert_eq!(meter.barred(client(1000)).await, None, "who guessed nothing waits for nothing");
        advance(Duration::from_secs(60 * 21)).await;
        assert_eq!(meter.barred(client(5)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_signed_in_wears_out_nobodys_patience_but_their_own() {
        let meter = MemoryMeter::new(rates());
        for _ in 0..3 {
            meter.strike(somebody("mallory")).await;
        }
        assert_eq!(meter.barred(somebody("mallory")).await, Some(Duration::from_secs(10)));
        assert_eq!(meter.barred(somebody("ann")).await, None);
        for _ in 0..100 {
            meter.strike(somebody("mallory")).await;
        }
        meter.strike(client(1)).await;
        assert_eq!(
            meter.barred(client(1)).await,
            None,
            "no stranger's first one costs more for it"
        );
        for n in 0..100 {
            meter.strike(client(n)).await;
        }
        meter.strike(somebody("ann")).await;
        assert!(meter.barred(client(1)).await.is_some());
        assert_eq!(meter.barred(somebody("ann")).await, None, "nor is it the other way round");
    }
}
