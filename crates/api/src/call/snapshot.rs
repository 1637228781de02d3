//! Calls about snapshots, removed boxes, and moving in and out.

use super::{Call, Content, Json, Nothing, paged, parts, with_query};
use crate::file::{FileView, FilesQuery};
use crate::job::JobView;
use crate::moves::{BucketImport, ImportQuery, Imported};
use crate::page::{Page, PageQuery};
use crate::paths;
use crate::smartbox::SmartboxView;
use crate::snapshot::{
    ArchiveChange, ArchiveView, DiffQuery, DiffView, Fork, LostView, Password, Recover, Restore,
    SnapshotView, TombstoneView, Undelete, Verify,
};

/// A page of the snapshots of a box, the newest first.
pub fn snapshots(name: &str, which: &PageQuery) -> Call<Json<Page<SnapshotView>>> {
    Call::new("GET", paged(paths::snapshots(name), which))
}

/// Takes a snapshot, as a job.
pub fn take_snapshot(name: &str) -> Call<Json<JobView>> {
    Call::new("POST", paths::snapshots(name))
}

/// How the snapshots of a box are doing.
pub fn archive(name: &str) -> Call<Json<ArchiveView>> {
    Call::new("GET", format!("{}/status", paths::snapshots(name)))
}

/// Decides about the snapshots of a box.
pub fn change_archive(name: &str, change: &ArchiveChange) -> Call<Json<ArchiveView>> {
    Call::new("PATCH", format!("{}/status", paths::snapshots(name))).with(change)
}

/// One snapshot.
pub fn snapshot(name: &str, generation: &str) -> Call<Json<SnapshotView>> {
    Call::new("GET", paths::snapshot(name, generation))
}

/// A page of what a folder of a snapshot holds.
pub fn snapshot_files(
    name: &str,
    generation: &str,
    query: &FilesQuery,
) -> Call<Json<Page<FileView>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor.clone() };
    let path = (!query.path.is_empty()).then(|| format!("path={}", paths::segment(&query.path)));
    let of = format!("{}/files", paths::snapshot(name, generation));
    Call::new("GET", with_query(of, std::iter::once(path).chain(parts(&page))))
}

/// The bytes of a file in a snapshot.
pub fn snapshot_file(name: &str, generation: &str, path: &str) -> Call<Content> {
    let of = paths::snapshot(name, generation);
    Call::new("GET", format!("{of}/content?path={}", paths::segment(path)))
}

/// Something in a snapshot, with everything in it, as a tar archive.
pub fn snapshot_tar(name: &str, generation: &str, path: &str) -> Call<Content> {
    let of = paths::snapshot(name, generation);
    Call::new("GET", format!("{of}/archive?path={}", paths::segment(path)))
}

/// How another generation, or the home, differs from a snapshot.
pub fn snapshot_diff(name: &str, generation: &str, query: &DiffQuery) -> Call<Json<DiffView>> {
    let of = paths::snapshot(name, generation);
    let limit = query.limit.map(|limit| format!("&limit={limit}")).unwrap_or_default();
    let against = query.against.as_deref().unwrap_or("home");
    Call::new("GET", format!("{of}/diff?against={}{limit}", paths::segment(against)))
}

/// Restores a snapshot, as a job.
pub fn restore_snapshot(name: &str, generation: &str, what: &Restore) -> Call<Json<JobView>> {
    Call::new("POST", format!("{}/restore", paths::snapshot(name, generation))).with(what)
}

/// Makes a new box of a snapshot, as a job.
pub fn fork_snapshot(name: &str, generation: &str, fork: &Fork) -> Call<Json<JobView>> {
    Call::new("POST", format!("{}/fork", paths::snapshot(name, generation))).with(fork)
}

/// Reads snapshots back, as a job.
pub fn verify_snapshots(name: &str, which: &Verify) -> Call<Json<JobView>> {
    Call::new("POST", format!("{}/verify", paths::snapshots(name))).with(which)
}

/// Removes what is no longer kept, as a job.
pub fn prune_snapshots(name: &str) -> Call<Json<JobView>> {
    Call::new("POST", format!("{}/prune", paths::snapshots(name)))
}

/// Proves that the newest snapshot can be lived with, as a job.
pub fn drill_snapshots(name: &str) -> Call<Json<JobView>> {
    Call::new("POST", format!("{}/drill", paths::snapshots(name)))
}

/// Adds a password by which the restic program opens the repository.
pub fn snapshot_password(name: &str, password: &Password) -> Call<Nothing> {
    Call::new("POST", format!("{}/password", paths::snapshots(name))).with(password)
}

/// A page of the removed boxes whose snapshots are still there.
pub fn tombstones(which: &PageQuery) -> Call<Json<Page<TombstoneView>>> {
    Call::new("GET", paged(paths::TOMBSTONES.to_owned(), which))
}

/// Makes a removed box again.
pub fn undelete(id: &str, how: &Undelete) -> Call<Json<SmartboxView>> {
    Call::new("POST", format!("{}/undelete", paths::tombstone(id))).with(how)
}

/// Removes what is left of a removed box, for good.
pub fn purge(id: &str) -> Call<Nothing> {
    Call::new("DELETE", paths::tombstone(id))
}

/// A page of the boxes in the storage that this installation does not know.
pub fn lost(which: &PageQuery) -> Call<Json<Page<LostView>>> {
    Call::new("GET", paged(paths::LOST.to_owned(), which))
}

/// Takes boxes over that this installation does not know.
pub fn recover(which: &Recover) -> Call<Json<Vec<LostView>>> {
    Call::new("POST", paths::LOST).with(which)
}

/// Removes a box for good: with its snapshots, and without a last one.
pub fn remove_for_good(name: &str) -> Call<Nothing> {
    Call::new("DELETE", format!("{}?purge=true", paths::smartbox(name)))
}

/// Removes a box, without a last snapshot if none can be taken.
pub fn remove_anyway(name: &str) -> Call<Nothing> {
    Call::new("DELETE", format!("{}?force=true", paths::smartbox(name)))
}

/// Everything of a box in one archive.
pub fn export(name: &str) -> Call<Content> {
    Call::new("GET", paths::of_smartbox(name, "export"))
}

/// Makes a box of what lies in a bucket.
pub fn import_bucket(from: &BucketImport) -> Call<Json<Imported>> {
    Call::new("POST", paths::BUCKET_IMPORTS).with(from)
}

/// Makes a box of an archive, which the client streams.
pub fn import(query: &ImportQuery) -> Call<Json<Imported>> {
    let name = query.name.as_deref().map(|name| format!("name={}", paths::segment(name)));
    let within = query.within.as_deref().map(|path| format!("within={}", paths::segment(path)));
    let kind = query.kind.as_deref().map(|kind| format!("kind={}", paths::segment(kind)));
    Call::new("POST", with_query(paths::IMPORTS.to_owned(), [name, kind, within]))
}
