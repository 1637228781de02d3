//! Puppet's own clock: jobs that run once or again and again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartbox_core::time::Timestamp;

use super::journal::Entry;
use super::socket::Reply;
use super::{Puppet, rows};

/// A job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    name: String,
    message: String,
    /// When it runs next.
    next: i64,
    /// Time between runs; none for a job that runs once.
    every: Option<i64>,
}

/// A job that came due while there was no process waits a while after the start.
pub(super) fn defer_missed(jobs: &mut [Job], started: Timestamp, by: Duration) {
    for job in jobs.iter_mut().filter(|job| job.next <= started.0) {
        job.next = started.plus(by).0;
    }
}

/// Runs jobs as they come due.
pub(super) async fn run(puppet: Puppet) {
    loop {
        let changed = puppet.inner.jobs_changed.notified();
        let next = puppet.state().jobs.iter().map(|job| job.next).min();
        match next {
            None => changed.await,
            Some(at) => {
                let wait = Timestamp(at).since(puppet.now());
                // Short steps: the wall clock moves on while the process is frozen, this timer may
                // not.
                let step = wait.min(Duration::from_millis(250));
                let _ = tokio::time::timeout(step, changed).await;
            }
        }
        let due: Vec<Job> = {
            let now = puppet.now().0;
            puppet.state().jobs.iter().filter(|job| job.next <= now).cloned().collect()
        };
        for job in due {
            puppet.run_job(job).await;
        }
    }
}

impl Puppet {
    async fn run_job(&self, mut job: Job) {
        let session = format!("agent:main:cron:{}", job.id);
        let id = job.id.clone();
        let key = self.fresh_id("cron");
        let mut entries = vec![
            Entry::JobGone { id: id.clone() },
            Entry::Session { key: session.clone(), id: self.fresh_id("session") },
            Entry::Row {
                session: session.clone(),
                row: rows::user(&key, &job.message, self.now()),
            },
        ];
        if let Some(every) = job.every {
            job.next = self.now().0.saturating_add(every.max(1_000));
            entries.push(Entry::Job(job));
        }
        self.record(entries).await;
        self.tell("cron", json!({ "jobId": id, "action": "started" }));
        self.run_turn(&session, &key, &key).await;
        self.tell("cron", json!({ "jobId": id, "action": "finished" }));
    }

    pub(super) fn cron_status(&self) -> Reply {
        let state = self.state();
        let next = state.jobs.iter().map(|job| job.next).min();
        Reply::Ok(json!({ "enabled": true, "jobs": state.jobs.len(), "nextWakeAtMs": next }))
    }

    pub(super) async fn cron_add(&self, params: &Value) -> Reply {
        let schedule = &params["schedule"];
        let every = schedule["everyMs"].as_i64();
        let at = match schedule["kind"].as_str() {
            Some("at") => {
                schedule["at"].as_i64().or_else(|| schedule["at"].as_str().and_then(iso_millis))
            }
            Some("every") => every.map(|ms| self.now().0.saturating_add(ms)),
            _ => None,
        };
        let Some(next) = at else { return Reply::invalid("invalid cron.add params: schedule") };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let job = Job {
            id: self.fresh_id("job"),
            name: text(&params["name"]),
            message: text(&params["payload"]["message"]),
            next,
            every,
        };
        let answer = json!({
            "id": job.id, "name": job.name, "enabled": true, "nextRunAtMs": next,
            "deleteAfterRun": every.is_none(),
        });
        self.record(vec![Entry::Job(job)]).await;
        self.inner.jobs_changed.notify_waiters();
        self.tell("cron", json!({ "jobId": answer["id"], "action": "added" }));
        Reply::Ok(answer)
    }

    pub(super) async fn cron_remove(&self, params: &Value) -> Reply {
        let id = params["id"].as_str().unwrap_or_default().to_owned();
        let removed = self.state().jobs.iter().any(|job| job.id == id);
        self.record(vec![Entry::JobGone { id }]).await;
        self.inner.jobs_changed.notify_waiters();
        Reply::Ok(json!({ "ok": true, "removed": removed }))
    }
}

/// Reads `2026-11-23T17:07:56.110Z` (UTC only).
fn iso_millis(text: &str) -> Option<i64> {
    let rest = text.strip_suffix('Z')?;
    let (date, time) = rest.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    // Days since 1970 by the civil calendar: years counted from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(iso_millis("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(iso_millis("2026-11-23T17:07:56.110Z"), Some(1_795_453_676_110));
        assert_eq!(iso_millis("2024-02-29T12:00:00.5Z"), Some(1_709_208_000_500));
        for bad in ["", "2026-11-23", "2026-11-23T17:07:56+01:00", "xT:Z"] {
            assert_eq!(iso_millis(bad), None, "{bad}");
        }
    }
}
