//! Trees that nobody would take: made by whoever has the key, or by a bug.

use std::ffi::OsStr;
use std::fs;
use std::io::Empty;
use std::path::PathBuf;

use futures_util::TryStreamExt;
use rustic_core::repofile::{Metadata, Node, NodeType};
use rustic_core::{BackupOptions, ReadSource, ReadSourceEntry, RusticResult, SnapshotOptions};
use smartbox_core::snapshot::port::{Against, Form, Pages, Shelves, SnapshotError, Takes};
use smartbox_core::snapshot::{RepositoryKey, RepositoryOf, SnapshotId};

use crate::Restic;
use crate::open::open;

/// One thing of this name.
#[derive(Debug, Clone)]
struct Named(Vec<u8>, NodeType);

impl ReadSource for Named {
    type Open = Empty;
    type Iter = std::iter::Once<RusticResult<ReadSourceEntry<Empty>>>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Self::Iter {
        use std::os::unix::ffi::OsStrExt;
        let meta = Metadata { mode: Some(0o600), ..Metadata::default() };
        let node = Node::new_node(OsStr::from_bytes(&self.0), self.1.clone(), meta);
        let open = (self.1 == NodeType::File).then(std::io::empty);
        std::iter::once(Ok(ReadSourceEntry { path: PathBuf::from("thing"), node, open }))
    }
}

async fn planted(driver: &Restic, of: &RepositoryOf, thing: Named) -> SnapshotId {
    let key = of.key.clone();
    let made = driver.blocking(of, move |backend| {
        let opened = open(backend, &key)?;
        let indexed = opened.repository.to_indexed_ids().unwrap();
        let mut options = BackupOptions::default();
        options.as_path = Some(PathBuf::from("/"));
        options.parent_opts.force = true;
        let tagged = SnapshotOptions::default().add_tags("generation=1,fence=1,claimed=0");
        let blank = tagged.unwrap().to_snapshot().unwrap();
        let file = indexed.archive(&options, &thing, blank, &[PathBuf::new()]).unwrap();
        Ok(file.id.to_hex().as_str().parse().unwrap())
    });
    made.await.unwrap()
}

#[tokio::test]
async fn a_name_that_is_a_way_leads_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let driver = Restic::directory(&dir.path().join("storage")).unwrap();
    let smartbox = "box_0123456789abcdefghjk".parse().unwrap();
    let of = RepositoryOf { smartbox, key: RepositoryKey::new([7; 64]) };
    driver.create(of.clone()).await.unwrap();
    let fine = planted(&driver, &of, Named(b"fine".to_vec(), NodeType::File)).await;
    assert_eq!(driver.look(of.clone(), fine.clone(), "".into()).await.unwrap().len(), 1);

    let link = NodeType::from_link(std::path::Path::new("/etc"));
    let outside = dir.path().join("evil");
    let whole = outside.to_str().unwrap().as_bytes();
    for name in [b"../evil".as_slice(), b"..", b".", b"a/b", b"", whole, b"nul\0"] {
        for kind in [NodeType::File, link.clone()] {
            let told = format!("{} {kind:?}", String::from_utf8_lossy(name));
            let id = planted(&driver, &of, Named(name.to_vec(), kind)).await;
            let look = driver.look(of.clone(), id.clone(), "".into()).await;
            assert!(matches!(look, Err(SnapshotError::Corrupt { .. })), "{told}: {look:?}");
            let against = Against::Snapshot(fine.clone());
            let diff = driver.diff(of.clone(), id.clone(), against, 9).await;
            assert!(matches!(diff, Err(SnapshotError::Corrupt { .. })), "{told}: {diff:?}");
            let pieces = driver.read(of.clone(), id.clone(), "".into(), Form::Tar).await.unwrap();
            let read = pieces.try_collect::<Vec<_>>().await;
            assert!(matches!(read, Err(SnapshotError::Corrupt { .. })), "{told}: {read:?}");
            let into = dir.path().join("into");
            fs::create_dir(&into).unwrap();
            let restored = driver.restore(of.clone(), id, into.clone(), None).await;
            assert!(restored.is_err(), "{told}");
            assert_eq!(fs::read_dir(&into).unwrap().count(), 0, "{told}");
            assert!(fs::symlink_metadata(&outside).is_err(), "{told}");
            fs::remove_dir(&into).unwrap();
        }
    }
}

#[test]
fn a_tree_without_a_bottom_is_not_followed_for_ever() {
    let mut path = b"d".to_vec();
    for depth in 1.. {
        match super::deeper(&path, b"d") {
            Ok(next) => path = next,
            Err(SnapshotError::Corrupt { .. }) => {
                assert!(depth > 128, "deeper than what is taken");
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
        assert!(depth < 1000);
    }
}
