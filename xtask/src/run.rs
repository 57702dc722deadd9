//! `cargo xtask run`: builds the server, then shows it in namespaces or runs it with your options.

use crate::install::Installer;
use crate::{demo, output, packages, repository, shell};
use anyhow::{Context, Result};
use clap::Args;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Options that say where to serve: with one of them there is nothing left to demonstrate.
const PLACES: &[&str] = &["--config", "--interface", "--listen"];

/// What to run.
#[derive(Args)]
pub(crate) struct Options {
    /// End the demonstration after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// What the demonstration's namespaces are called: NAME-server and NAME-client
    #[arg(long, value_name = "NAME", default_value = "ripples")]
    name: demo::Name,
    /// Run this server instead of building one
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Arguments for `ripples run`. With --interface, --listen or --config it runs on this machine
    /// as you say; else they are added to the demonstration's own
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub(crate) server_arguments: Vec<String>,
}

/// Builds, then demonstrates or serves.
pub(crate) fn run(options: &Options, installer: &Installer) -> Result<()> {
    let demonstrate = !says_where(&options.server_arguments);
    if demonstrate {
        // Before a build of minutes, not after it.
        demo::check(&options.server_arguments)?;
        installer.ensure(&[packages::DEMO])?;
    }
    let server = server(options, installer)?;
    if !demonstrate {
        return serve(&server, &options.server_arguments);
    }
    demo::run(&demo::Plan {
        name: &options.name,
        server: &server,
        arguments: &options.server_arguments,
        length: options.seconds.map(Duration::from_secs),
    })
}

/// Whether the person says where the server shall listen.
fn says_where(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| {
        let name = argument.split('=').next().unwrap_or_default();
        PLACES.contains(&name)
    })
}

/// The server's binary, built now unless one was given.
fn server(options: &Options, installer: &Installer) -> Result<PathBuf> {
    if let Some(given) = &options.server {
        return given
            .canonicalize()
            .with_context(|| format!("--server: no file {}", given.display()));
    }
    installer.ensure(&[packages::BUILD])?;
    output::step("Building", "the server (release)");
    let mut build = repository::cargo(&["build", "--release", "--package", "ripples"]);
    shell::run(&mut build, "mend what the compiler names")?;
    Ok(repository::target_directory()?.join("release/ripples"))
}

/// Becomes the server. Returns only when that failed.
fn serve(server: &PathBuf, arguments: &[String]) -> Result<()> {
    let mut command = Command::new(server);
    command.arg("run").args(arguments);
    output::step("Running", shell::line(&command));
    let error = command.exec();
    Err(error).with_context(|| format!("could not start {}", server.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saying_where_to_serve_ends_the_demonstration() {
        let says = |arguments: &[&str]| {
            says_where(&arguments.iter().map(|&a| a.to_owned()).collect::<Vec<_>>())
        };
        assert!(says(&["--interface", "eth1"]));
        assert!(says(&["--workers", "2", "--listen=127.0.0.1:5300"]));
        assert!(says(&["--config=ripples.toml"]));
        assert!(!says(&[]));
        assert!(!says(&["--zone", ".=root.zone", "--io", "socket"]));
    }
}
