//! What holds for all interfaces of a host: kernel, rights, memory, CPUs.

use super::finding::Finding;
use crate::bpf;
use crate::config::{Config, cpu_list};
use crate::sys::{cpu, kernel, memory};
use anyhow::Result;
use std::fs;

/// The host, as far as it matters.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// The kernel's release, as `uname -r` prints it.
    pub(super) release: String,
    /// Capabilities that this process lacks.
    pub(super) missing: Vec<&'static str>,
    /// Free huge pages, and the bytes of one; none where the kernel has none.
    pub(super) huge_pages: Option<(usize, usize)>,
    /// The CPUs that workers are pinned to.
    pub(super) cpus: Vec<usize>,
}

/// Links between programs and interfaces came with it, and nothing works without.
const KERNEL_MIN: (u32, u32) = (5, 9);
/// The oldest on which the kernel program was seen to load.
const KERNEL_TRIED: (u32, u32) = (6, 1);

const SUBJECT: &str = "host";

impl Host {
    /// Looks at this host.
    ///
    /// # Errors
    /// The kernel does not say which CPUs may be used.
    pub(super) fn look(config: &Config) -> Result<Self> {
        let cpus = match config.cpus.is_empty() {
            true => cpu::allowed()?,
            false => config.cpus.clone(),
        };
        Ok(Self {
            release: kernel::release()?,
            missing: bpf::missing_to_serve(),
            huge_pages: memory::huge_pages(),
            cpus,
        })
    }

    /// The kernel's version, as far as it can be compared.
    pub(super) fn kernel(&self) -> (u32, u32) {
        let mut parts = self.release.split(|c: char| !c.is_ascii_digit());
        let mut part = || parts.next().and_then(|part| part.parse().ok());
        (part().unwrap_or(0), part().unwrap_or(0))
    }

    /// What is to be said of it, before anything of an interface. `falls_back`: kernel sockets
    /// answer where AF_XDP cannot.
    pub(super) fn findings(&self, falls_back: bool, umem_bytes: &[usize]) -> Vec<Finding> {
        let mut findings = vec![self.judge_kernel(falls_back), self.judge_rights(falls_back)];
        if !umem_bytes.is_empty() {
            findings.push(self.judge_memory(umem_bytes));
        }
        findings
    }

    fn judge_kernel(&self, falls_back: bool) -> Finding {
        let fact = format!("Linux {}", self.release);
        let topic = "kernel";
        let ((major, minor), (tried, of_tried)) = (KERNEL_MIN, KERNEL_TRIED);
        if self.kernel() < KERNEL_MIN {
            let remedy = format!("AF_XDP needs {major}.{minor} or newer");
            Finding::lack(falls_back, SUBJECT, topic, fact, remedy)
        } else if self.kernel() < KERNEL_TRIED {
            let remedy = format!("older than {tried}.{of_tried}, with which it was tried");
            Finding::warning(SUBJECT, topic, fact, remedy)
        } else {
            Finding::fine(SUBJECT, topic, fact)
        }
    }

    fn judge_rights(&self, falls_back: bool) -> Finding {
        let topic = "capabilities";
        if self.missing.is_empty() {
            return Finding::fine(SUBJECT, topic, "all that AF_XDP needs");
        }
        let fact = format!("{} missing", self.missing.join(", "));
        let remedy = "run as root, or grant them: AmbientCapabilities= in a unit";
        // Memory can be locked without the right to, up to a limit.
        match self.missing[..] {
            ["CAP_IPC_LOCK"] => Finding::warning(SUBJECT, topic, fact, remedy),
            _ => Finding::lack(falls_back, SUBJECT, topic, fact, remedy),
        }
    }

    fn judge_memory(&self, umem_bytes: &[usize]) -> Finding {
        let topic = "huge pages";
        let Some((free, size)) = self.huge_pages else {
            return Finding::fine(SUBJECT, topic, "not known to this kernel");
        };
        let needed: usize = umem_bytes.iter().map(|bytes| bytes.div_ceil(size)).sum();
        let fact = format!(
            "{free} free of {} KiB, and the frames of all queues take {needed}",
            size >> 10
        );
        if free >= needed {
            return Finding::fine(SUBJECT, topic, fact);
        }
        let remedy =
            format!("without them all works a little slower: sysctl vm.nr_hugepages={needed}");
        Finding::warning(SUBJECT, topic, fact, remedy)
    }
}

/// The CPUs of a NUMA node; none where there are no nodes.
pub(super) fn cpus_of_node(node: u32) -> Option<Vec<usize>> {
    let list = fs::read_to_string(format!("/sys/devices/system/node/node{node}/cpulist")).ok()?;
    cpu_list(list.trim()).ok().map(|list| list.0)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    fn host(release: &str) -> Host {
        Host {
            release: release.to_owned(),
            missing: Vec::new(),
            huge_pages: Some((0, 2 << 20)),
            cpus: vec![0, 1],
        }
    }

    #[test]
    fn a_kernel_is_too_old_untried_or_fine() {
        let grade = |release, falls_back| host(release).judge_kernel(falls_back).grade;
        assert_eq!(grade("5.8.0", false), Grade::Error);
        assert_eq!(grade("5.8.0", true), Grade::Warning);
        assert_eq!(grade("5.15.0-91-generic", false), Grade::Warning);
        assert_eq!(grade("6.1.0-18-amd64", false), Grade::Fine);
        assert_eq!(grade("7.3.4+deb13-amd64", false), Grade::Fine);
    }

    #[test]
    fn rights_that_are_missing_are_named() {
        let mut host = host("6.1.0");
        assert_eq!(host.judge_rights(false).grade, Grade::Fine);
        host.missing = vec!["CAP_BPF", "CAP_NET_RAW"];
        let finding = host.judge_rights(false);
        assert_eq!(finding.grade, Grade::Error);
        assert!(finding.to_string().contains("CAP_BPF, CAP_NET_RAW missing"));
        host.missing = vec!["CAP_IPC_LOCK"];
        assert_eq!(host.judge_rights(false).grade, Grade::Warning);
    }

    #[test]
    fn huge_pages_are_counted_for_all_queues() {
        let umem = 8192 * 2048;
        let finding = host("6.1.0").judge_memory(&[umem, umem]);
        let text = "host: warning: huge pages: 0 free of 2048 KiB, and the frames of all queues \
                    take 16; without them all works a little slower: sysctl vm.nr_hugepages=16";
        assert_eq!(finding.to_string(), text);
        let mut rich = host("6.1.0");
        rich.huge_pages = Some((16, 2 << 20));
        assert_eq!(rich.judge_memory(&[umem, umem]).grade, Grade::Fine);
    }
}
