//! Debian's package archive, read with `apt` but beside the system: none of its lists is touched,
//! nothing is installed, and no privilege is needed.

use crate::shell;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What to do when `apt` fails.
const ADVICE: &str = "see that this is a Debian machine which reaches its package archive";

/// The archive as this machine's sources list names it, with package lists of our own.
pub(crate) struct Archive {
    /// Where the lists and the downloads are kept.
    directory: PathBuf,
}

impl Archive {
    /// Fetches the current package lists into `directory`.
    pub(crate) fn update(directory: &Path) -> Result<Self> {
        for folder in ["lists/partial", "archives/partial"] {
            let folder = directory.join(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("could not create {}", folder.display()))?;
        }
        let archive = Self {
            directory: directory.to_owned(),
        };
        archive.read("apt-get", &["-qq", "update"])?;
        Ok(archive)
    }

    /// The versions of `package` that the archive offers, newest first.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = self.read("apt-cache", &["madison", package])?;
        let versions = table.lines().filter_map(|line| line.split('|').nth(1));
        Ok(versions.map(|version| version.trim().to_owned()).collect())
    }

    /// The first package with this prefix that `package` depends on at this version.
    pub(crate) fn dependency(&self, package: &str, version: &str, prefix: &str) -> Result<String> {
        let record = self.read("apt-cache", &["show", &format!("{package}={version}")])?;
        record
            .lines()
            .filter_map(|line| line.strip_prefix("Depends:"))
            .flat_map(|dependencies| dependencies.split([',', ' ']))
            .find(|word| word.starts_with(prefix))
            .map(str::to_owned)
            .with_context(|| format!("{package} {version} depends on no {prefix}* package"))
    }

    /// Downloads a package and unpacks what `selection` (arguments of `tar`) leaves into `target`.
    pub(crate) fn unpack(
        &self,
        package: &str,
        version: &str,
        selection: &[&str],
        target: &Path,
    ) -> Result<()> {
        let downloads = self.directory.join("downloads");
        fs::create_dir_all(&downloads)
            .with_context(|| format!("could not create {}", downloads.display()))?;
        let mut download = self.command("apt-get", &["-qq", "download"]);
        download
            .arg(format!("{package}={version}"))
            .current_dir(&downloads);
        shell::read(&mut download, ADVICE)?;
        extract(&only_file(&downloads)?, selection, target)?;
        fs::remove_dir_all(&downloads)
            .with_context(|| format!("could not remove {}", downloads.display()))?;
        Ok(())
    }

    /// What a command of `apt` prints.
    fn read(&self, program: &str, arguments: &[&str]) -> Result<String> {
        shell::read(&mut self.command(program, arguments), ADVICE)
    }

    /// A command of `apt` that keeps to our folder.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let directory = self.directory.display();
        let mut command = Command::new(program);
        command.env("LC_ALL", "C").args(arguments);
        for option in [
            format!("Dir::State::lists={directory}/lists"),
            format!("Dir::Cache={directory}"),
            // Root's apt would drop to a user who may not write here, and say so each time.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }
}

/// The one file in a folder.
fn only_file(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(|| format!("could not read {}", folder.display()))?;
    match entries.as_slice() {
        [entry] => Ok(entry.path()),
        _ => bail!(
            "{} holds {} files where one package was downloaded; remove the folder",
            folder.display(),
            entries.len()
        ),
    }
}

/// Unpacks a package: `dpkg-deb --fsys-tarfile package | tar -x selection`.
fn extract(package: &Path, selection: &[&str], target: &Path) -> Result<()> {
    let mut unpack = Command::new("dpkg-deb");
    let mut unpack = unpack
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start `dpkg-deb`")?;
    let tarball = unpack.stdout.take().context("`dpkg-deb` has no output")?;
    let mut tar = Command::new("tar");
    tar.arg("-x")
        .args(selection)
        .current_dir(target)
        .stdin(tarball);
    let extracted = shell::run(&mut tar, "see that the disk has room");
    let unpacked = unpack.wait().context("could not wait for `dpkg-deb`")?;
    extracted?;
    if !unpacked.success() {
        bail!(
            "`dpkg-deb --fsys-tarfile {}` {}",
            package.display(),
            shell::ended(unpacked)
        );
    }
    Ok(())
}
