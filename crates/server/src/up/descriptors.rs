//! The descriptors of this process, shared out: whoever opens connections fills a share, and the records,
//! the links and the local socket still have theirs. What is absent: a setting. What is written in
//! `[limits]` and `[egress]` holds as far as there is room.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use smartbox_control::{Door, Doors};

use crate::config::Config;

/// Descriptors that are asked for at the most: as many as Linux gives a process unless told otherwise.
const MOST: u64 = 1 << 20;
/// Connections of one box to the AI gateway: twice the calls that it may have in flight.
const MODELS: usize = 64;
/// Connections of one box to the broker beside those that it may have: to be told so.
const TOLD: usize = 64;

/// How many connections of each sort there is room for, all boxes and clients together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Of clients; two descriptors each.
    pub(crate) edge: usize,
    /// Through the broker; two each, and one for each that is still asked about.
    pub(crate) egress: usize,
    /// To the AI gateway; two each.
    pub(crate) models: usize,
    /// To the name service; one each.
    pub(crate) names: usize,
}

impl Room {
    /// Takes as many descriptors as this process may have, and lowers what the operator allows to them.
    pub(crate) fn make(config: Config) -> (Self, Config) {
        let limit = raised();
        let room = Self::within(limit);
        tracing::info!(
            "of {limit} descriptors there are two for each of {} connections of clients, {} of \
             smartboxes outward and {} to models",
            room.edge,
            room.egress,
            room.models
        );
        let config = room.bound(config);
        (room, config)
    }

    /// Nine tenths of so many: the rest is for records, links and listeners, about ten for each box.
    fn within(limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let part = |of: usize| (limit / of).max(1);
        Self {
            edge: part(4),
            egress: part(12).min(20_000),
            models: part(16).min(20_000),
            names: part(64).min(4_096),
        }
    }

    /// Lowers what the operator allows to what there is room for. Of what there is for all boxes one has
    /// a quarter at the most.
    fn bound(&self, mut config: Config) -> Config {
        let limits = &mut config.limits;
        for (what, most, of) in [
            ("limits.connections", self.edge, &mut limits.connections),
            ("limits.per_client", self.edge, &mut limits.per_client),
            ("egress.connections", quarter(self.egress), &mut config.egress.connections),
        ] {
            if *of > most {
                tracing::info!(
                    "`{what}` is {of}; with the descriptors that this process may have (`ulimit -n`) it \
                     can be {most}"
                );
                *of = most;
            }
        }
        config
    }

    /// What the doors for boxes hold, if one may have so many connections outward.
    pub(crate) fn doors(&self, egress: usize) -> Doors {
        Doors {
            models: Door { each: MODELS.min(quarter(self.models)), all: self.models },
            proxy: Door { each: egress + TOLD, all: self.egress + quarter(self.egress) },
        }
    }
}

fn quarter(of: usize) -> usize {
    (of / 4).max(1)
}

/// Raises the limit as far as is allowed. Programs that are started have limits of their own.
fn raised() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let now = current.unwrap_or(MOST);
    let most = maximum.unwrap_or(MOST).min(MOST);
    let more = || setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum });
    if most > now && more().is_ok() { most } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_all_doors_are_full_the_platform_has_descriptors_left() {
        for limit in [1_024_u64, 4_096, 20_000, 65_536, 524_288, MOST] {
            let room = Room::within(limit);
            let doors = room.doors(512.min(quarter(room.egress)));
            // Clients and those who stand for them inside; asked about; let through, with their servers.
            let taken = 2 * room.edge
                + doors.proxy.all
                + 2 * room.egress
                + 2 * doors.models.all
                + room.names;
            let left = usize::try_from(limit).unwrap() - taken;
            assert!(left >= usize::try_from(limit).unwrap() / 16, "{left} of {limit}");
        }
    }

    #[test]
    fn one_box_takes_a_quarter_at_the_most() {
        for limit in [1_024, 4_096, 20_000, MOST] {
            let room = Room::within(limit);
            let env = crate::config::Env::default();
            let text = "[egress]\nconnections = 100000\n[limits]\nconnections = 100000\n";
            let config = Config::from_text("/d".as_ref(), text, &env, &Default::default()).unwrap();
            let config = room.bound(config);
            assert!(config.egress.connections * 4 <= room.egress.max(4));
            assert!(config.limits.connections <= room.edge);
            let doors = room.doors(config.egress.connections);
            assert!(doors.models.each * 4 <= doors.models.all, "{doors:?}");
        }
        let room = Room::within(65_536);
        assert_eq!(room.doors(512).models.each, MODELS, "on a usual machine");
    }

    #[test]
    fn the_limit_of_this_process_is_what_it_may_be() {
        let limit = raised();
        let now = getrlimit(Resource::Nofile);
        assert_eq!(now.current.unwrap_or(MOST), limit);
        assert!(now.maximum.is_none_or(|most| most.min(MOST) <= limit));
    }
}
