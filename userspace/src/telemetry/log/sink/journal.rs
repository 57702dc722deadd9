//! journald by its own protocol: a datagram with a field a line
//! (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).

use crate::telemetry::log::record::{Record, level_index};
use crate::telemetry::log::text;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where journald listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";
/// Longest wait for a journald that does not read.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);
/// syslog's priorities of the levels, the worst first.
const PRIORITIES: [&str; 5] = ["3", "4", "6", "7", "7"];
/// Names that every message has. A field of such a name gets an underscore behind it.
const OWN: [&str; 5] = [
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "TARGET",
    "THREAD",
];
/// Longest name that journald takes.
const NAME_LEN_MAX: usize = 64;

/// A way to journald.
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// An error when nobody listens at `path`.
    pub(super) fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        UnixDatagram::unbound()?.connect(&path)?;
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(SEND_TIMEOUT))?;
        Ok(Self { socket, path })
    }

    /// Sends a message, to whoever listens there by now.
    pub(super) fn send(&self, message: &[u8]) -> io::Result<()> {
        self.socket.send_to(message, &self.path).map(|_| ())
    }
}

/// Whether standard error is journald's (JOURNAL_STREAM in systemd.exec(5)).
pub(super) fn is_stderr() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else {
        return false;
    };
    let stderr = fs::metadata("/proc/self/fd/2");
    stderr.is_ok_and(|stderr| stream == format!("{}:{}", stderr.dev(), stderr.ino()))
}

/// Appends a message. Its text has the fields as well, because that is what journalctl shows.
pub(super) fn write(datagram: &mut Vec<u8>, record: &Record<'_>, thread: &str) {
    let mut message = Vec::new();
    text::write_message(&mut message, record, |line, text| {
        line.extend(text.as_bytes())
    });
    field(datagram, "MESSAGE", &message);
    field(
        datagram,
        "PRIORITY",
        PRIORITIES[level_index(record.level)].as_bytes(),
    );
    field(datagram, "SYSLOG_IDENTIFIER", b"ripples");
    field(datagram, "TARGET", record.target.as_bytes());
    field(datagram, "THREAD", thread.as_bytes());
    for (name, _, value) in record.fields() {
        field(datagram, &journal_name(name), value.as_bytes());
    }
}

fn field(datagram: &mut Vec<u8>, name: &str, value: &[u8]) {
    datagram.extend(name.as_bytes());
    if value.contains(&b'\n') {
        // Its length in front says where it ends.
        datagram.push(b'\n');
        datagram.extend((value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend(value);
    datagram.push(b'\n');
}

/// Capital letters, digits and underscores, with a letter in front.
fn journal_name(name: &str) -> String {
    let letter = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_uppercase(),
        false => '_',
    };
    let name: String = name.chars().map(letter).collect();
    let mut name = name.trim_start_matches('_').to_owned();
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        name.insert_str(0, "FIELD_");
    }
    name.truncate(NAME_LEN_MAX - 1);
    if OWN.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::record::Kind;
    use crate::telemetry::log::record::tests::record;

    /// The fields of a datagram, read as journald does.
    fn read(mut datagram: &[u8]) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        while !datagram.is_empty() {
            let at = datagram.iter().position(|b| b"=\n".contains(b)).unwrap();
            let (name, rest) = datagram.split_at(at);
            let (start, len) = match rest[0] {
                b'=' => (1, rest.iter().position(|&b| b == b'\n').unwrap() - 1),
                _ => {
                    let len = rest[1..].first_chunk::<8>().unwrap();
                    (9, usize::try_from(u64::from_le_bytes(*len)).unwrap())
                }
            };
            assert_eq!(rest[start + len], b'\n');
            let text = |bytes: &[u8]| str::from_utf8(bytes).unwrap().to_owned();
            fields.push((text(name), text(&rest[start..start + len])));
            datagram = &rest[start + len + 1..];
        }
        fields
    }

    #[test]
    fn a_message_reaches_whoever_listens_with_all_its_fields() {
        let folder = env::temp_dir().join(format!("ripples-journal-{}", std::process::id()));
        let listener = UnixDatagram::bind(&folder).unwrap();
        let journal = Journal::open(&folder).unwrap();
        let fields = [
            ("zone", Kind::Text, "example."),
            ("error", Kind::Text, "two\nlines"),
            ("target", Kind::Literal, "7"),
            ("_9", Kind::Literal, "8"),
        ];
        let record = record("ripples::zone", "refused:\nsee", &fields);
        let mut datagram = Vec::new();
        write(&mut datagram, &Record::decode(&record).unwrap(), "main");
        journal.send(&datagram).unwrap();
        let mut received = vec![0; 4096];
        let len = listener.recv(&mut received).unwrap();
        fs::remove_file(&folder).unwrap();
        let message = "refused:\nsee zone=example. error=\"two\\nlines\" target=7 _9=8";
        let expected = [
            ("MESSAGE", message),
            ("PRIORITY", "4"),
            ("SYSLOG_IDENTIFIER", "ripples"),
            ("TARGET", "ripples::zone"),
            ("THREAD", "main"),
            ("ZONE", "example."),
            ("ERROR", "two\nlines"),
            ("TARGET_", "7"),
            ("FIELD_9", "8"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(&received[..len]), expected);
        assert!(journal.send(&datagram).is_err(), "nobody listens any more");
        assert!(Journal::open(&folder).is_err());
    }
}
