//! `cargo xtask test`: everything the tests need, then all of them, then one line with the counts.

use crate::install::Installer;
use crate::tally::Tally;
use crate::{output, packages, repository, shell};
use anyhow::{Context, Result};
use clap::Args;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// What to test.
#[derive(Args)]
pub(crate) struct Options {
    /// Arguments for `cargo test`: `-- -p ripples zone`, `-- -- --nocapture`
    #[arg(last = true)]
    cargo: Vec<String>,
}

/// Installs, builds, tests, sums up.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<Tally> {
    installer.ensure(&[packages::BUILD, packages::DEMO, packages::TEST])?;
    if !shell::is_root() {
        output::note("tests that make network namespaces need root and only say so without it");
    }
    let tally = run_tests(&options.cargo)?;
    output::result(tally);
    Ok(tally)
}

/// Builds and runs the tests with `arguments` for `cargo test`, and counts them.
///
/// A build that fails, or a test binary that dies before its closing line, counts as one failure.
pub(crate) fn run_tests(arguments: &[String]) -> Result<Tally> {
    // The end-to-end tests start the server itself.
    let build = shell::status(&mut repository::cargo(&["build", "--package", "ripples"]))?;
    if !build.success() {
        return Ok(Tally::of_one(false));
    }
    let mut cargo = repository::cargo(&["test", "--no-fail-fast"]);
    if !chooses_packages(arguments) {
        // The kernel program is built for its own target, by `build-ebpf`.
        cargo.args(["--workspace", "--exclude", "xdp-ebpf"]);
    }
    count(cargo.args(arguments), &mut std::io::stdout())
}

/// Whether the arguments before a second `--` name packages themselves.
fn chooses_packages(arguments: &[String]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| {
            ["-p", "--package", "--workspace", "--manifest-path"]
                .iter()
                .any(|option| argument.starts_with(option))
        })
}

/// Runs `cargo test`, copying its output to `to` and adding up the test binaries' closing lines.
fn count(cargo: &mut Command, to: &mut impl Write) -> Result<Tally> {
    let name = shell::line(cargo);
    output::command(&name);
    let mut child = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{name}`"))?;
    let stdout = child.stdout.take().context("the child's output is piped")?;
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let mut line = line.context("could not read what the tests print")?;
        tally += Tally::from_result_line(&String::from_utf8_lossy(&line)).unwrap_or_default();
        line.push(b'\n');
        to.write_all(&line)
            .context("could not pass on what the tests print")?;
    }
    let status = child.wait().context("could not wait for cargo")?;
    if !status.success() && tally.failed == 0 {
        output::error(&format!("`{name}` {}", shell::ended(status)));
        tally.failed = 1;
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Result<Tally> {
        count(Command::new("sh").args(["-c", text]), &mut std::io::sink())
    }

    #[test]
    fn the_counts_of_all_binaries_are_added() {
        let line = "echo 'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured'";
        let tally = script(&format!("{line}; {line}")).unwrap();
        assert_eq!(tally.to_string(), "6 passed, 0 failed, 2 skipped");
    }

    #[test]
    fn a_build_that_fails_is_a_failure_although_no_test_ran() {
        assert_eq!(script("exit 101").unwrap(), Tally::of_one(false));
    }

    #[test]
    fn output_that_is_not_utf8_does_not_end_the_count() {
        let tally =
            script(r"printf '\377\n'; echo 'test result: ok. 1 passed; 0 failed; 0 ignored'");
        assert_eq!(tally.unwrap(), Tally::of_one(true));
    }

    #[test]
    fn packages_named_by_the_person_replace_the_workspace() {
        let chooses = |arguments: &[&str]| {
            chooses_packages(&arguments.iter().map(|&a| a.to_owned()).collect::<Vec<_>>())
        };
        assert!(chooses(&["-p", "ripples"]));
        assert!(chooses(&["--package=ripples", "zone"]));
        assert!(!chooses(&["zone"]));
        assert!(!chooses(&["zone", "--", "-p"]));
    }
}
