//! The compiler and the linker of the kernel program: unpacked or built under the target folder,
//! never installed.
//!
//! `core` is compiled for the kernel from source. A rustup toolchain has that source only with the
//! component rust-src, and every nightly gives another object. Debian's `rustc-web` has it in
//! `rust-web-src`, at versions that can be named and had again.

use crate::debian_archive::Archive;
use crate::{output, repository, shell, tools};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian packages to install: the libraries that the unpacked compiler loads.
pub(crate) const PACKAGES: &[&str] = &["libedit2", "libxml2", "libz3-4"];

/// The newest bpf-linker that uses the compiler's own LLVM; later ones bring theirs.
const BPF_LINKER: &str = "0.10.3";

/// The LLVM that this bpf-linker speaks to.
const LLVM: &str = "22.";

/// What decides the bytes of the object, besides the sources and `Cargo.lock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Versions {
    /// Debian's version of the compiler, of its library and of the library's source.
    pub(crate) rustc_web: String,
    /// Debian's version of the compiler's LLVM.
    pub(crate) libllvm: String,
    /// The version on crates.io.
    pub(crate) bpf_linker: String,
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rustc_web,
            libllvm,
            bpf_linker,
        } = self;
        write!(
            f,
            "rustc-web {rustc_web}, libllvm {libllvm}, bpf-linker {bpf_linker}"
        )
    }
}

/// A compiler with its sources, and a linker, ready to run.
pub(crate) struct Toolchain {
    /// The compiler's prefix: `bin/rustc`, `lib`, `lib/rustlib/src/rust`.
    pub(crate) prefix: PathBuf,
    /// The linker program.
    pub(crate) linker: PathBuf,
    /// What they are.
    pub(crate) versions: Versions,
}

impl Toolchain {
    /// The folder of the compiler's shared libraries, LLVM among them.
    pub(crate) fn libraries(&self) -> PathBuf {
        self.prefix.join("lib")
    }

    /// The compiler.
    pub(crate) fn rustc(&self) -> PathBuf {
        self.prefix.join("bin/rustc")
    }
}

/// Provides the wanted versions, or the nearest to them that can be had: those that are unpacked
/// already, those of the archive by name, the archive's newest.
pub(crate) fn provide(wanted: Option<&Versions>) -> Result<Toolchain> {
    let home = repository::target_directory()?.join("bpf-toolchain");
    let (directory, mut versions) = match wanted.and_then(|wanted| unpacked(&home, wanted)) {
        Some(found) => found,
        None => fetch(&home, wanted)?,
    };
    versions.bpf_linker = BPF_LINKER.to_owned();
    let toolchain = Toolchain {
        prefix: directory.join("usr"),
        linker: tools::ensure("bpf-linker", BPF_LINKER)?,
        versions,
    };
    try_out(&toolchain)?;
    Ok(toolchain)
}

/// The compiler that was unpacked before, where it is the wanted one.
fn unpacked(home: &Path, wanted: &Versions) -> Option<(PathBuf, Versions)> {
    let directory = home.join(folder_name(wanted));
    let versions = toml::from_str(&fs::read_to_string(directory.join(RECORD)).ok()?).ok()?;
    (same_compiler(wanted, &versions)).then_some((directory, versions))
}

/// Whether both name the same compiler, whatever the linker.
fn same_compiler(one: &Versions, other: &Versions) -> bool {
    (&one.rustc_web, &one.libllvm) == (&other.rustc_web, &other.libllvm)
}

/// Chooses versions that the archive offers and unpacks them, unless they are there.
fn fetch(home: &Path, wanted: Option<&Versions>) -> Result<(PathBuf, Versions)> {
    output::step(
        "Updating",
        "the list of Debian's packages (under the target folder)",
    );
    let archive = Archive::update(&home.join("apt"))?;
    let rustc_web = choose(
        &archive,
        "rustc-web",
        wanted.map(|wanted| &*wanted.rustc_web),
    )?;
    let library = archive.dependency("libstd-rust-web-dev", &rustc_web, "libstd-rust-web-")?;
    let llvm = archive.dependency(&library, &rustc_web, "libllvm")?;
    let libllvm = choose(&archive, &llvm, wanted.map(|wanted| &*wanted.libllvm))?;
    let versions = Versions {
        rustc_web,
        libllvm,
        bpf_linker: String::new(),
    };
    if let Some(found) = unpacked(home, &versions) {
        return Ok(found);
    }

    // Unpacked beside its place and then moved, so that what is in place is whole.
    let partial = home.join("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    fs::create_dir_all(&partial)?;
    let compiler = ["rustc-web", &library, "libstd-rust-web-dev"];
    let packages = compiler.map(|package| (package, &versions.rustc_web));
    for (package, version) in packages.into_iter().chain([(&*llvm, &versions.libllvm)]) {
        output::step("Unpacking", format!("{package} {version}"));
        archive.unpack(package, version, &["--exclude=./usr/share"], &partial)?;
    }
    output::step("Unpacking", format!("rust-web-src {}", versions.rustc_web));
    archive.unpack("rust-web-src", &versions.rustc_web, SOURCES, &partial)?;
    flatten(&partial.join("usr/lib"))?;
    fs::write(partial.join(RECORD), toml::to_string(&versions)?)?;

    let directory = home.join(folder_name(&versions));
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::rename(&partial, &directory)
        .with_context(|| format!("could not move the toolchain to {}", directory.display()))?;
    Ok((directory, versions))
}

/// The wanted version where the archive offers it, and its newest otherwise.
fn choose(archive: &Archive, package: &str, wanted: Option<&str>) -> Result<String> {
    let versions = archive.versions(package)?;
    let offered = wanted.filter(|wanted| versions.iter().any(|version| version == wanted));
    let chosen = offered.or(versions.first().map(String::as_str));
    chosen.map(str::to_owned).with_context(|| {
        format!(
            "this machine's Debian archive offers no package {package}: rebuild the kernel \
             program on Debian 12; everything else uses the committed object"
        )
    })
}

/// Moves libraries from the folder of the machine's architecture to `lib`, where rustup has them
/// and where rustc looks for its sysroot.
fn flatten(lib: &Path) -> Result<()> {
    let folders: Vec<_> = fs::read_dir(lib)?.collect::<std::io::Result<_>>()?;
    for folder in folders {
        if folder.file_name().to_string_lossy().contains("-linux-gnu") {
            for entry in fs::read_dir(folder.path())? {
                let entry = entry?;
                fs::rename(entry.path(), lib.join(entry.file_name()))?;
            }
            fs::remove_dir(folder.path())?;
        }
    }
    Ok(())
}

/// Sees that the compiler starts and has the LLVM that the linker speaks to.
fn try_out(toolchain: &Toolchain) -> Result<()> {
    let mut rustc = Command::new(toolchain.rustc());
    rustc
        .arg("-vV")
        .env("LD_LIBRARY_PATH", toolchain.libraries());
    let advice = format!("it needs the Debian packages {}", PACKAGES.join(", "));
    let said = shell::read(&mut rustc, &advice)?;
    let llvm = said
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "));
    match llvm {
        Some(version) if version.starts_with(LLVM) => Ok(()),
        _ => bail!(
            "rustc-web {} has LLVM {}, but bpf-linker {BPF_LINKER} needs {LLVM}x: a newer linker \
             belongs in xtask/src/bpf_toolchain.rs",
            toolchain.versions.rustc_web,
            llvm.unwrap_or("of no version that it tells")
        ),
    }
}

/// Where a compiler is unpacked. (An epoch's colon would part a library path in two.)
fn folder_name(versions: &Versions) -> String {
    format!("rustc-web-{}", versions.rustc_web.replace(':', "-"))
}

/// The file beside an unpacked compiler that says what it is.
const RECORD: &str = "versions.toml";

/// What of the sources is needed: the standard library, and the link by which rustc finds it.
const SOURCES: &[&str] = &[
    "--wildcards",
    "./usr/src/rustc-*/library",
    "./usr/lib/rustlib/src/*",
];
