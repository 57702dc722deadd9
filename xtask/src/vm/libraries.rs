//! The shared libraries that a program loads.

use crate::shell;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program of this machine loads, the loader among it, by the paths under which it looks.
pub(super) fn of_this_machine(program: &Path) -> Result<Vec<PathBuf>> {
    let mut ldd = Command::new("ldd");
    let advice = "see that the program was built for this machine";
    let text = shell::read(ldd.arg(program), advice)?;
    Ok(paths(&text, first))
}

/// The files that `list`, a loader asked to list what a program loads, found.
pub(super) fn found(list: &mut Command) -> Result<Vec<PathBuf>> {
    let text = shell::read(list, "remove the folder target/vm")?;
    Ok(paths(&text, last))
}

/// One path of each line of `NAME => PATH (ADDRESS)` or `PATH (ADDRESS)`, where NAME may be a path
/// as well: the loader's, which a loader started by hand has under another path.
fn paths(text: &str, choose: fn(&str) -> Option<&str>) -> Vec<PathBuf> {
    let mut paths: Vec<_> = text.lines().filter_map(choose).map(PathBuf::from).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Where a program looks.
fn first(line: &str) -> Option<&str> {
    line.split_whitespace().find(|word| word.contains('/'))
}

/// What was found.
fn last(line: &str) -> Option<&str> {
    line.split_whitespace().rfind(|word| word.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "\
\tlinux-vdso.so.1 (0x00007ffd)
\tlibc.so.6 => /unpacked/libc.so.6 (0x00007f27)
\t/lib64/ld-linux-x86-64.so.2 => /unpacked/ld-linux-x86-64.so.2 (0x00007f28)
";

    #[test]
    fn the_loader_counts_and_what_the_kernel_provides_does_not() {
        let expected = ["/lib64/ld-linux-x86-64.so.2", "/unpacked/libc.so.6"];
        assert_eq!(paths(LISTED, first), expected.map(PathBuf::from));
    }

    #[test]
    fn of_another_systems_program_nothing_of_this_machine_is_found() {
        let expected = ["/unpacked/ld-linux-x86-64.so.2", "/unpacked/libc.so.6"];
        assert_eq!(paths(LISTED, last), expected.map(PathBuf::from));
    }
}
