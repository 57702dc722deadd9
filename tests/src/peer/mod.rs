//! Other servers on loopback, with zones of the tests: second opinions.

mod bind;
mod knot;
mod nsd;

use crate::folder::Folder;
use crate::loopback;
use crate::zones::missing;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than a server takes to leave.
const PATIENCE: Duration = Duration::from_secs(10);

/// A zone's name and its master file.
pub type ZoneFile = (String, String);

/// A server that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Knot DNS.
    Knot,
    /// NSD.
    Nsd,
    /// BIND.
    Bind,
}

/// How a server is started.
struct Program {
    /// Its name, and its arguments but the last one, which is the configuration.
    command: &'static [&'static str],
    /// What its log says once it answers.
    started: &'static str,
    /// What its log says before, where it does not serve all zones.
    refused: &'static str,
    /// The configuration, in which zones are called `0.zone` and on.
    configure: fn(folder: &str, address: SocketAddr, origins: &[&str]) -> String,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Knot, Self::Nsd, Self::Bind];

    const fn program(self) -> &'static Program {
        match self {
            Self::Knot => &knot::PROGRAM,
            Self::Nsd => &nsd::PROGRAM,
            Self::Bind => &bind::PROGRAM,
        }
    }

    /// Whether they are all installed. Says which is not, and fails where they were promised.
    pub fn are_installed() -> bool {
        Self::ALL.iter().all(|peer| {
            let program = peer.program().command[0];
            let installed = Command::new(program).arg("-v").output().is_ok();
            installed || missing::<()>(program).is_some()
        })
    }

    /// Serves zones.
    pub fn start(self, zones: &[ZoneFile]) -> io::Result<Running> {
        let folder = Folder::new();
        let address = match self {
            // It listens only where an interface has the address; a free port, then.
            Self::Bind => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?,
            _ => loopback::address(),
        };
        for (number, (_, text)) in zones.iter().enumerate() {
            folder.write(&format!("{number}.zone"), text);
        }
        let origins: Vec<_> = zones.iter().map(|(origin, _)| &origin[..]).collect();
        let program = self.program();
        let shown = folder.path().to_string_lossy();
        let text = (program.configure)(&shown, address, &origins);
        let configuration = folder.write("peer.conf", text);
        let mut child = Command::new(program.command[0])
            .args(&program.command[1..])
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Some serve from children of theirs: one group, so that they can be ended together.
            .process_group(0)
            .spawn()?;
        let log = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let running = Running {
            peer: self,
            child,
            folder,
            address,
        };
        running.wait_until_started(BufReader::new(log))?;
        Ok(running)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Knot => "Knot DNS",
            Self::Nsd => "NSD",
            Self::Bind => "BIND",
        })
    }
}

/// A running server, and the folder it works in; both are gone when this is.
pub struct Running {
    peer: Peer,
    child: Child,
    folder: Folder,
    address: SocketAddr,
}

impl Running {
    /// Which one it is.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads the log up to the line that says so. The rest of it goes to a file.
    fn wait_until_started(&self, mut log: impl BufRead + Send + 'static) -> io::Result<()> {
        let program = self.peer.program();
        let mut said = Vec::new();
        let text = loop {
            let count = log.read_until(b'\n', &mut said)?;
            let text = String::from_utf8_lossy(&said);
            if text.contains(program.started) {
                break text;
            }
            if count == 0 {
                let message = format!("{} does not start:\n{text}", self.peer);
                return Err(io::Error::other(message));
            }
        };
        if text.contains(program.refused) {
            let message = format!("{} refuses a zone:\n{text}", self.peer);
            return Err(io::Error::other(message));
        }
        // Nobody reads it, but it must not fill the pipe.
        let mut rest = File::create(self.folder.path().join("log"))?;
        std::thread::spawn(move || io::copy(&mut log, &mut rest));
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Ok(id) = i32::try_from(self.child.id()).map(Pid::from_raw) else {
            return;
        };
        // Asked to leave, it ends its children too.
        let _ = kill(id, Signal::SIGTERM);
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = killpg(id, Signal::SIGKILL);
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
}
