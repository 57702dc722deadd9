//! The server's end of the control socket.

use super::access::Access;
use super::visitor::{Progress, Visitor};
use super::{Command, Reply, reply};
use crate::config::ControlOptions;
use crate::sys::descriptor_reserve::{self, Reserve};
use crate::sys::wait;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Clients that have connected and not asked yet: of more, those that came first are sent away.
const VISITORS_MAX: usize = 64;
/// Rest of the thread while a client waits for whom there is no descriptor.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(10);

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another server answers there.
    #[error(
        "control socket {}: another server is running; stop it (`ripples ctl stop`) or give this \
         one another --control PATH", .0.display()
    )]
    InUse(PathBuf),
    /// The socket cannot be made.
    #[error("control socket {}: {error}; choose another with --control PATH", path.display())]
    Unusable {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The listening socket; its file is removed with it, where it is this process's own.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    /// For a client that comes when connections have taken all other descriptors.
    reserve: Reserve,
    visitors: Vec<Visitor>,
    access: Access,
    options: ControlOptions,
    path: PathBuf,
    own: bool,
}

impl Listener {
    /// Listens at `path`, for whom the options let in. A socket that a killed server left behind is
    /// replaced; one that is answered is not.
    pub fn bind(path: &Path, options: &ControlOptions) -> Result<Self, ControlError> {
        let unusable = |error| ControlError::Unusable {
            path: path.to_owned(),
            error,
        };
        match UnixStream::connect(path) {
            Ok(_) => return Err(ControlError::InUse(path.to_owned())),
            // Nobody is there, and nobody is behind it: anything else says nothing of that.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => return Err(unusable(error)),
        }
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(unusable)?;
        }
        remove_stale(path).map_err(unusable)?;
        let socket = UnixListener::bind(path).map_err(unusable)?;
        let listener = Self::on(socket, path, options, true);
        listener.set_permissions().map_err(unusable)?;
        listener.socket.set_nonblocking(true).map_err(unusable)?;
        Ok(listener)
    }

    fn on(socket: UnixListener, path: &Path, options: &ControlOptions, own: bool) -> Self {
        Self {
            socket,
            reserve: Reserve::full(),
            visitors: Vec::new(),
            access: Access::new(options),
            options: options.clone(),
            path: path.to_owned(),
            own,
        }
    }

    /// The group first: the mode is for it.
    fn set_permissions(&self) -> io::Result<()> {
        if self.options.group.is_some() {
            chown(&self.path, None, self.options.group)?;
        }
        let mode = fs::Permissions::from_mode(self.options.mode);
        fs::set_permissions(&self.path, mode)
    }

    /// Takes the socket that another server listens with at `path`: its clients are those of
    /// whichever accepts them.
    pub fn adopt(socket: OwnedFd, path: &Path, options: &ControlOptions) -> Self {
        Self::on(socket.into(), path, options, false)
    }

    /// Leaves the file to the server that has the socket as well.
    pub fn leave(&mut self) {
        self.own = false;
    }

    /// Makes the file this process's own. Whoever had it before may have removed it, at its end.
    pub fn own(&mut self) -> Result<(), ControlError> {
        if !self.path.exists() {
            *self = Self::bind(&self.path, &self.options)?;
        }
        self.own = true;
        // It listens, and the server that it was taken from has gone.
        if let Err(error) = self.set_permissions() {
            let path = self.path.display();
            tracing::warn!("control socket {path}: its permissions stay as they were: {error}");
        }
        Ok(())
    }

    /// What to wait for: clients that come, and those that have not asked yet.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let visitors = self.visitors.iter().map(AsFd::as_fd);
        [self.as_fd()].into_iter().chain(visitors)
    }

    /// Hands on what clients ask, each with the reply that it is owed. Never waits for any of them.
    /// Returns the servers that are to replace this one, which still wait for their answers.
    pub fn serve(&mut self, mut answer: impl FnMut(Command, Reply)) -> Vec<UnixStream> {
        let now = Instant::now();
        self.accept(now);
        let mut successors = Vec::new();
        for mut visitor in std::mem::take(&mut self.visitors) {
            let asked = match visitor.listen(now) {
                Progress::Waits => {
                    self.visitors.push(visitor);
                    continue;
                }
                Progress::Gone => {
                    reply::close(visitor.stream, &self.reserve);
                    continue;
                }
                Progress::Asked(asked) => asked,
            };
            let (peer, reply) = (
                visitor.peer,
                Reply::new(visitor.stream, self.reserve.clone()),
            );
            let admit = |command: Command| {
                let admitted = self.access.admit(&peer, &command, now);
                admitted.map(|()| command)
            };
            match asked.and_then(admit) {
                Ok(Command::Replace) => successors.extend(reply.into_stream()),
                Ok(command) => answer(command, reply),
                Err(refusal) => reply.send(Err(refusal)),
            }
        }
        successors
    }

    /// Lets in whoever waits.
    fn accept(&mut self, now: Instant) {
        for _ in 0..VISITORS_MAX {
            // The client before may have had it.
            self.reserve.fill();
            match self.reserve.spend(|| self.socket.accept()) {
                Ok((stream, _)) => match Visitor::new(stream, now) {
                    Ok(visitor) => self.visitors.push(visitor),
                    Err(error) => tracing::debug!(%error, "control client"),
                },
                Err(error) => {
                    // Without a descriptor, accept fails before it looks whether anyone waits.
                    self.reserve.fill();
                    if descriptor_reserve::is_exhausted(&error) {
                        // It goes on waiting, and would wake this thread again at once.
                        wait::pause(EXHAUSTED_PAUSE);
                    }
                    break;
                }
            }
        }
        let surplus = self.visitors.len().saturating_sub(VISITORS_MAX);
        for visitor in self.visitors.drain(..surplus) {
            reply::close(visitor.stream, &self.reserve);
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.own {
            // A failure leaves a file that the next server replaces.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the socket of a server that is gone; leaves anything else that has its name.
fn remove_stale(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a file of that name",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Refusal;
    use std::io::{Read, Write};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ripples-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn ask(listener: &mut Listener, request: &str) -> String {
        let mut client = UnixStream::connect(&listener.path).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        listener.serve(|command, reply| match command {
            Command::Stats => reply.send(Ok::<_, Refusal>(serde_json::json!({"answers": 7}))),
            Command::Reload { .. } => drop(reply),
            _ => reply.send(Err("no".to_owned())),
        });
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        reply
    }

    #[test]
    fn answers_requests_and_explains_refusals() {
        let folder = folder("control");
        let mut listener =
            Listener::bind(&folder.join("deeper/c.sock"), &ControlOptions::default()).unwrap();
        let reply = ask(&mut listener, "{\"version\":1,\"command\":\"stats\"}\n");
        assert_eq!(reply, "{\"ok\":true,\"result\":{\"answers\":7}}\n");
        assert!(
            ask(&mut listener, "{\"version\":1,\"command\":\"stop\"}\n")
                .contains("\"error\":\"no\"")
        );
        let forgotten = ask(&mut listener, "{\"version\":1,\"command\":\"reload\"}\n");
        assert!(forgotten.contains("the server is stopping"));
        assert!(ask(&mut listener, "{\"version\":9,\"command\":\"stop\"}\n").contains("version 9"));
        assert!(
            ask(&mut listener, "{\"version\":1,\"command\":\"fly\"}\n").contains("unknown variant")
        );
        assert!(ask(&mut listener, "\n").contains("not a request"));
        let path = listener.path.clone();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        drop(listener);
        assert!(!path.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn replaces_a_dead_socket_but_neither_a_live_one_nor_a_file() {
        let folder = folder("stale");
        let path = folder.join("c.sock");
        drop(UnixListener::bind(&path).unwrap());
        let live = Listener::bind(&path, &ControlOptions::default()).unwrap();
        assert!(matches!(
            Listener::bind(&path, &ControlOptions::default()),
            Err(ControlError::InUse(_))
        ));
        drop(live);
        fs::write(&path, "precious").unwrap();
        assert!(matches!(
            Listener::bind(&path, &ControlOptions::default()),
            Err(ControlError::Unusable { .. })
        ));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_silent_client_is_left_alone() {
        let folder = folder("silent");
        let mut listener =
            Listener::bind(&folder.join("c.sock"), &ControlOptions::default()).unwrap();
        let _silent = UnixStream::connect(&listener.path).unwrap();
        let reply = ask(&mut listener, "{\"version\":1,\"command\":\"stats\"}\n");
        assert!(reply.contains("\"ok\":true"), "{reply}");
        drop(listener);
        fs::remove_dir_all(folder).unwrap();
    }
}
