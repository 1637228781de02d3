//! Where each file of an old installation belongs in a box's home.

use serde_json::Value;

use super::layout::{CONFIGS, Marker, STATES, WORKSPACES};
use super::{Found, HOME, Layout, Origin, beneath, join};
use crate::engine::Manifest;
use crate::sandbox::HOME_DIR;

/// Where the engine expects its things, relative to the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    state: String,
    config: String,
    workspace: String,
}

impl Target {
    /// What an engine's manifest says.
    pub fn of(manifest: &Manifest) -> Self {
        let state = manifest.config.rsplit_once('/').map_or("", |(dir, _)| dir);
        Self {
            state: state.to_owned(),
            config: manifest.config.clone(),
            workspace: manifest.workspace.clone(),
        }
    }
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It comes here in the home.
    To(Vec<u8>),
    /// It is left out, for this reason.
    Out(&'static str),
}

/// How what lies beneath a directory is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Home,
    State,
    Plain,
    Everything,
}

/// What becomes of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    moves: Vec<(Vec<u8>, Vec<u8>, Rule)>,
    /// The old configuration, if there is one.
    pub config: Option<Vec<u8>>,
    /// Where it comes.
    pub to_config: Vec<u8>,
    /// Paths of the old installation, and what they are in the box.
    pub relocations: Vec<(String, String)>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

const ELSEWHERE: &str = "it is no part of the assistant's home";
const REMADE: &str = "the engine makes it anew";
const LOCK: &str = "it is a lock or a mark of a process that is gone";
/// What is remade, beneath the state directory.
const CACHES: [&str; 6] =
    ["tmp", "cache", "plugin-skills", "logs", "node-compile-cache", "completions"];
/// What is remade, beneath the home.
const JUNK: [&str; 6] =
    [".cache", ".npm", "node_modules", ".bun", ".openclaw-templates", ".node-gyp"];
/// What an assistant writes about itself; a directory with one of these is where it worked.
const MEMORIES: [&str; 6] =
    ["AGENTS.md", "SOUL.md", "MEMORY.md", "USER.md", "IDENTITY.md", "memory"];

impl Layout {
    /// The manifest that has to be read first, if the layout has one.
    pub fn manifest(&self) -> Option<Vec<u8>> {
        (self.origin == Origin::Backup).then(|| join(&self.at, b"manifest.json"))
    }

    /// Whether a path may be of interest, before the configuration is known.
    pub fn concerns(&self, path: &[u8]) -> bool {
        let dir = |name: &str| beneath(path, &join(&self.at, name.as_bytes())).is_some();
        match (self.origin, &self.marker) {
            (Origin::BucketRoot | Origin::BucketState, Marker::Directory(name)) => dir(name),
            (Origin::BucketParts, Marker::Directory(name)) => {
                dir(name) || dir("workspace") || dir("skills")
            }
            _ => beneath(path, &self.at).is_some(),
        }
    }

    /// Decides where everything belongs. `manifest` is [`Layout::manifest`]'s document; `config` reads the
    /// old configuration, which may say where the assistant worked.
    pub fn plan(
        &self,
        found: &[Found],
        manifest: Option<&Value>,
        config: impl FnOnce(&[u8]) -> Option<Value>,
        target: &Target,
    ) -> Plan {
        let mut plan = Plan {
            moves: Vec::new(),
            config: None,
            to_config: target.config.clone().into_bytes(),
            relocations: Vec::new(),
            warnings: Vec::new(),
        };
        match self.origin {
            Origin::Export => {
                plan.moves.push((join(&self.at, HOME.as_bytes()), Vec::new(), Rule::Everything));
                return plan;
            }
            Origin::Backup => plan.assets(&self.at, manifest, target),
            _ => plan.directories(self, target),
        }
        plan.find_config(found);
        let document = plan.config.as_deref().and_then(config);
        if self.origin != Origin::Backup {
            plan.find_workspace(found, document.as_ref(), target);
        }
        // The longest first: what lies in a directory that moves elsewhere moves with that.
        plan.moves.sort_by_key(|(from, _, _)| std::cmp::Reverse(from.len()));
        plan.relocations.sort_by_key(|(old, _)| std::cmp::Reverse(old.len()));
        plan.relocations.dedup();
        plan
    }
}

impl Plan {
    /// What becomes of this one.
    pub fn place(&self, path: &[u8]) -> Place {
        let fits = |(from, to, rule): &(Vec<u8>, Vec<u8>, Rule)| {
            Some((beneath(path, from)?.to_vec(), to.clone(), *rule))
        };
        let Some((rest, to, rule)) = self.moves.iter().find_map(fits) else {
            return Place::Out(ELSEWHERE);
        };
        if self.config.as_deref() == Some(path) {
            return Place::To(self.to_config.clone());
        }
        let text = String::from_utf8_lossy(&rest);
        let (first, name) = (
            text.split('/').next().unwrap_or_default(),
            text.rsplit('/').next().unwrap_or_default(),
        );
        match rule {
            Rule::State if CACHES.contains(&first) => return Place::Out(REMADE),
            Rule::State if is_mark(name) => return Place::Out(LOCK),
            Rule::State if CONFIGS[1..].contains(&&*text) => {
                return Place::Out("there is a newer configuration");
            }
            Rule::Home if JUNK.contains(&first) => return Place::Out(REMADE),
            Rule::Home if STATES.contains(&first) => {
                return Place::Out("it is the state of an older version");
            }
            _ => {}
        }
        // What is in the box's own name for uploads would be swept away.
        if rule != Rule::Everything && to.is_empty() && first == ".smartbox" {
            return Place::Out(ELSEWHERE);
        }
        Place::To(join(&to, &rest))
    }

    fn add(&mut self, from: Vec<u8>, to: &str, rule: Rule) {
        self.moves.push((from, to.as_bytes().to_vec(), rule));
    }

    fn relocated(&mut self, old: &str, to: &str) {
        let old = old.trim_end_matches('/');
        if old.starts_with('/') && old.len() > 1 {
            self.relocations.push((old.to_owned(), inside(to)));
        }
    }

    fn directories(&mut self, layout: &Layout, target: &Target) {
        let at = layout.at.as_slice();
        let (state, workspace) = (target.state.clone(), target.workspace.clone());
        match (layout.origin, &layout.marker) {
            (Origin::Home, Marker::Directory(name)) => {
                self.add(at.to_vec(), "", Rule::Home);
                self.add(join(at, name.as_bytes()), &state, Rule::State);
            }
            (Origin::BucketRoot, _) => {
                let home = join(at, b"root");
                // Which of them is there, the configuration tells; the others are older.
                for name in STATES {
                    self.add(join(&home, name.as_bytes()), &state, Rule::State);
                    self.relocated(&format!("/root/{name}"), &state);
                }
                self.add(home, "", Rule::Home);
                self.relocated("/root", "");
            }
            (Origin::BucketState, Marker::Directory(name)) => {
                self.add(join(at, name.as_bytes()), &state, Rule::State);
                self.old_root(name, &state);
            }
            (Origin::BucketParts, Marker::Directory(name)) => {
                self.add(join(at, name.as_bytes()), &state, Rule::State);
                self.add(join(at, b"workspace"), &workspace, Rule::Plain);
                self.add(join(at, b"skills"), &format!("{workspace}/skills"), Rule::Plain);
                self.old_root(name, &state);
                for name in WORKSPACES {
                    self.relocated(&format!("/root/{name}"), &workspace);
                }
            }
            _ => self.add(at.to_vec(), &state, Rule::State),
        }
    }

    /// A state directory of the original's, which lay in `/root` beneath a name with a dot.
    fn old_root(&mut self, name: &str, state: &str) {
        self.relocated(&format!("/root/.{name}"), state);
        self.relocated("/root", "");
    }

    /// What the manifest of a backup lists.
    fn assets(&mut self, at: &[u8], manifest: Option<&Value>, target: &Target) {
        let listed = manifest.and_then(|manifest| manifest.get("assets")?.as_array());
        let mut spare = 1;
        for asset in listed.into_iter().flatten() {
            let text = |key: &str| asset.get(key).and_then(Value::as_str).unwrap_or_default();
            let (kind, source) = (text("kind"), text("sourcePath"));
            let path = text("archivePath").trim_matches('/').as_bytes().to_vec();
            let path = if beneath(&path, at).is_some() { path } else { join(at, &path) };
            if path == at {
                continue;
            }
            match kind {
                "state" => {
                    self.add(path, &target.state, Rule::State);
                    self.relocated(source, &target.state);
                    if let Some((home, _)) = source.rsplit_once("/.") {
                        self.relocated(home, "");
                    }
                }
                "workspace" => {
                    // A second assistant's is put beside the first one's.
                    let to = match spare {
                        1 => target.workspace.clone(),
                        n => format!("{}-{n}", target.workspace),
                    };
                    spare += 1;
                    self.relocated(source, &to);
                    self.add(path, &to, Rule::Plain);
                }
                "config" => {
                    self.config = Some(path.clone());
                    self.add(path, &target.config, Rule::Plain);
                }
                "credentials" | "oauth" => {
                    let to = format!("{}/credentials", target.state);
                    self.relocated(source, &to);
                    self.add(path, &to, Rule::Plain);
                }
                other => {
                    let why = format!("the backup has a part that is not known: {other}");
                    self.warnings.push(why);
                }
            }
        }
    }

    fn find_config(&mut self, found: &[Found]) {
        if self.config.is_some() {
            return;
        }
        let states = self.moves.iter().filter(|(_, _, rule)| *rule == Rule::State);
        let candidates: Vec<Vec<u8>> = states
            .flat_map(|(from, _, _)| CONFIGS.iter().map(|name| join(from, name.as_bytes())))
            .collect();
        let there = |path: &&Vec<u8>| found.iter().any(|one| one.path == **path);
        self.config = candidates.iter().find(there).cloned();
        // Of several state directories the one with the configuration is in force.
        let Some(config) = &self.config else { return };
        let config = config.clone();
        self.moves
            .retain(|(from, _, rule)| *rule != Rule::State || beneath(&config, from).is_some());
    }

    /// Where it worked: where its configuration says, or where something of its own lies.
    fn find_workspace(&mut self, found: &[Found], config: Option<&Value>, target: &Target) {
        let Some((home, _, _)) = self.moves.iter().find(|(_, _, rule)| *rule == Rule::Home) else {
            // Without the home around it, a workspace elsewhere cannot be here: what is here is it.
            let old = config.and_then(told_workspace).filter(|old| old.starts_with('/'));
            let known = |old: &str| {
                self.relocations.iter().any(|(from, to)| {
                    to != HOME_DIR && beneath(old.as_bytes(), from.as_bytes()).is_some()
                })
            };
            if let Some(old) = old.filter(|old| !known(old)) {
                self.relocated(&old, &target.workspace);
            }
            return;
        };
        let home = home.clone();
        let holds = |dir: &[u8]| {
            found.iter().any(|one| beneath(&one.path, dir).is_some_and(|rest| !rest.is_empty()))
        };
        let mut chosen = None;
        if let Some(old) = config.and_then(told_workspace) {
            // The old home is what comes before the part of the path that is here.
            let mut rest = old.trim_start_matches("~/").trim_matches('/');
            loop {
                let dir = join(&home, rest.as_bytes());
                if !rest.is_empty() && holds(&dir) {
                    if let Some(before) = old.strip_suffix(rest) {
                        self.relocated(before, "");
                    }
                    chosen = Some((dir, old.clone()));
                    break;
                }
                match rest.split_once('/') {
                    Some((_, shorter)) => rest = shorter,
                    None => break,
                }
            }
        }
        let state = self.moves.iter().find(|(_, _, rule)| *rule == Rule::State);
        let own = state.map(|(from, _, _)| join(from, b"workspace"));
        let has_own = own.as_ref().is_some_and(|own| holds(own));
        if chosen.is_none() && !has_own {
            let worked = |dir: &Vec<u8>| {
                let in_it = |one: &Found| {
                    let rest = String::from_utf8_lossy(beneath(&one.path, dir)?).into_owned();
                    MEMORIES.contains(&rest.split('/').next()?).then_some(())
                };
                found.iter().any(|one| in_it(one).is_some())
            };
            let dirs = WORKSPACES.iter().map(|name| join(&home, name.as_bytes()));
            chosen = dirs.into_iter().find(worked).map(|dir| (dir, String::new()));
        }
        let Some((dir, old)) = chosen else { return };
        if own.as_ref() == Some(&dir) {
            return;
        }
        if let Some(own) = own.filter(|_| has_own) {
            let aside = format!("{}-before-import", target.workspace);
            self.warnings.push(format!(
                "there were two workspaces: the one that the configuration does not name is in `{aside}`"
            ));
            self.add(own, &aside, Rule::Plain);
        }
        for old in [
            old,
            format!("/root/{}", String::from_utf8_lossy(&dir[home.len()..]).trim_matches('/')),
        ] {
            self.relocated(&old, &target.workspace);
        }
        self.add(dir, &target.workspace, Rule::Plain);
    }
}

fn told_workspace(config: &Value) -> Option<String> {
    let told = config.pointer("/agents/defaults/workspace").or(config.pointer("/agent/workspace"));
    told?.as_str().map(|text| text.trim_end_matches('/').to_owned())
}

fn is_mark(name: &str) -> bool {
    name.ends_with(".lock")
        || name.ends_with(".lock.sqlite")
        || name.ends_with(".sqlite-shm")
        || (name.contains(".generation-") && name.ends_with(".sqlite"))
        || name == ".restore-time"
        || name == ".last-sync"
        || name.ends_with(".pid")
}

/// A path of the home, as the box sees it.
fn inside(path: &str) -> String {
    if path.is_empty() { HOME_DIR.to_owned() } else { format!("{HOME_DIR}/{path}") }
}

#[cfg(test)]
mod tests;
