//! The files of a box's home on the wire. Asking for them wakes nothing.
//!
//! A path is relative to the home. In a query it is percent-encoded and may hold any bytes; in JSON it
//! is text. The content of a file travels as bytes, a folder as a tar archive.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// The media type of a file's content, whatever the file is: a browser never shows it.
pub const CONTENT: &str = "application/octet-stream";
/// The media type of a folder.
pub const ARCHIVE: &str = "application/x-tar";
/// Operations in one batch.
pub const MAX_OPERATIONS: usize = 50;

/// What kind of thing is in a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device: seen, never opened.
    Other,
}

/// What is known of a thing in a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileView {
    /// Its name; empty for the home itself. Where it is not UTF-8, what is readable of it.
    pub name: String,
    /// The name as it goes into a path, percent-encoded, if it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_encoded: Option<String>,
    /// What kind of thing it is.
    pub kind: FileKind,
    /// Bytes, of a file.
    pub size: u64,
    /// Permission bits in octal digits.
    #[schema(example = "0600")]
    pub mode: String,
    /// When its content changed last, in milliseconds since 1970, UTC.
    pub modified: i64,
    /// Its entity tag, as in `ETag` and `If-Match`.
    pub etag: String,
    /// Where a link says that it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileWritten {
    /// What is there now.
    pub file: FileView,
    /// The SHA-256 of what came, in hexadecimal digits.
    pub sha256: String,
}

/// Which file, or which part of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct FilesQuery {
    /// The path, relative to the home; the home itself if absent.
    pub path: String,
    /// How many entries at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The `next` of the page before; the first page if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    /// The path, relative to the home.
    pub path: String,
}

/// Which folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct FolderQuery {
    /// The path, relative to the home; the home itself if absent.
    pub path: String,
}

/// Which file to write, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WriteQuery {
    /// The path, relative to the home.
    pub path: String,
    /// Permission bits in octal digits; those of the file that it replaces, or 0600, if absent.
    #[param(pattern = "^[0-7]{1,4}$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Make directories that are missing on the way.
    #[serde(default)]
    pub parents: bool,
}

/// What to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RemoveQuery {
    /// The path, relative to the home.
    pub path: String,
    /// A directory with everything in it.
    #[serde(default)]
    pub recursive: bool,
}

/// A directory to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDirectory {
    /// The path, relative to the home.
    pub path: String,
    /// Make what is missing on the way, and be content if it is there.
    #[serde(default)]
    pub parents: bool,
}

/// Another name for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The path, relative to the home.
    pub from: String,
    /// The new path, relative to the home.
    pub to: String,
    /// Replace what is there.
    #[serde(default)]
    pub replace: bool,
}

/// Several operations, done one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileBatch {
    /// At most 50.
    #[schema(max_items = 50)]
    pub operations: Vec<FileOperation>,
}

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FileOperation {
    /// The whole of a file; all reads of a batch together bring at most 8 MiB.
    Read {
        /// The path, relative to the home.
        path: String,
    },
    /// What is known of it.
    Stat {
        /// The path, relative to the home.
        path: String,
    },
    /// Whether it is there.
    Exists {
        /// The path, relative to the home.
        path: String,
    },
    /// Writes a file, whole or not at all. Missing directories are made.
    Write {
        /// The path, relative to the home.
        path: String,
        /// The content as text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<String>,
        /// Or as base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_base64: Option<String>,
        /// Permission bits in octal digits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<String>,
    },
    /// Makes a directory and what is missing on the way.
    Mkdir {
        /// The path, relative to the home.
        path: String,
    },
    /// Removes a file, a link or an empty directory.
    Delete {
        /// The path, relative to the home.
        path: String,
        /// A directory with everything in it.
        #[serde(default)]
        recursive: bool,
    },
}

/// What came of a batch, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileResults {
    /// One an operation.
    pub results: Vec<FileResult>,
}

/// What came of one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileResult {
    /// What is there (now).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileView>,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The content, if it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The content as base64, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_base64: Option<String>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What came of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unpacked {
    /// Files written.
    pub files: u64,
    /// Directories that the archive named.
    pub directories: u64,
    /// Bytes of all files together.
    pub bytes: u64,
}

/// `Repr-Digest` and `Content-Digest` (RFC 9530): the SHA-256 in them, if there is one.
pub fn digest_of(header: &str) -> Option<[u8; 32]> {
    use base64::Engine as _;
    let value = header.split(',').find_map(|part| part.trim().strip_prefix("sha-256="))?;
    let text = value.trim().strip_prefix(':')?.strip_suffix(':')?;
    base64::engine::general_purpose::STANDARD.decode(text).ok()?.try_into().ok()
}

/// A SHA-256 as such a header.
pub fn digest_header(digest: &[u8; 32]) -> String {
    use base64::Engine as _;
    format!("sha-256=:{}:", base64::engine::general_purpose::STANDARD.encode(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back() {
        let digest = [7; 32];
        assert_eq!(digest_of(&digest_header(&digest)), Some(digest));
        let both = format!("sha-512=:AAAA:, {}", digest_header(&digest));
        assert_eq!(digest_of(&both), Some(digest));
        for bad in ["", "sha-256", "sha-256=:AAAA:", "sha-256=x", "md5=:AAAA:"] {
            assert_eq!(digest_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_operation_is_named_by_op() {
        let text = r#"{"op":"write","path":"a","content":"x"}"#;
        let op: FileOperation = serde_json::from_str(text).unwrap();
        assert!(matches!(op, FileOperation::Write { content: Some(_), .. }));
        assert!(serde_json::from_str::<FileOperation>(r#"{"op":"chown","path":"a"}"#).is_err());
    }
}
