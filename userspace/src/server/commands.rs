//! What the control socket's clients ask, answered here or handed on to who can.

use super::resources::{MarkChange, Request};
use super::{Server, status};
use crate::control::{Command, Mark, Reply};
use crate::name;
use crate::querylog::QueryLog;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

impl Server<'_> {
    /// Answers a request, or hands it on with the reply that is owed.
    pub(super) fn answer(&mut self, command: Command, reply: Reply) {
        let request = match command {
            Command::Reload { zone } => origin(zone).map(Request::Reload),
            Command::Zones { zone } => origin(zone).map(Request::Zones),
            Command::Mark {
                target,
                mark,
                seconds,
            } => mark_change(&target, mark, seconds).map(Request::Mark),
            other => return reply.send(self.answer_at_once(other)),
        };
        match request {
            Ok(request) => self.resources.ask(request, Some(reply)),
            Err(problem) => reply.send(Err(problem)),
        }
    }

    fn answer_at_once(&mut self, command: Command) -> Result<Value, String> {
        let published = self.resources.published();
        match command {
            Command::Status => Ok(status::status(
                self.config,
                &published,
                &self.paths,
                &self.replaced,
                self.started.elapsed(),
            )),
            Command::Stats => {
                let health = self.resources.board().lock().counts();
                let (workers, attached) = (&self.workers, &self.attached);
                let query_log = self.query_log.as_ref().map(QueryLog::counts);
                Ok(status::stats(
                    workers, attached, &published, health, query_log,
                ))
            }
            Command::Health => Ok(self.resources.board().lock().report(Instant::now())),
            Command::Upgrade if self.handover.is_some() => {
                Err("a server is replacing this one already".to_owned())
            }
            Command::Upgrade => match &self.program {
                Ok(program) => program
                    .start_anew()
                    .map(|()| json!({ "upgrade": "started; the log tells how it goes" })),
                Err(error) => Err(format!("the place of the binary: {error}")),
            },
            Command::Stop => {
                self.stopping = true;
                Ok(json!({ "stop": "draining" }))
            }
            // Whoever waits for these has been told apart.
            Command::Replace
            | Command::Reload { .. }
            | Command::Zones { .. }
            | Command::Mark { .. } => Err("not on this connection".to_owned()),
        }
    }
}

/// What a client says of an address or a variant.
fn mark_change(target: &str, mark: Mark, seconds: Option<u64>) -> Result<MarkChange, String> {
    Ok(MarkChange {
        target: target.parse()?,
        is_up: match mark {
            Mark::Up => Some(true),
            Mark::Down => Some(false),
            Mark::Auto => None,
        },
        lasts: seconds.map(Duration::from_secs),
    })
}

/// The origin that a client named, in lowered wire form.
fn origin(zone: Option<String>) -> Result<Option<Vec<u8>>, String> {
    let Some(text) = zone else {
        return Ok(None);
    };
    let name = name::lowered_from_text(&text);
    name.map(Some)
        .map_err(|error| format!("{text:?} is no name: {error}"))
}
