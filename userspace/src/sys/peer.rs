//! Who is at the other end of a unix socket (unix(7), SO_PEERCRED).
#![expect(unsafe_code, reason = "nix does not know SO_PEERGROUPS")]

use nix::libc;
use nix::sys::socket::{getsockopt, sockopt};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The process that has connected, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its number.
    pub pid: i32,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group, and those that it has besides.
    pub groups: Vec<u32>,
}

/// No process has more groups (NGROUPS_MAX).
const GROUPS_MAX: usize = 65536;
/// Nearly every process has fewer.
const GROUPS_USUAL: usize = 64;

impl Peer {
    /// Who is at the other end.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = getsockopt(stream, sockopt::PeerCredentials)?;
        let mut groups = groups(stream, GROUPS_USUAL).or_else(|_| groups(stream, GROUPS_MAX))?;
        groups.insert(0, credentials.gid());
        Ok(Self {
            pid: credentials.pid(),
            uid: credentials.uid(),
            groups,
        })
    }
}

/// The supplementary groups; an error where there are more than `room`.
fn groups(stream: &UnixStream, room: usize) -> io::Result<Vec<u32>> {
    let mut groups: Vec<libc::gid_t> = vec![0; room];
    let bytes = libc::socklen_t::try_from(size_of_val(&groups[..])).map_err(io::Error::other)?;
    let mut len = bytes;
    // SAFETY: the kernel writes at most `len` bytes, which `groups` has, and says in `len` how many
    // they were; the descriptor is open for as long as `stream` is borrowed.
    let done = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERGROUPS,
            groups.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    groups.truncate(len as usize / size_of::<libc::gid_t>());
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_of_a_pair_is_this_process() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = Peer::of(&one).unwrap();
        assert_eq!(peer.pid.unsigned_abs(), std::process::id());
        assert_eq!(peer.uid, nix::unistd::geteuid().as_raw());
        let mut own = vec![nix::unistd::getegid().as_raw()];
        own.extend(nix::unistd::getgroups().unwrap().iter().map(|g| g.as_raw()));
        assert_eq!(peer.groups, own);
        assert!(groups(&one, 0).is_err() || own.len() == 1);
    }
}
