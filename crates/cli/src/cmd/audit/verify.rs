//! `smartbox audit verify`: asks nobody.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use serde_json::json;
use smartbox_server::audit;

use crate::error::CliError;
use crate::ui::out;

/// Checks an export, with no platform at hand: every entry, their order, and the signed end.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What `smartbox audit export` printed
    file: PathBuf,
    /// The key that must have signed it, as the export said it
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// Print what it says as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let name = args.file.display();
    let opened = File::open(&args.file)
        .map_err(|e| CliError::here(format!("{name} cannot be read: {e}"), String::new()))?;
    let good = audit::verify(BufReader::new(opened), args.key.as_deref()).map_err(|e| {
        let hint = "do not rely on it; export it again and compare";
        CliError::here(format!("{name} is not to be believed: {e}"), hint)
    })?;
    let audit::Verified { begin, entries, head } = good;
    if args.json {
        return out::json(&json!({
            "account": begin.account, "after": begin.after, "entries": entries, "last": head.seq,
            "key": head.key, "key_checked": args.key.is_some(),
        }));
    }
    let account = &begin.account;
    out::say(format!("{entries} entries of {account} up to number {} are as they were", head.seq))?;
    if begin.after > 0 {
        out::note(format!("what stands before number {} is not in it", begin.after + 1));
    }
    if args.key.is_none() {
        let key = head.key;
        out::note(format!(
            "signed by {key}; compare that with the key that you kept, or give --key"
        ));
    }
    Ok(())
}
