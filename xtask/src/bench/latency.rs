//! `cargo xtask bench latency`: `tests/benches/latency`, with its options.

use super::core::{lines, write};
use super::{become_benchmark, executable};
use crate::install::Installer;
use crate::{output, packages, repository, shell};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Where runs are kept, unless a file is named.
const SAVED: &str = "docs/measurements/latency.jsonl";
/// What makes a point: of two with the same, the later is kept.
const POINT: [&str; 4] = ["server", "mode", "napi", "rate"];

/// What to measure, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Queries a second, as in 1000,50000; 0: what an idle server costs
    #[arg(long, value_name = "LIST", default_value = "0,1000,10000,50000,100000")]
    rates: String,
    /// Values of the server's --idle
    #[arg(long, value_name = "LIST", default_value = "spin,adaptive,slowdown")]
    modes: String,
    /// Who drives the receive side: softirq, threaded
    #[arg(long, value_name = "LIST", default_value = "softirq,threaded")]
    napi: String,
    /// How long each point is measured, as in 0.5
    #[arg(long, value_name = "N", default_value_t = 3.0)]
    seconds: f64,
    /// How often all points are gone through; the last lines are the medians
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u32,
    /// Let client, server and NAPI threads go before all else that the machine has to do
    #[arg(long)]
    fifo: bool,
    /// What readers of the saved run have to know, as in "other work ran beside it"
    #[arg(long, value_name = "TEXT", requires = "save")]
    note: Option<String>,
    /// Keep the medians in a file, instead of those that it has for the same points
    #[arg(long, value_name = "FILE")]
    save: Option<Option<PathBuf>>,
    /// More arguments for `ripples run`
    #[arg(last = true, value_name = "ARGUMENTS")]
    server: Vec<String>,
}

/// Builds and measures.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    shell::require_root("cargo xtask bench latency")?;
    let Some(file) = &options.save else {
        return become_benchmark("latency", &arguments(options), installer);
    };
    let kept = || repository::root().join(SAVED);
    save(options, &file.clone().unwrap_or_else(kept), installer)
}

/// Builds, measures, keeps.
fn save(options: &Options, file: &Path, installer: &Installer) -> Result<()> {
    installer.ensure(&[packages::BUILD, packages::DEMO])?;
    let earlier = match file.exists() {
        true => std::fs::read_to_string(file).with_context(|| file.display().to_string())?,
        false => String::new(),
    };
    let earlier = values(&earlier).with_context(|| format!("in {}", file.display()))?;
    output::step("Building", "the benchmark `latency` (release)");
    let mut latency = Command::new(executable("latency", "bench")?);
    // A Ctrl-C is the benchmark's: it tidies up and fails, and so do we then.
    for signal in [SIGINT, SIGTERM] {
        let ignored = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal, ignored).context("could not watch for signals")?;
    }
    let mut text = String::new();
    lines(latency.arg("--bench").args(arguments(options)), |line| {
        output::result(line);
        text.push_str(line);
        text.push('\n');
        Ok(())
    })?;
    let kept = merged(earlier, values(&text)?, options.note.as_deref());
    let kept: Vec<String> = kept.iter().map(|line| format!("{line}\n")).collect();
    write(file, &kept.concat())
}

/// JSON lines.
fn values(text: &str) -> Result<Vec<Value>> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().context("not JSON lines")
}

/// The medians of a run, behind those of earlier runs for other points.
fn merged(mut earlier: Vec<Value>, mut run: Vec<Value>, note: Option<&str>) -> Vec<Value> {
    // Where there is but one round, there are no medians.
    if run.iter().any(|line| !line["rounds"].is_null()) {
        run.retain(|line| !line["rounds"].is_null());
    }
    let is_same = |one: &Value, other: &Value| POINT.iter().all(|key| one[key] == other[key]);
    earlier.retain(|line| !run.iter().any(|new| is_same(line, new)));
    if let Some(note) = note {
        earlier.retain(|line| line["note"].is_null());
        earlier.insert(0, json!({ "note": note }));
    }
    earlier.append(&mut run);
    earlier
}

/// The benchmark's own words for the options.
fn arguments(options: &Options) -> Vec<String> {
    let (seconds, rounds) = (options.seconds.to_string(), options.rounds.to_string());
    let pairs = [
        ("--rates", options.rates.as_str()),
        ("--modes", &options.modes),
        ("--napi", &options.napi),
        ("--seconds", &seconds),
        ("--rounds", &rounds),
    ];
    let words = pairs.iter().flat_map(|&(name, value)| [name, value]);
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    if options.fifo {
        words.push("--fifo".to_owned());
    }
    if !options.server.is_empty() {
        words.push("--".to_owned());
        words.extend(options.server.iter().cloned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_dashes_stays_behind_dashes() {
        let options = |server: &[&str]| Options {
            rates: "0".to_owned(),
            modes: "spin".to_owned(),
            napi: "softirq".to_owned(),
            seconds: 1.5,
            rounds: 2,
            fifo: !server.is_empty(),
            note: None,
            save: None,
            server: server.iter().map(|&word| word.to_owned()).collect(),
        };
        let plain = "--rates 0 --modes spin --napi softirq --seconds 1.5 --rounds 2";
        assert_eq!(arguments(&options(&[])).join(" "), plain);
        let with = arguments(&options(&["--vector-len", "8"])).join(" ");
        assert_eq!(with, format!("{plain} --fifo -- --vector-len 8"));
    }

    #[test]
    fn a_run_replaces_its_own_points_and_leaves_the_others() {
        let point = |mode: &str, p50: u64, rounds: Option<u64>| {
            json!({ "server": "echo", "mode": mode, "napi": "softirq", "rate": 1000,
                "p50_us": p50, "rounds": rounds })
        };
        let earlier = vec![
            json!({ "note": "old" }),
            point("spin", 1, Some(3)),
            point("adaptive", 2, Some(3)),
        ];
        let run = vec![point("spin", 9, None), point("spin", 8, Some(3))];
        let expected = [
            json!({ "note": "new" }),
            point("adaptive", 2, Some(3)),
            point("spin", 8, Some(3)),
        ];
        assert_eq!(merged(earlier, run, Some("new")), expected);
        let single = vec![point("spin", 9, None)];
        assert_eq!(merged(Vec::new(), single.clone(), None), single);
    }
}
