//! `cargo xtask bench core`: `tests/benches/core`, as a table or as JSON lines.

pub(crate) mod instructions;
mod marks;
mod run;

use super::executable;
use crate::install::Installer;
use crate::{output, packages, repository, shell};
use anyhow::{Context, Result, bail};
use clap::Args;
use run::{Line, Run};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a run is kept, unless a file is named.
const SAVED: &str = "docs/measurements/core.jsonl";

/// What to measure, and what to do with it.
#[derive(Args)]
pub(crate) struct Options {
    /// Only cases with this in their name
    part: Option<String>,
    /// Print nothing but JSON lines on stdout
    #[arg(long)]
    json: bool,
    /// Cases that take long to build as well: 10M names
    #[arg(long)]
    all: bool,
    /// Count instructions per packet on the portable path (valgrind) instead of measuring time
    #[arg(long)]
    callgrind: bool,
    /// Show ratios against a saved run; with --callgrind, fail where more instructions are needed
    #[arg(long, value_name = "FILE")]
    compare: Option<Option<PathBuf>>,
    /// What readers of the saved run have to know, as in "other work ran beside it"
    #[arg(long, value_name = "TEXT", requires = "save")]
    note: Option<String>,
    /// Keep the run in a file
    #[arg(long, value_name = "FILE")]
    save: Option<Option<PathBuf>>,
}

/// Builds, measures, shows.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    if options.callgrind {
        return instructions::run(options, installer);
    }
    let named = |file: &Option<PathBuf>| {
        let kept = || repository::root().join(SAVED);
        file.clone().unwrap_or_else(kept)
    };
    let earlier = options.compare.as_ref().map(|file| Run::read(&named(file)));
    let earlier = earlier.transpose()?;
    installer.ensure(&[packages::BUILD])?;
    output::step("Building", "the benchmark `core` (release)");
    let mut core = Command::new(executable("core", "bench")?);
    if !options.json {
        output::result(Line::heading(earlier.is_some()));
    }
    let mut text = options.note.as_ref().map_or_else(String::new, |note| {
        format!("{}\n", serde_json::json!({ "note": note }))
    });
    lines(core.args(words(options)), |json| {
        text.push_str(json);
        text.push('\n');
        if options.json {
            output::result(json);
            return Ok(());
        }
        let line = Line::parse(json)?;
        output::result(line.row(earlier.as_ref()));
        Ok(())
    })?;
    match &options.save {
        Some(file) => write(&named(file), &text),
        None => Ok(()),
    }
}

/// The benchmark's own words for the options.
fn words(options: &Options) -> Vec<String> {
    let all = options.all.then(|| "--all".to_owned());
    all.into_iter().chain(options.part.clone()).collect()
}

/// Runs a program and hands over what it prints, line by line.
pub(super) fn lines(command: &mut Command, mut line: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let name = shell::line(command);
    output::step("Running", &name);
    let child = command
        .current_dir(repository::root())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.with_context(|| format!("could not start `{name}`"))?;
    let stdout = child.stdout.take().context("the child's output is piped")?;
    for text in BufReader::new(stdout).lines() {
        line(&text.context("could not read what the benchmark prints")?)?;
    }
    let status = child.wait().context("could not wait for the benchmark")?;
    if !status.success() {
        bail!("`{name}` {}", shell::ended(status));
    }
    Ok(())
}

/// Writes a file of results, and says so.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let written = std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
        .and_then(|()| std::fs::write(path, text));
    written.with_context(|| format!("could not write {}", path.display()))?;
    output::step("Saved", path.display());
    Ok(())
}
