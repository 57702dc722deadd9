//! The control socket: one JSON object a line, each answered by one.
//!
//! ```text
//! → {"version":1,"command":"stats"}
//! ← {"ok":true,"result":{…}}   or   {"ok":false,"error":"…"}
//! ```

mod client;
mod listener;
mod reply;

pub use client::{Exit, Failure, run};
pub use listener::{ControlError, Listener};
pub use reply::Reply;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// What is checked or marked: its state, why, since when.
    Health,
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
    /// Drain and leave.
    Stop,
    /// Start the binary anew, and leave everything to it.
    Upgrade,
    /// Leave everything to the server that asks: what follows is between the two.
    Replace,
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
}

impl Response {
    /// What was asked for.
    pub(crate) fn granted(result: Value) -> Self {
        Self {
            ok: true,
            result,
            error: None,
        }
    }

    /// Why there is nothing.
    pub(crate) fn refused(error: String) -> Self {
        Self {
            ok: false,
            result: Value::Null,
            error: Some(error),
        }
    }
}
