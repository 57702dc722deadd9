//! The control socket: one JSON object a line, each answered by one.
//!
//! ```text
//! → {"version":1,"command":"stats"}
//! ← {"ok":true,"result":{…}}   or   {"ok":false,"error":"…"}
//! ```

mod client;
mod listener;

pub use client::run;
pub use listener::{ControlError, Listener};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The protocol's version: it rises when an old client could misread a reply.
pub const VERSION: u32 = 1;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// What is served, and how.
    Status,
    /// What has been counted.
    Stats,
    /// Read all zones anew.
    Reload,
    /// Drain and leave.
    Stop,
}

/// A line from the client.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    version: u32,
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
