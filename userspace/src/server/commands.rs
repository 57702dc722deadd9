//! What the control socket's clients ask, answered here or handed on to who can.

use super::lookup::Asked;
use super::resources::{MarkChange, Question, Request, ZoneQuestion};
use super::{Server, live, status};
use crate::control::{Command, Mark, Refusal, Reply};
use crate::name;
use crate::telemetry::log;
use crate::zone::rtype;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

impl Server<'_> {
    /// Answers a request, or hands it on with the reply that is owed.
    pub(super) fn answer(&mut self, command: Command, reply: Reply) {
        match command {
            Command::Tail(asked) => return self.stream(live::tail(&asked), reply),
            Command::Top(asked) => return self.stream(live::top(&asked), reply),
            _ => {}
        }
        match for_resources(&command) {
            Some(Ok(request)) => self.resources.ask(request, reply),
            Some(Err(refusal)) => reply.send(Err(refusal)),
            None => reply.send(self.answer_at_once(command)),
        }
    }

    fn answer_at_once(&mut self, command: Command) -> Result<Value, Refusal> {
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
                let log = &self.query_log;
                Ok(status::stats(workers, attached, &published, health, log))
            }
            Command::Health => Ok(self.resources.board().lock().report(Instant::now())),
            Command::LogLevel { set } => log_level(set.as_deref()),
            Command::Upgrade => self.upgrade(),
            Command::Stop => {
                self.stopping = true;
                Ok(json!({ "stop": "draining" }))
            }
            // Whoever waits for these has been told apart.
            _ => Err(Refusal::bad_request("not on this connection")),
        }
    }

    fn upgrade(&self) -> Result<Value, Refusal> {
        if self.handover.is_some() {
            return Err("a server is replacing this one already".to_owned().into());
        }
        let program = self.program.as_ref();
        let program = program.map_err(|error| format!("the place of the binary: {error}"))?;
        program.start_anew()?;
        Ok(json!({ "upgrade": "started; the log tells how it goes" }))
    }
}

/// What the resource thread is asked; none: it has nothing to do with it.
fn for_resources(command: &Command) -> Option<Result<Request, Refusal>> {
    let request = match command.clone() {
        Command::Reload { zone } => optional(zone, origin).map(Request::Reload),
        Command::Zones { zone } => optional(zone, origin)
            .map(Question::Zones)
            .map(Request::Tell),
        Command::Zone {
            zone,
            name,
            r#type,
            dnssec,
        } => zone_question(&zone, name, r#type, dnssec)
            .map(Question::Zone)
            .map(Request::Tell),
        Command::Geo => Ok(Request::Tell(Question::Geo)),
        Command::GeoLookup {
            address,
            name,
            subnet,
        } => Ok(Request::Locate(Asked {
            address,
            name,
            subnet,
        })),
        Command::Policy => Ok(Request::Tell(Question::Policy)),
        Command::Cookies => Ok(Request::Tell(Question::Cookies)),
        Command::CookiesRotate => Ok(Request::RotateCookies),
        Command::Mark {
            target,
            mark,
            seconds,
        } => mark_change(&target, mark, seconds).map(Request::Mark),
        _ => return None,
    };
    Some(request)
}

/// What a client asks of a zone.
fn zone_question(
    zone: &str,
    name: Option<String>,
    rtype: Option<String>,
    dnssec: bool,
) -> Result<ZoneQuestion, Refusal> {
    if rtype.is_some() && name.is_none() {
        return Err(Refusal::bad_request("a type needs a name"));
    }
    Ok(ZoneQuestion {
        origin: origin(zone)?,
        name: optional(name, origin)?,
        rtype: optional(rtype, type_of)?,
        dnssec,
    })
}

/// What a client says of an address or a variant.
fn mark_change(target: &str, mark: Mark, seconds: Option<u64>) -> Result<MarkChange, Refusal> {
    Ok(MarkChange {
        target: target
            .parse()
            .map_err(|problem: String| Refusal::bad_request(problem))?,
        is_up: match mark {
            Mark::Up => Some(true),
            Mark::Down => Some(false),
            Mark::Auto => None,
        },
        lasts: seconds.map(Duration::from_secs),
    })
}

fn optional<T>(
    text: Option<String>,
    read: impl Fn(&str) -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    text.as_deref().map(read).transpose()
}

/// A name that a client gave, in lowered wire form.
fn origin(text: &str) -> Result<Vec<u8>, Refusal> {
    name::lowered_from_text(text)
        .map_err(|error| Refusal::bad_request(format!("{text:?} is no name: {error}")))
}

/// A type of records that can be asked for.
fn type_of(text: &str) -> Result<u16, Refusal> {
    let rtype = rtype::from_text(text.as_bytes());
    let rtype = rtype.filter(|&rtype| rtype != 0 && !rtype::is_meta(rtype));
    rtype.ok_or_else(|| Refusal::bad_request(format!("{text:?} is no type of records")))
}

/// What is logged, after another level was set, if one is given.
fn log_level(set: Option<&str>) -> Result<Value, Refusal> {
    if let Some(levels) = set {
        log::adjust(levels).map_err(Refusal::bad_request)?;
        tracing::info!(
            levels,
            "levels of the log are changed, until the server ends"
        );
    }
    let filter = log::current();
    let levels = filter.split(',').filter(|text| !text.is_empty());
    let levels = levels.map(|directive| match directive.rsplit_once('=') {
        Some((target, level)) => json!({ "target": target, "level": level }),
        None => json!({ "target": null, "level": directive }),
    });
    Ok(json!({
        "filter": filter,
        "levels": levels.collect::<Vec<_>>(),
        "lasts": "until the server ends, or a reload brings another log.filter",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Code;

    fn code(asked: Result<ZoneQuestion, Refusal>) -> Option<Code> {
        asked.err().map(|refusal| refusal.code)
    }

    #[test]
    fn what_is_no_name_and_no_type_of_records_is_no_request() {
        let text = |text: &str| Some(text.to_owned());
        let asked = zone_question("Example.", text("WWW.example."), text("aaaa"), true).unwrap();
        assert_eq!(asked.origin, b"\x07example\0");
        assert_eq!(asked.name.as_deref(), Some(&b"\x03www\x07example\0"[..]));
        assert_eq!((asked.rtype, asked.dnssec), (Some(rtype::AAAA), true));
        for (zone, name, rtype) in [
            ("a..b", None, None),
            ("a.", text(".."), None),
            ("a.", text("a."), text("NOSUCH")),
            ("a.", text("a."), text("ANY")),
            ("a.", text("a."), text("AXFR")),
            ("a.", None, text("A")),
        ] {
            let refused = zone_question(zone, name, rtype, false);
            assert_eq!(code(refused), Some(Code::BadRequest));
        }
    }
}
