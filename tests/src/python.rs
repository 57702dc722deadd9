//! Python's libraries, as independent readers of what we write.

use std::env;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Debian's Python, which has the libraries that `cargo xtask test` installs.
const PYTHON: &str = "/usr/bin/python3";

/// Whether Python has a module; where CI promised all packages, it has.
pub fn has(module: &str) -> bool {
    let found = Command::new(PYTHON)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status();
    let has = found.is_ok_and(|status| status.success());
    let promised = env::var("CI").is_ok_and(|value| value == "true");
    assert!(has || !promised, "CI=true promises Python's {module}");
    if !has {
        eprintln!("not run: Python has no {module} (`cargo xtask test` installs it)");
    }
    has
}

/// Runs a program on `input`; returns what it prints.
///
/// # Panics
/// Where it fails.
pub fn run(program: &str, input: &str) -> String {
    let mut child = Command::new(PYTHON)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let mut stdin = child.stdin.take().expect("a pipe");
    // One that fails before it has read all says why.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{program}: {said}");
    String::from_utf8(stdout).expect("text")
}
