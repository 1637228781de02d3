//! What a box may be doing to its home, for tests of snapshots: writing without pause, or mischief. It is
//! a program of its own, so that it can be stopped and killed like one.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use rusqlite::Connection;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::process::{Gid, Uid};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [uid, home, deed, rest @ ..] = words.as_slice() else { return Err("uid home deed".into()) };
    let home = Path::new(home);
    become_box(uid.parse()?)?;
    match deed.as_str() {
        "load" => load(home),
        "undecided" => undecided(home),
        "swap" => swap(home, rest),
        "append" => append(&home.join("log")),
        other => Err(format!("no such deed: {other}").into()),
    }
}

fn become_box(uid: u32) -> Result<()> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(uid));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

fn database(path: &Path, mode: &str) -> Result<Connection> {
    let database = Connection::open(path)?;
    database.busy_timeout(std::time::Duration::from_secs(60))?;
    database.pragma_update(None, "journal_mode", mode)?;
    // What is tested is a process that stops, not a machine.
    database.pragma_update(None, "synchronous", "OFF")?;
    database.execute("CREATE TABLE IF NOT EXISTS turns (n INTEGER PRIMARY KEY, text TEXT)", [])?;
    Ok(database)
}

/// For each number in turn: a transaction in one database, then in another, then a line in a file, then a
/// file replaced; then it is acknowledged. So at any moment each is as far as the one after it, or one
/// further.
fn load(home: &Path) -> Result<()> {
    fs::create_dir_all(home.join("sessions"))?;
    let wal = database(&home.join("wal.sqlite"), "WAL")?;
    wal.pragma_update(None, "wal_autocheckpoint", 40)?;
    let old = database(&home.join("old.sqlite"), "DELETE")?;
    let mut log =
        OpenOptions::new().append(true).create(true).open(home.join("sessions/log.jsonl"))?;
    let filler = "x".repeat(1500);
    for n in 1_i64.. {
        wal.execute("INSERT INTO turns VALUES (?1, ?2)", (n, &filler))?;
        old.execute("INSERT INTO turns VALUES (?1, ?2)", (n, &filler))?;
        log.write_all(format!("{n}\n").as_bytes())?;
        fs::write(home.join("last.new"), n.to_string())?;
        fs::rename(home.join("last.new"), home.join("last"))?;
        say(&n.to_string())?;
    }
    Ok(())
}

/// Begins a transaction that is so large that half of it is in the database already, and leaves it there.
fn undecided(home: &Path) -> Result<()> {
    let base = database(&home.join("old.sqlite"), "DELETE")?;
    let filler = "decided ".repeat(200);
    for n in 0..500 {
        base.execute("INSERT INTO turns VALUES (?1, ?2)", (n, &filler))?;
    }
    base.pragma_update(None, "cache_size", 5)?;
    base.execute_batch("BEGIN IMMEDIATE")?;
    base.execute("UPDATE turns SET text = 'undecided ' || text", [])?;
    base.execute("DELETE FROM turns WHERE n < 250", [])?;
    say("undecided")?;
    // Until it is killed.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Exchanges each of its own directories and files with links to each of `targets`, as fast as it can.
fn swap(home: &Path, targets: &[String]) -> Result<()> {
    let mut pairs = Vec::new();
    for (n, target) in targets.iter().enumerate() {
        for (kind, name) in [("dir", format!("d{n}")), ("file", format!("f{n}"))] {
            let (mine, link) = (home.join(&name), home.join(format!("{name}.link")));
            if kind == "dir" {
                fs::create_dir(&mine)?;
                fs::write(mine.join("canary"), "mine")?;
                fs::write(mine.join("passwd"), "mine")?;
            } else {
                fs::write(&mine, "mine")?;
            }
            std::os::unix::fs::symlink(target, &link)?;
            pairs.push((mine, link));
        }
    }
    say("swapping")?;
    loop {
        for (one, other) in &pairs {
            renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?;
        }
    }
}

fn append(path: &Path) -> Result<()> {
    let mut log: File = OpenOptions::new().append(true).create(true).open(path)?;
    say("appending")?;
    loop {
        log.write_all(&[b'x'; 4096])?;
        if log.metadata()?.len() > 64 << 20 {
            log.set_len(0)?;
        }
    }
}
