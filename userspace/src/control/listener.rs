//! The server's end of the control socket.

use super::{Command, Reply, Request, VERSION};
use crate::sys::descriptor_reserve::{self, Reserve};
use crate::sys::wait;
use std::cell::RefCell;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A client that says nothing for so long is left alone.
const PATIENCE: Duration = Duration::from_millis(200);
/// Rest of the thread while a client waits for whom there is no descriptor.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(10);
/// Longest request in bytes.
const REQUEST_MAX: u64 = 64 * 1024;

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
    reserve: RefCell<Reserve>,
    path: PathBuf,
    own: bool,
}

impl Listener {
    /// Listens at `path`, readable and writable by this user alone. A socket that a killed server
    /// left behind is replaced; one that is answered is not.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let unusable = |error| ControlError::Unusable {
            path: path.to_owned(),
            error,
        };
        if UnixStream::connect(path).is_ok() {
            return Err(ControlError::InUse(path.to_owned()));
        }
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(unusable)?;
        }
        remove_stale(path).map_err(unusable)?;
        let socket = UnixListener::bind(path).map_err(unusable)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(unusable)?;
        socket.set_nonblocking(true).map_err(unusable)?;
        Ok(Self {
            socket,
            reserve: RefCell::new(Reserve::full()),
            path: path.to_owned(),
            own: true,
        })
    }

    /// Takes the socket that another server listens with at `path`: its clients are those of
    /// whichever accepts them.
    pub fn adopt(socket: OwnedFd, path: &Path) -> Self {
        Self {
            socket: socket.into(),
            reserve: RefCell::new(Reserve::full()),
            path: path.to_owned(),
            own: false,
        }
    }

    /// Leaves the file to the server that has the socket as well.
    pub fn leave(&mut self) {
        self.own = false;
    }

    /// Makes the file this process's own. Whoever had it before may have removed it, at its end.
    pub fn own(&mut self) -> Result<(), ControlError> {
        if !self.path.exists() {
            *self = Self::bind(&self.path)?;
        }
        self.own = true;
        Ok(())
    }

    /// Hands on what the clients that wait ask, each with the reply that it is owed. Never waits
    /// long: one that is slow to ask or to listen is dropped. Returns the servers that are to
    /// replace this one, which still wait for their answers.
    pub fn serve(&self, mut answer: impl FnMut(Command, Reply)) -> Vec<UnixStream> {
        let mut successors = Vec::new();
        loop {
            // The client before may have had it.
            self.reserve.borrow_mut().fill();
            match self.accept() {
                Ok(stream) => match read(stream) {
                    Ok(Some((Command::Replace, reply))) => successors.extend(reply.into_stream()),
                    Ok(Some((command, reply))) => answer(command, reply),
                    Ok(None) => {}
                    Err(error) => tracing::debug!(%error, "control client"),
                },
                Err(error) => {
                    // Without a descriptor, accept fails before it looks whether anyone waits.
                    self.reserve.borrow_mut().fill();
                    if descriptor_reserve::is_exhausted(&error) {
                        // It goes on waiting, and would wake this thread again at once.
                        wait::pause(EXHAUSTED_PAUSE);
                    }
                    return successors;
                }
            }
        }
    }

    fn accept(&self) -> io::Result<UnixStream> {
        let accepted = self.reserve.borrow_mut().spend(|| self.socket.accept());
        accepted.map(|(stream, _)| stream)
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

/// Reads one request; what is none is answered here.
fn read(stream: UnixStream) -> io::Result<Option<(Command, Reply)>> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new((&stream).take(REQUEST_MAX)).read_line(&mut line)?;
    let reply = Reply::new(stream);
    let problem = match serde_json::from_str::<Request>(&line) {
        Ok(request) if request.version == VERSION => return Ok(Some((request.command, reply))),
        Ok(request) => format!(
            "version {} is not spoken here, {VERSION} is",
            request.version
        ),
        Err(error) => format!("not a request: {error}"),
    };
    reply.send(Err(problem));
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ripples-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn ask(listener: &Listener, request: &str) -> String {
        let mut client = UnixStream::connect(&listener.path).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        listener.serve(|command, reply| match command {
            Command::Stats => reply.send(Ok(serde_json::json!({"answers": 7}))),
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
        let listener = Listener::bind(&folder.join("deeper/c.sock")).unwrap();
        let reply = ask(&listener, "{\"version\":1,\"command\":\"stats\"}\n");
        assert_eq!(reply, "{\"ok\":true,\"result\":{\"answers\":7}}\n");
        assert!(
            ask(&listener, "{\"version\":1,\"command\":\"stop\"}\n").contains("\"error\":\"no\"")
        );
        let forgotten = ask(&listener, "{\"version\":1,\"command\":\"reload\"}\n");
        assert!(forgotten.contains("the server is stopping"));
        assert!(ask(&listener, "{\"version\":9,\"command\":\"stop\"}\n").contains("version 9"));
        assert!(
            ask(&listener, "{\"version\":1,\"command\":\"fly\"}\n").contains("unknown variant")
        );
        assert!(ask(&listener, "\n").contains("not a request"));
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
        let live = Listener::bind(&path).unwrap();
        assert!(matches!(Listener::bind(&path), Err(ControlError::InUse(_))));
        drop(live);
        fs::write(&path, "precious").unwrap();
        assert!(matches!(
            Listener::bind(&path),
            Err(ControlError::Unusable { .. })
        ));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_silent_client_is_left_alone() {
        let folder = folder("silent");
        let listener = Listener::bind(&folder.join("c.sock")).unwrap();
        let _silent = UnixStream::connect(&listener.path).unwrap();
        let reply = ask(&listener, "{\"version\":1,\"command\":\"stats\"}\n");
        assert!(reply.contains("\"ok\":true"), "{reply}");
        drop(listener);
        fs::remove_dir_all(folder).unwrap();
    }
}
