//! Whatever the platform sends, as it comes, into one file or onto standard output.

use std::io::Write;
use std::path::Path;

use smartbox_api::call::{Call, Content};

use super::aside::{Aside, unwritable};
use super::progress::Progress;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::out;

/// A file that is there already is not replaced. Whole or not at all, but on standard output.
pub(crate) async fn stream_to(
    client: &Client,
    call: &Call<Content>,
    to: &Path,
    quiet: bool,
) -> Result<(), CliError> {
    let aside = to != Path::new("-");
    if aside && to.symlink_metadata().is_ok() {
        let what = format!("{} exists already", out::line(&to.to_string_lossy()));
        return Err(CliError::usage(what, "name a file that is not there yet"));
    }
    let mut reply = client.download(call).await?;
    if !aside {
        while let Some(piece) = reply.next_part().await? {
            out::raw(&piece)?;
        }
        return Ok(());
    }
    let draft = Aside::beside(to)?;
    let mut file = draft.create_file().map_err(|e| unwritable(to, &e))?;
    let progress = Progress::new(&to.to_string_lossy(), reply.len, quiet);
    while let Some(piece) = reply.next_part().await? {
        progress.add(piece.len());
        file.write_all(&piece).map_err(|e| unwritable(to, &e))?;
    }
    file.sync_all().map_err(|e| unwritable(to, &e))?;
    draft.place(to)
}
