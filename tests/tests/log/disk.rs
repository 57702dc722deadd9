//! A full disk, which the log's file is on.

use crate::{launch, parse_all};
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tests::netns::privileged;
use tests::server::PATIENCE;

/// Mounts a small disk of the server's own on the folder `disk`.
const ON_A_DISK: &str = "mkdir disk && mount -t tmpfs -o size=64k ripples disk && exec \"$@\"";

#[test]
fn a_full_disk_ends_nothing_and_the_file_goes_on_with_whole_lines_when_there_is_room() {
    if !privileged() {
        return;
    }
    let by = ["unshare", "-m", "sh", "-c", ON_A_DISK, "sh"];
    let launch = launch("[log]\nfile = \"disk/r.log\"\n", &[]).by(&by);
    let folder = launch.folder().strip_prefix("/").unwrap().to_owned();
    let server = launch.start();
    let disk = PathBuf::from(format!("/proc/{}/root", server.id()))
        .join(folder)
        .join("disk");
    let log = || fs::read_to_string(disk.join("r.log")).unwrap();
    fill(&disk.join("full"));
    // The last page of the file itself has room still.
    while server.stats().total("log.write_errors") == 0 {
        server.reload();
    }
    let full = log();
    for _ in 0..20 {
        server.reload();
    }
    assert_eq!(log(), full, "no torn line is left behind");
    let said = server.log();
    assert!(said.contains("No space left on device"), "{said}");
    assert!(
        said.contains("messages go to standard error meanwhile"),
        "{said}"
    );
    assert!(said.matches(" reloaded ").count() >= 20, "{said}");

    fs::remove_file(disk.join("full")).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while log() == full {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::park_timeout(Duration::from_millis(100));
        server.reload();
    }
    server.reload();
    let text = log();
    let kept = File::open(disk.join("r.log")).unwrap();
    let said = server.stop();
    let text = text + &std::io::read_to_string(kept).unwrap();
    parse_all(&text);
    assert!(
        text.contains("messages went to standard error instead"),
        "{text}"
    );
    parse_all(&said.replace("ready\n", ""));
}

/// Writes until there is no room left for a single byte.
fn fill(path: &std::path::Path) {
    let mut file = File::create(path).expect("an entry");
    let mut len = 1 << 16;
    while len > 0 {
        if file.write_all(&vec![0; len]).is_err() {
            len /= 2;
        }
    }
}
