//! Cargo's own helpers (cargo-deny, cargo-fuzz), installed under the target folder at one version.

use crate::{output, repository, shell};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs `name` at exactly `version` unless it is there, and returns its path.
pub(crate) fn ensure(name: &str, version: &str) -> Result<PathBuf> {
    let root = repository::target_directory()?.join("tools");
    let program = root.join("bin").join(name);
    if is_version(&program, version) {
        return Ok(program);
    }
    output::step(
        "Installing",
        format!("{name} {version} into {}", root.display()),
    );
    let mut install = repository::cargo(&["install", "--locked", "--force", "--root"]);
    install.arg(&root).args([name, "--version", version]);
    shell::run(
        &mut install,
        "see that this machine reaches its crate registry",
    )?;
    Ok(program)
}

/// Whether `program` is there and says that it is `version`.
fn is_version(program: &Path, version: &str) -> bool {
    program.is_file()
        && shell::read(Command::new(program).arg("--version"), "")
            .is_ok_and(|said| said.split_whitespace().last() == Some(version))
}
