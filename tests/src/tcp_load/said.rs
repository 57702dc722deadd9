//! What a load says at its end, as a line of JSON from one process to the other.

use super::line::Answered;
use crate::wire::usage::Used;
use serde_json::{Value, json};

/// What was counted in the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Length of the window.
    pub seconds: f64,
    /// Replies, and what was wrong.
    pub answered: Answered,
    /// Queries, where replies are not waited for.
    pub sent: u64,
    /// Connections that the server closed, over the whole run.
    pub closed: u64,
    /// What the server's threads have used.
    pub server: Used,
    /// CPU time of the load itself.
    pub load_ns: u64,
}

impl Said {
    /// The line.
    pub fn line(&self) -> String {
        json!({
            "seconds": self.seconds,
            "answered": self.answered.count,
            "wrong": self.answered.wrong,
            "first_wrong": self.answered.first_wrong,
            "sent": self.sent,
            "closed": self.closed,
            "server_ns": self.server.ran_ns,
            "server_waited_ns": self.server.waited_ns,
            "load_ns": self.load_ns,
        })
        .to_string()
    }

    /// Reads the line; an error where it is something else.
    pub fn read(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|_| line.to_owned())?;
        let count = |key: &str| value[key].as_u64().ok_or_else(|| line.to_owned());
        Ok(Self {
            seconds: value["seconds"].as_f64().ok_or_else(|| line.to_owned())?,
            answered: Answered {
                count: count("answered")?,
                wrong: count("wrong")?,
                first_wrong: value["first_wrong"].as_str().map(str::to_owned),
            },
            sent: count("sent")?,
            closed: count("closed")?,
            server: Used {
                ran_ns: count("server_ns")?,
                waited_ns: count("server_waited_ns")?,
            },
            load_ns: count("load_ns")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let said = Said {
            seconds: 1.5,
            answered: Answered {
                count: 7,
                wrong: 1,
                first_wrong: Some("why".to_owned()),
            },
            sent: 9,
            closed: 2,
            server: Used {
                ran_ns: 3,
                waited_ns: 4,
            },
            load_ns: 5,
        };
        assert_eq!(Said::read(&said.line()), Ok(said));
        assert_eq!(Said::read("refused"), Err("refused".to_owned()));
        assert_eq!(Said::read("{}"), Err("{}".to_owned()));
    }
}
