//! Knot DNS on loopback, with zones of the tests: a second opinion.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
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

/// A folder of temporary files.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Knot {
    /// Serves zones given as `(origin, master file)`; `name` tells this server from others.
    pub fn start(name: &str, zones: &[(String, String)]) -> io::Result<Self> {
        let folder = format!("ripples-knot-{name}-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(folder));
        fs::create_dir_all(&folder.0)?;
        let address = free_address()?;
        let configuration = folder.0.join("knot.conf");
        fs::write(&configuration, configure(&folder.0, address, zones)?)?;
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
        let mut rest = fs::File::create(self.folder.0.join("log"))?;
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

/// An address on loopback whose port nobody uses, for UDP and TCP.
fn free_address() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    UdpSocket::bind(address)?;
    Ok(address)
}

/// Writes the master files and says where they are.
fn configure(folder: &Path, address: SocketAddr, zones: &[(String, String)]) -> io::Result<String> {
    let shown = folder.display();
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
        fs::write(folder.join(&file), zone)?;
        text += &format!("  - domain: \"{origin}\"\n    file: {file}\n");
    }
    Ok(text)
}
