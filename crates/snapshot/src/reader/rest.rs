//! Brings copies of databases to rest: what stands in a log is put into the database, or a transaction
//! that was under way is undone, as the next program that opens it would do. The database is hostile:
//! nothing that it defines is run, and this process has nothing but the copy.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Resource, Rlimit};

use super::copy;
use super::enter::View;
use super::wire::Name;

type Failed = Box<dyn std::error::Error>;

/// What a rollback journal ends with if more databases than one were being changed: whether that was
/// finished stands in a file that is not here.
const SEVERAL: &[u8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";

/// Makes `r<name>` of the copy `name` and its logs, at rest. The copy itself is not touched: it is what
/// is kept if this fails.
pub(super) fn rest(view: &View, name: &str, logs: &[String]) -> Result<(), Failed> {
    let rested = format!("r{name}");
    let mut size = copy::again(view, name, &rested)?;
    for log in logs {
        let from = format!("{name}{log}");
        if log == "-journal" && of_several(view, &from)? {
            return Err("it was changed together with others".into());
        }
        size += copy::again(view, &from, &format!("{rested}{log}"))?;
    }
    // A log cannot hold more pages than it is long. A number in it that says more makes no large file.
    let most = Some(size + (1 << 20));
    let hard = rustix::process::getrlimit(Resource::Fsize).maximum;
    rustix::process::setrlimit(Resource::Fsize, Rlimit { current: most, maximum: hard })?;
    let made = recover(&view.scratch_path.join(&rested));
    rustix::process::setrlimit(Resource::Fsize, Rlimit { current: hard, maximum: hard })?;
    made?;
    for log in logs {
        if copy::size(view, &format!("{rested}{log}"))?.is_some_and(|left| left > 0) {
            return Err("a log is left".into());
        }
    }
    Ok(())
}

fn recover(path: &Path) -> Result<(), Failed> {
    let database = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Nobody else is here: no shared memory is needed.
    database.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    database.pragma_update(None, "synchronous", "OFF")?;
    // The first look at a page undoes what was under way.
    database.pragma_query_value(None, "user_version", |_| Ok(()))?;
    let emptied = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    let busy = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], emptied)?;
    if busy != 0 {
        return Err("its log could not be emptied".into());
    }
    database.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Makes `r<name>` of a database of the home that is in use.
pub(super) fn online(view: &View, path: &Name, name: &str) -> Result<(), Failed> {
    use std::os::unix::ffi::OsStrExt;
    let Some((file, _)) = copy::open(view, path)? else { return Err("it is gone".into()) };
    drop(file);
    let at = view.home_path.join(std::ffi::OsStr::from_bytes(path));
    let rested = format!("r{name}");
    copy::remove(view, &rested);
    let from = open(&at, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Whose log it is, sees to it.
    from.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let how = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut into = open(&view.scratch_path.join(&rested), how)?;
    into.pragma_update(None, "synchronous", "OFF")?;
    {
        let backup = Backup::new(&from, &mut into)?;
        backup.run_to_completion(i32::MAX, Duration::from_millis(1), None)?;
    }
    into.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn open(path: &Path, how: OpenFlags) -> Result<Connection, Failed> {
    let how = how | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let database = Connection::open_with_flags(path, how)?;
    database.busy_timeout(Duration::from_secs(5))?;
    for (what, on) in [
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    ] {
        database.set_db_config(what, on)?;
    }
    database.pragma_update(None, "cell_size_check", "ON")?;
    database.pragma_update(None, "mmap_size", 0)?;
    Ok(database)
}

fn of_several(view: &View, journal: &str) -> Result<bool, Failed> {
    let Some(size) = copy::size(view, journal)? else { return Ok(false) };
    let Some(at) = size.checked_sub(SEVERAL.len() as u64) else { return Ok(false) };
    let mut end = [0; SEVERAL.len()];
    let got = rustix::io::pread(copy::open_copy(view, journal)?, &mut end, at)?;
    Ok(got == end.len() && end == *SEVERAL)
}
