//! `cargo xtask bench report`: `tests/src/bin/plots`, which draws what was saved.

use crate::install::Installer;
use crate::{packages, repository, shell};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

/// What to draw, and where to.
#[derive(Args)]
pub(crate) struct Options {
    /// Saved runs: files of JSON lines
    #[arg(default_value = "docs/measurements")]
    runs: PathBuf,
    /// Where the SVG files go
    #[arg(long, value_name = "FOLDER", default_value = "docs/plots")]
    to: PathBuf,
}

/// Builds and draws.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    installer.ensure(&[packages::BUILD])?;
    let mut cargo = repository::cargo(&["run", "--quiet", "--package", "tests", "--bin", "plots"]);
    cargo.arg("--").args([&options.runs, &options.to]);
    shell::run(&mut cargo, "see which file or line it names")
}
