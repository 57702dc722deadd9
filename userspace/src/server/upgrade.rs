//! The server starts the one that is to replace it: what the operator has put into the binary's
//! place, with the same arguments and rights, in the same service.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Starts what is behind the `&` and ends: so the new server is no child of this one but of the
/// service manager, which takes no other process for a service's main one.
const ORPHAN: &str = "\"$@\" &";

/// The binary, as it is called before it may be put out of its place.
pub(super) struct Program(PathBuf);

impl Program {
    /// Of this process.
    pub(super) fn own() -> io::Result<Self> {
        env::current_exe().map(Self)
    }

    /// Starts it to replace this process.
    pub(super) fn start_anew(&self) -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", self.0.display());
        // A shell would tell only the log.
        self.0.metadata().map_err(|error| said(&error))?;
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", ORPHAN, "sh"]).arg(&self.0);
        shell.args(successor(env::args_os().skip(1)));
        // It is meant for this process.
        shell.env_remove("WATCHDOG_PID").stdin(Stdio::null());
        match shell.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(said(&format!("/bin/sh: {status}"))),
            Err(error) => Err(said(&format!("/bin/sh: {error}"))),
        }
    }
}

/// The arguments of a server that replaces the one that has these.
fn successor(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if !arguments.iter().any(|argument| argument == "--replace") {
        arguments.push("--replace".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_added_once() {
        for given in [&["run", "--workers", "2"][..], &["run", "--replace"]] {
            let once = successor(given.iter().map(OsString::from));
            let again = successor(once.iter().cloned());
            assert_eq!((once.len(), &again), (again.len(), &once));
            assert!(once.contains(&"--replace".into()));
        }
    }
}
