//! journald by its own protocol, in a mount namespace where this test has its place.

use crate::launch;
use std::fs;
use std::os::unix::net::UnixDatagram;
use tests::netns::privileged;
use tests::server::PATIENCE;

/// Puts the folder `journal` where journald has its socket.
const WITH_JOURNAL: &str = "mount -t tmpfs ripples /run && mkdir -p /run/systemd/journal && \
    mount --bind journal /run/systemd/journal && \
    JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec \"$@\"";

#[test]
fn messages_reach_journald_when_it_is_asked_for_and_when_standard_error_is_its() {
    if !privileged() {
        return;
    }
    let by = ["unshare", "-m", "sh", "-c", WITH_JOURNAL, "sh"];
    for arguments in [&["--log-target", "journald"][..], &[]] {
        let launch = launch("", arguments).by(&by);
        let folder = launch.folder().join("journal");
        fs::create_dir(&folder).unwrap();
        let journal = UnixDatagram::bind(folder.join("socket")).unwrap();
        journal.set_read_timeout(Some(PATIENCE)).unwrap();
        let server = launch.start();
        let mut datagram = vec![0; 1 << 16];
        let loaded = loop {
            let len = journal.recv(&mut datagram).unwrap();
            let text = String::from_utf8_lossy(&datagram[..len]).into_owned();
            if text.starts_with("MESSAGE=zones loaded zones=1 ") {
                break text;
            }
        };
        let fields: Vec<&str> = loaded.lines().skip(1).take(5).collect();
        let expected = [
            "PRIORITY=6",
            "SYSLOG_IDENTIFIER=ripples",
            "TARGET=ripples::server::resources",
            "THREAD=main",
            "ZONES=1",
        ];
        assert_eq!(fields, expected);
        assert_eq!(server.log(), "ready\n");
        // Without journald it goes on on standard error, and comes back with another one.
        drop(journal);
        fs::remove_file(folder.join("socket")).unwrap();
        server.reload();
        assert!(server.log().contains(" reloaded "), "{}", server.log());
        let journal = UnixDatagram::bind(folder.join("socket")).unwrap();
        journal.set_read_timeout(Some(PATIENCE)).unwrap();
        server.reload();
        let len = journal.recv(&mut datagram).unwrap();
        assert!(datagram[..len].starts_with(b"MESSAGE=reloaded generation="));
        let len = journal.recv(&mut datagram).unwrap();
        let told = String::from_utf8_lossy(&datagram[..len]);
        assert!(
            told.contains("messages went to standard error instead"),
            "{told}"
        );
        drop(journal);
        server.stop();
    }
}
