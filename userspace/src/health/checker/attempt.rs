//! A check of one address, under way.

use super::exchange::Exchange;
use crate::config::{CheckKind, CheckOptions};
use crate::sys::connect::{self, Wait};
use crate::sys::descriptor_limit;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A check that has begun.
pub(super) struct Attempt {
    state: State,
    deadline: Instant,
}

enum State {
    /// It could not begin.
    Failed(String),
    Connecting(TcpStream, Option<Exchange>),
    Talking(TcpStream, Exchange),
    Running(Process),
}

/// A process and its children, which end with it.
struct Process(Child);

impl Attempt {
    /// Begins.
    pub(super) fn begin(check: &CheckOptions, address: IpAddr, now: Instant) -> Self {
        let connect = |port, exchange| {
            let stream = connect::begin(SocketAddr::new(address, port));
            stream.map(|stream| State::Connecting(stream, exchange))
        };
        let begun = match &check.kind {
            CheckKind::Tcp { port } => connect(*port, None),
            CheckKind::Http {
                port,
                path,
                host,
                status,
            } => {
                let exchange = Exchange::new((address, *port), path, host.as_deref(), status);
                connect(*port, Some(exchange))
            }
            CheckKind::Command { words } => {
                run(words, address).map(|child| State::Running(Process(child)))
            }
        };
        match begun {
            Ok(state) => Self {
                state,
                deadline: now + check.timeout,
            },
            Err(error) => Self {
                state: State::Failed(reason(&error)),
                deadline: now,
            },
        }
    }

    pub(super) fn is_command(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// When it has failed if nothing happens; in the past if it has failed already.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is to happen before it goes on.
    pub(super) fn waits_for(&self) -> Option<(BorrowedFd<'_>, Wait)> {
        match &self.state {
            State::Failed(_) | State::Running(_) => None,
            State::Connecting(stream, _) => Some((stream.as_fd(), Wait::Writable)),
            State::Talking(stream, exchange) => Some((stream.as_fd(), exchange.waits_for())),
        }
    }

    /// Goes on as far as it can; the result, once there is one.
    pub(super) fn look(&mut self, now: Instant) -> Option<Result<(), String>> {
        let result = self.step();
        if result.is_none() && now >= self.deadline {
            return Some(Err("no end in time".to_owned()));
        }
        result
    }

    fn step(&mut self) -> Option<Result<(), String>> {
        if let State::Connecting(stream, exchange) = &mut self.state {
            match connected(stream) {
                Ok(false) => return None,
                Err(error) => return Some(Err(reason(&error))),
                Ok(true) => {}
            }
            // Without anything to say, this was it.
            let Some(exchange) = exchange.take() else {
                return Some(Ok(()));
            };
            match stream.try_clone() {
                Ok(stream) => self.state = State::Talking(stream, exchange),
                Err(error) => return Some(Err(reason(&error))),
            }
        }
        match &mut self.state {
            State::Failed(problem) => Some(Err(problem.clone())),
            State::Connecting(..) => None,
            State::Talking(stream, exchange) => exchange.go_on(stream),
            State::Running(process) => match process.0.try_wait() {
                Ok(None) => None,
                Ok(Some(status)) if status.success() => Some(Ok(())),
                Ok(Some(status)) => Some(Err(status.to_string())),
                Err(error) => Some(Err(reason(&error))),
            },
        }
    }
}

/// Whether a connection is there.
fn connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// Starts a command, in a group of its own.
fn run(words: &[String], address: IpAddr) -> io::Result<Child> {
    let address = address.to_string();
    let mut words = words.iter().map(|word| word.replace("%ADDR%", &address));
    let program = words.next().unwrap_or_default();
    let child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    if let Err(error) = descriptor_limit::lower_for(&child) {
        tracing::debug!(%error, "health: a command keeps the server's limit of descriptors");
    }
    Ok(child)
}

/// An error in a few words.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        _ => error.to_string(),
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.0.try_wait() {
            return;
        }
        if let Err(error) = connect::kill_group(self.0.id()) {
            tracing::warn!(%error, "health: a command cannot be ended");
        }
        // It was killed: this takes no longer than that.
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::wait;
    use std::net::TcpListener;
    use std::time::Duration;

    fn check(kind: CheckKind) -> CheckOptions {
        CheckOptions {
            name: "c".to_owned(),
            kind,
            interval: Duration::from_secs(1),
            timeout: Duration::from_millis(200),
            up_after: 1,
            down_after: 1,
            begins_up: true,
            names: Vec::new(),
        }
    }

    /// The result and how long it took.
    fn result(kind: CheckKind) -> (Result<(), String>, Duration) {
        let start = Instant::now();
        let mut attempt = Attempt::begin(&check(kind), [127, 0, 0, 1].into(), start);
        loop {
            if let Some(result) = attempt.look(Instant::now()) {
                return (result, start.elapsed());
            }
            wait::pause(Duration::from_millis(1));
        }
    }

    fn command(script: &str) -> CheckKind {
        let words = ["sh", "-c", script, "sh", "%ADDR%"].map(str::to_owned);
        CheckKind::Command {
            words: words.to_vec(),
        }
    }

    #[test]
    fn a_port_that_is_open_is_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(result(CheckKind::Tcp { port }).0, Ok(()));
        // Nobody gets this one by chance, as somebody may get the listener's after it.
        let port = 1;
        let refused = Err("connection refused".to_owned());
        assert_eq!(result(CheckKind::Tcp { port }).0, refused);
    }

    #[test]
    fn a_command_says_by_its_exit_code_and_gets_the_address() {
        assert_eq!(result(command("test $1 = 127.0.0.1")).0, Ok(()));
        let failed = result(command("exit 3")).0.unwrap_err();
        assert!(failed.contains("exit status: 3"), "{failed}");
        let words = vec!["/nonexistent".to_owned()];
        let missing = result(CheckKind::Command { words }).0.unwrap_err();
        assert!(missing.contains("No such file"), "{missing}");
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended_with_its_children() {
        let mark = format!("{}", 86_000 + std::process::id() % 400);
        let (result, duration) = result(command(&format!("sleep {mark} & wait")));
        assert_eq!(result, Err("no end in time".to_owned()));
        assert!(duration < Duration::from_secs(20), "{duration:?}");
        let wanted = format!("sleep\0{mark}\0");
        let is_there = || {
            let processes = std::fs::read_dir("/proc").unwrap().flatten();
            let mut lines =
                processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
            lines.any(|line| line == wanted.as_bytes())
        };
        // On a busy machine whoever is killed takes a moment to go.
        let start = Instant::now();
        while is_there() {
            assert!(start.elapsed() < Duration::from_secs(10), "it sleeps on");
            wait::pause(Duration::from_millis(5));
        }
    }
}
