//! Memory: how much may be locked, and whether there are huge pages.

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use std::io;

/// Raises RLIMIT_MEMLOCK as far as the process may; returns the limit in bytes, `None` for none.
///
/// The kernel charges UMEMs against it, unless the process has CAP_IPC_LOCK.
pub fn raise_lock_limit() -> io::Result<Option<u64>> {
    if setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY).is_err() {
        // Beyond the hard limit only CAP_SYS_RESOURCE leads; up to it, anybody.
        let (_, hard) = getrlimit(Resource::RLIMIT_MEMLOCK)?;
        setrlimit(Resource::RLIMIT_MEMLOCK, hard, hard)?;
    }
    let (soft, _) = getrlimit(Resource::RLIMIT_MEMLOCK)?;
    Ok((soft != RLIM_INFINITY).then_some(soft))
}

/// Keeps all memory of the process, present and future, from being swapped out.
pub fn lock_all() -> io::Result<()> {
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE)?;
    Ok(())
}

/// The size in bytes of a huge page, where the kernel has any free.
pub fn free_huge_page_size() -> Option<usize> {
    let (free, size) = huge_pages()?;
    (free > 0).then_some(size)
}

/// The huge pages that are free, and the size in bytes of one; none where the kernel has none.
pub fn huge_pages() -> Option<(usize, usize)> {
    huge_pages_of(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// Reads the text of /proc/meminfo.
fn huge_pages_of(meminfo: &str) -> Option<(usize, usize)> {
    let field = |name: &str| -> Option<usize> {
        let value = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        value.split_whitespace().next()?.parse().ok()
    };
    Some((field("HugePages_Free:")?, field("Hugepagesize:")? * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_pages_are_counted_and_a_kernel_may_have_none() {
        let meminfo = |free: usize| {
            format!("MemTotal:  24681124 kB\nHugePages_Free:  {free}\nHugepagesize:  2048 kB\n")
        };
        assert_eq!(huge_pages_of(&meminfo(3)), Some((3, 2 << 20)));
        assert_eq!(huge_pages_of(&meminfo(0)), Some((0, 2 << 20)));
        assert_eq!(huge_pages_of("MemTotal:  24681124 kB\n"), None);
    }

    #[test]
    fn the_lock_limit_ends_up_at_the_hard_limit_or_above() {
        let (_, hard) = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
        let limit = raise_lock_limit().unwrap();
        assert!(limit.is_none_or(|limit| limit >= hard));
    }
}
