//! `ripples check`, and what `ripples run` makes of the same mistakes.

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::{fs, thread};
use tests::loopback;
use tests::server::{EXAMPLE, Ended, Launch};

/// What `check --interface` is told of the loopback, which is there in every namespace.
#[test]
fn an_interface_is_looked_at_and_nothing_is_attached() {
    let ended = Launch::new(&["check", "--interface", "lo"]).finish();
    for expected in [
        "host: ok: kernel: Linux ",
        "lo: warning: driver: loopback: generic mode",
        "lo: ok: queues: 1 ",
        "lo: ok: NUMA: ",
    ] {
        assert!(
            ended.stdout.contains(expected),
            "no {expected:?}: {}",
            ended.stdout
        );
    }
    let lines = ended.stdout.lines();
    let odd = |line: &&str| {
        let subject = line.starts_with("host: ") || line.starts_with("lo: ");
        !subject || (line.contains(": warning: ") && !line.contains("; "))
    };
    let odd: Vec<_> = lines.filter(odd).collect();
    assert!(odd.is_empty(), "without advice: {odd:?}");
}

#[test]
fn an_interface_that_is_not_there_is_an_error_unless_nobody_needs_it() {
    let check = |io| Launch::new(&["check", "--interface", "nosuch0", "--io", io]).finish();
    let ended = check("auto");
    assert_eq!(ended.code, Some(1));
    let expected = "nosuch0: error: name: no interface \"nosuch0\" in this network namespace";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    assert_eq!(check("socket").code, Some(0));
}

#[test]
fn errors_of_zones_count_beside_interfaces() {
    let ended = Launch::new(&["check", "--interface", "lo", "--io", "socket"])
        .zone("broken.test", BROKEN)
        .finish();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains(COMPLAINTS[0]), "{}", ended.stdout);
    assert!(ended.stdout.contains("host: ok: io: "), "{}", ended.stdout);
}

/// Two errors and, further down, a record that is sound.
const BROKEN: &str = "\
$TTL 60
@ SOA ns1 hostmaster 1 2 3 4 5
@ NS ns1
ns1 A 192.0.2
www AAAA nowhere
mail A 192.0.2.1
";

/// What is wrong with it, and where.
const COMPLAINTS: [&str; 2] = [
    "broken.test.zone:4:7: `192.0.2` is not an IPv4 address\n",
    "broken.test.zone:5:10: `nowhere` is not an IPv6 address\n",
];

#[test]
fn a_sound_zone_is_checked_in_silence() {
    let ended = Launch::new(&["check"]).zone("example", EXAMPLE).finish();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!((&*ended.stdout, &*ended.stderr), ("", ""));
}

#[test]
fn check_prints_every_error_of_every_zone_with_its_place() {
    let ended = Launch::new(&["check"])
        .zone("broken.test", BROKEN)
        .zone("example", EXAMPLE)
        .zone("other.test", "@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS\n")
        .finish();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for complaint in COMPLAINTS.iter().chain(&["other.test.zone:2:5: "]) {
        assert!(
            ended.stdout.contains(complaint),
            "{complaint}: {}",
            ended.stdout
        );
    }
    assert!(!ended.stdout.contains("example"), "{}", ended.stdout);
}

#[test]
fn run_does_not_start_on_zones_with_errors_and_prints_them_all() {
    let address = loopback::address().to_string();
    let ended = Launch::run(&["--io", "socket", "--listen", &address])
        .zone("broken.test", BROKEN)
        .zone("example", EXAMPLE)
        .zone("other.test", "@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS\n")
        .finish();
    assert_eq!(ended.code, Some(1));
    for complaint in COMPLAINTS.iter().chain(&["other.test.zone:2:5: "]) {
        assert!(
            ended.stderr.contains(complaint),
            "{complaint}: {}",
            ended.stderr
        );
    }
    let last = "ripples: 2 of 3 zones cannot be loaded\n";
    assert!(ended.stderr.ends_with(last), "{}", ended.stderr);
    assert!(!ended.stderr.contains("ready"), "{}", ended.stderr);
}

#[test]
fn a_zone_file_that_does_not_exist_is_named() {
    for command in ["check", "run"] {
        let listen = loopback::address().to_string();
        let options = ["--control", "none", "--listen", &listen];
        let ended = Launch::new(&[command])
            .with(&options)
            .with(&["--zone", "example=no/such/file.zone"])
            .finish();
        assert_eq!(ended.code, Some(1), "{command}");
        let said = all(&ended);
        assert!(
            said.contains("no/such/file.zone: cannot open: No such file"),
            "{said}"
        );
    }
}

/// As a shell's `<(…)` is: what was taken from a pipe to look at it, nobody reads again.
#[test]
fn a_zone_may_come_out_of_a_pipe() {
    for (text, code, said) in [(EXAMPLE, 0, ""), (BROKEN, 1, "pipe:4:7: ")] {
        let launch = Launch::new(&["check"]);
        let pipe = launch.folder().join("pipe");
        mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR).expect("a pipe");
        let zone = format!("broken.test={}", pipe.display());
        let ended = thread::scope(|scope| {
            scope.spawn(|| fs::write(&pipe, text));
            launch.with(&["--zone", &zone]).finish()
        });
        assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(said), "{}", ended.stdout);
    }
}

#[test]
fn toml_mistakes_are_named_with_line_and_column() {
    for (text, complaint) in [
        (
            "io = \"socket\"\nworkers = \"two\"\n",
            "2:11: invalid type: string \"two\"",
        ),
        (
            "io = \"socket\"\n\n  wrokers = 2\n",
            "3:3: unknown field `wrokers`",
        ),
        ("[tcp]\nbacklog = = 3\n", "2:11: "),
        ("[tcp]\nbacklok = 3\n", "2:1: unknown field `backlok`"),
        ("io = \"socket\"\nio = \"auto\"\n", "2:1: duplicate key"),
        ("io = \"sockets\"\n", "1:6: unknown variant `sockets`"),
        (
            "[[zone]]\norigin = \"example\"\n",
            "1:1: missing field `file`",
        ),
    ] {
        let launch = Launch::new(&["check", "--config", "r.toml"]);
        let ended = launch.file("r.toml", text).finish();
        assert_eq!(ended.code, Some(1), "{text}");
        let expected = format!("ripples: r.toml:{complaint}");
        assert!(
            ended.stderr.starts_with(&expected),
            "{expected}: {}",
            ended.stderr
        );
        assert_eq!(
            ended.stderr.lines().count(),
            1,
            "one sentence: {}",
            ended.stderr
        );
    }
}

#[test]
fn the_zones_of_a_toml_file_lie_beside_it() {
    let toml = "[[zone]]\norigin = \"broken.test\"\nfile = \"broken.test.zone\"\n";
    let launch = Launch::new(&["check", "--config", "deeper/r.toml"]);
    std::fs::create_dir(launch.folder().join("deeper")).unwrap();
    let ended = launch
        .file("deeper/r.toml", toml)
        .file("deeper/broken.test.zone", BROKEN)
        .finish();
    assert_eq!(ended.code, Some(1));
    let expected = format!("deeper/{}", COMPLAINTS[0]);
    assert!(ended.stdout.contains(&expected), "{}", all(&ended));
}

#[test]
fn a_toml_file_that_does_not_exist_is_named() {
    let ended = Launch::new(&["check", "--config", "no.toml"]).finish();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.starts_with("ripples: no.toml: No such file"),
        "{}",
        ended.stderr
    );
}

/// Both outputs: errors of zones are what `check` is for, and what `run` logs.
fn all(ended: &Ended) -> String {
    format!("{}{}", ended.stdout, ended.stderr)
}
