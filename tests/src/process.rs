//! What a process holds, as the kernel tells it; and a process of its own for a test.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::fs;
use std::process::Command;

/// Descriptors that a process has open.
///
/// # Panics
/// Where there is no such process.
pub fn descriptor_count(id: u32) -> usize {
    let folder = format!("/proc/{id}/fd");
    let count = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .count();
    // Whoever looks at itself has that very folder open.
    count - usize::from(id == std::process::id())
}

/// Whether a process has no descriptor left of the `limit` that it may have: that is one on their
/// numbers, and those that it inherited may be above.
///
/// # Panics
/// Where there is no such process.
pub fn has_no_descriptor_below(id: u32, limit: u64) -> bool {
    (0..limit).all(|number| fs::symlink_metadata(format!("/proc/{id}/fd/{number}")).is_ok())
}

/// Resident memory of a process.
///
/// # Panics
/// Where there is no such process.
pub fn resident_kib(id: u32) -> u64 {
    status(id, "VmRSS:")
}

/// Resident memory of a process that is no file's: what it has taken for itself.
///
/// # Panics
/// Where there is no such process.
pub fn anonymous_kib(id: u32) -> u64 {
    status(id, "RssAnon:")
}

/// The most resident memory that a process has had since [`forget_peak`], or since its start.
///
/// # Panics
/// Where there is no such process.
pub fn peak_resident_kib(id: u32) -> u64 {
    status(id, "VmHWM:")
}

/// Makes what a process has now the most that it has had (proc_pid_clear_refs(5)).
///
/// # Panics
/// Where this process may not do that.
pub fn forget_peak(id: u32) {
    let file = format!("/proc/{id}/clear_refs");
    fs::write(&file, "5").unwrap_or_else(|error| panic!("{file}: {error}"));
}

/// A number of a process's status (proc_pid_status(5)).
fn status(id: u32, field: &str) -> u64 {
    let file = format!("/proc/{id}/status");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let value = text.lines().find_map(|line| line.strip_prefix(field));
    let value = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
    value.unwrap_or_else(|| panic!("{field} is not in {file}: {text}"))
}

/// Lets this process have as many descriptors as it may; returns how many.
///
/// # Panics
/// Where the kernel refuses what it allows.
pub fn raise_descriptors() -> u64 {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("up to the hard limit anybody may");
    hard
}

/// Runs a test where its limits and its descriptors concern nobody else: this program again, for
/// the test `name` alone.
///
/// # Panics
/// Where the test fails there.
pub fn alone(name: &str, test: impl FnOnce()) {
    const MARK: &str = "RIPPLES_TEST_CHILD";
    if std::env::var_os(MARK).is_some() {
        return test();
    }
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--exact", name, "--nocapture"])
        .env(MARK, "1")
        .output()
        .expect("it runs already");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    eprint!("{text}");
}
