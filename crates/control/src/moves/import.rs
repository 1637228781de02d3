//! A box moves in: whole, or not at all.

use std::path::PathBuf;
use std::sync::Arc;

use smartbox_core::home::HomeOf;
use smartbox_core::home::port::FileError;
use smartbox_core::id::{AccountId, SmartboxId, random_text};
use smartbox_core::moves::port::Bucket;
use smartbox_core::moves::{Origin, Record, Target};
use smartbox_core::sandbox::port::Kept;
use smartbox_core::smartbox::{Desired, Kind, Smartbox, name};

use super::gather::{blocking, gather};
use super::refused;
use super::settle::Settled;
use super::together::put_together;
use crate::accounts::create::check_display;
use crate::boxes::create::NewSmartbox;
use crate::control::Control;
use crate::error::ControlError;
use crate::files::Arriving;
use crate::parts::{Actor, EngineSlot};

/// What may come where no tier says it.
const MOST: u64 = 1 << 40;
/// What of all that was left out is told.
const TELL: usize = 100;

/// Where a box is imported from.
pub enum Source {
    /// An archive, as its bytes come.
    Archive(Arriving),
    /// A directory or an archive on this machine. It is read with the platform's rights: only an operator
    /// may name one.
    Path(PathBuf),
    /// A bucket, or what lies in it beneath a prefix.
    Bucket {
        /// The bucket.
        bucket: Arc<dyn Bucket>,
        /// The prefix; empty for all of it.
        prefix: String,
    },
}

/// What a caller decides of a box that moves in. What is none comes from the archive, if it is one of
/// ours.
pub struct NewImport {
    /// Its name.
    pub name: Option<String>,
    /// Its kind.
    pub kind: Option<Kind>,
    /// Its tier.
    pub tier: Option<String>,
    /// Its engine.
    pub engine: Option<String>,
    /// What is wished of it.
    pub desired: Desired,
    /// In which directory of the source to look, where there are several assistants.
    pub within: String,
    /// Where it comes from.
    pub source: Source,
}

/// Something that did not come along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path in the source.
    pub path: String,
    /// Why.
    pub why: String,
}

/// A box that has moved in.
#[derive(Debug)]
pub struct Imported {
    /// Its row.
    pub row: Smartbox,
    /// What it came from.
    pub origin: Origin,
    /// Files and links in its home.
    pub files: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Messages that were written down.
    pub messages: u64,
    /// Some of what did not come along.
    pub left_out: Vec<LeftOut>,
    /// How much did not.
    pub left_out_total: u64,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Where credentials lie that came along, by name. They are better kept in the vault.
    pub credentials: Vec<String>,
}

/// What a caller decides of the row.
struct Asked {
    name: Option<String>,
    kind: Option<Kind>,
    tier: Option<String>,
    engine: Option<String>,
    desired: Desired,
}

impl Control {
    /// Imports a box. It goes to its end even if the caller goes away, unless its bytes end with him.
    pub async fn import(
        self: &Arc<Self>,
        actor: &Actor,
        account: &AccountId,
        new: NewImport,
    ) -> Result<Imported, ControlError> {
        if let Some(name) = &new.name {
            name::check(name)?;
        }
        let (control, actor, account) = (self.clone(), actor.clone(), account.clone());
        let task = self.tasks.spawn(async move {
            let id = SmartboxId::generate(&*control.parts.entropy);
            let work = control.move_in(&actor, &account, &id, new);
            let done = control.draining.run_until_cancelled(work).await;
            let done = done.unwrap_or(Err(ControlError::Draining));
            if done.is_err() {
                control.take_back_import(&id).await;
            }
            done
        });
        let broken = |e| FileError::Broken { doing: "importing", source: Box::new(e) };
        task.await.map_err(broken)?
    }

    /// Takes away what is left of an import that came to nothing. The next start of the platform does it
    /// if this does not.
    async fn take_back_import(self: &Arc<Self>, id: &SmartboxId) {
        match self.row(id).await {
            // The row says that it is being removed, or that the box is there after all.
            Ok(Some(row)) if self.keeper(id).is_none() => self.keep(&row),
            Ok(None) => {
                if let Err(error) = self.parts.runtime.kept(id.clone(), Kept::Forget).await {
                    tracing::warn!(smartbox = %id, %error, "what came in cannot be taken away");
                }
            }
            _ => {}
        }
    }

    async fn move_in(
        self: &Arc<Self>,
        actor: &Actor,
        account: &AccountId,
        id: &SmartboxId,
        new: NewImport,
    ) -> Result<Imported, ControlError> {
        let NewImport { name, kind, tier, engine, desired, within, source } = new;
        let room = self.room(tier.as_deref())?;
        let of = HomeOf { smartbox: id.clone(), slot: 0, disk_bytes: 0 };
        let stage = self.parts.places.stage(of).await?;
        // A name that nothing in a home has by accident.
        let inner = format!(".importing-{}", random_text(&*self.parts.entropy, 20));
        let inner = stage.join(inner);
        let came = gather(source, within, inner.clone(), room).await?;
        let target = Target::of(self.engine_named(engine.as_deref())?.engine.manifest());
        let configs = self.engine_named(engine.as_deref())?.configs.clone();
        let read = move |bytes: &[u8]| configs.read(bytes).ok();
        let on = stage.clone();
        let staged = blocking(move || put_together(came, &target, read, room, &on)).await?;
        let mut warnings = staged.plan.warnings.clone();
        let asked = Asked { name, kind, tier, engine, desired };
        let row = self.row_of(account, id, asked, staged.record.as_ref(), &mut warnings)?;
        let limit = self.room(Some(&row.tier))?;
        if staged.settled.bytes > limit {
            return Err(FileError::Full.into());
        }
        let mut credentials = Vec::new();
        if staged.origin != Origin::Export {
            let told = self.adapt(&row, &staged.plan, &stage).await?;
            warnings.extend(told.warnings);
            credentials = told.credentials;
        }
        let row = self.reserve(actor, account, row).await?;
        let told = format!("{} (from {})", row.name, staged.origin.as_str());
        let seated = self.seat(actor, row.clone(), told, &staged.history, inner).await;
        let (row, messages) = seated?;
        self.keep(&row);
        let Settled { files, bytes, left_out } = staged.settled;
        let left_out_total = left_out.len() as u64;
        let told = |(path, why): (Vec<u8>, &str)| LeftOut {
            path: String::from_utf8_lossy(&path).into_owned(),
            why: why.to_owned(),
        };
        let left_out = left_out.into_iter().take(TELL).map(told).collect();
        let origin = staged.origin;
        Ok(Imported {
            row,
            origin,
            files,
            bytes,
            messages,
            left_out,
            left_out_total,
            warnings,
            credentials,
        })
    }
}

impl Control {
    /// Bytes that a home of this tier may hold; of all tiers the most, if none is said.
    fn room(&self, tier: Option<&str>) -> Result<u64, ControlError> {
        let tiers = &self.parts.settings.tiers;
        let limit = |bytes: u64| if bytes == 0 { MOST } else { bytes };
        match tier {
            Some(tier) => {
                self.known_tier(tier)?;
                Ok(tiers.get(tier).map_or(MOST, |limits| limit(limits.disk_bytes)))
            }
            None => Ok(tiers.values().map(|limits| limit(limits.disk_bytes)).max().unwrap_or(MOST)),
        }
    }

    fn engine_named(&self, name: Option<&str>) -> Result<&EngineSlot, ControlError> {
        match name {
            Some(name) => self.engine(name),
            None => self
                .parts
                .engines
                .first()
                .ok_or_else(|| refused("no engine is installed", "run `smartbox doctor`")),
        }
    }

    /// The row of the new box: what was asked for, over what the archive says.
    fn row_of(
        &self,
        account: &AccountId,
        id: &SmartboxId,
        asked: Asked,
        record: Option<&Record>,
        warnings: &mut Vec<String>,
    ) -> Result<Smartbox, ControlError> {
        let told = record.map(|record| record.name.clone());
        let name = asked.name.or(told).ok_or_else(|| {
            refused("the box needs a name", "say one: `smartbox import … --name NAME`")
        })?;
        name::check(&name)?;
        let mut kind = asked.kind.or_else(|| record.map(|record| record.kind.clone()));
        if let Some(unknown) = kind.clone().filter(|kind| self.parts.kinds.get(kind).is_none()) {
            warnings.push(format!("there is no kind `{unknown}` here: it is a custom one now"));
            kind = None;
        }
        let mut tier = asked.tier.or_else(|| record.map(|record| record.tier.clone()));
        if let Some(unknown) = tier.clone().filter(|tier| self.known_tier(tier).is_err()) {
            warnings.push(format!("there is no tier `{unknown}` here: it has the default one now"));
            tier = None;
        }
        let new = NewSmartbox {
            display: record.map(|record| record.display.clone()).unwrap_or_default(),
            labels: record.map(|record| record.labels.clone()).unwrap_or_default(),
            tier,
            engine: asked.engine.or_else(|| record.map(|record| record.engine.clone())),
            ..NewSmartbox::of(&name, kind.unwrap_or(Kind::CUSTOM), asked.desired)
        };
        check_display(&new.display)?;
        let sleep = record.map(|record| record.sleep).unwrap_or_default();
        Ok(Smartbox { id: id.clone(), sleep, ..self.blank(account, new)? })
    }
}
