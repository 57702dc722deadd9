//! `cargo xtask vm`: the server on real drivers, in a virtual machine that is emulated in software.
//!
//! Needs neither root nor KVM, and installs nothing: QEMU and kernels are unpacked under the target
//! folder, and stay there.

mod boot;
mod console;
mod cpio;
mod image;
mod libraries;
mod machine;
mod modules;
mod network;
mod scenario;

use crate::install::Installer;
use crate::tally::Tally;
use crate::{output, packages, repository, shell};
use anyhow::{Context, Result, bail};
use boot::Boot;
use clap::Args;
use console::Verdict;
use image::Built;
use machine::{Kernel, Machine};
use scenario::{Place, Release, SCENARIOS, Scenario};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Lines of the console that are shown where something went wrong.
const TAIL: usize = 60;

/// What to try.
#[derive(Args)]
pub(crate) struct Options {
    /// Scenarios, by the beginnings of their names [default: all]
    scenarios: Vec<String>,
    /// Only what CI tries
    #[arg(long)]
    quick: bool,
    /// Name the scenarios, and try none
    #[arg(long)]
    list: bool,
    /// Fetch the newest QEMU and kernels, though there are some already
    #[arg(long)]
    update: bool,
}

/// A row of the closing table.
struct Row {
    verdict: Verdict,
    took: Duration,
}

/// Fetches, builds, boots, tells.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<Tally> {
    let chosen = choose(options)?;
    if options.list {
        for scenario in &chosen {
            let mark = if scenario.quick { "quick" } else { "" };
            output::result(format!("{:<28}{mark:<7}{}", scenario.name, scenario.about));
        }
        return Ok(Tally::default());
    }
    let tally = try_out(&chosen, options.update, installer)?;
    output::result(tally);
    Ok(tally)
}

/// The part that CI runs.
pub(crate) fn run_quick(installer: &Installer) -> Result<Tally> {
    let quick: Vec<_> = SCENARIOS.iter().filter(|scenario| scenario.quick).collect();
    try_out(&quick, false, installer)
}

/// The scenarios that are asked for.
fn choose(options: &Options) -> Result<Vec<&'static Scenario>> {
    let all = SCENARIOS.iter();
    let all: Vec<_> = all.filter(|it| it.quick || !options.quick).collect();
    let names = &options.scenarios;
    let is_one = |name: &str| all.iter().any(|it| it.name.starts_with(name));
    if let Some(name) = names.iter().find(|name| !is_one(name)) {
        bail!("no scenario to try is called {name}; `cargo xtask vm --list` names them");
    }
    let is_named = |name: &str| names.is_empty() || names.iter().any(|it| name.starts_with(it));
    Ok(all.into_iter().filter(|it| is_named(it.name)).collect())
}

/// Boots each place once, for all scenarios that are tried there.
fn try_out(chosen: &[&Scenario], update: bool, installer: &Installer) -> Result<Tally> {
    let start = Instant::now();
    let machine = Machine::provide(update)?;
    let built = build(installer)?;
    let (mut rows, mut tally) = (Vec::new(), Tally::default());
    for scenarios in chosen.chunk_by(|one, other| one.place == other.place) {
        let place = scenarios[0].place;
        match place.network.obstacle() {
            // Where everything was promised to be there, it fails.
            Some(obstacle) if std::env::var_os("CI").is_none_or(|ci| ci != "true") => {
                output::note(format!("not tried, {}: {obstacle}", place.name));
                tally.skipped += scenarios.len() as u64;
            }
            _ => rows.extend(try_at(place, scenarios, &machine, &built)?),
        }
    }
    output::result("");
    for row in &rows {
        tally += Tally::of_one(row.verdict.passed);
        output::result(line(row));
    }
    output::result(format!("in {:.0} s", start.elapsed().as_secs_f64()));
    Ok(tally)
}

/// Tries scenarios on one machine.
fn try_at(
    place: &Place,
    scenarios: &[&Scenario],
    machine: &Machine,
    built: &Built,
) -> Result<Vec<Row>> {
    let kernel: &Kernel = match place.release {
        Release::Stable => &machine.stable,
        Release::Newest => &machine.newest,
    };
    let console = boot::console_path(&machine.home, place.name);
    let complaints = console.with_extension("qemu.log");
    fs::create_dir_all(console.parent().context("it is in a folder")?)?;
    let image = machine.home.join(format!("{}.cpio", place.name));
    fs::write(&image, image::make(machine, kernel, built)?)?;
    let names: Vec<_> = scenarios.iter().map(|scenario| scenario.name).collect();
    output::step(
        "Booting",
        format!(
            "Linux {} with {} CPUs: {}",
            kernel.release, place.cpus, place.name
        ),
    );
    let boot = Boot {
        machine,
        kernel,
        image: &image,
        network: place.network,
        cpus: place.cpus,
        scenarios: &names,
        console: &console,
        complaints: &complaints,
    };
    let mut rows = Vec::new();
    let outcome = boot.run(|verdict, took| {
        let verdict = verdict.clone();
        let row = Row { verdict, took };
        output::step("Tried", line(&row));
        rows.push(row);
    })?;
    fs::remove_file(&image)?;
    settle(&names, &mut rows, outcome.problem);
    if rows.iter().any(|row| !row.verdict.passed) {
        show_end(&complaints);
        show_end(&console);
    }
    Ok(rows)
}

/// Shows the last lines of a log.
fn show_end(log: &Path) {
    let text = fs::read(log).unwrap_or_default();
    output::note(format!("the end of {}:", log.display()));
    for line in console::tail(&String::from_utf8_lossy(&text), TAIL) {
        eprintln!("{:>12} {}", "", line.trim_end());
    }
}

/// What has no verdict has failed; and a machine with a problem fails what it said last.
fn settle(names: &[&str], rows: &mut Vec<Row>, problem: Option<String>) {
    let said = rows.len();
    for name in &names[said.min(names.len())..] {
        let figures = problem.clone().unwrap_or_else(|| "no verdict".to_owned());
        let verdict = Verdict {
            name: (*name).to_owned(),
            passed: false,
            figures,
        };
        let took = Duration::ZERO;
        rows.push(Row { verdict, took });
    }
    if let (Some(problem), Some(last)) = (problem, rows.last_mut())
        && last.verdict.passed
    {
        last.verdict.passed = false;
        last.verdict.figures = format!("{problem} ({})", last.verdict.figures);
    }
}

/// A line of the table.
fn line(row: &Row) -> String {
    let Row { verdict, took } = row;
    let word = if verdict.passed { "PASS" } else { "FAIL" };
    let seconds = took.as_secs_f64();
    format!(
        "{:<28}{word}{seconds:>7.1} s   {}",
        verdict.name, verdict.figures
    )
}

/// Builds the server and what tries it.
fn build(installer: &Installer) -> Result<Built> {
    installer.ensure(&[packages::BUILD])?;
    let mut cargo = repository::cargo(&["build", "--package", "ripples", "--package", "tests"]);
    cargo.args(["--bin", "ripples", "--bin", "vm_guest"]);
    shell::run(&mut cargo, "mend what it names")?;
    let folder = repository::target_directory()?.join("debug");
    Ok(Built {
        server: folder.join("ripples"),
        guest: folder.join("vm_guest"),
        xtask: std::env::current_exe().context("this program")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, passed: bool) -> Row {
        let verdict = Verdict {
            name: name.to_owned(),
            passed,
            figures: "answered=1/1".to_owned(),
        };
        let took = Duration::from_secs(1);
        Row { verdict, took }
    }

    fn verdicts(rows: &[Row]) -> Vec<(&str, bool, &str)> {
        let verdicts = rows.iter().map(|row| &row.verdict);
        verdicts
            .map(|v| (&*v.name, v.passed, &*v.figures))
            .collect()
    }

    #[test]
    fn what_said_nothing_has_failed() {
        let mut rows = vec![row("one", true)];
        settle(
            &["one", "two"],
            &mut rows,
            Some("nothing for 9 s".to_owned()),
        );
        let expected = [
            ("one", true, "answered=1/1"),
            ("two", false, "nothing for 9 s"),
        ];
        assert_eq!(verdicts(&rows), expected);
    }

    #[test]
    fn a_kernel_that_complains_fails_what_passed() {
        let mut rows = vec![row("one", true)];
        settle(&["one"], &mut rows, Some("BUG: x".to_owned()));
        assert_eq!(verdicts(&rows), [("one", false, "BUG: x (answered=1/1)")]);
    }

    #[test]
    fn scenarios_of_a_place_are_together_and_each_has_a_name_of_its_own() {
        let mut places: Vec<_> = SCENARIOS
            .iter()
            .map(|scenario| scenario.place.name)
            .collect();
        places.dedup();
        let count = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), count);
        let mut names: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SCENARIOS.len());
    }
}
