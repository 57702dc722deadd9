//! The control socket: one JSON object a line, each answered by one.
//!
//! ```text
//! → {"version":1,"command":"stats"}
//! ← {"ok":true,"result":{…}}   or   {"ok":false,"error":"…"}
//! ```

mod client;
mod listener;
mod reply;

pub use client::run;
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
    /// Drain and leave.
    Stop,
}

/// A line from the client.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    version: u32,
    #[serde(flatten)]
    command: Command,
}

/// A line from the server.
#[derive(Debug, Serialize, Deserialize)]
struct Response {
    ok: bool,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    result: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}
