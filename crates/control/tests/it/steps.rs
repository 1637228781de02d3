//! Kinds of jobs for tests: they count, a step at a time, and remember each step that they did.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use smartbox_control::jobs::{Ctx, Halt, Work};
use smartbox_core::BoxFuture;
use smartbox_core::job::{JobFailure, Progress};

/// What every run did, in order: the job's input's `name`, and the step.
#[derive(Clone, Default)]
pub struct Steps(Arc<Mutex<Vec<(String, u64)>>>);

impl Steps {
    pub fn done(&self) -> Vec<(String, u64)> {
        self.0.lock().unwrap().clone()
    }

    pub fn of(&self, name: &str) -> Vec<u64> {
        self.done().into_iter().filter(|(of, _)| of == name).map(|(_, step)| step).collect()
    }

    pub fn works(&self) -> Vec<Arc<dyn Work>> {
        vec![
            Arc::new(Count { kind: "test.count", steps: self.clone(), whole: false }),
            Arc::new(Count { kind: "test.whole", steps: self.clone(), whole: true }),
        ]
    }
}

/// Counts to `to`, a second a step.
struct Count {
    kind: &'static str,
    steps: Steps,
    /// It can neither pause nor go on, and a box keeps three.
    whole: bool,
}

impl Work for Count {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn resumes(&self) -> bool {
        !self.whole
    }
    fn pauses(&self) -> bool {
        !self.whole
    }
    fn keeps(&self) -> Option<usize> {
        self.whole.then_some(3)
    }
    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let input: Value = ctx.input()?;
            let name = input["name"].as_str().unwrap_or_default().to_owned();
            let to = input["to"].as_u64().unwrap_or(3);
            for step in ctx.left_off().unwrap_or(0)..to {
                match input["how"].as_str() {
                    Some("fail") => {
                        let (code, detail) = ("odd".to_owned(), "it is odd".to_owned());
                        return Err(Halt::Failed(JobFailure { code, detail, hint: String::new() }));
                    }
                    Some("panic") => panic!("on purpose"),
                    Some("deaf") => tokio::time::sleep(Duration::from_secs(3600)).await,
                    Some("big") => return Ok(json!("x".repeat(1 << 20))),
                    _ => ctx.unless_stopped(tokio::time::sleep(Duration::from_secs(1))).await?,
                }
                self.steps.0.lock().unwrap().push((name.clone(), step));
                ctx.log(format!("step {step}")).await?;
                ctx.checkpoint(&(step + 1)).await?;
                let progress = Progress {
                    done: step + 1,
                    total: Some(to),
                    unit: "steps".into(),
                    note: String::new(),
                };
                ctx.progress(progress).await?;
            }
            Ok(json!({ "counted": to }))
        })
    }
}
