//! Descriptors that pass from one process to another, along with bytes (unix(7), SCM_RIGHTS).
#![expect(
    unsafe_code,
    reason = "the kernel tells received descriptors by their numbers"
)]

use nix::cmsg_space;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, UnixCredentials, getsockopt, recvmsg, sendmsg,
    sockopt,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

/// Sends `bytes`, and a descriptor with the first of them. Returns how many were sent.
pub fn send(
    stream: &UnixStream,
    bytes: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> io::Result<usize> {
    let numbers: Vec<RawFd> = descriptor.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let rights = if numbers.is_empty() { &[] } else { &rights[..] };
    let flags = MsgFlags::MSG_NOSIGNAL;
    let bytes = [IoSlice::new(bytes)];
    Ok(sendmsg::<()>(
        stream.as_raw_fd(),
        &bytes,
        rights,
        flags,
        None,
    )?)
}

/// Receives bytes, and the descriptor that came with them; 0 bytes: the other end is closed.
pub fn receive(stream: &UnixStream, bytes: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut room = cmsg_space!(RawFd);
    let mut bytes = [IoSliceMut::new(bytes)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut bytes, Some(&mut room), flags)?;
    let mut received = None;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            for number in numbers {
                // SAFETY: the kernel has just made it for this process, and nobody else knows it.
                received = Some(unsafe { OwnedFd::from_raw_fd(number) });
            }
        }
    }
    Ok((message.bytes, received))
}

/// The process at the other end.
pub fn peer_process(stream: &UnixStream) -> Option<u32> {
    let credentials: UnixCredentials = getsockopt(stream, sockopt::PeerCredentials).ok()?;
    u32::try_from(credentials.pid()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    #[test]
    fn a_descriptor_arrives_with_its_bytes_and_is_the_same_file() {
        let (one, other) = UnixStream::pair().unwrap();
        let (mut near, far) = UnixStream::pair().unwrap();
        assert_eq!(send(&one, b"plain", None).unwrap(), 5);
        assert_eq!(send(&one, b"with", Some(far.as_fd())).unwrap(), 4);
        drop((one, far));
        let mut bytes = [0; 5];
        let (len, descriptor) = receive(&other, &mut bytes).unwrap();
        assert_eq!((len, descriptor.is_none()), (5, true));
        let (len, descriptor) = receive(&other, &mut bytes).unwrap();
        assert_eq!(&bytes[..len], b"with");
        let mut passed = UnixStream::from(descriptor.unwrap());
        passed.write_all(b"through").unwrap();
        drop(passed);
        let mut text = String::new();
        near.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        assert_eq!(receive(&other, &mut bytes).unwrap().0, 0);
    }

    #[test]
    fn the_peer_of_a_pair_is_this_process() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert_eq!(peer_process(&one), Some(std::process::id()));
    }
}
