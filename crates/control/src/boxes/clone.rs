//! Cloning a repository into the workspace of a box: a command in the box, as its owner would type it.

use std::sync::Arc;
use std::time::Duration;

use smartbox_core::egress::{Effect, Pattern, Rule, Scope, What};
use smartbox_core::job::Job;
use smartbox_core::sandbox::HOME_DIR;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::smartbox::repository::Repository;
use smartbox_link::wire::ExecOrder;

use crate::control::Control;
use crate::egress::NewRule;
use crate::error::ControlError;
use crate::parts::Actor;

/// What a large repository may take.
const WITHIN: Duration = Duration::from_hours(2);

/// A clone that was killed leaves nothing that looks like one, and one that is there is left alone.
const SCRIPT: &str = r#"set -e
mkdir -p -- "$3"
cd -- "$3"
if test -e "$2"; then
    echo "$3/$2 is there already" >&2
    exit 0
fi
rm -rf -- ".cloning-$2"
GIT_TERMINAL_PROMPT=0 git clone -- "$1" ".cloning-$2"
mv -- ".cloning-$2" "$2"
"#;

impl Control {
    /// Has a box clone a repository, with whatever it holds in place of its owner's token. Who wants
    /// the repository wants its host to be reached: that is allowed to the box.
    pub async fn clone_repository(
        self: &Arc<Self>,
        actor: &Actor,
        row: &Smartbox,
        repository: Repository,
    ) -> Result<Job, ControlError> {
        let Repository { url, host, port, folder } = repository;
        let rule = Rule { ports: vec![port], ..Rule::of(Pattern::One(host)) };
        let new =
            NewRule { effect: Effect::Allow, what: What::Rule(rule), until: None, once: false };
        let scope = Scope::Smartbox(row.id.clone());
        self.add_egress(actor, &row.account, scope, new).await?;
        let workspace = &self.engine(&row.engine)?.engine.manifest().workspace;
        let workspace = format!("{HOME_DIR}/{workspace}");
        let argv = ["sh", "-c", SCRIPT, "clone", &url, &folder, &workspace];
        let order = ExecOrder {
            argv: argv.iter().map(ToString::to_string).collect(),
            env: std::collections::BTreeMap::new(),
            cwd: None,
            timeout_ms: u64::try_from(WITHIN.as_millis()).ok(),
            tty: None,
        };
        self.submit_exec(actor, row, order, bytes::Bytes::new()).await
    }
}
