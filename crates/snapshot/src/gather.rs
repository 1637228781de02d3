//! Gathers a home as of one moment: what may change is copied first, then the box is held still, looked
//! at again, and only what changed in between is copied once more. The rest is read afterwards, from
//! where it lies, and must be as it was in that moment.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use smartbox_core::snapshot::port::{Moment, SnapshotError, TakeOrder};
use tokio::runtime::Handle;

use crate::error::hole;
use crate::hold::held;
use crate::listing::{Listing, Walked};
use crate::pick::{Copies, Hot, Pick};
use crate::reader::tick;
use crate::reader::wire::{Name, Order, Time};
use crate::rested::{self, Settled};
use crate::seen::{Database, Seen};
use crate::session::{Purpose, Reader, Session};
use crate::unit::{self, Unit};

/// How to gather.
pub(crate) struct Wish<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) order: &'a TakeOrder,
    /// What the home looked like at a snapshot that is there.
    pub(crate) seen: Option<&'a Seen>,
    /// The inodes of what changed while it was read.
    pub(crate) marked: &'a HashSet<u64>,
    /// Whether there will be no further try.
    pub(crate) last: bool,
    pub(crate) runtime: &'a Handle,
}

/// Where the contents of a file are, if not in the home as it looked.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Not in the snapshot: it is part of a database that is.
    Omit,
    /// In a copy of this size.
    Copy { name: String, size: u64 },
    /// In a copy that is dated otherwise.
    Rested { name: String, size: u64, mtime: Time, ctime: Time },
    /// In the parent snapshot, dated like this.
    Kept { size: u64, mtime: Time, ctime: Time },
}

/// What there is, and where its contents are.
pub(crate) struct Contained {
    pub(crate) listing: Listing,
    /// By their place in the listing.
    pub(crate) sources: HashMap<usize, Source>,
    pub(crate) session: Session,
}

/// A home as of one moment.
pub(crate) struct Gathered {
    pub(crate) contained: Contained,
    pub(crate) left_out: u64,
    pub(crate) held: Duration,
    /// Databases that were brought to rest.
    pub(crate) rested: u64,
    /// What tells this state from any other; nothing if something could change without looking so.
    pub(crate) tree: Option<String>,
    /// What changes after the moment is dated this or later.
    pub(crate) clock: Time,
    pub(crate) databases: HashMap<Name, Database>,
}

/// The moment itself.
struct Caught {
    listing: Listing,
    left_out: u64,
    units: Vec<Unit>,
    picks: Vec<Pick>,
    /// What went away before it could be copied, in a home that runs.
    gone: Vec<usize>,
    clock: Time,
    /// Whether the listing is of one state that the home had.
    true_to: bool,
}

pub(crate) fn gather(wish: &Wish<'_>) -> Result<Gathered, SnapshotError> {
    let Wish { reader, order, seen, .. } = wish;
    let known = seen.map(Seen::databases).unwrap_or_default();
    let mut session = Session::start(reader, &order.home, &order.exclude, Purpose::Copy)?;
    let mut copies = Copies::default();
    let live = matches!(order.moment, Moment::Live);
    let (mut caught, held) = match &order.moment {
        Moment::AtRest | Moment::Live => {
            (catch(wish, &mut session, &mut copies, &known)?, Duration::ZERO)
        }
        Moment::Held(still) => {
            ahead(wish, &mut session, &mut copies, &known)?;
            held(&**still, wish.runtime, || catch(wish, &mut session, &mut copies, &known))?
        }
    };
    let mut sources: HashMap<usize, Source> =
        caught.gone.iter().map(|index| (*index, Source::Omit)).collect();
    for pick in &caught.picks {
        let size = caught.listing.things.get(pick.index).map_or(0, |thing| thing.stat.size);
        // What was copied while it grew has the size that it had by then.
        let size = if live { session.open_copy(&pick.copy)?.stat.size } else { size };
        sources.insert(pick.index, Source::Copy { name: pick.copy.clone(), size });
    }
    let settled = Settled { wish, known: &known, units: &caught.units, copies: &mut copies };
    let (rested, databases) =
        rested::settle(settled, &mut caught.listing, &mut session, &mut sources)?;
    let mut idle: Vec<usize> =
        caught.units.iter().flat_map(|unit| unit.idle.iter().copied()).collect();
    idle.sort_unstable();
    idle.dedup();
    let tree = caught.true_to.then(|| caught.listing.digest(&idle));
    let Caught { listing, left_out, clock, .. } = caught;
    let contained = Contained { listing, sources, session };
    Ok(Gathered { contained, left_out, held, rested, tree, clock, databases })
}

/// Looks at the home and copies what is hot, unless it has been as it is.
fn catch(
    wish: &Wish<'_>,
    session: &mut Session,
    copies: &mut Copies,
    known: &HashMap<Name, Database>,
) -> Result<Caught, SnapshotError> {
    let live = matches!(wish.order.moment, Moment::Live);
    let clock = tick::now();
    let Walked { mut listing, end } = session.walk(since(wish))?;
    if let Some((path, errno)) = end.hole {
        return Err(hole(&path, std::io::Error::from_raw_os_error(errno)));
    }
    let units = unit::find(&listing, since(wish), known);
    let hot = hot(wish);
    let picks = copies.choose(&listing, &units, known, hot, live);
    // From here on, what changes is dated otherwise than what was seen.
    let mut true_to = tick::pass(listing.latest(clock));
    let wanted: Vec<&Pick> = picks.iter().filter(|pick| !copies.has(&listing, pick)).collect();
    let mut gone = Vec::new();
    for (pick, copied) in wanted.iter().zip(session.copy(&orders(&wanted))?) {
        let Some(thing) = listing.things.get_mut(pick.index) else { continue };
        match copied {
            Some(copied) if copied.stat == thing.stat => {}
            Some(copied) if live => {
                thing.stat = copied.stat;
                true_to = false;
            }
            None if live => {
                gone.push(pick.index);
                true_to = false;
            }
            _ => return Err(hole(&pick.path, std::io::Error::other("it changed meanwhile"))),
        }
    }
    let picks = picks.into_iter().filter(|pick| !gone.contains(&pick.index)).collect();
    Ok(Caught { listing, left_out: end.left_out, units, picks, gone, clock, true_to })
}

/// Copies what is hot while the box runs, so that little is left to copy while it does not.
fn ahead(
    wish: &Wish<'_>,
    session: &mut Session,
    copies: &mut Copies,
    known: &HashMap<Name, Database>,
) -> Result<(), SnapshotError> {
    // What cannot be looked at now can perhaps in a moment.
    let Walked { listing, .. } = session.walk(since(wish))?;
    let units = unit::find(&listing, since(wish), known);
    let picks = copies.choose(&listing, &units, known, hot(wish), false);
    let wanted: Vec<&Pick> = picks.iter().collect();
    for (pick, copied) in wanted.iter().zip(session.copy(&orders(&wanted))?) {
        if let Some(copied) = copied {
            copies.early(pick.path.clone(), copied);
        }
    }
    Ok(())
}

fn orders(picks: &[&Pick]) -> Vec<Order> {
    picks.iter().map(|pick| Order { from: pick.path.clone(), to: pick.copy.clone() }).collect()
}

fn hot<'a>(wish: &Wish<'a>) -> Hot<'a> {
    match wish.order.moment {
        Moment::AtRest => Hot::none(wish.marked, wish.last),
        _ => Hot::lately(tick::now(), since(wish), wish.marked, wish.last),
    }
}

/// What is dated before this is in a snapshot that is there.
fn since(wish: &Wish<'_>) -> Time {
    wish.seen.map_or(Time(i64::MIN, 0), |seen| seen.clock)
}
