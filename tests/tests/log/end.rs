//! Nothing that was logged is lost, however the process ends.

use crate::launch;
use ripples::config::{LogOutput, LogTarget};
use ripples::telemetry::log;
use std::env;
use std::fs;
use std::process::Command;
use tests::folder::Folder;
use tests::server::Launch;

/// Set in a process that is to end: how, and the log's file.
const HOW: &str = "RIPPLES_LOG_ENDS_BY";
/// Messages before the end.
const COUNT: usize = 1000;

#[test]
fn an_error_at_the_start_comes_behind_what_was_logged_and_is_in_the_file_too() {
    let folder = Folder::new();
    let path = folder.path().join("r.log");
    let file = path.to_string_lossy();
    let arguments = ["--interface", "nosuch0", "--log-file", &file];
    let ended = launch("", &arguments).finish();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .starts_with("ripples: --interface: no interface"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stderr.lines().count(), 1);
    let log = fs::read_to_string(path).unwrap();
    assert!(log.contains(" zones loaded "), "{log}");
    let last = log.lines().last().unwrap();
    assert!(
        last.contains(" ERROR ripples --interface: no interface"),
        "{log}"
    );
    let ended = launch("", &["--interface", "nosuch0"]).finish();
    let (before, error) = ended.stderr.trim_end().rsplit_once('\n').unwrap();
    assert!(before.contains(" zones loaded "), "{before}");
    assert!(
        error.starts_with("ripples: --interface: no interface"),
        "{error}"
    );
}

#[test]
fn whoever_only_looks_has_plain_lines_on_standard_error() {
    let ended = Launch::new(&["check", "--zone", "x=no.zone"]).finish();
    assert_eq!(
        (ended.code, &*ended.stderr),
        (Some(1), ""),
        "{}",
        ended.stdout
    );
    let ended = Launch::new(&["ctl", "--control", "no.sock", "status"]).finish();
    assert!(ended.stderr.starts_with("ripples: "), "{}", ended.stderr);
}

#[test]
fn a_panic_is_logged_behind_all_that_was_before() {
    for (how, thread) in [("panic", "end::"), ("panic in a thread", "worker")] {
        let (log, stderr) = ended_by(how);
        let last = log.lines().last().unwrap();
        let expected = format!(" ERROR ripples::telemetry::log::panic thread {thread}");
        assert!(
            last.contains(&expected) && last.contains("panicked: at last"),
            "{last}"
        );
        assert!(last.contains("location=tests/tests/log/end.rs:"), "{last}");
        assert!(!stderr.contains("at last"), "{stderr}");
    }
}

#[test]
fn a_panic_that_the_filter_keeps_out_of_the_log_is_on_standard_error() {
    let (log, stderr) = ended_by("panic unheard");
    assert!(!log.contains("at last"), "{log}");
    assert!(
        stderr.contains("panicked at ") && stderr.contains("at last"),
        "{stderr}"
    );
}

#[test]
fn an_exit_from_anywhere_loses_nothing() {
    let (log, _) = ended_by("exit");
    assert_eq!(log.lines().count(), COUNT);
}

/// Starts this test anew as a process that logs and ends in this way; returns the log and what it
/// said on standard error.
fn ended_by(how: &str) -> (String, String) {
    let folder = Folder::new();
    let path = folder.path().join("r.log");
    let test = ["--exact", "end::logs_and_ends", "--nocapture"];
    let mut command = Command::new(env::current_exe().expect("it runs"));
    command
        .args(test)
        .env(HOW, format!("{how}={}", path.display()));
    let output = command
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("it exists");
    assert!(!output.status.success());
    let log = fs::read_to_string(path).expect("it was opened");
    for number in 0..COUNT {
        let expected = format!(" number={number}\n");
        assert!(log.contains(&expected), "{how}: no {number} in\n{log}");
    }
    (log, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn logs_and_ends() {
    // Without the variable there is nothing to do: it is the other tests' process.
    let Ok(told) = env::var(HOW) else {
        return;
    };
    let (how, path) = told.split_once('=').unwrap();
    let output = LogOutput {
        target: LogTarget::File(path.into()),
        ..LogOutput::default()
    };
    log::start("info", &output).unwrap();
    (0..COUNT).for_each(|number| tracing::info!(number, "before the end"));
    match how {
        "panic" => panic!("at last"),
        "panic unheard" => {
            log::change("off").unwrap();
            assert_eq!(log::current(), "off");
            panic!("at last")
        }
        "exit" => std::process::exit(3),
        _ => {
            let thread = std::thread::Builder::new().name("worker".to_owned());
            let panicked = thread.spawn(|| panic!("at last")).unwrap().join();
            assert!(panicked.is_err());
            // Not by returning: that would write what is left as well.
            nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap();
        }
    }
}
