//! The kernel's generator, behind its files.

use super::configuration::{CONTROL, Configuration};
use crate::shell;
use anyhow::{Context, Result, anyhow, bail};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// ENOTSUPP of older kernels (include/linux/errno.h), and EOPNOTSUPP: what a driver cannot do.
const NOT_SUPPORTED: [i32; 2] = [524, 95];

/// pktgen, ours until this is dropped: then it stops and forgets what it was told.
pub(super) struct Generator {
    folder: PathBuf,
}

/// What has been sent, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Packets that the driver took.
    pub(super) sent: u64,
    /// Times that it did not.
    pub(super) errors: u64,
}

impl Generator {
    /// Takes pktgen, where nobody else has it; `folder` is where its files are.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            load()?;
        }
        let files = fs::read_dir(folder);
        let files =
            files.with_context(|| format!("pktgen is loaded, but {folder:?} is missing"))?;
        for file in files.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let state = fs::read_to_string(file.path()).unwrap_or_default();
            if name.starts_with("kpktgend_") && !value(&state, "Running:").is_empty() {
                let control = folder.join(CONTROL);
                let control = control.display();
                bail!("pktgen is sending already ({name}); `echo stop > {control}` ends that");
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Tells pktgen what to send.
    pub(super) fn configure(&self, configuration: &Configuration) -> Result<()> {
        for line in &configuration.lines {
            write(&self.folder.join(&line.file), &line.text)?;
        }
        Ok(())
    }

    /// Where to write `start`, which returns when all has been sent, or `stop`.
    pub(super) fn control(&self) -> PathBuf {
        self.folder.join(CONTROL)
    }

    /// What all devices have sent.
    pub(super) fn progress(&self, devices: &[String]) -> Result<Progress> {
        let mut sum = Progress::default();
        for device in devices {
            let path = self.folder.join(device);
            let state = fs::read_to_string(&path);
            let state = state.with_context(|| format!("could not read {}", path.display()))?;
            let one = progress(&state);
            let one = one.with_context(|| format!("{} has another form", path.display()))?;
            sum.sent += one.sent;
            sum.errors += one.errors;
        }
        Ok(sum)
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        for command in ["stop", "reset"] {
            // What failed is said where it was tried first.
            drop(write(&self.control(), command));
        }
    }
}

/// Loads the module.
fn load() -> Result<()> {
    // Not everybody has root's path.
    let found = shell::find_program("modprobe").unwrap_or_else(|| "modprobe".into());
    let mut modprobe = Command::new(found);
    let loaded = shell::read(modprobe.arg("pktgen"), "see below");
    loaded.map(drop).context(
        "the kernel has no pktgen: it needs one with CONFIG_NET_PKTGEN, and `modprobe` (package \
         kmod) where that is a module, as in Debian's linux-image-amd64",
    )
}

/// Writes one command, and sees what pktgen says to it.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let (shown, command) = (path.display(), format!("{text}\n"));
    let file = OpenOptions::new().append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(command.as_bytes()));
    written.map_err(|error| match error.raw_os_error() {
        Some(number) if NOT_SUPPORTED.contains(&number) => {
            anyhow!("`{text}` to {shown}: the interface's driver cannot do that")
        }
        _ => anyhow!("`{text}` to {shown}: {error}"),
    })?;
    // Not all that is wrong is an error of the call.
    let state = fs::read_to_string(path).unwrap_or_default();
    let said = value(&state, "Result:");
    let is_well = ["", "OK", "NA", "Idle", "Starting"];
    if !is_well.contains(&said.split(':').next().unwrap_or_default()) {
        bail!("`{text}` to {shown}: {said}");
    }
    Ok(())
}

/// What stands behind a word at a line's beginning.
fn value<'s>(state: &'s str, word: &str) -> &'s str {
    let mut lines = state.lines().map(str::trim);
    lines
        .find_map(|line| line.strip_prefix(word))
        .map_or("", str::trim)
}

/// The line `pkts-sofar: N  errors: N`.
fn progress(state: &str) -> Option<Progress> {
    let (sent, errors) = value(state, "pkts-sofar:").split_once("errors:")?;
    Some(Progress {
        sent: sent.trim().parse().ok()?,
        errors: errors.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::pktgen::tests::{Fake, options};

    fn configuration() -> Configuration {
        let options = options(&["--dst", "10.0.0.1"]);
        Configuration::new(&options, "02:00:00:00:00:01".parse().unwrap(), &[0, 1]).unwrap()
    }

    #[test]
    fn every_line_goes_to_its_file_and_all_is_forgotten_at_the_end() {
        let fake = Fake::new("generator");
        let generator = Generator::open(&fake.pktgen()).unwrap();
        let configuration = configuration();
        generator.configure(&configuration).unwrap();
        let device = fake.read("pktgen/eth1@1");
        assert!(device.ends_with("flag UDPSRC_RND\n"), "{device}");
        let thread = fake.read("pktgen/kpktgend_1");
        assert!(
            thread.ends_with("rem_device_all\nadd_device eth1@1\n"),
            "{thread}"
        );
        assert_eq!(fake.read("pktgen/pgctrl"), "reset\n");
        drop(generator);
        assert_eq!(fake.read("pktgen/pgctrl"), "reset\nstop\nreset\n");
    }

    #[test]
    fn what_pktgen_says_no_to_is_an_error_that_names_the_line() {
        let fake = Fake::new("refusal");
        fake.write("pktgen/eth1@1", "Result: Flag -:NO_TIMESTAMP:- unknown\n");
        let generator = Generator::open(&fake.pktgen()).unwrap();
        let error = generator.configure(&configuration()).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("`count 0` to"), "{error}");
        assert!(
            error.contains("eth1@1: Flag -:NO_TIMESTAMP:- unknown"),
            "{error}"
        );
    }

    #[test]
    fn progress_is_that_of_all_threads() {
        let fake = Fake::new("progress");
        let generator = Generator::open(&fake.pktgen()).unwrap();
        let devices = configuration().devices;
        let (sent, errors) = (1_000_007, 3);
        assert_eq!(
            generator.progress(&devices).unwrap(),
            Progress { sent, errors }
        );
        fake.write("pktgen/eth1@0", "Current: none\n");
        let error = generator.progress(&devices).unwrap_err().to_string();
        assert!(error.contains("eth1@0 has another form"), "{error}");
    }

    #[test]
    fn a_generator_that_somebody_uses_is_left_alone() {
        let fake = Fake::new("taken");
        let state = "Running: eth2@0 \nStopped: \nResult: OK: add_device=eth2@0\n";
        fake.write("pktgen/kpktgend_0", state);
        let refusal = Generator::open(&fake.pktgen()).err().unwrap().to_string();
        assert!(
            refusal.contains("sending already (kpktgend_0)"),
            "{refusal}"
        );
        assert_eq!(fake.read("pktgen/pgctrl"), "");
    }
}
