//! `cargo xtask ci`: every check that a change must pass, and one line that says how it went.

use crate::install::Installer;
use crate::tally::Tally;
use crate::{bench, build_ebpf, fuzz, output, packages, repository, shell, test, tidy, tools, vm};
use anyhow::Result;
use std::time::{Duration, Instant};

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// Inputs of each target: a shallow mistake is found. A hunt is `cargo xtask fuzz --seconds N`.
const FUZZ_RUNS: u64 = 100_000;

/// A check: its name and what it does.
type Step = (&'static str, fn(&Installer) -> Result<Tally>);

/// The checks, quick ones first.
const STEPS: &[Step] = &[
    ("packages", |installer| whole(install(installer))),
    ("fmt", |_| whole(format())),
    ("tidy", |_| whole(tidy::run())),
    ("clippy", |_| whole(clippy())),
    ("deny", |_| whole(deny())),
    ("test", |_| test::run_tests(&[])),
    ("vm", vm::run_quick),
    ("instructions", |installer| {
        whole(bench::core::instructions::check_all(installer))
    }),
    ("build-ebpf", |_| whole(build_ebpf::run(true))),
    ("fuzz", |installer| {
        whole(fuzz::run_all(FUZZ_RUNS, installer))
    }),
];

/// How one step went.
struct Outcome {
    name: &'static str,
    tally: Tally,
    took: Duration,
}

/// Runs all steps, the later ones too when an earlier one failed.
pub(crate) fn run(installer: &Installer) -> Tally {
    let outcomes: Vec<_> = STEPS.iter().map(|step| perform(step, installer)).collect();
    let mut total = Tally::default();
    output::result("");
    for outcome in &outcomes {
        total += outcome.tally;
        output::result(row(outcome));
    }
    // The last line is for whoever runs this without reading it.
    output::result(total);
    total
}

/// Runs one step. An error that kept it from running counts as a failure.
fn perform(&(name, check): &Step, installer: &Installer) -> Outcome {
    output::step("Step", name);
    let start = Instant::now();
    let tally = check(installer).unwrap_or_else(|error| {
        output::error(&format!("{name}: {error:#}"));
        Tally::of_one(false)
    });
    Outcome {
        name,
        tally,
        took: start.elapsed(),
    }
}

/// One line of the closing table.
fn row(outcome: &Outcome) -> String {
    let verdict = if outcome.tally.failed == 0 {
        "ok"
    } else {
        "FAILED"
    };
    let seconds = outcome.took.as_secs_f64();
    format!(
        "{:<14}{verdict:<8}{seconds:>8.1} s   {}",
        outcome.name, outcome.tally
    )
}

/// A step that passes or fails as one.
fn whole(outcome: Result<()>) -> Result<Tally> {
    outcome.map(|()| Tally::of_one(true))
}

/// Installs what all the other steps need.
fn install(installer: &Installer) -> Result<()> {
    installer.ensure(&[
        packages::BUILD,
        packages::DEMO,
        packages::TEST,
        packages::FUZZ,
        packages::CALLGRIND,
    ])?;
    installer.ensure_named(build_ebpf::PACKAGES, "compiles the XDP program")
}

/// Checks the formatting of the workspace and of the fuzz targets beside it.
fn format() -> Result<()> {
    let advice = "run `cargo fmt --all`";
    shell::run(&mut repository::cargo(&["fmt", "--all", "--check"]), advice)?;
    let mut fuzz = repository::cargo(&["fmt", "--check", "--manifest-path"]);
    let advice = "run `cargo fmt --manifest-path tests/fuzz/Cargo.toml`";
    shell::run(fuzz.arg(fuzz::directory().join("Cargo.toml")), advice)
}

/// Lints everything that compiles for this machine.
fn clippy() -> Result<()> {
    let advice = "mend what it names, or `#[expect(…, reason = \"…\")]` it";
    let mut workspace = repository::cargo(&["clippy", "--workspace", "--all-targets"]);
    shell::run(workspace.args(["--", "--deny", "warnings"]), advice)?;
    let mut fuzz = repository::cargo(&["clippy", "--all-targets", "--manifest-path"]);
    fuzz.arg(fuzz::directory().join("Cargo.toml"));
    shell::run(fuzz.args(["--", "--deny", "warnings"]), advice)
}

/// Checks licences, bans and sources of all dependencies.
///
/// Not the advisories: their database lies on a host that a machine with nothing but a crate
/// registry cannot reach. Where it can: `cargo deny check advisories`.
fn deny() -> Result<()> {
    let program = tools::ensure("cargo-deny", CARGO_DENY)?;
    let mut deny = std::process::Command::new(program);
    deny.current_dir(repository::root())
        .args(["--locked", "check", "--hide-inclusion-graph"])
        .args(["bans", "licenses", "sources"]);
    shell::run(&mut deny, "see deny.toml for what is allowed and why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_could_not_run_is_a_failure() {
        let broken: Step = ("broken", |_| anyhow::bail!("no such tool"));
        let outcome = perform(&broken, &Installer::new(false));
        assert_eq!(outcome.tally, Tally::of_one(false));
        assert!(row(&outcome).starts_with("broken        FAILED"));
    }

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let mut names: Vec<_> = STEPS.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
