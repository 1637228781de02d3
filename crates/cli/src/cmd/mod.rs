//! The commands: one verb a file, and who runs which.

pub(crate) mod access_page;
pub(crate) mod account;
pub(crate) mod act;
pub(crate) mod admin_api;
pub(crate) mod audit;
pub(crate) mod bulk;
mod called;
pub(crate) mod chat;
mod chosen;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod context;
pub(crate) mod cp;
pub(crate) mod devices;
pub(crate) mod doctor;
pub(crate) mod egress;
pub(crate) mod exec;
pub(crate) mod execs;
pub(crate) mod export;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod install;
pub(crate) mod issues;
pub(crate) mod jobs;
pub(crate) mod kind;
pub(crate) mod labels;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod logs;
pub(crate) mod ls;
pub(crate) mod man;
pub(crate) mod member;
pub(crate) mod messages;
pub(crate) mod metrics_page;
pub(crate) mod new;
pub(crate) mod open;
pub(crate) mod openapi;
pub(crate) mod operator;
pub(crate) mod people;
pub(crate) mod reference;
pub(crate) mod reset;
pub(crate) mod restart;
pub(crate) mod rm;
pub(crate) mod secret;
pub(crate) mod sessions;
pub(crate) mod set;
pub(crate) mod share;
pub(crate) mod sleep;
pub(crate) mod snapshot;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod tier;
pub(crate) mod token;
pub(crate) mod top;
pub(crate) mod up;
pub(crate) mod vault;
pub(crate) mod version;
pub(crate) mod wake;
pub(crate) mod whoami;

use smartbox_server::config::Env;
use tokio::runtime;

use crate::args::{Cli, Verb};
use crate::client::Client;
use crate::error::CliError;

/// Runs the command.
pub(crate) fn run(cli: &Cli) -> Result<(), CliError> {
    let env = Env::process();
    env.hide_keys();
    match &cli.verb {
        Verb::Up(args) => up::run(&cli.place, &env, args),
        Verb::Completions(args) => completions::run(args),
        Verb::Config(args) => match args.alone(&cli.place, &env) {
            Some(done) => done,
            None => asking(cli, &env, &cli.verb),
        },
        Verb::Audit(args) => match args.alone() {
            Some(done) => done,
            None => asking(cli, &env, &cli.verb),
        },
        Verb::Context(args) => context::run(&cli.place, &env, args),
        Verb::Man(args) => man::run(args),
        verb => asking(cli, &env, verb),
    }
}

/// Commands that ask a platform: one thread does.
fn asking(cli: &Cli, env: &Env, verb: &Verb) -> Result<(), CliError> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::here(format!("this command cannot run: {e}"), String::new()))?;
    let ended = runtime.block_on(ask(cli, env, verb));
    // A thread may still wait for a key; nobody waits for it.
    runtime.shutdown_background();
    ended
}

async fn ask(cli: &Cli, env: &Env, verb: &Verb) -> Result<(), CliError> {
    let client = Client::of(&cli.place, env);
    match verb {
        Verb::Doctor(args) => return doctor::run(&cli.place, env, args).await,
        Verb::Version(args) => return version::run(client, args).await,
        Verb::Login(args) => return login::run(&cli.place, env, args).await,
        Verb::Logout(args) => return logout::run(&cli.place, env, args).await,
        _ => {}
    }
    let client = client?;
    match verb {
        Verb::Chat(args) => chat::run(&client, args).await,
        Verb::Open(args) => open::run(&client, args).await,
        Verb::Ls(args) => ls::run(&client, args).await,
        Verb::Status(args) => status::run(&client, args).await,
        Verb::Logs(args) => logs::run(&client, args).await,
        Verb::Wake(args) => wake::run(&client, args).await,
        Verb::Sleep(args) => sleep::run(&client, args).await,
        Verb::Restart(args) => restart::run(&client, args).await,
        Verb::Bulk(args) => bulk::run(&client, args).await,
        Verb::Jobs(args) => jobs::run(&client, args).await,
        Verb::Reset(args) => reset::run(&client, args).await,
        Verb::Top(args) => top::run(&client, args).await,
        Verb::Issues(args) => issues::run(&client, args).await,
        Verb::Stop(args) => stop::run(&client, args).await,
        Verb::Start(args) => start::run(&client, args).await,
        Verb::New(args) => new::run(&client, args).await,
        Verb::Set(args) => set::run(&client, args).await,
        Verb::Rm(args) => rm::run(&client, args).await,
        Verb::Exec(args) => exec::run(&client, args).await,
        Verb::Execs(args) => execs::run(&client, args).await,
        Verb::Cp(args) => cp::run(&client, args).await,
        Verb::Files(args) => files::run(&client, args).await,
        Verb::Secret(args) => secret::run(&client, args).await,
        Verb::Vault(args) => vault::run(&client, args).await,
        Verb::Egress(args) => egress::run(&client, args).await,
        Verb::Token(args) => token::run(&client, args).await,
        Verb::Operator(args) => operator::run(&client, args).await,
        Verb::People(args) => people::run(&client, args).await,
        Verb::Member(args) => member::run(&client, args).await,
        Verb::Share(args) => share::run(&client, args).await,
        Verb::Whoami(args) => whoami::run(&client, args).await,
        Verb::Audit(args) => audit::run(&client, args).await,
        Verb::Devices(args) => devices::run(&client, args).await,
        Verb::Account(args) => account::run(&client, args).await,
        Verb::Kind(args) => kind::run(&client, args).await,
        Verb::Tier(args) => tier::run(&client, args).await,
        Verb::Config(args) => config::run(&client, args).await,
        Verb::Snapshot(args) => snapshot::run(&client, args).await,
        Verb::Export(args) => export::run(&client, args).await,
        Verb::Import(args) => import::run(&client, args).await,
        Verb::Sessions(args) => sessions::run(&client, args).await,
        Verb::History(args) => history::run(&client, args).await,
        Verb::Messages(args) => messages::run(&client, args).await,
        // Done above, or by `run`: these ask nobody.
        Verb::Up(_)
        | Verb::Doctor(_)
        | Verb::Version(_)
        | Verb::Completions(_)
        | Verb::Context(_)
        | Verb::Login(_)
        | Verb::Logout(_)
        | Verb::Man(_) => Ok(()),
    }
}
