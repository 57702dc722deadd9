//! `cargo xtask fuzz`: the targets of `tests/fuzz`, each for a bounded time.

use crate::install::Installer;
use crate::{output, packages, repository, shell, tools};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Newest cargo-fuzz that was tried.
const CARGO_FUZZ: &str = "0.13.2";

/// What to fuzz and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// One target; without it, all of them in turn
    target: Option<String>,
    /// How long to run each target
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// Arguments for libFuzzer
    #[arg(last = true)]
    libfuzzer: Vec<String>,
}

/// Runs one target or all of them.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    let targets = targets()?;
    let chosen: Vec<_> = match &options.target {
        None => targets,
        Some(name) if targets.contains(name) => vec![name.clone()],
        Some(name) => bail!("no fuzz target {name}; there are: {}", targets.join(", ")),
    };
    installer.ensure(&[packages::BUILD, packages::FUZZ])?;
    let fuzzer = tools::ensure("cargo-fuzz", CARGO_FUZZ)?;
    // One target's crash does not keep the others from being tried.
    let failed: Vec<_> = chosen
        .iter()
        .filter_map(|target| fuzz(&fuzzer, target, options).err())
        .collect();
    for error in &failed {
        output::error(&format!("{error:#}"));
    }
    if !failed.is_empty() {
        bail!("{} of {} fuzz targets failed", failed.len(), chosen.len());
    }
    Ok(())
}

/// All targets, as CI does: always with the same inputs and as many of them, so that a change is
/// not held up by what chance finds in something else. Hunts are for a desk.
pub(crate) fn run_all(runs: u64, installer: &Installer) -> Result<()> {
    let options = Options {
        target: None,
        // A limit for slow machines, not the rule.
        seconds: 120,
        libfuzzer: vec!["-seed=1".to_owned(), format!("-runs={runs}")],
    };
    run(&options, installer)
}

/// The crate of the fuzz targets, apart from the workspace because it wants other compiler flags.
pub(crate) fn directory() -> PathBuf {
    repository::root().join("tests/fuzz")
}

/// The names of all targets: the crate's binaries.
fn targets() -> Result<Vec<String>> {
    let manifest = directory().join("Cargo.toml");
    let manifest = manifest
        .to_str()
        .context("the checkout's path is not UTF-8")?;
    let metadata = repository::metadata(&["--manifest-path", manifest])?;
    let targets = metadata["packages"][0]["targets"].as_array();
    let names: Vec<_> = targets
        .into_iter()
        .flatten()
        .filter(|target| target["kind"][0] == "bin")
        .filter_map(|target| target["name"].as_str())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        bail!("{manifest} declares no [[bin]] target");
    }
    Ok(names)
}

/// Builds and runs one target.
fn fuzz(fuzzer: &Path, target: &str, options: &Options) -> Result<()> {
    output::step("Fuzzing", format!("{target} for {} s", options.seconds));
    let mut command = Command::new(fuzzer);
    // Sanitizers and coverage are unstable flags; stable compilers take them with this.
    command.env("RUSTC_BOOTSTRAP", "1").arg("run");
    command.arg("--fuzz-dir").arg(directory()).arg(target);
    // libFuzzer writes what it finds into the first folder and only reads the others.
    command.args(corpora(&directory(), target)?);
    command
        .arg("--")
        .args(["-verbosity=0", "-print_final_stats=1", "-timeout=10"]);
    command.arg(format!("-max_total_time={}", options.seconds));
    command.args(&options.libfuzzer);
    shell::run(
        &mut command,
        "make a test of the input above; \
         with RUSTC_BOOTSTRAP=1 in front, `cargo fuzz` reproduces it",
    )
}

/// The folders of inputs for `target`: what was found, made when missing, and what is committed.
fn corpora(directory: &Path, target: &str) -> Result<Vec<PathBuf>> {
    let found = directory.join("corpus").join(target);
    std::fs::create_dir_all(&found)
        .with_context(|| format!("could not create {}", found.display()))?;
    let seeds = directory.join("seeds").join(target);
    Ok([Some(found), seeds.is_dir().then_some(seeds)]
        .into_iter()
        .flatten()
        .collect())
}
