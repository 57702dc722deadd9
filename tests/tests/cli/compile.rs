//! `ripples compile`, and what `ripples check` and `run` make of its files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tests::folder::Folder;
use tests::loopback;
use tests::server::{EXAMPLE, Ended, Launch};

const BROKEN: &str = "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2\n";
const CHILD: &str = "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n";

/// Compiles zones in a folder of theirs, into a folder.
fn compile(folder: &Path, zones: &[(&str, &str)]) -> Ended {
    let mut launch = Launch::new(&["compile", "--output", &folder.to_string_lossy()]);
    for (origin, text) in zones {
        launch = launch.zone(origin, text);
    }
    launch.finish()
}

fn check(zones: &[(&str, &Path)]) -> Ended {
    let mut launch = Launch::new(&["check"]);
    for (origin, file) in zones {
        launch = launch.with(&["--zone", &format!("{origin}={}", file.display())]);
    }
    launch.finish()
}

fn files(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = files
        .map(|file| {
            file.expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn zones_are_saved_for_their_owners_eyes_and_checked_in_silence() {
    let folder = Folder::new();
    let zones = [("example", EXAMPLE), ("sub.example", CHILD)];
    let ended = compile(folder.path(), &zones);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(files(folder.path()), ["example.img", "sub.example.img"]);
    let paths = ["example.img", "sub.example.img"].map(|file| folder.path().join(file));
    let len = fs::metadata(&paths[1]).unwrap().len();
    let wrote = format!("{}: 2 names, 3 records, {len} bytes\n", paths[1].display());
    assert!(ended.stdout.ends_with(&wrote), "{wrote}: {}", ended.stdout);
    let mode = fs::metadata(&paths[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the key in it is a secret");
    let ended = check(&[("example", &paths[0]), ("sub.example", &paths[1])]);
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(0), ""),
        "{}",
        ended.stderr
    );
}

#[test]
fn where_one_zone_has_an_error_nothing_is_written() {
    let folder = Folder::new();
    let ended = compile(
        folder.path(),
        &[("example", EXAMPLE), ("broken.test", BROKEN)],
    );
    assert_eq!(ended.code, Some(1));
    let complaint = "broken.test.zone:3:10: `192.0.2` is not an IPv4 address\n";
    assert!(ended.stdout.contains(complaint), "{}", ended.stdout);
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_zone_with_variants_is_not_saved() {
    let folder = Folder::new();
    let zone = "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns.test.\n@ 60 A 192.0.2.1\n\
                $VARIANT *\n@ 60 A 192.0.2.2\n";
    let ended = compile(folder.path(), &[("example", zone)]);
    assert_eq!(ended.code, Some(1));
    let complaint = ": the zone has variants, which a saved image cannot hold: serve this file\n";
    assert!(ended.stdout.contains(complaint), "{}", ended.stdout);
    assert!(files(folder.path()).is_empty());
}

#[test]
fn one_zone_goes_to_the_file_that_is_named_and_replaces_what_is_there() {
    let folder = Folder::new();
    let file = folder.write("any.name", "old");
    let before = fs::File::open(&file).unwrap();
    let output = file.to_string_lossy();
    let launch = Launch::new(&["compile", "--output", &output]).zone("example", EXAMPLE);
    assert_eq!(launch.finish().code, Some(0));
    assert_eq!(
        before.metadata().unwrap().len(),
        3,
        "another file has its place"
    );
    assert_eq!(files(folder.path()), ["any.name"]);
    assert_eq!(check(&[("example", &file)]).code, Some(0));
    let launch = Launch::new(&["compile", "--output", &output]);
    let ended = launch.zone("a.", EXAMPLE).zone("b.", EXAMPLE).finish();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("--output: for several zones"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_does_not_fit_is_told_with_file_and_offset() {
    let folder = Folder::new();
    assert_eq!(
        compile(folder.path(), &[("example", EXAMPLE)]).code,
        Some(0)
    );
    let sound = fs::read(folder.path().join("example.img")).unwrap();
    let with = |at: usize, byte: u8| {
        let mut file = sound.clone();
        file[at] = byte;
        file
    };
    let cases = [
        (
            sound.clone(),
            "other",
            "this is the image of example., not of other.\n",
        ),
        (
            with(7, 2),
            "example",
            "byte 7: the image is of version 2, and this server knows 4: run",
        ),
        (
            with(200, 0xee),
            "example",
            "the checksum is wrong: the file is damaged\n",
        ),
        (
            sound[..sound.len() / 2].to_vec(),
            "example",
            ": the file is cut short",
        ),
        (
            sound[..10].to_vec(),
            "example",
            "byte 10: the file is cut short\n",
        ),
    ];
    for (file, origin, complaint) in cases {
        let path = folder.write("hostile", file);
        let ended = check(&[(origin, &path)]);
        assert_eq!(ended.code, Some(1), "{complaint}");
        let begin = format!("{}: ", path.display());
        assert!(ended.stdout.starts_with(&begin), "{}", ended.stdout);
        assert!(
            ended.stdout.contains(complaint),
            "{complaint}: {}",
            ended.stdout
        );
        let listen = loopback::address().to_string();
        let zone = format!("{origin}={}", path.display());
        let launch = Launch::run(&["--io", "socket", "--listen", &listen, "--zone", &zone]);
        let ended = launch.finish();
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.contains(complaint),
            "{complaint}: {}",
            ended.stderr
        );
    }
}

#[test]
fn other_zones_below_than_it_was_compiled_beside_are_a_warning() {
    let folder = Folder::new();
    let zones = [("example", EXAMPLE), ("sub.example", CHILD)];
    assert_eq!(compile(folder.path(), &zones).code, Some(0));
    let [parent, child] = ["example.img", "sub.example.img"].map(|file| folder.path().join(file));
    let other = folder.write("other.zone", CHILD);
    let ended = check(&[("example", &parent)]);
    let missing = "example.img: warning: it was compiled beside sub.example.; addresses";
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains(missing), "{}", ended.stdout);
    let zones = [
        ("example", &*parent),
        ("sub.example", &*child),
        ("x.example", &*other),
    ];
    let ended = check(&zones);
    let added = "example.img: warning: it was compiled without x.example.; addresses";
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains(added), "{}", ended.stdout);
}
