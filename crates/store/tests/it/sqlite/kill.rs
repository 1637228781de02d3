//! `kill -9` in the middle of writes: what was acknowledged is there, and nothing is half done.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use smartbox_core::smartbox::Smartbox;
use smartbox_store::{Keys, Sqlite};

use crate::support::{Home, Os, act, clock, message, with_box};
use crate::{read, write};

const HOME: &str = "STORE_TEST_HOME";
const CHILD: &str = "sqlite::kill::child_that_writes_until_it_is_killed";

/// Killed and reaped whatever becomes of the test.
struct Writing(Child);
impl Drop for Writing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_and_nothing_is_half_done() {
    let home = Home::new();
    let store = home.open().await;
    let (owner, pa) = with_box(&store, "pa").await;
    store.close().await;
    let mut acknowledged = Vec::new();
    for round in 0..6 {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", CHILD, "--ignored", "--nocapture"])
            .env(HOME, home.db.parent().unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut child = Writing(child);
        let lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        // Not at a round number of works, so that the kill falls anywhere in a transaction.
        let enough = acknowledged.len() + 37 + 61 * round;
        for line in lines {
            acknowledged.extend(line.unwrap().strip_prefix("kept ").map(str::to_owned));
            if acknowledged.len() == enough {
                child.0.kill().unwrap();
            }
        }
        drop(child);
        assert!(acknowledged.len() >= enough, "the child ended by itself");
    }
    let store = home.open().await;
    let (box_id, owner_id) = (pa.id.clone(), owner.id.clone());
    let (row, messages, acts, bad) = read!(&store, |tx| {
        let row = tx.boxes().get(box_id.clone()).await?.unwrap();
        let messages = tx.messages().recent(box_id, u32::MAX).await?;
        let acts = tx.audit().list(owner_id.clone(), 0, u32::MAX).await?;
        Ok((row, messages, acts, tx.audit().verify(owner_id).await?))
    })
    .unwrap();
    let kept: std::collections::HashSet<_> = messages.iter().map(|m| m.id.as_str()).collect();
    for id in &acknowledged {
        assert!(kept.contains(id.as_str()), "{id} was acknowledged and is lost");
    }
    // Each work is three changes; there are as many of each, in the same order.
    assert_eq!(row.epoch, messages.len() as u64);
    let told: Vec<_> = acts.iter().map(|e| e.act.detail.as_str()).collect();
    assert_eq!(told, messages.iter().map(|m| m.id.as_str()).collect::<Vec<_>>());
    assert_eq!(bad, None);
}

#[tokio::test]
#[ignore = "runs as the child of the test above"]
async fn child_that_writes_until_it_is_killed() {
    let dir = PathBuf::from(std::env::var_os(HOME).expect("the directory to write in"));
    let (key, db) = (dir.join("master.key"), dir.join("smartbox.db"));
    let keys = Keys::load_or_create(&key, &db, &Os).unwrap();
    let store = Arc::new(Sqlite::open(&db, keys, clock(), Arc::new(Os)).await.unwrap());
    let mut rows = read!(store, |tx| tx.boxes().list(None).await).unwrap();
    let pa = rows.pop().unwrap();
    let mut writing = tokio::task::JoinSet::new();
    loop {
        while writing.len() < 8 {
            writing.spawn(one_work(store.clone(), pa.clone()));
        }
        let id = writing.join_next().await.unwrap().unwrap();
        println!("kept {id}");
    }
}

async fn one_work(store: Arc<Sqlite>, pa: Smartbox) -> String {
    let row = message(&pa.id, "hello");
    let id = row.id.to_string();
    let mut done = act(&pa.account, "message.add");
    done.detail.clone_from(&id);
    write!(store, |tx| {
        let mut newest = tx.boxes().get(pa.id).await?.unwrap();
        newest.epoch += 1;
        tx.boxes().put(newest).await?;
        tx.messages().add(row).await?;
        tx.audit().append(done).await
    })
    .unwrap();
    id
}
