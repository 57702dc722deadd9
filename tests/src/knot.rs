//! Knot DNS on loopback, with zones of the tests: a second opinion.

use crate::folder::Folder;
use crate::loopback;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longer than Knot needs for anything here.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server, and the folder it works in; both are gone when this is.
pub struct Knot {
    child: Child,
    folder: Folder,
    address: SocketAddr,
}

impl Knot {
    /// Serves zones given as `(origin, master file)`.
    pub fn start(zones: &[(String, String)]) -> io::Result<Self> {
        let folder = Folder::new();
        let address = loopback::address();
        let configuration = folder.write("knot.conf", configure(&folder, address, zones));
        let mut child = Command::new("knotd")
            .arg("-c")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let knot = Self {
            child,
            folder,
            address,
        };
        knot.wait_until_started(BufReader::new(log))?;
        Ok(knot)
    }

    /// Reads the log up to the line that says so. The rest of it goes to a file.
    fn wait_until_started(&self, mut log: impl BufRead + Send + 'static) -> io::Result<()> {
        let mut said = String::new();
        while !said.contains("server started") {
            if log.read_line(&mut said)? == 0 {
                return Err(io::Error::other(format!("knotd does not start:\n{said}")));
            }
        }
        // Nobody reads it, but it must not fill the pipe.
        let mut rest = File::create(self.folder.path().join("log"))?;
        std::thread::spawn(move || io::copy(&mut log, &mut rest));
        if said.contains("error:") {
            return Err(io::Error::other(format!("knotd refuses a zone:\n{said}")));
        }
        Ok(())
    }

    /// Asks over one TCP connection; replies in the order of the queries.
    pub fn ask(&self, queries: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut replies = Vec::with_capacity(queries.len());
        for query in queries {
            let len = u16::try_from(query.len()).map_err(io::Error::other)?;
            stream.write_all(&[&len.to_be_bytes()[..], query].concat())?;
            let mut len = [0; 2];
            stream.read_exact(&mut len)?;
            let mut reply = vec![0; usize::from(u16::from_be_bytes(len))];
            stream.read_exact(&mut reply)?;
            replies.push(reply);
        }
        Ok(replies)
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the master files and says where they are.
fn configure(folder: &Folder, address: SocketAddr, zones: &[(String, String)]) -> String {
    let shown = folder.path().display();
    let mut text = format!(
        r#"server:
    rundir: "{shown}"
    listen: {}@{}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{shown}"
template:
  - id: default
    storage: "{shown}"
    zonefile-sync: -1
    journal-content: none
zone:
"#,
        address.ip(),
        address.port()
    );
    for (number, (origin, zone)) in zones.iter().enumerate() {
        let file = format!("{number}.zone");
        folder.write(&file, zone);
        text += &format!("  - domain: \"{origin}\"\n    file: {file}\n");
    }
    text
}
