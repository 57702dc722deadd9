//! The control socket: one JSON object a line, each answered by one. docs/control.md is what others
//! rely on.
//!
//! ```text
//! → {"version":1,"command":"stats"}
//! ← {"ok":true,"result":{…}}   or   {"ok":false,"error":"…","code":"…"}
//! ```

mod access;
mod client;
mod listener;
mod live;
mod refusal;
mod reply;
mod visitor;

pub use client::{Exit, Failure, run};
pub use listener::{ControlError, Listener};
pub use live::{TailRequest, TopRequest};
pub use refusal::{Code, Refusal};
pub use reply::Reply;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::IpAddr;

/// The protocol's version: it rises when an old client could misread a reply.
pub const VERSION: u32 = 1;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Command {
    /// What is served, and how.
    Status,
    /// What has been counted.
    Stats,
    /// Read again what has changed; answered when it is done.
    Reload {
        /// Only this zone, changed or not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
    },
    /// The zones, each with its file and what is wrong with it.
    Zones {
        /// Only this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
    },
    /// One zone, and what a name of it answers.
    Zone {
        /// Its origin.
        zone: String,
        /// A name in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The type of the records that are asked for; none: of those that the name has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        r#type: Option<String>,
        /// Whether signatures and proofs are asked for too.
        #[serde(default)]
        dnssec: bool,
    },
    /// Databases and maps of where clients are.
    Geo,
    /// Where an address is, and which variant it gets for a name.
    GeoLookup {
        /// The client's address.
        address: IpAddr,
        /// What it asks for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Bits of its network that a resolver tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subnet: Option<u8>,
    },
    /// What is checked or marked: its state, why, since when.
    Health,
    /// What is logged; or other levels, until the server ends.
    LogLevel {
        /// LEVEL or TARGET=LEVEL, several with commas.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        set: Option<String>,
    },
    /// What is done with DNS cookies, and how old their secret is.
    Cookies,
    /// Make cookies from another secret.
    CookiesRotate,
    /// What is answered to whom, and how much of it.
    Policy,
    /// Mark an address, or a variant as NAME/REGION.
    Mark {
        /// What it is about.
        target: String,
        /// What it is from now on.
        mark: Mark,
        /// For so many seconds; none: until it is marked anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// Each query as it is answered: a stream.
    Tail(TailRequest),
    /// What is most frequent, again and again: a stream.
    Top(TopRequest),
    /// Drain and leave.
    Stop,
    /// Start the binary anew, and leave everything to it.
    Upgrade,
    /// Leave everything to the server that asks: what follows is between the two.
    Replace,
}

impl Command {
    /// What it is called in a request.
    pub(crate) fn word(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        let word = value["command"].as_str();
        word.unwrap_or_default().to_owned()
    }

    /// Whether it does more than tell.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Self::Status
            | Self::Stats
            | Self::Zones { .. }
            | Self::Zone { .. }
            | Self::Geo
            | Self::GeoLookup { .. }
            | Self::Health
            | Self::LogLevel { set: None }
            | Self::Cookies
            | Self::Policy
            | Self::Tail(_)
            | Self::Top(_) => false,
            Self::Reload { .. }
            | Self::Mark { .. }
            | Self::LogLevel { set: Some(_) }
            | Self::CookiesRotate
            | Self::Stop
            | Self::Upgrade
            | Self::Replace => true,
        }
    }
}

/// What the operator says of an address or a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It is up, whatever the checks say.
    Up,
    /// It is down, whatever the checks say.
    Down,
    /// Nothing: it is what the file of marks and the checks say.
    Auto,
}

/// A line from the client.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    version: u32,
    #[serde(flatten)]
    command: Command,
}

impl Request {
    /// Asks for this, in this version.
    pub(crate) fn new(command: Command) -> Self {
        let version = VERSION;
        Self { version, command }
    }
}

/// A line from the server.
#[derive(Serialize, Deserialize)]
pub(crate) struct Response {
    /// Whether it does what was asked.
    pub(crate) ok: bool,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) result: Value,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The [`Code`] of it; a later release may have others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
}

impl Response {
    /// What was asked for.
    pub(crate) fn granted(result: Value) -> Self {
        Self {
            ok: true,
            result,
            error: None,
            code: None,
        }
    }

    /// Why there is nothing.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self {
            ok: false,
            result: Value::Null,
            error: Some(refusal.reason),
            code: Some(refusal.code.word().to_owned()),
        }
    }
}
