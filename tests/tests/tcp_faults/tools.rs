//! What the field's own clients see by TCP: kdig and dnsperf.

use crate::others::Over;
use crate::stage::Stage;
use std::process::Command;
use tests::folder::Folder;
use tests::wire::dnsperf;

/// Names that kdig asks for on one connection.
const NAMES: usize = 50;

#[test]
fn kdig_asks_all_on_one_connection_that_it_keeps_open() {
    let Some(stage) = stage_for("kdig", "-V") else {
        return;
    };
    let mut command = stage.clients().command("kdig");
    command.args([
        format!("@{}", stage.address.ip()),
        "+tcp".into(),
        "+keepopen".into(),
    ]);
    // The empty option 11 asks for how long the connection may be idle (RFC 7828).
    command.arg("+ednsopt=11");
    for number in 0..NAMES {
        let name = ["www.example", "large.example", "nosuch.example"][number % 3];
        command.args(["-q", name, "-t", "AAAA"]);
    }
    let said = stage.while_others_ask(Over::Established, || output(&mut command));
    let count = |text| said.matches(text).count();
    assert_eq!(
        count("status: NOERROR") + count("status: NXDOMAIN"),
        NAMES,
        "{said}"
    );
    // 10 s in units of 100 ms.
    assert_eq!(count("Option (11): 0064"), NAMES, "{said}");
    let stats = stage.await_open(0);
    // One is the others'.
    assert_eq!(stats.tcp("events.accepted"), 2, "{stats}");
    stage.server.stop();
}

#[test]
fn dnsperf_loses_nothing_by_tcp() {
    let Some(stage) = stage_for("dnsperf", "-h") else {
        return;
    };
    let folder = Folder::new();
    let queries = "www.example A\nlarge.example AAAA\nalias.example A\nnosuch.example A\n";
    let queries = folder.write("queries", queries);
    for clients in ["1", "50"] {
        let mut command = stage.clients().command("dnsperf");
        let ip = stage.address.ip().to_string();
        command.args(["-m", "tcp", "-s", &ip, "-l", "3", "-c", clients, "-d"]);
        command.arg(&queries);
        let said = stage.while_others_ask(Over::All, || output(&mut command));
        let counts = dnsperf::parse(&said).unwrap_or_else(|| panic!("{said}"));
        eprintln!("{clients} connections: {counts:?}");
        assert_eq!(counts.sent, counts.answered, "{said}");
        assert!(counts.noerror > 1000 && counts.other == 0, "{said}");
    }
    stage.await_open(0);
    stage.server.stop();
}

/// A server for this program; none where the test may not, or there is no such program.
fn stage_for(program: &str, argument: &str) -> Option<Stage> {
    let installed = Command::new(program).arg(argument).output().is_ok();
    let promised = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(installed || !promised, "CI=true promises {program}");
    if !installed {
        eprintln!("not run: there is no {program}");
    }
    installed.then(|| Stage::new("")).flatten()
}

fn output(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
