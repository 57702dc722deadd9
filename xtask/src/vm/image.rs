//! The guest's file system, all of it in memory: busybox, a few of Debian's programs, the kernel's
//! modules, and this machine's build of Ripples and of the program that tries it.

use super::cpio::Archive;
use super::machine::{Kernel, Machine};
use super::{libraries, modules};
use crate::output;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules to load, in this order: the generator, what is built upon interfaces, and the drivers of
/// what QEMU has.
const MODULES: &[&str] = &["pktgen", "bonding", "8021q", "macvlan", "igb", "virtio_net"];
/// Programs of Debian's, by the names under which the guest calls them.
const TOOLS: &[(&str, &str)] = &[
    ("ethtool", "usr/sbin/ethtool"),
    ("ip", "usr/bin/ip"),
    ("insmod", "usr/bin/kmod"),
];
/// Where Debian's programs and libraries are: not where this machine's are, which are others.
const DEBIAN: &str = "debian";

/// What this machine has built.
pub(super) struct Built {
    /// The server.
    pub(super) server: PathBuf,
    /// What tries it.
    pub(super) guest: PathBuf,
    /// This program, for its generator.
    pub(super) xtask: PathBuf,
}

/// Makes the image for one kernel.
pub(super) fn make(machine: &Machine, kernel: &Kernel, built: &Built) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for folder in ["proc", "sys", "dev", "run", "tmp", "bin", "var"] {
        archive.folder(folder);
    }
    let busybox = read(&machine.userland.join("usr/bin/busybox"))?;
    archive.file("/bin/busybox", &busybox);
    archive.link("/var/run", "/run");
    let order = add_modules(&mut archive, kernel)?;
    archive.file("/init", init(&order).as_bytes());
    add_tools(&mut archive, machine)?;
    add_built(&mut archive, built)?;
    let bytes = archive.finish();
    output::command(&format!("# an image of {} bytes", bytes.len()));
    Ok(bytes)
}

/// The first program, which starts the one that tries the server and then switches the machine off.
fn init(modules: &[String]) -> String {
    let modules: String = modules
        .iter()
        .map(|file| format!("insmod {file}\n"))
        .collect();
    format!(
        "#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
export PATH=/tools:/bin RIPPLES_BINARY=/programs/ripples RUST_BACKTRACE=0
{modules}ip link set lo up
/programs/vm_guest >/dev/ttyS1
poweroff -f
"
    )
}

/// Adds the modules; returns their places in the order in which they are to be loaded.
fn add_modules(archive: &mut Archive, kernel: &Kernel) -> Result<Vec<String>> {
    let table = kernel.modules.join("modules.dep");
    let table = fs::read_to_string(&table).with_context(|| table.display().to_string())?;
    let mut order = Vec::new();
    for file in modules::closure(&table, MODULES)? {
        let place = format!("/modules/{}", file.rsplit('/').next().unwrap_or(file));
        archive.file(&place, &read(&kernel.modules.join(file))?);
        order.push(place);
    }
    Ok(order)
}

/// Adds Debian's programs, each started by its own loader with its own libraries.
fn add_tools(archive: &mut Archive, machine: &Machine) -> Result<()> {
    let loader = format!("/{DEBIAN}/ld.so");
    archive.file(&loader, &read(&machine.loader())?);
    let mut files = Vec::new();
    for (name, path) in TOOLS {
        files.extend(libraries::found(
            machine.program(path).env("LD_TRACE_LOADED_OBJECTS", "1"),
        )?);
        archive.file(
            &format!("/{DEBIAN}/bin/{name}"),
            &read(&machine.userland.join(path))?,
        );
        let start = format!(
            "#!/bin/busybox sh\nexec {loader} --argv0 {name} --library-path /{DEBIAN}/lib \
             /{DEBIAN}/bin/{name} \"$@\"\n"
        );
        archive.file(&format!("/tools/{name}"), start.as_bytes());
    }
    files.sort();
    files.dedup();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        archive.file(&format!("/{DEBIAN}/lib/{name}"), &read(&file)?);
    }
    Ok(())
}

/// Adds what was built here, with this machine's libraries where they are on this machine.
fn add_built(archive: &mut Archive, built: &Built) -> Result<()> {
    let mut files = Vec::new();
    for (name, path) in [
        ("ripples", &built.server),
        ("vm_guest", &built.guest),
        ("xtask", &built.xtask),
    ] {
        archive.file(&format!("/programs/{name}"), &read(path)?);
        files.extend(libraries::of_this_machine(path)?);
    }
    files.sort();
    files.dedup();
    for file in files {
        archive.file(&file.to_string_lossy(), &read(&file)?);
    }
    Ok(())
}

/// A file's content, whatever links lead to it.
fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("could not read {}", path.display()))
}
