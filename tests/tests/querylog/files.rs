//! Files: begun anew by size, by time and by SIGHUP; compressed.

use crate::stage::{FOLDER, await_logged, files, lines, logged, output, start};
use nix::sys::signal::Signal;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use tests::client::{ask, query};
use tests::record::rtype;
use tests::server::{Launch, PATIENCE, Server};

fn await_files(server: &Server, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while files(&server.folder().join(FOLDER)).len() < count {
        assert!(Instant::now() < deadline, "{}", server.log());
    }
}

#[test]
fn a_long_file_is_followed_by_another_and_nothing_is_lost_between() {
    let toml = "[[query_log]]\nfolder = \"logs\"\nname = \"q\"\nrotate_size = 2000\n";
    let (server, address) = start(toml);
    for count in 1..=20 {
        ask(address, &query("www.example", rtype::A));
        // One by one, so that each is looked at.
        await_logged(&server, count);
    }
    let folder = server.folder().join(FOLDER);
    let found = files(&folder);
    assert!(found.len() >= 4, "{found:?}");
    for file in &found {
        let name = file.file_name().expect("a file").to_string_lossy();
        assert!(
            name.starts_with("q-20") && name.ends_with("Z.json"),
            "{name}"
        );
        let len = file.metadata().expect("it is there").len();
        assert!(len < 3000, "{len}");
    }
    assert_eq!(logged(&server).len(), 20);
    server.stop();
}

#[test]
fn sighup_and_time_begin_other_files() {
    let toml = "[[query_log]]\nfolder = \"logs\"\nname = \"hup\"\n\
                [[query_log]]\nfolder = \"logs\"\nname = \"old\"\nrotate_seconds = 1\n";
    let (server, address) = start(toml);
    ask(address, &query("www.example", rtype::A));
    await_logged(&server, 2);
    assert_eq!(files(&server.folder().join(FOLDER)).len(), 2);
    server.signal(Signal::SIGHUP);
    let start = Instant::now();
    // Both have ended, and are followed by others when there is something to write.
    while start.elapsed().as_millis() < 1500 {
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    ask(address, &query("www.example", rtype::A));
    await_logged(&server, 4);
    await_files(&server, 4);
    server.stop();
}

#[test]
fn compressed_files_are_read_by_zstd() {
    let toml = "[[query_log]]\nfolder = \"logs\"\ncompress = true\n";
    let (server, address) = start(toml);
    for count in 1..=3 {
        ask(address, &query("www.example", rtype::A));
        server.await_stats(|stats| stats.query_log("written") == count);
    }
    let [file] = &files(&server.folder().join(FOLDER))[..] else {
        panic!("one file");
    };
    assert!(file.to_string_lossy().ends_with(".json.zst"));
    let text = output(Command::new("zstd").arg("-dc").arg(file));
    assert_eq!(lines(&text).len(), 3);
    server.stop();
}

#[test]
fn what_the_options_cannot_be_is_said_before_anything_runs() {
    for (toml, problem) in [
        ("[[query_log]]\n", "query_log.folder: "),
        (
            "[[query_log]]\nfolder = \"x\"\nsample = 0\n",
            "query_log.sample: ",
        ),
        ("query_log_buffer_size = 1\n", "query_log_buffer_size: "),
    ] {
        let ended = Launch::run(&["--config", "r.toml", "--io", "socket"])
            .file("r.toml", toml)
            .finish();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(problem), "{}", ended.stderr);
        assert!(!Path::new("x").exists());
    }
}
