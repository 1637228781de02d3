//! The command line: every command, and where the platform is.

use clap::{Parser, Subcommand};

use crate::client::Place;
use crate::cmd;

/// Runs personal AI assistants that are always there, and talks to them.
///
/// `smartbox up` starts the platform and prints one link; every other command finds it by its data
/// directory. Results go to standard output, progress to standard error.
#[derive(Debug, Parser)]
#[command(name = "smartbox", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes and every option: docs/reference/cli.md")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Up(cmd::up::Args),
    Chat(cmd::chat::Args),
    Open(cmd::open::Args),
    Ls(cmd::ls::Args),
    Status(cmd::status::Args),
    Sessions(cmd::sessions::Args),
    History(cmd::history::Args),
    Messages(cmd::messages::Args),
    Top(cmd::top::Args),
    Issues(cmd::issues::Args),
    Logs(cmd::logs::Args),
    Wake(cmd::wake::Args),
    Sleep(cmd::sleep::Args),
    Restart(cmd::restart::Args),
    Bulk(cmd::bulk::Args),
    Jobs(cmd::jobs::Args),
    Reset(cmd::reset::Args),
    Stop(cmd::stop::Args),
    Start(cmd::start::Args),
    New(cmd::new::Args),
    Set(cmd::set::Args),
    Rm(cmd::rm::Args),
    Exec(cmd::exec::Args),
    Execs(cmd::execs::Args),
    Cp(cmd::cp::Args),
    Files(cmd::files::Args),
    Snapshot(cmd::snapshot::Args),
    Export(cmd::export::Args),
    Import(cmd::import::Args),
    Secret(cmd::secret::Args),
    Vault(cmd::vault::Args),
    Egress(cmd::egress::Args),
    Token(cmd::token::Args),
    Operator(cmd::operator::Args),
    People(cmd::people::Args),
    Member(cmd::member::Args),
    Share(cmd::share::Args),
    Whoami(cmd::whoami::Args),
    Audit(cmd::audit::Args),
    Devices(cmd::devices::Args),
    Login(cmd::login::Args),
    Logout(cmd::logout::Args),
    Account(cmd::account::Args),
    Kind(cmd::kind::Args),
    Tier(cmd::tier::Args),
    Doctor(cmd::doctor::Args),
    Config(cmd::config::Args),
    Context(cmd::context::Args),
    Completions(cmd::completions::Args),
    Man(cmd::man::Args),
    Version(cmd::version::Args),
}
