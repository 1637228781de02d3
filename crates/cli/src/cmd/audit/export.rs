//! `smartbox audit export`.

use smartbox_api::audit::{AuditLine, AuditQuery};
use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Prints the account's audit as JSON lines, with the signed end that vouches for them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What comes after the entry with this number; everything if absent
    #[arg(long, value_name = "N")]
    after: Option<u64>,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let which = AuditQuery { after: args.after, last: None };
    let head = or_interrupt(async {
        let mut lines = client.lines(&call::audit(which)).await?;
        let mut head = None;
        while let Some(line) = lines.next().await? {
            out::json_line(&line)?;
            if let AuditLine::Head(end) = line {
                head = Some(end);
            }
        }
        Ok(head)
    })
    .await?;
    let head = head.ok_or_else(|| CliError::Garbled("the end of the audit is missing".into()))?;
    let (seq, key) = (head.seq, head.key);
    out::note(format!("up to entry {seq}; signed by {key}: keep that key apart from the file"));
    Ok(())
}
