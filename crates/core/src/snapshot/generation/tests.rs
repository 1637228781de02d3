use proptest::prelude::*;

use super::*;

fn id(n: u64) -> SnapshotId {
    format!("{n:064x}").parse().unwrap()
}

fn claim(generation: u64, fence: u64) -> Claim {
    Claim { generation: Generation(generation), fence, at: Timestamp(0) }
}

fn snapshot(n: u64, claim: Claim) -> Snapshot {
    Snapshot { id: id(n), claim, taken: Timestamp(0), files: 0, bytes: 0 }
}

/// A row whose newest generation is `newest` and whose home is that one's.
fn row(fence: u64, newest: u64) -> Lineage {
    let mut row = Lineage { fence, ..Lineage::default() };
    for n in 1..=newest {
        row.name(&claim(n, fence), id(n));
    }
    row
}

#[test]
fn the_first_generation_is_one() {
    assert_eq!(row(1, 0).claiming(&[]), Claiming::May(Generation(1)));
}

#[test]
fn the_next_one_follows_the_newest() {
    let claims = [claim(1, 3), claim(2, 3)];
    assert_eq!(row(3, 2).claiming(&claims), Claiming::May(Generation(3)));
}

#[test]
fn a_claim_whose_owner_died_is_skipped() {
    // 3 and 4 were claimed by an owner before, who died with each.
    let claims = [claim(1, 3), claim(2, 3), claim(3, 3), claim(4, 4)];
    assert_eq!(row(5, 2).claiming(&claims), Claiming::May(Generation(5)));
}

#[test]
fn claims_that_were_lost_do_not_bring_a_number_back() {
    assert_eq!(row(3, 7).claiming(&[]), Claiming::May(Generation(8)));
}

#[test]
fn a_home_that_is_not_the_newest_generation_writes_none() {
    for home in [None, Some(Generation(1)), Some(Generation(9))] {
        let row = Lineage { home, ..row(3, 2) };
        assert_eq!(row.claiming(&[]), Claiming::Restore { newest: Generation(2) });
        assert_eq!(
            row.settle(&claim(3, 3)),
            Settle::Orphan,
            "nor is one named that was on its way"
        );
    }
}

#[test]
fn a_zombie_claims_nothing_once_a_newer_owner_has() {
    assert_eq!(row(3, 2).claiming(&[claim(3, 4)]), Claiming::Fenced { by: 4 });
}

#[test]
fn a_zombies_snapshot_is_an_orphan() {
    // It claimed 3 under fence 3 and was slow; the row has another owner now.
    let mut row = Lineage { fence: 4, ..row(3, 2) };
    assert_eq!(row.settle(&claim(3, 3)), Settle::Orphan);
    assert_eq!(row.standing(&snapshot(30, claim(3, 3))), Standing::Orphan);
    assert!(!row.may_prune(3) && row.may_prune(4));
    // The new owner's is named; the zombie's stays what it is, even under the same number.
    row.name(&claim(3, 4), id(31));
    assert_eq!(row.standing(&snapshot(31, claim(3, 4))), Standing::Generation);
    assert_eq!(row.standing(&snapshot(30, claim(3, 3))), Standing::Orphan);
}

#[test]
fn one_that_is_not_named_yet_is_left_alone() {
    let row = row(3, 2);
    assert_eq!(row.standing(&snapshot(9, claim(3, 3))), Standing::Pending);
}

#[test]
fn the_last_number_has_no_next() {
    let mut row = row(1, 0);
    row.name(&claim(u64::MAX, 1), id(1));
    assert_eq!(row.claiming(&[]), Claiming::Exhausted);
}

#[test]
fn only_a_box_that_never_had_a_generation_begins_blank() {
    assert!(matches!(row(1, 0).begin(Ok(Shelf::NoneYet)), Begin::Blank));
    let away = || SnapshotError::Away("no answer".into());
    assert!(matches!(row(1, 0).begin(Err(away())), Begin::Blank), "there is nothing to ask for");

    let row = row(1, 2);
    assert!(matches!(row.begin(Err(away())), Begin::Stay(SnapshotError::Away(_))));
    assert!(matches!(row.begin(Ok(Shelf::NoneYet)), Begin::Stay(SnapshotError::Missing { .. })));
    let old = vec![snapshot(1, claim(1, 1))];
    assert!(matches!(row.begin(Ok(Shelf::Some(old))), Begin::Stay(SnapshotError::Missing { .. })));
    let both = vec![snapshot(1, claim(1, 1)), snapshot(2, claim(2, 1)), snapshot(8, claim(3, 1))];
    match row.begin(Ok(Shelf::Some(both))) {
        Begin::Restore(found) => assert_eq!(found.id, id(2), "the named one, not the youngest"),
        other => panic!("{other:?}"),
    }
}

/// A platform: its fence, the home it has, and a snapshot that it has taken and not yet named.
#[derive(Debug, Default, Clone)]
struct Owner {
    fence: u64,
    home: Option<Generation>,
    taken: Option<(Claim, u64)>,
}

proptest! {
    // Two platforms take turns in every order, each step one that can be the last before it dies.
    #[test]
    fn no_generation_is_ever_lost_or_named_twice(steps in prop::collection::vec((0usize..2, 0u8..4), 1..80)) {
        let mut row = Lineage { fence: 1, ..Lineage::default() };
        let mut owners = [Owner { fence: 1, ..Owner::default() }, Owner::default()];
        let mut claims: Vec<Claim> = Vec::new();
        // What each home holds: the generations that it contains. A home is one set of numbers.
        let mut next_id = 0;
        for (who, step) in steps {
            let newest = row.newest().map(|named| named.generation);
            let owner = &mut owners[who];
            match step {
                // Takes over: raises the fence and restores the newest.
                0 => {
                    row.fence += 1;
                    row.home = newest;
                    *owner = Owner { fence: row.fence, home: newest, taken: None };
                }
                // Claims and takes, by what it believes.
                1 => {
                    let view = Lineage { fence: owner.fence, home: owner.home, ..row.clone() };
                    if let Claiming::May(generation) = view.claiming(&claims) {
                        let claim = Claim { generation, fence: owner.fence, at: Timestamp(0) };
                        prop_assert!(claims.iter().all(|one| one.generation != generation));
                        claims.push(claim);
                        next_id += 1;
                        owner.taken = Some((claim, next_id));
                    }
                }
                // Names what it took, in the transaction.
                2 => if let Some((claim, n)) = owner.taken.take()
                    && row.settle(&claim) == Settle::Name
                {
                    prop_assert_eq!(owner.fence, row.fence, "a zombie named");
                    prop_assert_eq!(owner.home, newest, "one was buried");
                    row.name(&claim, id(n));
                    owner.home = row.home;
                },
                // Dies and comes back without having named.
                _ => owner.taken = None,
            }
            let numbers: Vec<u64> = row.named.iter().map(|named| named.generation.0).collect();
            prop_assert!(numbers.windows(2).all(|two| two[0] < two[1]), "{:?}", numbers);
        }
    }
}

#[test]
fn a_home_gives_way_only_when_the_newest_generation_has_it() {
    let named = |n| Named { generation: Generation(n), snapshot: "ab".repeat(32).parse().unwrap() };
    let mut row = Lineage { fence: 1, named: vec![named(1), named(2)], home: Some(Generation(1)) };
    assert!(!row.may_replace(true), "what is there is in no generation");
    assert!(row.may_replace(false), "nothing is there to be lost");
    row.replaced();
    assert_eq!(row.claiming(&[]), Claiming::May(Generation(3)), "it is the newest one's successor");
    assert!(row.may_replace(true));
    assert!(Lineage::default().may_replace(true), "a box without one is at its beginning");
}
