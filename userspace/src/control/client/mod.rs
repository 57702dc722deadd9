//! `ripples ctl`: asks, and prints the answer.
//!
//! A command that is answered by one line is a [`Question`]. One that is answered by many has a
//! file of its own, with a function that takes the [`Connection`] and prints what comes.

mod connection;
mod exit;
mod geo;
mod health;
mod log_level;
mod policy;
mod stream;
mod table;
mod tail;
mod top;
mod zone;
mod zones;

pub use exit::{Exit, Failure};

use super::{Command, Mark};
use crate::config::{CookiesCommand, CtlGeoCommand, ZoneCommand};
use crate::config::{CtlArguments, CtlCommand, MarkArguments};
use crate::server::subnet_len;
use connection::Connection;
use serde_json::Value;
use std::io::{self, Write};

/// What is asked, and how people are shown the answer.
struct Question {
    command: Command,
    show: fn(&Value) -> String,
}

/// Asks the server that the arguments name, and prints what it says.
pub fn run(arguments: &CtlArguments) -> Result<(), Failure> {
    let question = question(&arguments.command);
    let mut connection = Connection::open(arguments)?;
    let result = connection.ask(question.command)?;
    match &arguments.command {
        CtlCommand::Tail(tail) => return tail::follow(connection, tail, arguments.json),
        CtlCommand::Top(top) => return top::follow(connection, top, arguments.json),
        _ => {}
    }
    let text = match arguments.json {
        true => format!("{result}\n"),
        false => (question.show)(&result),
    };
    print(&text)
}

fn question(command: &CtlCommand) -> Question {
    let told = |command| (command, table::lines as fn(&Value) -> String);
    let (command, show) = match command.clone() {
        CtlCommand::Status => told(Command::Status),
        CtlCommand::Stats => told(Command::Stats),
        CtlCommand::Reload { zone } => told(Command::Reload { zone }),
        CtlCommand::Zones { zone } => (Command::Zones { zone }, zones::text as _),
        CtlCommand::Zone {
            command: ZoneCommand::Reload { zone },
        } => told(Command::Reload { zone: Some(zone) }),
        CtlCommand::Zone {
            command: ZoneCommand::Show(asked),
        } => {
            let command = Command::Zone {
                zone: asked.zone,
                name: asked.name,
                r#type: asked.rtype,
                dnssec: asked.dnssec,
            };
            (command, zone::text as _)
        }
        CtlCommand::Geo { command: None } => (Command::Geo, geo::text as _),
        CtlCommand::Geo {
            command: Some(CtlGeoCommand::Lookup(asked)),
        } => {
            let subnet = asked.subnet;
            let command = Command::GeoLookup {
                address: asked.address,
                name: asked.name,
                subnet: subnet.map(|bits| bits.unwrap_or_else(|| subnet_len(asked.address))),
            };
            (command, geo::lookup as _)
        }
        CtlCommand::LogLevel { set } => (Command::LogLevel { set }, log_level::text as _),
        CtlCommand::Cookies { command: None } => told(Command::Cookies),
        CtlCommand::Cookies {
            command: Some(CookiesCommand::Rotate),
        } => told(Command::CookiesRotate),
        CtlCommand::Policy => (Command::Policy, policy::text as _),
        CtlCommand::Down(arguments) => told(mark(arguments, Mark::Down)),
        CtlCommand::Up(arguments) => told(mark(arguments, Mark::Up)),
        CtlCommand::Auto { what } => {
            let seconds = None;
            told(mark(MarkArguments { what, seconds }, Mark::Auto))
        }
        CtlCommand::Health => (Command::Health, health::text as _),
        CtlCommand::Tail(arguments) => told(Command::Tail(tail::request(&arguments.filter))),
        CtlCommand::Top(arguments) => told(Command::Top(top::request(&arguments))),
        CtlCommand::Upgrade => told(Command::Upgrade),
        CtlCommand::Stop => told(Command::Stop),
    };
    Question { command, show }
}

fn mark(arguments: MarkArguments, mark: Mark) -> Command {
    Command::Mark {
        target: arguments.what,
        mark,
        seconds: arguments.seconds,
    }
}

/// Prints, at once. Whoever closed standard output does not want the rest.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Failed,
            format!("standard output: {error}"),
        )),
        _ => Ok(()),
    }
}
