//! What the control socket's clients ask, answered here or handed on to who can.

use super::resources::Request;
use super::{Server, status};
use crate::control::{Command, Reply};
use crate::name::NameBuf;
use serde_json::{Value, json};

impl Server<'_> {
    /// Answers a request, or hands it on with the reply that is owed.
    pub(super) fn answer(&mut self, command: Command, reply: Reply) {
        let request = match command {
            Command::Reload { zone } => origin(zone).map(Request::Reload),
            Command::Zones { zone } => origin(zone).map(Request::Zones),
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
            Command::Stats => Ok(status::stats(&self.workers, &self.attached, &published)),
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
            Command::Replace | Command::Reload { .. } | Command::Zones { .. } => {
                Err("not on this connection".to_owned())
            }
        }
    }
}

/// The origin that a client named, in lowered wire form.
fn origin(zone: Option<String>) -> Result<Option<Vec<u8>>, String> {
    let Some(text) = zone else {
        return Ok(None);
    };
    let mut name = NameBuf::from_text(text.as_bytes(), b"\0")
        .map_err(|error| format!("{text:?} is no name: {error}"))?;
    name.make_lowercase();
    Ok(Some(name.to_vec()))
}
