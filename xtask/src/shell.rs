//! Other programs: each is shown before it runs, and named with its exit code when it fails.

use crate::output;
use anyhow::{Context, Result, anyhow, bail};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

/// Runs a command whose output goes to the terminal. `advice` says what to do when it fails.
pub(crate) fn run(command: &mut Command, advice: &str) -> Result<()> {
    let status = status(command)?;
    if status.success() {
        return Ok(());
    }
    bail!("`{}` {}; {advice}", line(command), ended(status))
}

/// Runs a command whose output goes to the terminal and says how it ended.
///
/// # Errors
/// Only when the command could not be started.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    output::command(&line(command));
    command
        .status()
        .with_context(|| format!("could not start `{}`", line(command)))
}

/// Runs a command without input and returns what it printed.
/// When it fails, what it said on stderr becomes part of the error.
pub(crate) fn read(command: &mut Command, advice: &str) -> Result<String> {
    output::command(&line(command));
    read_again(command, advice)
}

/// As [`read`], for a command that runs so often that showing it would drown everything else.
pub(crate) fn read_again(command: &mut Command, advice: &str) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{}`", line(command)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = line(command);
    let ended = ended(output.status);
    Err(anyhow!("`{line}` {ended}: {}; {advice}", said.trim()))
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| quoted(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// How a program ended, as the end of a sentence.
pub(crate) fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Finds a program as a shell would, and where only root's path leads.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// An error unless this process may do everything; `command` is what root has to type.
pub(crate) fn require_root(command: &str) -> Result<()> {
    if !is_root() {
        bail!("network namespaces and AF_XDP need root: sudo -E env \"PATH=$PATH\" {command}");
    }
    Ok(())
}

/// Quotes a word for a POSIX shell when it needs it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_its_exit_code_and_the_way_out() {
        let error = run(Command::new("sh").args(["-c", "exit 3"]), "try again").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh -c 'exit 3'` ended with exit code 3; try again"
        );
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        let error = run(&mut Command::new("no-such-program"), "install it").unwrap_err();
        assert_eq!(error.to_string(), "could not start `no-such-program`");
    }

    #[test]
    fn what_a_failing_command_said_is_part_of_the_error() {
        let mut command = Command::new("sh");
        let error = read(command.args(["-c", "echo no >&2; exit 1"]), "ask").unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("ended with exit code 1: no; ask")
        );
    }

    #[test]
    fn a_signal_is_told_from_an_exit_code() {
        let error = run(Command::new("sh").args(["-c", "kill -9 $$"]), "wait").unwrap_err();
        assert!(error.to_string().contains("was ended by signal 9"));
    }

    #[test]
    fn words_are_quoted_only_where_a_shell_would_split_them() {
        let mut command = Command::new("a");
        command.args(["--zone", ".=root.zone", "b c", "it's", ""]);
        assert_eq!(line(&command), r"a --zone .=root.zone 'b c' 'it'\''s' ''");
    }
}
