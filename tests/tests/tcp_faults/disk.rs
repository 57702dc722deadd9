//! A full disk: where the server writes its log, and has its control socket and its zones.

use crate::others::Over;
use crate::stage::{Path, Stage, ask};
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use tests::server::{Ended, Launch, PATIENCE};

/// Makes the working folder a small disk of the server's own, and puts the log there.
const ON_A_DISK: &str = "folder=$PWD; disk=$(mktemp -d) && \
    mount -t tmpfs -o size=256k,mode=755 ripples \"$disk\" && cp -a . \"$disk\" && \
    mount --move \"$disk\" \"$folder\" && rmdir \"$disk\" && cd \"$folder\" && \
    exec \"$@\" 2>>server.log";

#[test]
fn a_full_disk_stops_no_answers_and_everything_goes_on_when_there_is_room() {
    let by = ["sh", "-c", ON_A_DISK, "sh"];
    let Some(stage) = Stage::begin(Path::Sockets, "", |launch| launch.by(&by)) else {
        return;
    };
    let disk = Disk::new(&stage);
    disk.await_log("ready\n");
    stage.while_others_ask(Over::All, || {
        disk.fill();
        // A log line for each, until nothing more of it can be written; and some more.
        let full = loop {
            let before = disk.log();
            assert_eq!(disk.ctl(&["reload"]).code, Some(0));
            if disk.log() == before {
                break before;
            }
        };
        (0..20).for_each(|_| assert_eq!(disk.ctl(&["reload"]).code, Some(0)));
        assert_eq!(disk.log(), full);
        // A full disk makes a file empty that is to be written anew.
        let whole = fs::read(disk.path("example.zone")).expect("it is served");
        File::create(disk.path("example.zone")).expect("an entry that exists");
        let refused = disk.ctl(&["reload"]);
        assert_eq!(refused.code, Some(1), "{}", refused.stdout);
        assert!(
            refused.stderr.contains("example.zone"),
            "{}",
            refused.stderr
        );
        (0..200).for_each(|network| ask(&mut stage.connect(network, 1), 1));

        fs::remove_file(disk.path("full")).expect("it was made above");
        fs::write(disk.path("example.zone"), whole).expect("there is room again");
        let before = disk.log().len();
        assert_eq!(disk.ctl(&["reload"]).code, Some(0));
        disk.await_more_than(before);
    });
    assert_eq!(disk.ctl(&["stop"]).code, Some(0));
    let ended = stage.server.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// The server's disk, as this process reaches it.
struct Disk(PathBuf);

impl Disk {
    fn new(stage: &Stage) -> Self {
        let inside = stage
            .server
            .folder()
            .strip_prefix("/")
            .expect("a path from the root");
        let root = PathBuf::from(format!("/proc/{}/root", stage.server.id()));
        Self(root.join(inside))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes until there is no room left for a single byte.
    fn fill(&self) {
        let mut file = File::create(self.path("full")).expect("an entry");
        let mut len = 1 << 16;
        while len > 0 {
            if file.write_all(&vec![0; len]).is_err() {
                len /= 2;
            }
        }
    }

    fn ctl(&self, words: &[&str]) -> Ended {
        let control = self.path("control.sock");
        let launch = Launch::new(&["ctl", "--control", &control.to_string_lossy()]);
        launch.with(words).finish()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("server.log")).unwrap_or_default()
    }

    fn await_log(&self, text: &str) {
        self.await_that(|log| log.contains(text));
    }

    fn await_more_than(&self, len: usize) {
        self.await_that(|log| log.len() > len);
    }

    fn await_that(&self, wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(&self.log()) {
            assert!(Instant::now() < deadline, "the log: {}", self.log());
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}
