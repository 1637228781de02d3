//! What becomes of databases once their copies are there: they are brought to rest by a reader of their
//! own, which a hostile one may kill. What is not at rest then is archived as it lies, with its logs.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use smartbox_core::snapshot::port::{Moment, SnapshotError};

use crate::error::hole;
use crate::gather::{Source, Wish};
use crate::listing::Listing;
use crate::pick::{Copies, is_kept, is_plain};
use crate::reader::wire::{Ask, Name, Order};
use crate::seen::Database;
use crate::session::{Purpose, Session};
use crate::unit::Unit;

/// For how long one may take, and each mebibyte of it, and all together.
const ONE: Duration = Duration::from_secs(20);
const MEBIBYTE: Duration = Duration::from_millis(50);
const ALL: Duration = Duration::from_secs(300);

/// What is known before.
pub(crate) struct Settled<'a> {
    pub(crate) wish: &'a Wish<'a>,
    pub(crate) known: &'a HashMap<Name, Database>,
    pub(crate) units: &'a [Unit],
    pub(crate) copies: &'a mut Copies,
}

/// Decides where each database is archived from. Says how many were brought to rest, and what to remember.
pub(crate) fn settle(
    with: Settled<'_>,
    listing: &mut Listing,
    session: &mut Session,
    sources: &mut HashMap<usize, Source>,
) -> Result<(u64, HashMap<Name, Database>), SnapshotError> {
    let Settled { wish, known, units, copies } = with;
    let live = matches!(wish.order.moment, Moment::Live);
    let mut helper = Helper { wish, live, session: None, until: Instant::now() + ALL };
    let mut count = 0;
    let mut databases = HashMap::new();
    for unit in units {
        for idle in &unit.idle {
            sources.insert(*idle, Source::Omit);
        }
        let (mtime, ctime) = unit.dates(listing);
        let mut rested = None;
        if is_kept(unit, known) {
            rested = known.get(&unit.path).and_then(|old| old.rested);
            let size = rested.unwrap_or(0);
            sources.insert(unit.main, Source::Kept { size, mtime, ctime });
        } else if (live || !unit.logs.is_empty()) && !is_plain(unit, known) {
            let name = copies.name(&unit.path);
            let bytes = size(listing, unit);
            let parts = unit.logs.iter().map(|(_, part)| (*part).to_owned()).collect();
            let ask = if live {
                Ask::Online(unit.path.clone(), name.clone())
            } else {
                Ask::Rest(name.clone(), parts)
            };
            if helper.rest(&ask, bytes) {
                let name = format!("r{name}");
                let size = session.open_copy(&name)?.stat.size;
                rested = Some(size);
                count += 1;
                sources.insert(unit.main, Source::Rested { name, size, mtime, ctime });
            } else if live {
                raw(unit, &name, listing, session, sources)?;
            }
        }
        if rested.is_some() {
            for (log, _) in &unit.logs {
                sources.insert(*log, Source::Omit);
            }
        }
        databases.insert(unit.path.clone(), Database { digest: unit.digest.clone(), rested });
    }
    Ok((count, databases))
}

fn size(listing: &Listing, unit: &Unit) -> u64 {
    let all = std::iter::once(unit.main).chain(unit.logs.iter().map(|(log, _)| *log));
    all.filter_map(|index| listing.things.get(index)).map(|thing| thing.stat.size).sum()
}

/// Copies the files of a database as they lie.
fn raw(
    unit: &Unit,
    name: &str,
    listing: &mut Listing,
    session: &mut Session,
    sources: &mut HashMap<usize, Source>,
) -> Result<(), SnapshotError> {
    let all = std::iter::once((unit.main, "")).chain(unit.logs.iter().copied());
    for (index, part) in all {
        let from = [unit.path.as_slice(), part.as_bytes()].concat();
        let order = Order { from, to: format!("{name}{part}") };
        let copied = session.copy(std::slice::from_ref(&order))?;
        let (Some(Some(copied)), Some(thing)) = (copied.first(), listing.things.get_mut(index))
        else {
            return Err(hole(&order.from, std::io::Error::other("it went away meanwhile")));
        };
        thing.stat = copied.stat;
        let size = session.open_copy(&order.to)?.stat.size;
        sources.insert(index, Source::Copy { name: order.to, size });
    }
    Ok(())
}

/// A reader for databases alone. It is started anew if one of them was the end of it.
struct Helper<'a> {
    wish: &'a Wish<'a>,
    live: bool,
    session: Option<Session>,
    until: Instant,
}

impl Helper<'_> {
    fn rest(&mut self, ask: &Ask, bytes: u64) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let mebibytes = u32::try_from(bytes >> 20).unwrap_or(u32::MAX);
        let most = ONE.saturating_add(MEBIBYTE.saturating_mul(mebibytes)).min(left);
        let mut session = match self.session.take() {
            Some(session) => session,
            None => match self.start() {
                Ok(session) => session,
                Err(_) => return false,
            },
        };
        let done = session.patience(most).and_then(|()| session.rest(ask));
        // One that failed to answer is killed here.
        if done.is_ok() {
            self.session = Some(session);
        }
        done.unwrap_or(false)
    }

    fn start(&self) -> Result<Session, SnapshotError> {
        let order = self.wish.order;
        let purpose = if self.live { Purpose::Live } else { Purpose::Copy };
        Session::start(self.wish.reader, &order.home, &order.exclude, purpose)
    }
}
