//! The virtual machine's parts: QEMU, kernels, and what stands in the guest besides Ripples. All
//! are Debian's packages, unpacked under the target folder.

use crate::debian_archive::Archive;
use crate::{output, repository, shell};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release whose QEMU has an `igb`, and whose kernels are tried: its own and its newest.
const SUITES: &[&str] = &["trixie", "trixie-backports"];
/// Programs on both sides; with them comes all that they need.
const PACKAGES: &[&str] = &[
    "qemu-system-x86",
    "busybox-static",
    "kmod",
    "ethtool",
    "iproute2",
];
/// What of the packages nobody needs.
const SELECTION: &[&str] = &[
    "--exclude=./usr/share/doc",
    "--exclude=./usr/share/locale",
    "--exclude=./usr/share/man",
];
/// Their loader, in the folder where they are unpacked.
const LOADER: &str = "usr/lib64/ld-linux-x86-64.so.2";
/// The file that says what is unpacked.
const RECORD: &str = "versions.toml";

/// What is unpacked. A folder is named after each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Versions {
    /// Debian's version of QEMU.
    qemu: String,
    /// The release's own kernel: its igb has no zero-copy.
    stable_kernel: String,
    /// The newest kernel, from backports: its igb has.
    newest_kernel: String,
}

/// A kernel and its modules.
pub(super) struct Kernel {
    /// The image to boot.
    pub(super) image: PathBuf,
    /// What it calls itself, as `6.12.117+deb13-amd64`.
    pub(super) release: String,
    /// The folder of its modules, which `modules.dep` is in.
    pub(super) modules: PathBuf,
}

/// All that a boot needs.
pub(super) struct Machine {
    /// Where all is kept.
    pub(super) home: PathBuf,
    /// The root of the unpacked programs.
    pub(super) userland: PathBuf,
    /// The release's own kernel.
    pub(super) stable: Kernel,
    /// The newest one.
    pub(super) newest: Kernel,
    /// Held as long as the folder is used: images, consoles and downloads have one name each.
    _lock: File,
}

impl Machine {
    /// Provides what is unpacked already; fetches what is not, or all of it anew with `update`.
    pub(super) fn provide(update: bool) -> Result<Self> {
        if !cfg!(target_arch = "x86_64") {
            bail!("the virtual machine is an amd64 one, and so must be the server that it runs");
        }
        let home = repository::target_directory()?.join("vm");
        fs::create_dir_all(&home)
            .with_context(|| format!("could not create {}", home.display()))?;
        let lock = lock(&home)?;
        let versions = match recorded(&home) {
            Some(versions) if !update => versions,
            _ => fetch(&home)?,
        };
        Self::unpacked(&home, &versions, lock)
    }

    fn unpacked(home: &Path, versions: &Versions, lock: File) -> Result<Self> {
        let userland = home.join(folder("qemu", &versions.qemu));
        let kernel = |version| Kernel::open(&home.join(folder("linux", version)));
        Ok(Self {
            stable: kernel(&versions.stable_kernel)?,
            newest: kernel(&versions.newest_kernel)?,
            home: home.to_owned(),
            userland,
            _lock: lock,
        })
    }

    /// The unpacked programs' loader.
    pub(super) fn loader(&self) -> PathBuf {
        self.userland.join(LOADER)
    }

    /// An unpacked program, with its own libraries; nothing of this machine's is loaded.
    pub(super) fn program(&self, path: &str) -> Command {
        unpacked_program(&self.userland, path)
    }
}

/// See [`Machine::program`].
fn unpacked_program(userland: &Path, path: &str) -> Command {
    let mut command = Command::new(userland.join(LOADER));
    command
        .arg("--library-path")
        .arg(userland.join("usr/lib/x86_64-linux-gnu"))
        .arg(userland.join(path));
    command
}

impl Kernel {
    /// The kernel that is unpacked in a folder.
    fn open(directory: &Path) -> Result<Self> {
        let modules = modules_folder(directory)?;
        let release = modules.file_name().unwrap_or_default();
        let release = release.to_string_lossy().into_owned();
        let images = [
            modules.join("vmlinuz"),
            directory.join(format!("boot/vmlinuz-{release}")),
        ];
        let image = images.into_iter().find(|image| image.exists());
        let image = image.with_context(|| format!("no kernel in {}", directory.display()))?;
        Ok(Self {
            image,
            release,
            modules,
        })
    }
}

/// The one folder of modules in an unpacked kernel package.
fn modules_folder(directory: &Path) -> Result<PathBuf> {
    let folders = ["usr/lib/modules", "lib/modules"].map(|folder| directory.join(folder));
    let mut entries = folders.iter().flat_map(fs::read_dir).flatten().flatten();
    let modules = entries.next().map(|entry| entry.path());
    modules.with_context(|| format!("no modules in {}", directory.display()))
}

/// Waits until no other run uses the folder.
fn lock(home: &Path) -> Result<File> {
    let path = home.join("lock");
    let problem = || format!("could not lock {}", path.display());
    let file = File::create(&path).with_context(problem)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            output::note("another `cargo xtask vm` is under way: waiting for its end");
            file.lock().with_context(problem)?;
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(problem),
    }
    Ok(file)
}

/// The versions that were unpacked before, all of them.
fn recorded(home: &Path) -> Option<Versions> {
    toml::from_str(&fs::read_to_string(home.join(RECORD)).ok()?).ok()
}

/// Unpacks the newest of everything that is not there yet.
fn fetch(home: &Path) -> Result<Versions> {
    output::step(
        "Updating",
        format!("the lists of {} (under the target folder)", SUITES[0]),
    );
    let archive = Archive::update_suites(&home.join("apt"), SUITES)?;
    let is_backport = |version: &String| version.contains("~bpo");
    let newest = |package: &str, backport: bool| {
        let versions = archive.versions(package)?;
        let mut ours = versions.into_iter();
        ours.find(|version| is_backport(version) == backport)
            .with_context(|| format!("the mirror offers no {package} of {}", SUITES[0]))
    };
    let versions = Versions {
        qemu: newest("qemu-system-x86", false)?,
        stable_kernel: newest(KERNEL, false)?,
        newest_kernel: newest(KERNEL, true)?,
    };
    let userland = home.join(folder("qemu", &versions.qemu));
    complete(&userland, |partial| {
        output::step("Unpacking", format!("QEMU {}", versions.qemu));
        archive.unpack_closure(PACKAGES, SELECTION, partial)
    })?;
    for version in [&versions.stable_kernel, &versions.newest_kernel] {
        complete(&home.join(folder("linux", version)), |partial| {
            output::step("Unpacking", format!("Linux {version}"));
            unpack_kernel(&archive, &userland, version, partial)
        })?;
    }
    fs::write(home.join(RECORD), toml::to_string(&versions)?)?;
    Ok(versions)
}

/// The package that stands for whichever kernel is the newest.
const KERNEL: &str = "linux-image-amd64";

/// Unpacks a kernel and makes the tables of its modules, as its installation would.
fn unpack_kernel(archive: &Archive, userland: &Path, version: &str, target: &Path) -> Result<()> {
    let image = archive.dependency(KERNEL, version, "linux-image-")?;
    // Newer releases have image and modules in packages of their own.
    let parts = ["linux-binary-", "linux-modules-"];
    let parts: Result<Vec<_>> = parts
        .iter()
        .map(|prefix| archive.dependency(&image, version, prefix))
        .collect();
    for package in parts.unwrap_or_else(|_| vec![image]) {
        archive.unpack(&package, version, SELECTION, target)?;
    }
    let modules = modules_folder(target)?;
    let base = modules.ancestors().nth(3).unwrap_or(target);
    let mut depmod = unpacked_program(userland, "usr/sbin/depmod");
    depmod.arg("-b").arg(base);
    depmod.arg(modules.file_name().unwrap_or_default());
    shell::read(&mut depmod, "remove the folder target/vm").map(drop)
}

/// Makes a folder beside its place and moves it there, so that what is in place is whole.
fn complete(directory: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if directory.exists() {
        return Ok(());
    }
    let partial = directory.with_file_name("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    fs::create_dir_all(&partial)?;
    make(&partial)?;
    fs::rename(&partial, directory)
        .with_context(|| format!("could not move {} to its place", directory.display()))
}

/// Where a version is unpacked. (An epoch's colon would part a library path in two.)
fn folder(name: &str, version: &str) -> String {
    format!("{name}-{}", version.replace(':', "-"))
}
