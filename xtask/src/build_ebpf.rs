//! `cargo xtask build-ebpf`: compiles the kernel program, or proves that the committed object is
//! what the sources give.
//!
//! The object is committed, so that every other command works without a kernel toolchain; it is
//! reproducible, so that nobody has to trust it.

use crate::bpf_toolchain::{self, Toolchain, Versions};
use crate::{output, repository, shell};
use anyhow::{Context, Result, bail};
use object::build::ByteString;
use object::build::elf::{Builder, SectionData};
use object::elf;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use bpf_toolchain::PACKAGES;

/// Where the committed object lies.
const OBJECT: &str = "xdp-ebpf/object/ripples-xdp.o";

/// Where the object's origin is recorded.
const RECORD: &str = "xdp-ebpf/object/ripples-xdp.toml";

/// What the committed object was built with.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Record {
    /// Size of the object.
    bytes: usize,
    /// The toolchain that gave it.
    toolchain: Versions,
}

/// Rebuilds the committed object; with `check`, only compares.
pub(crate) fn run(check: bool) -> Result<()> {
    let recorded = read_record()?;
    let toolchain = bpf_toolchain::provide(recorded.as_ref().map(|record| &record.toolchain))?;
    output::step("Using", &toolchain.versions);
    let compiled = compile(&toolchain)?;
    let object = strip(&fs::read(&compiled).with_context(|| cannot("read", &compiled))?)
        .with_context(|| cannot("strip", &compiled))?;
    let record = Record {
        bytes: object.len(),
        toolchain: toolchain.versions,
    };
    if check {
        compare(&object, &record, recorded.as_ref())
    } else {
        write(&object, &record)
    }
}

/// The record beside the committed object, where there is one.
fn read_record() -> Result<Option<Record>> {
    let path = repository::root().join(RECORD);
    match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text)
            .map(Some)
            .with_context(|| cannot("understand", &path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| cannot("read", &path)),
    }
}

/// Compiles the program and returns where the linker put it.
fn compile(toolchain: &Toolchain) -> Result<PathBuf> {
    const TARGET: &str = "bpfel-unknown-none";
    const PROFILE: &str = "bpf";
    let target_directory = repository::target_directory()?.join(PROFILE);
    let mut cargo = repository::cargo(&["build", "--locked", "--package", "xdp-ebpf"]);
    cargo
        .args(["--profile", PROFILE, "--target", TARGET, "-Zbuild-std=core"])
        .env("CARGO_TARGET_DIR", &target_directory)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(toolchain)?)
        .env("RUSTC", toolchain.rustc())
        // `-Zbuild-std` and the eBPF crates' features are unstable; this lets a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        // The linker looks here for LLVM too.
        .env("LD_LIBRARY_PATH", toolchain.libraries());
    for wrapper in [
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTUP_TOOLCHAIN",
    ] {
        cargo.env_remove(wrapper);
    }
    shell::run(&mut cargo, "see the compiler's messages above")?;
    Ok(target_directory
        .join(TARGET)
        .join(PROFILE)
        .join("ripples-xdp"))
}

/// The compiler's flags, in cargo's encoding.
fn rustflags(toolchain: &Toolchain) -> Result<String> {
    let mut flags = vec![
        format!("-Clinker={}", toolchain.linker.display()),
        "-Clink-arg=--btf".to_owned(),
        // 32-bit arithmetic and jumps: Linux 5.1 and later.
        "-Ctarget-cpu=v3".to_owned(),
    ];
    for (directory, name) in remapped(toolchain)? {
        flags.push(format!(
            "--remap-path-prefix={}={name}",
            directory.display()
        ));
    }
    Ok(flags.join("\x1f"))
}

/// The folders of this machine and the names that stand for them in the object. Where several
/// match, the last one counts.
fn remapped(toolchain: &Toolchain) -> Result<Vec<(PathBuf, &'static str)>> {
    let root = repository::root();
    let mut sources = vec![(toolchain.prefix.join("lib/rustlib/src/rust"), "/rust")];
    sources.extend(
        registries()?
            .into_iter()
            .map(|registry| (registry, "/crates")),
    );
    // Cargo names sources that lie in the checkout by their path from there.
    let relative: Vec<_> = sources
        .iter()
        .filter_map(|(folder, name)| Some((folder.strip_prefix(&root).ok()?.to_owned(), *name)))
        .collect();
    Ok([(root, "/ripples")]
        .into_iter()
        .chain(sources)
        .chain(relative)
        .collect())
}

/// The folders in which cargo keeps the sources of crates, one for each registry.
fn registries() -> Result<Vec<PathBuf>> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir()
            .context("there is no home folder")?
            .join(".cargo"),
    };
    // They come into being with the first download.
    shell::run(
        &mut repository::cargo(&["fetch", "--quiet", "--locked"]),
        "see cargo's message",
    )?;
    let sources = home.join("registry/src");
    let folders = fs::read_dir(&sources).with_context(|| cannot("read", &sources))?;
    let folders: std::io::Result<Vec<_>> = folders.map(|entry| Ok(entry?.path())).collect();
    folders.with_context(|| cannot("read", &sources))
}

/// Takes out what neither the kernel nor the loader reads: DWARF, which is six times the rest (BTF
/// has what they want to know), and the names of local symbols, in which a hash of cargo's stands.
fn strip(object: &[u8]) -> Result<Vec<u8>> {
    let mut builder = Builder::read(object)?;
    for section in &mut builder.sections {
        let name = &section.name;
        section.delete = name.starts_with(b".debug_") || name.starts_with(b".rel.debug_");
    }
    builder.delete_orphans();
    // LLVM keeps the sections' names among the symbols'; the builder wants them apart.
    let names = builder.sections.add();
    names.name = ".shstrtab".into();
    names.sh_type = elf::SHT_STRTAB;
    names.sh_addralign = 1;
    names.data = SectionData::SectionString;
    for symbol in &mut builder.symbols {
        if symbol.st_bind() == elf::STB_LOCAL {
            symbol.name = ByteString::default();
        }
    }
    let mut stripped = Vec::new();
    builder.write(&mut stripped)?;
    Ok(stripped)
}

/// Compares with the committed object.
fn compare(object: &[u8], record: &Record, recorded: Option<&Record>) -> Result<()> {
    let path = repository::root().join(OBJECT);
    let committed = fs::read(&path).with_context(|| cannot("read", &path))?;
    let recorded = recorded.with_context(|| cannot("find", &repository::root().join(RECORD)))?;
    if object == committed {
        if record != recorded {
            bail!("{OBJECT} is right, but {RECORD} is not; run `cargo xtask build-ebpf`");
        }
        output::step("Verified", format!("{OBJECT}, {} bytes", committed.len()));
        return Ok(());
    }
    let rebuilt = repository::target_directory()?.join("bpf/ripples-xdp.o");
    fs::write(&rebuilt, object).with_context(|| cannot("write", &rebuilt))?;
    if record.toolchain != recorded.toolchain {
        bail!(
            "this machine cannot tell whether {OBJECT} is what the sources give: it was built with \
             {}, but only {} can be had. To go on with these, run `cargo xtask build-ebpf` and \
             commit both files",
            recorded.toolchain,
            record.toolchain
        );
    }
    let same = object
        .iter()
        .zip(&committed)
        .take_while(|(ours, theirs)| ours == theirs);
    bail!(
        "{OBJECT} is not what the sources give: of {} bytes, and now {}, the first {} agree \
         (compare with {}). Run `cargo xtask build-ebpf` and commit both files",
        committed.len(),
        object.len(),
        same.count(),
        rebuilt.display()
    )
}

/// Replaces the committed object and its record.
fn write(object: &[u8], record: &Record) -> Result<()> {
    let root = repository::root();
    let text = toml::to_string(record).context("could not write down the versions")?;
    let text =
        format!("# What {OBJECT} was built with. Written by `cargo xtask build-ebpf`.\n{text}");
    for (name, bytes) in [(OBJECT, object), (RECORD, text.as_bytes())] {
        let path = root.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| cannot("create", folder))?;
        }
        let verb = if fs::read(&path).is_ok_and(|old| old == bytes) {
            "Kept"
        } else {
            "Wrote"
        };
        fs::write(&path, bytes).with_context(|| cannot("write", &path))?;
        output::step(verb, format!("{name}, {} bytes", bytes.len()));
    }
    Ok(())
}

/// What could not be done with a file.
fn cannot(verb: &str, path: &Path) -> String {
    format!("could not {verb} {}", path.display())
}
