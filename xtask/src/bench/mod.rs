//! `cargo xtask bench NAME`: measurements that anyone can repeat, one file each.

pub(crate) mod core;
mod kept;
mod latency;
mod pktgen;
mod reload;
mod report;
mod tcp;
mod wire;

use crate::install::Installer;
use crate::{output, packages, repository, shell};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// What the core needs per packet, over memory: time, or instructions with --callgrind
    Core(core::Options),
    /// How long answers take, against load, on a veth pair (root)
    Latency(latency::Options),
    /// What a NIC brings to a server, sent by the kernel's pktgen from another machine (root)
    Pktgen(pktgen::Options),
    /// Throughput, CPU time, latency and memory beside other servers, on a veth pair (root)
    Wire(wire::Options),
    /// TCP beside an echo and other servers, and held against UDP, in namespaces of its own (root)
    Tcp(tcp::Options),
    /// A large zone reloaded again and again under a steady load, on a veth pair (root)
    Reload(reload::Options),
    /// Draw saved runs as SVG
    Report(report::Options),
}

/// Measures. What the benchmark prints is one JSON object a line.
pub(crate) fn run(bench: &Bench, installer: &Installer) -> Result<()> {
    match bench {
        Bench::Core(options) => core::run(options, installer),
        Bench::Latency(options) => latency::run(options, installer),
        Bench::Pktgen(options) => pktgen::run(options, installer),
        Bench::Wire(options) => wire::run(options, installer),
        Bench::Tcp(options) => tcp::run(options, installer),
        Bench::Reload(options) => reload::run(options, installer),
        Bench::Report(options) => report::run(options, installer),
    }
}

/// Builds the benchmark `name` of the package `tests` and becomes it, so that a Ctrl-C is its own
/// and it tidies up. Returns only when that failed.
fn become_benchmark(name: &str, arguments: &[String], installer: &Installer) -> Result<()> {
    installer.ensure(&[packages::BUILD, packages::DEMO])?;
    output::step("Building", format!("the benchmark `{name}` (release)"));
    let mut command = Command::new(executable(name, "bench")?);
    // What cargo would say: measure, do not just see that it works.
    command.arg("--bench").args(arguments);
    command.current_dir(repository::root());
    output::step("Running", shell::line(&command));
    let error = command.exec();
    Err(error).with_context(|| format!("could not start `{}`", shell::line(&command)))
}

/// A benchmark's own words: options that have a value, flags that are set, and what is the
/// server's behind dashes.
fn words(pairs: &[(&str, Option<&str>)], flags: &[(&str, bool)], server: &[String]) -> Vec<String> {
    let given = pairs
        .iter()
        .filter_map(|&(name, value)| Some([name, value?]));
    let mut words: Vec<&str> = given.flatten().collect();
    let set = flags.iter().filter(|(_, is_set)| *is_set);
    words.extend(set.map(|(flag, _)| *flag));
    if !server.is_empty() {
        words.push("--");
        words.extend(server.iter().map(String::as_str));
    }
    words.into_iter().map(str::to_owned).collect()
}

/// The file that is meant, or the one in the repository where none is named: benchmarks run in the
/// repository's folder.
fn file_meant(file: &Option<PathBuf>, default: &str) -> String {
    let path = match file {
        // Where there is no current folder, it is as good as any.
        Some(file) => std::path::absolute(file).unwrap_or_else(|_| file.clone()),
        None => repository::root().join(default),
    };
    path.display().to_string()
}

/// Builds a benchmark of the package `tests` by a profile; returns its executable.
fn executable(name: &str, profile: &str) -> Result<PathBuf> {
    let mut cargo = repository::cargo(&["bench", "--package", "tests", "--bench", name]);
    cargo.args(["--profile", profile, "--no-run"]);
    cargo.args(["--message-format=json-render-diagnostics"]);
    output::command(&shell::line(&cargo));
    let built = cargo.stderr(Stdio::inherit()).output();
    let built = built.with_context(|| format!("could not start `{}`", shell::line(&cargo)))?;
    if !built.status.success() {
        bail!("`{}` {}", shell::line(&cargo), shell::ended(built.status));
    }
    let messages = String::from_utf8_lossy(&built.stdout);
    let found = messages.lines().find_map(|line| named(line, name));
    found.with_context(|| format!("`{}` names no executable", shell::line(&cargo)))
}

/// The executable that a message of cargo's is about, if it is the one of target `name`.
fn named(message: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let of_target = message["target"]["name"] == name;
    of_target.then(|| message["executable"].as_str().map(PathBuf::from))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_benchmarks_own_executable_is_taken() {
        let of = |message| named(message, "latency");
        let other = r#"{"target":{"name":"core"},"executable":"/x/core"}"#;
        assert_eq!(of(other), None);
        let library = r#"{"target":{"name":"latency"},"executable":null}"#;
        assert_eq!(of(library), None);
        let own = r#"{"target":{"name":"latency"},"executable":"/x/latency"}"#;
        assert_eq!(of(own), Some(PathBuf::from("/x/latency")));
        assert_eq!(of("no JSON"), None);
    }
}
