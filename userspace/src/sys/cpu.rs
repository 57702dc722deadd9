//! CPUs: which ones this process may use, and pinning a thread to one.

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The calling thread, as the scheduler's calls name it.
const THIS_THREAD: Pid = Pid::from_raw(0);

/// Why a thread cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub enum CpuError {
    /// The CPU does not exist, or the process may not use it.
    #[error("CPU {cpu} is not available: this process may use {allowed:?} (numbered from 0)")]
    NotAllowed {
        /// The CPU asked for.
        cpu: usize,
        /// The CPUs that would do.
        allowed: Vec<usize>,
    },
    /// The kernel refused for another reason.
    #[error("the scheduler refused: {0}")]
    Refused(#[from] Errno),
}

/// The CPUs that the calling thread may run on, ascending.
pub fn allowed() -> Result<Vec<usize>, CpuError> {
    let set = sched_getaffinity(THIS_THREAD)?;
    Ok((0..CpuSet::count())
        .filter(|&cpu| set.is_set(cpu).unwrap_or(false))
        .collect())
}

/// Pins the calling thread to `cpu`.
pub fn pin(cpu: usize) -> Result<(), CpuError> {
    let allowed = allowed()?;
    if !allowed.contains(&cpu) {
        return Err(CpuError::NotAllowed { cpu, allowed });
    }
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(THIS_THREAD, &set)?)
}

/// Keeps the calling thread off `taken`, unless there are no other CPUs.
pub fn avoid(taken: &[usize]) -> Result<(), CpuError> {
    let mut set = CpuSet::new();
    let mut is_empty = true;
    for cpu in allowed()?.into_iter().filter(|cpu| !taken.contains(cpu)) {
        set.set(cpu)?;
        is_empty = false;
    }
    if !is_empty {
        sched_setaffinity(THIS_THREAD, &set)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sched::sched_getcpu;

    #[test]
    fn a_pinned_thread_runs_where_it_was_pinned() {
        for cpu in allowed().unwrap() {
            std::thread::spawn(move || {
                pin(cpu).unwrap();
                assert_eq!(sched_getcpu().unwrap(), cpu);
                assert_eq!(allowed().unwrap(), [cpu]);
            })
            .join()
            .unwrap();
        }
    }

    #[test]
    fn says_which_cpus_would_do() {
        let error = pin(100_000).unwrap_err().to_string();
        assert!(error.starts_with("CPU 100000 is not available"), "{error}");
        assert!(
            error.contains(&format!("{:?}", allowed().unwrap())),
            "{error}"
        );
    }
}
