//! The attacker who can write to the database but has no key.

use smartbox_core::id::AccountId;
use smartbox_store::Sqlite;
use sqlx::Executor;

use crate::support::{Home, account, act};
use crate::{read, write};

async fn ten_acts(store: &Sqlite) -> AccountId {
    let owner = account("me");
    let id = owner.id.clone();
    write!(store, |tx| {
        tx.accounts().add(owner.clone()).await?;
        for n in 0..10 {
            let action = format!("box.act-{n}");
            tx.audit().append(act(&owner.id, &action)).await?;
        }
        Ok(())
    })
    .unwrap();
    id
}

async fn verify(store: &Sqlite, id: &AccountId) -> Option<u64> {
    let id = id.clone();
    read!(store, |tx| tx.audit().verify(id).await).unwrap()
}

#[tokio::test]
async fn every_change_is_found() {
    let cases: [(&str, u64); 15] = [
        ("UPDATE audit SET detail = 'x' WHERE seq = 4", 4),
        ("UPDATE audit SET actor = 'x' WHERE seq = 1", 1),
        ("UPDATE audit SET action = 'x' WHERE seq = 10", 10),
        ("UPDATE audit SET at = at + 1 WHERE seq = 7", 7),
        ("UPDATE audit SET smartbox = 'not an id' WHERE seq = 2", 2),
        ("UPDATE audit SET hash = 'x' WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq > 8", 9),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit; DELETE FROM audit_heads", 1),
        (
            "UPDATE audit SET seq = -1 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4;
             UPDATE audit SET seq = 4 WHERE seq = -1",
            3,
        ),
        (
            "INSERT INTO audit SELECT account, 11, actor, action, smartbox, detail, at, hash
             FROM audit WHERE seq = 10",
            11,
        ),
        (
            "INSERT INTO audit SELECT account, -3, actor, action, smartbox, detail, at, hash
             FROM audit WHERE seq = 10",
            1,
        ),
        // Cut off, and the head set back to match: the signature is not for that.
        (
            "DELETE FROM audit WHERE seq > 8;
             UPDATE audit_heads SET seq = 8, hash = (SELECT hash FROM audit WHERE seq = 8)",
            8,
        ),
    ];
    for (sql, first_bad) in cases {
        let home = Home::new();
        let store = home.open().await;
        let id = ten_acts(&store).await;
        assert_eq!(verify(&store, &id).await, None);
        home.raw().await.execute(sql).await.unwrap();
        assert_eq!(verify(&store, &id).await, Some(first_bad), "{sql}");
    }
}

#[tokio::test]
async fn another_accounts_chain_and_head_do_not_pass_for_ones_own() {
    let home = Home::new();
    let store = home.open().await;
    let id = ten_acts(&store).await;
    let other = account("other");
    let other_id = other.id.clone();
    write!(&store, |tx| tx.accounts().add(other).await).unwrap();
    let sql = "INSERT INTO audit SELECT (SELECT id FROM accounts WHERE name = 'other'), seq, actor,
                   action, smartbox, detail, at, hash FROM audit;
               UPDATE audit_heads SET (seq, hash, signature) =
                   (SELECT seq, hash, signature FROM audit_heads h WHERE h.seq = 10)";
    home.raw().await.execute(sql).await.unwrap();
    assert_eq!(verify(&store, &other_id).await, Some(1));
    assert_eq!(verify(&store, &id).await, None);
}

#[tokio::test]
async fn a_long_chain_is_checked_page_by_page() {
    let home = Home::new();
    let store = home.open().await;
    let owner = account("me");
    let id = owner.id.clone();
    write!(&store, |tx| {
        tx.accounts().add(owner.clone()).await?;
        for _ in 0..1203 {
            tx.audit().append(act(&owner.id, "box.wake")).await?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(verify(&store, &id).await, None);
    home.raw().await.execute("UPDATE audit SET at = 0 WHERE seq = 1201").await.unwrap();
    assert_eq!(verify(&store, &id).await, Some(1201));
}
