//! Jobs in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::JobId;
use smartbox_core::job::event::{Admit, Tally};
use smartbox_core::job::port::{Filter, Items, Jobs, Sealed};
use smartbox_core::job::{Event, Happening, Item, Job};
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;

/// A job with what hangs on it. The parts are shared, so that a change copies only its own.
#[derive(Clone)]
pub(super) struct KeptJob {
    /// The order in which it was added.
    place: u64,
    pub(super) job: Arc<Job>,
    tally: Tally,
    events: Arc<Vec<Event>>,
    items: Arc<Vec<Item>>,
    sealed: Option<Arc<Secret<String>>>,
}

impl Records<'_> {
    fn check_job(&self, job: &Job) -> Result<(), StoreError> {
        let same = |other: &KeptJob| {
            other.job.id != job.id
                && other.job.account == job.account
                && job.key.is_some()
                && other.job.key == job.key
        };
        if self.state.jobs.values().any(same) {
            return Err(StoreError::Exists { what: "job" });
        }
        self.need_account(&job.account, "smartbox")?;
        job.smartbox.as_ref().map_or(Ok(()), |id| self.need_box(id, "smartbox"))
    }

    fn add_job(&mut self, job: Job) -> Result<(), StoreError> {
        self.change()?;
        if self.state.jobs.contains_key(&job.id) {
            return Err(StoreError::Exists { what: "job" });
        }
        self.check_job(&job)?;
        let place = self.state.jobs_added;
        self.state.jobs_added += 1;
        let id = job.id.clone();
        let (tally, events, items, sealed) = Default::default();
        let kept = KeptJob { place, job: Arc::new(job), tally, events, items, sealed };
        Arc::make_mut(&mut self.state.jobs).insert(id, kept);
        Ok(())
    }

    fn put_job(&mut self, job: Job) -> Result<(), StoreError> {
        self.kept_job(&job.id)?;
        self.check_job(&job)?;
        let kept = self.kept_job(&job.id)?;
        if job.state.is_final() {
            kept.sealed = None;
        }
        kept.job = Arc::new(job);
        Ok(())
    }

    fn kept_job(&mut self, id: &JobId) -> Result<&mut KeptJob, StoreError> {
        let jobs = Arc::make_mut(&mut self.change()?.jobs);
        jobs.get_mut(id).ok_or(StoreError::Missing { what: "job" })
    }

    fn append_event(
        &mut self,
        id: &JobId,
        at: Timestamp,
        what: Happening,
    ) -> Result<(), StoreError> {
        let kept = self.kept_job(id)?;
        let events = Arc::make_mut(&mut kept.events);
        let over = matches!(what, Happening::Progress(_));
        if let Some(last) = events.pop_if(|e| over && matches!(e.what, Happening::Progress(_))) {
            kept.tally.removed(length(&last.what));
        }
        match kept.tally.admit(&what, length(&what)) {
            Admit::Keep(seq) => events.push(Event { seq, at, what }),
            Admit::Mark(seq) => events.push(Event { seq, at, what: Happening::Truncated }),
            Admit::Drop => {}
        }
        Ok(())
    }

    fn put_job_items(&mut self, id: &JobId, new: Vec<Item>) -> Result<(), StoreError> {
        let items = Arc::make_mut(&mut self.kept_job(id)?.items);
        for item in new {
            match items.binary_search_by_key(&item.n, |other| other.n) {
                Ok(at) => items[at] = item,
                Err(at) => items.insert(at, item),
            }
        }
        Ok(())
    }

    fn seal_with_job(&mut self, id: &JobId, value: Secret<String>) -> Result<(), StoreError> {
        let kept = self.kept_job(id)?;
        if kept.sealed.is_some() {
            return Err(StoreError::Exists { what: "job" });
        }
        kept.sealed = Some(Arc::new(value));
        Ok(())
    }

    fn list_jobs(&self, filter: &Filter) -> Vec<Job> {
        let place = |job: &Job| (job.created, job.id.clone());
        let mut found: Vec<_> = self
            .state
            .jobs
            .values()
            .map(|kept| &kept.job)
            .filter(|job| meant(filter, job))
            .filter(|job| filter.before.as_ref().is_none_or(|before| place(job) < *before))
            .collect();
        found.sort_by_key(|job| std::cmp::Reverse(place(job)));
        found.into_iter().take(filter.limit as usize).map(|job| Job::clone(job)).collect()
    }
}

fn meant(filter: &Filter, job: &Job) -> bool {
    filter.account.as_ref().is_none_or(|id| job.account == *id)
        && filter.smartbox.as_ref().is_none_or(|id| job.smartbox.as_ref() == Some(id))
        && (filter.states.is_empty() || filter.states.contains(&job.state))
        && filter.kind.as_ref().is_none_or(|kind| job.kind == *kind)
        && filter.key.as_ref().is_none_or(|key| job.key.as_ref() == Some(key))
        && filter.expired.is_none_or(|now| job.expires.is_some_and(|at| at <= now))
}

fn length(what: &Happening) -> usize {
    serde_json::to_string(what).map_or(0, |text| text.len())
}

impl Jobs for Records<'_> {
    fn add(&mut self, job: Job) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.add_job(job)))
    }

    fn get(&mut self, id: JobId) -> BoxFuture<'_, Result<Option<Job>, StoreError>> {
        let found = self.state.jobs.get(&id).map(|kept| Job::clone(&kept.job));
        Box::pin(ready(Ok(found)))
    }

    fn put(&mut self, job: Job) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_job(job)))
    }

    fn remove(&mut self, id: JobId) -> BoxFuture<'_, Result<(), StoreError>> {
        let changed = self.change().map(|state| {
            Arc::make_mut(&mut state.jobs).remove(&id);
        });
        Box::pin(ready(changed))
    }

    fn open(&mut self) -> BoxFuture<'_, Result<Vec<Job>, StoreError>> {
        let mut open: Vec<_> =
            self.state.jobs.values().filter(|kept| !kept.job.state.is_final()).collect();
        open.sort_by_key(|kept| kept.place);
        let open = open.into_iter().map(|kept| Job::clone(&kept.job)).collect();
        Box::pin(ready(Ok(open)))
    }

    fn list(&mut self, filter: Filter) -> BoxFuture<'_, Result<Vec<Job>, StoreError>> {
        Box::pin(ready(Ok(self.list_jobs(&filter))))
    }

    fn append(
        &mut self,
        id: JobId,
        at: Timestamp,
        what: Happening,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.append_event(&id, at, what)))
    }

    fn events(
        &mut self,
        id: JobId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        let events = self.state.jobs.get(&id).map(|kept| kept.events.clone()).unwrap_or_default();
        let later = events.iter().filter(|event| event.seq > after);
        let later = later.take(limit as usize).cloned().collect();
        Box::pin(ready(Ok(later)))
    }
}

impl Items for Records<'_> {
    fn put_items(&mut self, id: JobId, items: Vec<Item>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.put_job_items(&id, items)))
    }

    fn items(&mut self, id: JobId) -> BoxFuture<'_, Result<Vec<Item>, StoreError>> {
        let items = self.state.jobs.get(&id).map(|kept| kept.items.to_vec()).unwrap_or_default();
        Box::pin(ready(Ok(items)))
    }
}

impl Sealed for Records<'_> {
    fn seal(&mut self, id: JobId, value: Secret<String>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.seal_with_job(&id, value)))
    }

    fn unseal(&mut self, id: JobId) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        let found = self.state.jobs.get(&id).and_then(|kept| kept.sealed.clone());
        Box::pin(ready(Ok(found.map(|value| Secret::clone(&value)))))
    }
}
