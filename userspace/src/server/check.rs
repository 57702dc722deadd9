//! `ripples check`.

use super::{inspection, resources};
use crate::config::{Config, RunArguments};
use anyhow::Result;
use std::io::{self, Write};

/// Prints what is wrong with the configuration's files, one line each; and of the interfaces that
/// the command line names, what they and the host are like. False when something is wrong.
///
/// # Errors
/// The kernel does not say which CPUs may be used.
pub fn check(arguments: &RunArguments, config: &Config) -> Result<bool> {
    let say = |line: String| {
        // Whoever closed standard output does not want the rest.
        let _ = writeln!(io::stdout(), "{line}");
    };
    let sound = resources::check(config, |line| say(line.to_string()));
    // Those of the file may be another machine's: it can be checked anywhere.
    if arguments.interface.is_empty() {
        return Ok(sound);
    }
    Ok(inspection::inspect(config, say)? && sound)
}
