//! The demonstration's name and its folder under `/run`: one at a time, leftovers found again.

use crate::{output, shell};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{DirBuilder, File, TryLockError};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

/// What the demonstration's namespaces and folder are called after.
#[derive(Clone, Debug)]
pub(crate) struct Name(String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if text.is_empty() || text.len() > 32 || !text.chars().all(allowed) {
            return Err("1 to 32 letters, digits and hyphens".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl Name {
    /// The namespace of the server.
    pub(super) fn server(&self) -> String {
        format!("{}-server", self.0)
    }

    /// The namespace of whoever asks.
    pub(super) fn client(&self) -> String {
        format!("{}-client", self.0)
    }

    /// The folder of the demonstration.
    fn directory(&self) -> PathBuf {
        Path::new("/run").join(format!("{}-demo", self.0))
    }
}

/// The demonstration's folder. Holding it means that no other demonstration has this name.
pub(super) struct Place {
    directory: PathBuf,
    /// Locked as long as the demonstration lives; the kernel lets go when it is killed.
    lock: File,
}

impl Place {
    /// Takes the folder, and clears away what a killed demonstration of this name left.
    pub(super) fn claim(name: &Name) -> Result<Self> {
        let directory = name.directory();
        let existed = directory.exists();
        refuse_foreign_namespaces(name, existed)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .with_context(|| format!("could not create {}", directory.display()))?;
        let place = Self {
            lock: lock(&directory)?,
            directory,
        };
        if existed {
            output::note("a demonstration was killed before it could clean up: doing that now");
            place.end_leftover_server(name)?;
            super::network::remove(name);
        }
        (&place.lock)
            .write_all(format!("{}\n", std::process::id()).as_bytes())
            .context("could not write the lock file")?;
        Ok(place)
    }

    /// Where the server's control socket is.
    pub(super) fn control_socket(&self) -> PathBuf {
        self.directory.join("control.sock")
    }

    /// Remembers the server's process, for whoever has to clean up after a kill.
    pub(super) fn remember_server(&self, pid: u32) -> Result<()> {
        std::fs::write(self.server_file(), pid.to_string())
            .context("could not write down the server's process id")
    }

    fn server_file(&self) -> PathBuf {
        self.directory.join("server.pid")
    }

    /// Ends the server that outlived its demonstration: the process that was written down, and only
    /// while it is inside the demonstration's own namespace.
    fn end_leftover_server(&self, name: &Name) -> Result<()> {
        let Ok(text) = std::fs::read_to_string(self.server_file()) else {
            return Ok(());
        };
        let mut ip = Command::new("ip");
        ip.args(["netns", "pids", &name.server()]);
        // Without the namespace there is no server in it.
        let inside = shell::read(&mut ip, "").unwrap_or_default();
        if let Ok(pid) = text.trim().parse::<i32>()
            && inside.lines().any(|line| line.trim() == text.trim())
        {
            output::step("Ending", format!("the forgotten server, process {pid}"));
            kill(Pid::from_raw(pid), Signal::SIGKILL)
                .with_context(|| format!("could not end process {pid}"))?;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            output::note(format!(
                "could not remove {}: {error}",
                self.directory.display()
            ));
        }
    }
}

/// A namespace with our name but without our folder is somebody else's.
fn refuse_foreign_namespaces(name: &Name, ours: bool) -> Result<()> {
    for namespace in [name.server(), name.client()] {
        if !ours && Path::new("/run/netns").join(&namespace).exists() {
            bail!(
                "there is a network namespace {namespace} that no demonstration made; \
                 remove it (`ip netns delete {namespace}`) or choose another --name"
            );
        }
    }
    Ok(())
}

/// Takes the lock, or names the process that has it.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("lock");
    let file = File::options()
        .read(true)
        .append(true)
        .create(true)
        .open(&path)
        .with_context(|| format!("could not open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).context("could not empty the lock file")?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let pid = std::fs::read_to_string(&path).unwrap_or_default();
            bail!(
                "another demonstration is running (process {}); end it with Ctrl-C there, \
                 or give this one another --name",
                pid.trim()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("could not lock {}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_not_do_as_file_names_are_refused() {
        for name in ["", "../etc", "a b", "a/b", &"x".repeat(33)] {
            name.parse::<Name>().unwrap_err();
        }
        assert_eq!(
            "ripples".parse::<Name>().unwrap().server(),
            "ripples-server"
        );
    }
}
