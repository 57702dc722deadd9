//! The demonstration with a stand-in for the server: what it sets up, and that nothing is left.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

#[test]
fn a_demonstration_ends_by_itself_and_leaves_nothing() {
    let Some(stage) = Stage::new("end", SERVER) else {
        return;
    };
    let output = stage.demonstrate(&["--seconds", "1"]).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("kdig @10.53.0.1 www.example.com") || said.contains("dig @10.53.0.1"));
    assert!(said.contains("drained"), "{said}");
    stage.assert_empty();
}

#[test]
fn the_server_is_told_where_to_serve_and_what_the_person_added() {
    let Some(stage) = Stage::new("args", SERVER) else {
        return;
    };
    let mut command = stage.demonstrate(&["--seconds", "0", "--", "--zone", ".=root.zone"]);
    let said = stderr(&command.output().unwrap());
    assert!(
        said.contains("arguments: run --interface rps0 --control /run/"),
        "{said}"
    );
    assert!(said.contains("/xtask/demo/ripples.toml "), "{said}");
    assert!(said.contains(" --zone .=root.zone\n"), "{said}");
}

#[test]
fn a_signal_ends_the_demonstration_and_leaves_nothing() {
    let Some(stage) = Stage::new("term", SERVER) else {
        return;
    };
    let mut running = stage.start();
    assert!(stage.namespace("server").exists());
    assert!(stage.namespace("client").exists());
    running.stop();
    stage.assert_empty();
}

#[test]
fn the_ends_of_the_pair_have_two_queues_and_reach_each_other() {
    let Some(stage) = Stage::new("pair", SERVER) else {
        return;
    };
    let mut running = stage.start();
    let client = format!("{}-client", stage.name);
    for address in ["10.53.0.1", "fd53::1"] {
        let route = run("ip", &["-n", &client, "route", "get", address]);
        assert!(route.contains("dev rpc0"), "{route}");
    }
    let server = format!("{}-server", stage.name);
    let link = run("ip", &["-n", &server, "-details", "link", "show", "rps0"]);
    assert!(
        link.contains("numrxqueues 2") && link.contains("state UP"),
        "{link}"
    );
    signal(running.child.id(), "INT");
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn what_a_killed_demonstration_left_is_cleared_away() {
    let Some(stage) = Stage::new("kill", SERVER) else {
        return;
    };
    let mut killed = stage.start();
    signal(killed.child.id(), "KILL");
    killed.child.wait().unwrap();
    assert!(stage.namespace("server").exists());
    let output = stage.demonstrate(&["--seconds", "0"]).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the forgotten server"), "{said}");
    stage.assert_empty();
}

#[test]
fn a_second_demonstration_of_the_same_name_is_refused() {
    let Some(stage) = Stage::new("twice", SERVER) else {
        return;
    };
    let mut first = stage.start();
    let second = stage.demonstrate(&["--seconds", "0"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let expected = format!(
        "another demonstration is running (process {})",
        first.child.id()
    );
    assert!(stderr(&second).contains(&expected), "{}", stderr(&second));
    assert!(stage.namespace("server").exists(), "the first one goes on");
    signal(first.child.id(), "TERM");
    assert!(first.child.wait().unwrap().success());
}

#[test]
fn somebody_else_s_namespace_is_left_alone() {
    let Some(stage) = Stage::new("other", SERVER) else {
        return;
    };
    let namespace = format!("{}-client", stage.name);
    run("ip", &["netns", "add", &namespace]);
    let output = stage.demonstrate(&["--seconds", "0"]).output().unwrap();
    let still_there = stage.namespace("client").exists();
    run("ip", &["netns", "delete", &namespace]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&namespace), "{}", stderr(&output));
    assert!(still_there);
    stage.assert_empty();
}

#[test]
fn a_server_that_cannot_start_is_quoted() {
    let script = "#!/bin/sh\necho 'zone x: no such file' >&2\nexit 3\n";
    let Some(stage) = Stage::new("fail", script) else {
        return;
    };
    let output = stage.demonstrate(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("the server ended with exit code 3"), "{said}");
    assert!(said.contains("zone x: no such file"), "{said}");
    stage.assert_empty();
}

#[test]
fn a_server_that_dies_ends_the_demonstration_as_a_failure() {
    let script = "#!/bin/sh\n[ \"$1\" = ctl ] && exit\necho ready >&2\nsleep 1\nexit 101\n";
    let Some(stage) = Stage::new("die", script) else {
        return;
    };
    let output = stage.demonstrate(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the server ended with exit code 101"));
    stage.assert_empty();
}

#[test]
fn what_the_guide_promises_of_places_is_what_the_server_answers() {
    let Some(stage) = Stage::with("geo", built()) else {
        return;
    };
    let mut running = stage.start();
    let promised = |line: &&String| line.contains("\"you are ") || line.contains("geo lookup");
    let lines: Vec<String> = running.said.iter().filter(promised).cloned().collect();
    assert!(lines.len() >= 4, "{lines:?}");
    for line in &lines {
        let (command, why) = line.split_once("  # ").unwrap();
        let expected = why.split('"').nth(1).unwrap();
        let output = Command::new("sh").args(["-c", command]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(expected), "{line}{said}{}", stderr(&output));
    }
    let all = lines.concat();
    for region in ["Europe", "America", "Asia"] {
        assert!(all.contains(region), "{all}");
    }
    running.stop();
    stage.assert_empty();
}

/// The server itself, of the profile of the tests.
fn built() -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--package", "ripples", "--bin", "ripples"]);
    assert!(command.status().unwrap().success());
    Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name("ripples")
}

/// A server that is ready at once, counts nothing, and drains when it is told to.
const SERVER: &str = r#"#!/bin/sh
if [ "$1" = ctl ]; then
    echo '{"received": 4, "answers": 4, "workers": {"rps0/0": {"answers": 4}}}'
    exit
fi
echo "arguments: $*" >&2
trap 'echo drained >&2; exit 0' TERM
echo ready >&2
while :; do sleep 0.1; done
"#;

/// A name for one test's demonstrations and the stand-in that they start.
struct Stage {
    name: String,
    server: PathBuf,
}

impl Stage {
    /// `None` without root, which is a failure where root was promised.
    fn new(test: &str, script: &str) -> Option<Self> {
        use std::os::unix::fs::PermissionsExt;
        let server = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("server-{test}"));
        std::fs::write(&server, script).unwrap();
        std::fs::set_permissions(&server, PermissionsExt::from_mode(0o755)).unwrap();
        Self::with(test, server)
    }

    /// The same with another server.
    fn with(test: &str, server: PathBuf) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "CI must run this as root");
            eprintln!("not tested: network namespaces need root");
            return None;
        }
        let name = format!("xtask-{}-{test}", std::process::id());
        Some(Self { name, server })
    }

    /// `cargo xtask run` with the stand-in and further arguments.
    fn demonstrate(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["run", "--no-install", "--name", &self.name, "--server"]);
        command.arg(&self.server).args(arguments);
        command
    }

    /// A demonstration that has come as far as its live line.
    fn start(&self) -> Running {
        let mut child = self
            .demonstrate(&["--seconds", "60"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said: Vec<String> = Vec::new();
        while !said.last().is_some_and(|line| line.contains("Watching")) {
            let mut line = String::new();
            let len = stderr.read_line(&mut line).unwrap();
            assert_ne!(len, 0, "it ended too early: {said:?}");
            said.push(line);
        }
        Running {
            child,
            stderr,
            said,
        }
    }

    /// The handle of one of the namespaces.
    fn namespace(&self, end: &str) -> PathBuf {
        Path::new("/run/netns").join(format!("{}-{end}", self.name))
    }

    /// Nothing of the demonstration is left.
    fn assert_empty(&self) {
        let folder = Path::new("/run").join(format!("{}-demo", self.name));
        for path in [folder, self.namespace("server"), self.namespace("client")] {
            assert!(!path.exists(), "{} is left", path.display());
        }
    }
}

/// A demonstration that goes on.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// The lines up to its live one.
    said: Vec<String>,
}

impl Running {
    /// Ends it by a signal, as an operator does.
    fn stop(&mut self) {
        signal(self.child.id(), "TERM");
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "{}", self.rest());
    }

    /// What else it said.
    fn rest(&mut self) -> String {
        let mut text = String::new();
        self.stderr.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed half-way still ends what it started.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(self.child.id(), "TERM");
            drop(self.child.wait());
        }
    }
}

/// Sends a signal to a process of this test.
fn signal(pid: u32, name: &str) {
    run("kill", &["-s", name, &pid.to_string()]);
}

/// Runs a program that must succeed, and returns what it printed.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        stderr(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
