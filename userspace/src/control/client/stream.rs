//! What comes line by line for as long as it lasts.

use super::{Connection, Exit, Failure};
use serde_json::Value;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nobody here wants more.
    Enough,
    /// The server has ended it.
    Server,
}

/// A line that came.
pub(super) struct Line<'l> {
    /// As it came.
    pub(super) text: &'l str,
    /// What it says.
    pub(super) value: &'l Value,
}

/// Prints what `show` makes of each line, at once, until it says `false`: that was the last.
pub(super) fn follow(
    mut connection: Connection,
    mut show: impl FnMut(&Line<'_>) -> (String, bool),
) -> Result<End, Failure> {
    connection.listen()?;
    let mut out = BufWriter::new(io::stdout().lock());
    loop {
        let Some(text) = connection.line()? else {
            return Ok(End::Server);
        };
        // The last line of a server that was killed may be torn.
        let Ok(value) = serde_json::from_str(&text) else {
            return Ok(End::Server);
        };
        let line = Line {
            text: &text,
            value: &value,
        };
        let (shown, goes_on) = show(&line);
        match print(&mut out, &shown, !goes_on || !connection.has_more()) {
            Ok(()) if goes_on => {}
            // Whoever closed standard output does not want the rest.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let problem = format!("standard output: {error}");
                return Err(Failure::new(Exit::Failed, problem));
            }
            _ => return Ok(End::Enough),
        }
    }
}

/// Says that the server has ended the stream too early.
pub(super) fn too_early() -> Failure {
    Failure::new(Exit::Failed, "the server has ended the stream")
}

fn print(out: &mut BufWriter<StdoutLock<'_>>, text: &str, at_once: bool) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    if at_once { out.flush() } else { Ok(()) }
}
