//! A file that is put aside, by somebody else or by the server.

use crate::{launch, parse_all};
use nix::sys::signal::Signal;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::server::PATIENCE;

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_default()
}

#[test]
fn sighup_opens_the_file_anew_that_somebody_has_put_aside() {
    let launch = launch("[log]\nfile = \"r.log\"\n", &[]).file("r.log", "from before\n");
    let server = launch.start();
    let folder = server.folder();
    server.reload();
    fs::rename(folder.join("r.log"), folder.join("aside")).unwrap();
    server.reload();
    assert!(!folder.join("r.log").exists(), "it is not open yet");
    server.signal(Signal::SIGHUP);
    let deadline = Instant::now() + PATIENCE;
    while !read(folder, "r.log").contains(" reloaded ") {
        assert!(Instant::now() < deadline, "the file is not opened anew");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    server.reload();
    let aside = read(folder, "aside");
    assert!(aside.starts_with("from before\n"), "{aside}");
    assert_eq!(aside.matches(" reloaded ").count(), 2, "{aside}");
    assert_eq!(read(folder, "r.log").matches(" reloaded ").count(), 2);
    parse_all(aside.trim_start_matches("from before\n"));
    let folder_kept = fs::File::open(folder.join("r.log")).unwrap();
    assert_eq!(server.stop(), "ready\n");
    let rest = std::io::read_to_string(folder_kept).unwrap();
    assert!(rest.ends_with(" INFO ripples::server draining\n"), "{rest}");
}

#[test]
fn a_file_that_would_get_too_large_is_put_aside() {
    let toml = "[log]\nfile = \"r.log\"\nfile_size_max = 4096\nkeep = 2\n";
    let server = launch(toml, &[]).start();
    let folder = server.folder();
    for _ in 0..150 {
        server.reload();
    }
    let stats = server.stats();
    assert!(stats.total("log.rotations") >= 3, "{stats}");
    let mut count = 0;
    for name in ["r.log", "r.log.1", "r.log.2"] {
        let text = read(folder, name);
        assert!(
            text.len() <= 4096 && !text.is_empty(),
            "{name}: {}",
            text.len()
        );
        parse_all(&text);
        count += text.matches(" reloaded ").count();
    }
    assert!(count > 50, "{count}");
    assert!(!folder.join("r.log.3").exists());
    assert_eq!(server.stop(), "ready\n");
}
