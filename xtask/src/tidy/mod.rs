//! `cargo xtask tidy`: the house rules that rustfmt and clippy do not know. See CONTRIBUTING.md.

mod dependencies;
mod markdown;
mod rust;
mod text;

use crate::{output, repository, shell};
use anyhow::{Context, Result, bail};
use std::fmt;
use std::path::Path;
use std::process::Command;

/// Binary files that may be tracked: the kernel program, which `build-ebpf --check` compares, and
/// seeds.
const BINARIES: &[&str] = &[
    "tests/fuzz/seeds/",
    "xdp-ebpf/object/",
    "xtask/demo/demo.mmdb",
];

/// Something to mend.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    path: String,
    /// Counted from 1.
    line: usize,
    what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Problems found in one file.
struct Findings<'a> {
    path: &'a str,
    problems: Vec<Problem>,
}

impl Findings<'_> {
    /// What a check finds in a file: lines and problems.
    #[cfg(test)]
    fn of(
        path: &str,
        text: &str,
        check: impl FnOnce(&str, &mut Findings<'_>),
    ) -> Vec<(usize, String)> {
        let mut findings = Findings {
            path,
            problems: Vec::new(),
        };
        check(text, &mut findings);
        findings
            .problems
            .into_iter()
            .map(|problem| (problem.line, problem.what))
            .collect()
    }

    /// Notes a problem at `line`, counted from 1.
    fn add(&mut self, line: usize, what: impl Into<String>) {
        self.problems.push(Problem {
            path: self.path.to_owned(),
            line,
            what: what.into(),
        });
    }
}

/// Checks every file that is tracked, or would be by `git add --all`.
pub(crate) fn run() -> Result<()> {
    let root = repository::root();
    let files = files(&root)?;
    let mut count = 0;
    for path in &files {
        let bytes =
            std::fs::read(root.join(path)).with_context(|| format!("could not read {path}"))?;
        for problem in check(path, &bytes, &root) {
            eprintln!("{problem}");
            count += 1;
        }
    }
    if count > 0 {
        bail!("{count} house rules are broken; CONTRIBUTING.md says why they are there");
    }
    output::step("Tidy", format!("{} files", files.len()));
    Ok(())
}

/// All that is wrong with one file.
fn check(path: &str, bytes: &[u8], root: &Path) -> Vec<Problem> {
    let mut findings = Findings {
        path,
        problems: Vec::new(),
    };
    let Some(text) = as_text(bytes) else {
        if !BINARIES.iter().any(|allowed| path.starts_with(allowed)) {
            findings.add(1, "a binary file: commit what it is made from instead");
        }
        return findings.problems;
    };
    // Written by cargo, for cargo.
    if path.ends_with("Cargo.lock") {
        return findings.problems;
    }
    text::check(text, &mut findings);
    if path.ends_with(".rs") {
        rust::check(text, &mut findings);
    }
    if path.ends_with(".md") {
        markdown::check(text, root, &mut findings);
    }
    findings.problems
}

/// The content, if it is text.
fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}

/// Every file that git tracks or would track, and that exists.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root);
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let names = shell::read(&mut git, "tidy looks at what git tracks: run it in a clone")?;
    let mut files: Vec<_> = names
        .split_terminator('\0')
        .filter(|name| root.join(name).is_file())
        .map(str::to_owned)
        .collect();
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, bytes: &[u8]) -> Vec<String> {
        let found = check(path, bytes, &repository::root());
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_binary_file_is_reported_unless_it_is_the_kernel_program() {
        assert_eq!(
            problems("tests/fixtures/a.bin", b"\x7fELF\0"),
            ["tests/fixtures/a.bin:1: a binary file: commit what it is made from instead"]
        );
        assert!(problems("xdp-ebpf/object/ripples-xdp.o", b"\x7fELF\0").is_empty());
    }

    #[test]
    fn a_problem_is_printed_where_an_editor_finds_it() {
        assert_eq!(
            problems("common/src/lib.rs", b"//! Common.\n\nfn a() {} \n"),
            ["common/src/lib.rs:3: trailing blanks"]
        );
    }

    #[test]
    fn this_repository_lists_its_files() {
        let files = files(&repository::root()).unwrap();
        assert!(files.iter().any(|file| file == "xtask/src/tidy/mod.rs"));
        assert!(!files.iter().any(|file| file.starts_with("target/")));
    }
}
