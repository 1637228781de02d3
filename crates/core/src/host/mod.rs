//! The machine that carries the sandboxes: how much memory it has, and whether one more fits.

pub mod port;

/// The machine's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostMemory {
    /// All of it, in bytes.
    pub total: u64,
    /// What could be given out now without swapping.
    pub available: u64,
}

/// What the sandboxes that are there count for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claims {
    /// How many are awake. Each counts for the most that its tier lets it take.
    pub awake: u32,
    /// How many are frozen. Each counts for what it holds.
    pub frozen: u32,
    /// Bytes, together.
    pub bytes: u64,
}

/// Why no further sandbox fits. The words are for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "This machine's memory is spoken for: it needs {}, and {} of {} are left beside {awake} awake and {frozen} frozen smartboxes ({} of {} are free at this moment).",
    gib(*.needs), gib(*.left), gib(*.budget), gib(*.host_available), gib(*.host_total)
)]
pub struct NoRoom {
    /// Bytes that it needs.
    pub needs: u64,
    /// Bytes that may still be given out.
    pub left: u64,
    /// Bytes that may be given out in all.
    pub budget: u64,
    /// How many sandboxes are awake.
    pub awake: u32,
    /// How many are frozen.
    pub frozen: u32,
    /// The machine's memory.
    pub host_total: u64,
    /// What of it is free.
    pub host_available: u64,
}

/// Whether a sandbox that may take `needs` bytes may start. What may be given out is the machine's
/// memory times `overcommit` (in percent; zero: as much as anybody asks for), since a tier's limit
/// is more than an engine takes on most days. One that would be the only one awake always may:
/// nobody else suffers.
pub fn admit(needs: u64, claims: Claims, host: HostMemory, overcommit: u32) -> Result<(), NoRoom> {
    if needs == 0 || overcommit == 0 || claims.awake == 0 {
        return Ok(());
    }
    let budget = budget(host, overcommit);
    let left = budget.saturating_sub(claims.bytes);
    if needs <= left {
        return Ok(());
    }
    Err(NoRoom {
        needs,
        left,
        budget,
        awake: claims.awake,
        frozen: claims.frozen,
        host_total: host.total,
        host_available: host.available,
    })
}

/// Bytes that may be given out in all, at `overcommit` percent.
pub fn budget(host: HostMemory, overcommit: u32) -> u64 {
    let budget = u128::from(host.total) * u128::from(overcommit) / 100;
    u64::try_from(budget).unwrap_or(u64::MAX)
}

/// To a tenth, for people.
fn gib(bytes: u64) -> String {
    let tenths = u128::from(bytes) * 10 / (1 << 30);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIB: u64 = 1 << 30;

    fn host(total: u64) -> HostMemory {
        HostMemory { total, available: total / 2 }
    }

    #[test]
    fn the_refusal_has_the_numbers() {
        let claims = Claims { awake: 3, frozen: 2, bytes: 7 * GIB };
        let full = admit(2 * GIB, claims, host(4 * GIB), 200).unwrap_err();
        assert_eq!(
            full.to_string(),
            "This machine's memory is spoken for: it needs 2.0 GiB, and 1.0 GiB of 8.0 GiB are \
             left beside 3 awake and 2 frozen smartboxes (2.0 GiB of 4.0 GiB are free at this \
             moment)."
        );
        assert_eq!(admit(GIB, claims, host(4 * GIB), 200), Ok(()));
    }

    #[test]
    fn a_sandbox_without_a_limit_and_the_only_one_awake_always_fit() {
        let one = Claims { awake: 1, frozen: 0, bytes: u64::MAX };
        assert_eq!(admit(0, one, host(GIB), 100), Ok(()));
        assert_eq!(admit(64 * GIB, one, host(GIB), 0), Ok(()));
        let frozen = Claims { awake: 0, frozen: 9, bytes: 9 * GIB };
        assert_eq!(admit(2 * GIB, frozen, host(GIB), 100), Ok(()));
        assert!(admit(1, one, host(GIB), 100).is_err());
    }

    proptest! {
        #[test]
        fn what_is_admitted_beside_others_stays_within_the_budget(
            needs in 1..64 * GIB, bytes in 0..256 * GIB, total in GIB..256 * GIB, over in 1..1000_u32,
        ) {
            let claims = Claims { awake: 1, frozen: 0, bytes };
            let fits = u128::from(bytes) + u128::from(needs) <= u128::from(total) * u128::from(over) / 100;
            prop_assert_eq!(admit(needs, claims, host(total), over).is_ok(), fits);
        }
    }
}
