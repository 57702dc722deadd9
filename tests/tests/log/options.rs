//! Options of the log that cannot be: refused at the start.

use crate::launch;
use std::path::Path;

#[test]
fn places_that_cannot_be_written_to_are_refused_by_their_names() {
    for path in ["/proc/nothing/r.log", "/", "/proc/self/fd", "."] {
        let ended = launch("", &["--log-file", path]).finish();
        assert_eq!(ended.code, Some(1), "{path}");
        let expected = format!("ripples: --log-file: {path}: ");
        assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
    if !Path::new("/run/systemd/journal/socket").exists() {
        let ended = launch("", &["--log-target", "journald"]).finish();
        assert_eq!(ended.code, Some(1));
        let expected = "ripples: --log-target journald: /run/systemd/journal/socket: ";
        assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
    }
}

#[test]
fn values_that_cannot_be_are_refused_by_their_options() {
    for (toml, complaint) in [
        (
            "[log]\nformat = \"xml\"",
            "r.toml:2:10: unknown variant `xml`",
        ),
        (
            "[log]\ntarget = \"syslog\"",
            "r.toml:2:10: unknown variant `syslog`",
        ),
        (
            "[log]\nlevel = \"info\"",
            "r.toml:2:1: unknown field `level`",
        ),
        ("[log]\nfilter = \"=x=\"", "--log: \"=x=\" is no filter"),
        (
            "log = true",
            "r.toml:1:7: invalid type: boolean `true`, expected a filter",
        ),
        (
            "[log]\nfile_size_max = 100",
            "log.file_size_max: 100 is neither 0 nor from 4096 on",
        ),
        ("[log]\nkeep = 1001", "log.keep: 1001 is not within 0–1000"),
        (
            "[log]\nburst = 1000001",
            "log.burst: 1000001 is not within 0–1000000",
        ),
        (
            "[log]\nwindow_s = 0",
            "log.window_s: 0 is not within 1–3600",
        ),
        (
            "[log]\ntarget = \"stderr\"\nfile = \"x\"",
            "log.target, log.file: only one of them",
        ),
    ] {
        let ended = launch(toml, &[]).finish();
        assert_eq!(ended.code, Some(1), "{toml}: {}", ended.stderr);
        let expected = format!("ripples: {complaint}");
        assert!(
            ended.stderr.starts_with(&expected),
            "{expected}: {}",
            ended.stderr
        );
    }
    let ended = launch("", &["--log-format", "xml"]).finish();
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("[possible values: text, json]"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_command_line_goes_before_the_file() {
    let toml = "[log]\nfile = \"/proc/nothing\"\nformat = \"json\"\nfilter = \"off\"\n";
    let arguments = [
        "--log-target",
        "stderr",
        "--log-format",
        "text",
        "--log",
        "info",
    ];
    let said = launch(toml, &arguments).start().stop();
    assert!(said.contains(" INFO ripples::server draining\n"), "{said}");
}
