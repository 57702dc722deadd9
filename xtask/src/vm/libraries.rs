//! The shared libraries that a program loads.

use crate::shell;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program of this machine loads, the loader among it, by the paths under which it looks.
pub(super) fn of_this_machine(program: &Path) -> Result<Vec<PathBuf>> {
    let mut ldd = Command::new("ldd");
    let advice = "see that the program was built for this machine";
    Ok(paths(&shell::read(ldd.arg(program), advice)?))
}

/// What `list`, a loader asked to list what a program loads, names.
pub(super) fn listed(list: &mut Command) -> Result<Vec<PathBuf>> {
    Ok(paths(&shell::read(list, "remove the folder target/vm")?))
}

/// The paths in lines of `NAME => PATH (ADDRESS)` or `PATH (ADDRESS)`.
fn paths(text: &str) -> Vec<PathBuf> {
    let words = text.lines().flat_map(str::split_whitespace);
    let mut paths: Vec<_> = words
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_counts_and_what_the_kernel_provides_does_not() {
        let text = "\
\tlinux-vdso.so.1 (0x00007ffd)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f27)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f28)
";
        let expected = [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(paths(text), expected.map(PathBuf::from));
    }
}
