//! How many descriptors this process may have open: RLIMIT_NOFILE.
#![expect(unsafe_code, reason = "nix cannot set the limits of another process")]

use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;
use std::process::Child;
use std::ptr;
use std::sync::OnceLock;

/// The soft limit that the process was started with.
static ORIGINAL: OnceLock<u64> = OnceLock::new();

/// Raises the soft limit to the hard one, which anybody may; returns it.
pub fn raise() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    // The first of several calls has seen what it was.
    let _ = ORIGINAL.set(soft);
    Ok(hard)
}

/// Gives a child the soft limit that this process was started with: programs that use select(2)
/// break with descriptors above 1023, which a low limit spares them.
pub fn lower_for(child: &Child) -> io::Result<()> {
    let Some(&soft) = ORIGINAL.get() else {
        return Ok(());
    };
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let limit = libc::rlimit {
        rlim_cur: soft.min(hard),
        rlim_max: hard,
    };
    let id = i32::try_from(child.id()).map_err(io::Error::other)?;
    // SAFETY: the kernel reads the structure behind the one pointer and writes to none.
    let result = unsafe { libc::prlimit(id, libc::RLIMIT_NOFILE, &limit, ptr::null_mut()) };
    Errno::result(result)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn the_limit_is_raised_and_children_have_the_one_before() {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let lower = soft.min(1000);
        setrlimit(Resource::RLIMIT_NOFILE, lower, hard).unwrap();
        assert_eq!(raise().unwrap(), hard);
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (hard, hard));
        assert_eq!(raise().unwrap(), hard, "once more");

        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let limits = || std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let open_files = |limits: String| {
            let line = limits
                .lines()
                .find(|line| line.starts_with("Max open files"));
            let words: Vec<_> = line
                .unwrap()
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            (words[3].clone(), words[4].clone())
        };
        assert_eq!(open_files(limits()), (hard.to_string(), hard.to_string()));
        lower_for(&child).unwrap();
        assert_eq!(open_files(limits()), (lower.to_string(), hard.to_string()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
