//! Debian's package archive, read with `apt` but beside the system: none of its lists is touched,
//! nothing is installed, and no privilege is needed.

use crate::shell;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What to do when `apt` fails.
const ADVICE: &str = "see that this is a Debian machine which reaches its package archive";

/// The keys that Debian signs its releases with (package debian-archive-keyring).
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Our own sources list, where there is one.
const SOURCES: &str = "sources.list";

/// The archive as this machine's sources list names it, with package lists of our own.
pub(crate) struct Archive {
    /// Where the lists and the downloads are kept.
    directory: PathBuf,
    /// Whether suites of our own choice are read.
    own_suites: bool,
}

impl Archive {
    /// Fetches the current package lists into `directory`.
    pub(crate) fn update(directory: &Path) -> Result<Self> {
        Self::create(directory, false)
    }

    /// Fetches the lists of these suites of the machine's own mirror, whatever release the machine
    /// itself is of.
    pub(crate) fn update_suites(directory: &Path, suites: &[&str]) -> Result<Self> {
        let lines = suites.iter().map(|suite| sources_line(&mirror()?, suite));
        let list: String = lines.collect::<Result<_>>()?;
        let path = directory.join(SOURCES);
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, list))
            .with_context(|| format!("could not write {}", path.display()))?;
        Self::create(directory, true)
    }

    fn create(directory: &Path, own_suites: bool) -> Result<Self> {
        for folder in ["lists/partial", "archives/partial"] {
            let folder = directory.join(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("could not create {}", folder.display()))?;
        }
        let archive = Self {
            directory: directory.to_owned(),
            own_suites,
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
        // What an interrupted run has left would be unpacked too.
        if downloads.exists() {
            fs::remove_dir_all(&downloads)
                .with_context(|| format!("could not remove {}", downloads.display()))?;
        }
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

    /// Downloads packages with all that they depend on, as for a machine that has nothing, and
    /// unpacks what `selection` (arguments of `tar`) leaves into `target`.
    pub(crate) fn unpack_closure(
        &self,
        packages: &[&str],
        selection: &[&str],
        target: &Path,
    ) -> Result<()> {
        // What an interrupted run has left would be unpacked too.
        drop(self.read("apt-get", &["clean"])?);
        let empty = self.directory.join("status");
        fs::write(&empty, "").with_context(|| format!("could not write {}", empty.display()))?;
        let mut download = self.command("apt-get", &["-qq", "--yes", "--download-only"]);
        download
            .arg("--no-install-recommends")
            .args(["-o", &format!("Dir::State::status={}", empty.display())])
            // What is not installed needs no lock of the machine's.
            .args(["-o", "Debug::NoLocking=1"])
            .arg("install")
            .args(packages);
        shell::read(&mut download, ADVICE)?;
        let downloads = self.directory.join("archives");
        let files = fs::read_dir(&downloads)
            .with_context(|| format!("could not read {}", downloads.display()))?;
        for file in files {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                extract(&path, selection, target)?;
                fs::remove_file(&path)
                    .with_context(|| format!("could not remove {}", path.display()))?;
            }
        }
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
            "Acquire::Retries=3".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        if self.own_suites {
            command.args(["-o", &format!("Dir::Etc::sourcelist={directory}/{SOURCES}")]);
            command.args(["-o", "Dir::Etc::sourceparts=-"]);
        }
        command
    }
}

/// Where this machine gets Debian from, by its own sources list, in whichever form that is.
fn mirror() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release").context("could not read os-release")?;
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .unwrap_or_default();
    // Without the lists themselves, which a fresh machine does not have.
    let mut apt = Command::new("apt-get");
    apt.args(["--no-release-info", "indextargets", "--format"]);
    apt.args([
        "$(REPO_URI) $(RELEASE) $(COMPONENT)",
        "Created-By: Packages",
    ]);
    let targets = shell::read(&mut apt, ADVICE)?;
    let mirror = mirror_among(&targets, codename.trim_matches('"'));
    let mirror = mirror.with_context(|| format!("no Debian mirror in its sources list; {ADVICE}"));
    mirror.map(str::to_owned)
}

/// The address of Debian's main component of the release that the machine is of, among lines of
/// `URI RELEASE COMPONENT`.
fn mirror_among<'t>(targets: &'t str, codename: &str) -> Option<&'t str> {
    targets.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [uri, release, "main"] if release == codename => Some(uri),
            _ => None,
        }
    })
}

/// A line of a sources list.
fn sources_line(mirror: &str, suite: &str) -> Result<String> {
    if !Path::new(KEYRING).exists() {
        bail!("{KEYRING} is missing: install debian-archive-keyring");
    }
    Ok(format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_that_of_the_release_itself() {
        let targets = "\
http://security.example/debian-security/ bookworm-security main
https://other.example/repo/ nodistro main
https://docker.example/linux/debian/ bookworm stable
http://mirror.example/debian/ bookworm main
http://mirror.example/debian/ bookworm-updates main
";
        let mirror = mirror_among(targets, "bookworm");
        assert_eq!(mirror, Some("http://mirror.example/debian/"));
        assert_eq!(mirror_among(targets, "noble"), None);
    }
}
