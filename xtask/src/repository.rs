//! Where the checkout and cargo's output are.

use crate::shell;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout's top folder.
pub(crate) fn root() -> PathBuf {
    // `cargo xtask` sets the variable; a binary started by hand remembers where it was built.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// Cargo, at the top of the checkout.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo.current_dir(root()).args(arguments);
    cargo
}

/// Where cargo puts what it builds: `target`, unless the person's settings say otherwise.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let metadata = metadata(&[])?;
    let directory = metadata["target_directory"]
        .as_str()
        .context("`cargo metadata` names no target_directory")?;
    Ok(PathBuf::from(directory))
}

/// What `cargo metadata --no-deps` says, with further arguments.
pub(crate) fn metadata(arguments: &[&str]) -> Result<serde_json::Value> {
    let mut cargo = cargo(&["metadata", "--no-deps", "--format-version=1"]);
    let text = shell::read(cargo.args(arguments), "see that Cargo.toml is valid")?;
    serde_json::from_str(&text).context("`cargo metadata` did not print JSON")
}
