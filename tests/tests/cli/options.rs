//! Options that cannot be: each refusal names the option, and what is wrong with it.

use tests::server::{EXAMPLE, Launch};

#[test]
fn values_out_of_range_are_refused_by_the_name_of_their_option() {
    for (arguments, complaint) in [
        ("--workers 0", "--workers: 0 is not within 1–1024"),
        ("--workers 1025", "--workers: 1025 is not within 1–1024"),
        ("--vector-len 0", "--vector-len: 0 is not within 1–256"),
        ("--vector-len 257", "--vector-len: 257 is not within 1–256"),
        (
            "--udp-size-max 511",
            "--udp-size-max: 511 is not within 512–4096",
        ),
        ("--io xdp", "--io: AF_XDP needs an --interface"),
        (
            "--slowdown-us 1,50,100",
            "--slowdown-us: has a meaning with --idle slowdown only",
        ),
        (
            "--idle slowdown --slowdown-us 1,50,10001",
            "--slowdown-us: 10001 is not within 1–10000",
        ),
        (
            "--reflect",
            "--reflect: only what XDP steers is sent back: it needs an --interface and AF_XDP",
        ),
        (
            "--reflect --interface lo --io socket",
            "--reflect: only what XDP steers is sent back",
        ),
        ("--log =much=", "--log: \"=much=\" is no filter"),
    ] {
        assert_refused(arguments, complaint);
    }
}

#[test]
fn addresses_without_a_port_or_given_twice_are_refused() {
    for (arguments, complaint) in [
        (
            "--listen 127.0.0.1",
            "--listen: \"127.0.0.1\" is not ADDR:PORT, as in 192.0.2.1:53",
        ),
        (
            "--listen localhost:53",
            "--listen: \"localhost:53\" is not ADDR:PORT",
        ),
        ("--listen ::1:53", "--listen: \"::1:53\" is not ADDR:PORT"),
        (
            "--listen 127.0.0.1:0",
            "--listen: 127.0.0.1:0: port 0 cannot be asked",
        ),
        (
            "--listen [::1]:53 --listen [0::1]:53",
            "--listen: [0::1]:53 is given twice",
        ),
    ] {
        assert_refused(arguments, complaint);
    }
}

#[test]
fn zones_without_a_name_or_a_file_or_given_twice_are_refused() {
    for (arguments, complaint) in [
        (
            "--zone example",
            "--zone: \"example\" is not ORIGIN=FILE, as in example.com=",
        ),
        (
            "--zone example=",
            "--zone example=: the file's name is missing",
        ),
        ("--zone =x.zone", "--zone =x.zone: \"\" is no name"),
        (
            "--zone a..b=x.zone",
            "--zone a..b=x.zone: \"a..b\" is no name: a label",
        ),
        (
            "--zone x=a.zone --zone X.=b.zone",
            "--zone: X. is given twice",
        ),
    ] {
        assert_refused(arguments, complaint);
    }
}

#[test]
fn what_is_no_option_and_what_is_given_twice_is_refused() {
    for (arguments, complaint) in [
        ("--wrokers 2", "unexpected argument '--wrokers' found"),
        ("example.zone", "unexpected argument 'example.zone' found"),
        (
            "--workers 1 --workers 2",
            "'--workers <N>' cannot be used multiple times",
        ),
        ("--workers two", "invalid value 'two' for '--workers <N>'"),
        (
            "--io both",
            "[possible values: auto, xdp, xdp-zero-copy, xdp-copy, xdp-generic, socket]",
        ),
        (
            "--idle never",
            "[possible values: adaptive, spin, slowdown]",
        ),
        (
            "--idle slowdown --slowdown-us 1,50",
            "invalid value '1,50' for '--slowdown-us <ONE,TWO,THREE>': \"1,50\" is not three \
             numbers of microseconds, as in 1,50,100",
        ),
        (
            "--cpus 0,x",
            "invalid value '0,x' for '--cpus <LIST>': \"x\" is no CPU number",
        ),
        ("--cpus 3-1", "\"3-1\" runs backwards"),
    ] {
        for command in ["run", "check"] {
            let ended = Launch::new(&[command]).with(&words(arguments)).finish();
            assert_eq!(
                ended.code,
                Some(2),
                "{command} {arguments}: {}",
                ended.stderr
            );
            assert!(
                ended.stderr.contains(complaint),
                "{complaint}: {}",
                ended.stderr
            );
        }
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for (arguments, answer) in [
        ("--help", "Usage: ripples <COMMAND>"),
        ("run --help", "--zone <ORIGIN=FILE>"),
        ("--version", concat!("ripples ", env!("CARGO_PKG_VERSION"))),
    ] {
        let ended = Launch::new(&words(arguments)).finish();
        assert_eq!(ended.code, Some(0), "{arguments}: {}", ended.stderr);
        assert!(ended.stdout.contains(answer), "{answer}: {}", ended.stdout);
    }
}

#[test]
fn the_command_line_goes_before_the_file() {
    let toml =
        "workers = 0\nlisten = [\"nowhere\"]\n[[zone]]\norigin = \"example\"\nfile = \"no\"\n";
    let arguments = [
        "check",
        "--config",
        "r.toml",
        "--workers",
        "1",
        "--listen",
        "127.0.0.1:53",
    ];
    let launch = Launch::new(&arguments).file("r.toml", toml);
    let ended = launch.zone("example", EXAMPLE).finish();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn options_of_the_file_are_refused_by_their_names() {
    for (toml, complaint) in [
        (
            "slowdown_us = [1, 0, 100]",
            "slowdown_us: 0 is not within 1–10000",
        ),
        (
            "slowdown_us = [1, 50]",
            "r.toml:1:15: invalid length 2, expected an array of length 3",
        ),
        ("reflect = true", "r.toml:1:1: unknown field `reflect`"),
        (
            "[edns]\nnsid = \"0x123\"",
            "edns.nsid: \"0x123\" has no even number of hexadecimal digits",
        ),
        (
            "[cookies]\nsecrets = [\"e5e973e5a6b2a43f48e7dc849e37bfcf\", \"short\"]",
            "cookies.secrets: number 2 is not 32 hexadecimal digits",
        ),
        (
            "[cookies]\npolicy = \"sometimes\"",
            "r.toml:2:10: unknown variant `sometimes`, expected one of `off`, `answer`, `require`",
        ),
        (
            "[cookies]\nsecret = \"x\"",
            "r.toml:2:1: unknown field `secret`",
        ),
        ("[edns]\nclient_subnet = 1", "r.toml:2:17: invalid type"),
        ("[chaos]\nname = \"x\"", "r.toml:2:1: unknown field `name`"),
    ] {
        assert_file_refused(toml, complaint);
    }
    let long = format!("[chaos]\nid = \"{}\"", "x".repeat(256));
    assert_file_refused(&long, "chaos.id: 256 bytes are more than 255");
    let long = format!("[edns]\nnsid = \"{}\"", "x".repeat(129));
    assert_file_refused(&long, "edns.nsid: 129 bytes are more than 128");
}

/// `run` and `check` say `complaint` about a file.
fn assert_file_refused(toml: &str, complaint: &str) {
    for command in ["run", "check"] {
        let launch = Launch::new(&[command, "--config", "r.toml"]).file("r.toml", toml);
        let ended = launch.finish();
        assert_eq!(ended.code, Some(1), "{command} {toml}: {}", ended.stderr);
        let expected = format!("ripples: {complaint}");
        assert!(
            ended.stderr.starts_with(&expected),
            "{expected}: {}",
            ended.stderr
        );
    }
}

/// `run` and `check` say `complaint` in one line, and nothing else.
fn assert_refused(arguments: &str, complaint: &str) {
    for command in ["run", "check"] {
        let ended = Launch::new(&[command]).with(&words(arguments)).finish();
        assert_eq!(
            ended.code,
            Some(1),
            "{command} {arguments}: {}",
            ended.stderr
        );
        let expected = format!("ripples: {complaint}");
        assert!(
            ended.stderr.starts_with(&expected),
            "{expected}: {}",
            ended.stderr
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
