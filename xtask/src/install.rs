//! Brings in missing system packages with apt-get, or says exactly what to type.

use crate::packages::{self, Package};
use crate::{output, shell};
use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Servers that are wanted as programs to run in tests, never as services of the machine.
const SERVICES: &[(&str, &str)] = &[
    ("knot", "knot"),
    ("nsd", "nsd"),
    ("bind9", "named"),
    ("pdns-server", "pdns"),
    ("gdnsd", "gdnsd"),
    ("prometheus", "prometheus"),
];

/// Installs what is missing, where that is allowed.
pub(crate) struct Installer {
    allowed: bool,
}

impl Installer {
    /// With `allowed` false nothing is ever installed.
    pub(crate) fn new(allowed: bool) -> Self {
        Self { allowed }
    }

    /// Makes sure that everything in `groups` is on the machine.
    pub(crate) fn ensure(&self, groups: &[&'static [Package]]) -> Result<()> {
        let missing = packages::missing(groups);
        let wanted: Vec<_> = missing.iter().map(|p| (p.name, p.why)).collect();
        self.install(&wanted)?;
        let still = packages::missing(groups);
        if let Some(package) = still.first() {
            bail!(
                "package {} is installed, but what it should give is not found",
                package.name
            );
        }
        Ok(())
    }

    /// Makes sure that packages known by name only are installed.
    pub(crate) fn ensure_named(&self, names: &[&'static str], why: &'static str) -> Result<()> {
        let missing = names.iter().filter(|name| !is_installed(name));
        let wanted: Vec<_> = missing.map(|&name| (name, why)).collect();
        self.install(&wanted)
    }

    /// Installs packages, each given with its reason.
    fn install(&self, wanted: &[(&'static str, &'static str)]) -> Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        output::step("Missing", "these system packages:");
        for (name, why) in wanted {
            eprintln!("{:>12} {name}: {why}", "");
        }
        let names: Vec<_> = wanted.iter().map(|&(name, _)| name).collect();
        if shell::find_program("apt-get").is_none() {
            bail!(
                "this machine has no apt-get: install what corresponds to {} and run this again",
                names.join(" ")
            );
        }
        if !self.allowed || !shell::is_root() {
            bail!("install them and run this again: {}", by_hand(&names));
        }
        let quiet = NoServices::declare()?;
        install_as_root(&names)?;
        keep_from_starting(&names)?;
        quiet.end()
    }
}

/// The line to type for whoever does not let this program install.
fn by_hand(names: &[&str]) -> String {
    let sudo = if shell::is_root() { "" } else { "sudo " };
    format!(
        "{sudo}apt-get install --no-install-recommends {}",
        names.join(" ")
    )
}

/// Installs, with fresh package lists if the present ones do not do.
fn install_as_root(names: &[&str]) -> Result<()> {
    let fresh = !all_have_candidates(names);
    if fresh {
        update()?;
    }
    output::step("Installing", names.join(" "));
    let install = || {
        let mut apt = apt_get();
        apt.args(["install", "--yes", "--no-install-recommends"]);
        apt.args(names);
        apt
    };
    let advice = format!("type it yourself to see why: {}", by_hand(names));
    match shell::run(&mut install(), &advice) {
        // Lists that are too old name files which the mirror no longer has.
        Err(_) if !fresh => {
            update()?;
            shell::run(&mut install(), &advice)
        }
        outcome => outcome,
    }
}

/// Fetches the package lists.
fn update() -> Result<()> {
    output::step("Updating", "the package lists");
    shell::run(
        apt_get().args(["-qq", "update"]),
        "see that this machine reaches its package mirror",
    )
}

/// apt-get that asks nothing and waits for another one to finish.
fn apt_get() -> Command {
    let mut apt = Command::new("apt-get");
    apt.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"])
        .args(["-o", "Dpkg::Use-Pty=0"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    apt
}

/// Whether the lists at hand know a version of every package.
fn all_have_candidates(names: &[&str]) -> bool {
    let mut apt = Command::new("apt-cache");
    apt.arg("policy").args(names).env("LC_ALL", "C");
    shell::read(&mut apt, "").is_ok_and(|text| candidates(&text) == names.len())
}

/// Counts the packages that `apt-cache policy` could install.
fn candidates(policy: &str) -> usize {
    policy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Candidate: "))
        .filter(|version| *version != "(none)")
        .count()
}

/// Whether dpkg has the package configured.
fn is_installed(name: &str) -> bool {
    let mut dpkg = Command::new("dpkg-query");
    dpkg.args(["--show", "--showformat=${db:Status-Status}", name]);
    shell::read(&mut dpkg, "").is_ok_and(|status| status == "installed")
}

/// Where systemd runs: keeps newly installed servers from starting at the next boot.
fn keep_from_starting(names: &[&str]) -> Result<()> {
    if !Path::new("/run/systemd/system").exists() {
        return Ok(());
    }
    for (_, service) in SERVICES.iter().filter(|(name, _)| names.contains(name)) {
        let mut systemctl = Command::new("systemctl");
        shell::run(
            systemctl.args(["--quiet", "disable", service]),
            "disable it yourself if it is not to run after the next boot",
        )?;
    }
    Ok(())
}

/// While it lives, package scripts start no service, and a signal ends apt-get but not this
/// process, which has the policy to take away again.
///
/// <https://www.debian.org/doc/debian-policy/ch-opersys.html#interfacing-with-init-systems>
struct NoServices {
    /// Whether the policy is ours to remove; an administrator's own is left alone.
    ours: bool,
    interrupted: Arc<AtomicBool>,
    handlers: Vec<SigId>,
}

impl NoServices {
    const POLICY: &'static str = "/usr/sbin/policy-rc.d";

    /// Puts the policy in place unless there is one.
    fn declare() -> Result<Self> {
        let mut policy = Self {
            ours: false,
            interrupted: Arc::default(),
            handlers: Vec::new(),
        };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let flag = Arc::clone(&policy.interrupted);
            policy.handlers.push(flag::register(signal, flag)?);
        }
        let mut options = OpenOptions::new();
        match options
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(Self::POLICY)
        {
            Ok(mut file) => {
                policy.ours = true;
                // 101: action forbidden by policy.
                file.write_all(b"#!/bin/sh\nexit 101\n")
                    .with_context(|| format!("could not write {}", Self::POLICY))?;
                Ok(policy)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(policy),
            Err(error) => Err(error).with_context(|| format!("could not create {}", Self::POLICY)),
        }
    }

    /// Takes the policy away and stops here if a signal came meanwhile.
    fn end(self) -> Result<()> {
        if self.interrupted.load(Ordering::Relaxed) {
            bail!("interrupted while packages were being installed");
        }
        Ok(())
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = std::fs::remove_file(Self::POLICY)
        {
            output::note(format!("could not remove {}: {error}", Self::POLICY));
        }
        for handler in self.handlers.drain(..) {
            low_level::unregister(handler);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_a_candidate_asks_for_fresh_lists() {
        let policy = "knot:\n  Installed: (none)\n  Candidate: 3.2.6-1\n  Version table:\n\
                      nsd:\n  Installed: (none)\n  Candidate: (none)\n";
        assert_eq!(candidates(policy), 1);
        assert_eq!(candidates(""), 0);
    }

    #[test]
    fn whoever_may_not_install_is_told_the_line_to_type() {
        let installer = Installer::new(false);
        let error = installer
            .ensure_named(&["ripples-no-such-package"], "shows an error")
            .unwrap_err()
            .to_string();
        assert!(error.contains("ripples-no-such-package"), "{error}");
        assert!(error.contains("install"), "{error}");
    }

    #[test]
    fn nothing_missing_asks_for_nothing() {
        Installer::new(false).ensure(&[]).unwrap();
    }
}
