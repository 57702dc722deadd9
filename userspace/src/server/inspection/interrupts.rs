//! The interrupts of a NIC's queues, and the CPUs that they go to.

use crate::config::cpu_list;
use std::fs;

/// An interrupt of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interrupt {
    /// Its number.
    pub(super) number: u32,
    /// What the driver calls it.
    pub(super) name: String,
    /// The CPUs that it goes to; empty where the kernel does not say.
    pub(super) cpus: Vec<usize>,
}

/// What drivers call interrupts that no packet raises.
const OTHERS: &[&str] = &[
    "async", "config", "control", "mgmt", "misc", "other", "pages", "output",
];

/// The interrupts of the queues of the interface that sysfs shows in `folder`, by number. Empty for
/// one without hardware.
pub(super) fn of(folder: &str) -> Vec<Interrupt> {
    let device = format!("{folder}/device");
    let interface = folder.rsplit('/').next().unwrap_or(folder);
    // virtio's device is part of the one that has the interrupts.
    let folders = [
        format!("{device}/msi_irqs"),
        format!("{device}/../msi_irqs"),
    ];
    let entries = folders.iter().find_map(|folder| fs::read_dir(folder).ok());
    let names = entries.into_iter().flatten().flatten();
    let numbers: Vec<u32> = names
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    let table = fs::read_to_string("/proc/interrupts").unwrap_or_default();
    let mut interrupts = of_queues(&table, interface, &numbers);
    for interrupt in &mut interrupts {
        interrupt.cpus = cpus(interrupt.number);
    }
    interrupts
}

/// Finds the interrupts of queues in the text of /proc/interrupts.
fn of_queues(table: &str, interface: &str, numbers: &[u32]) -> Vec<Interrupt> {
    let mut interrupts: Vec<_> = table
        .lines()
        .filter_map(|line| {
            let (number, rest) = line.trim_start().split_once(':')?;
            let number = number.parse().ok()?;
            let name = rest.split_whitespace().last()?;
            let is_queue = name != interface && is_of_queue(&name.to_lowercase());
            (numbers.contains(&number) && is_queue).then(|| Interrupt {
                number,
                name: name.to_owned(),
                cpus: Vec::new(),
            })
        })
        .collect();
    interrupts.sort_by_key(|interrupt| interrupt.number);
    interrupts
}

/// Whether an interrupt of this name, in small letters, says that packets have come.
fn is_of_queue(name: &str) -> bool {
    let only_sends = name.contains("tx") && !name.contains("rx");
    !only_sends && !OTHERS.iter().any(|other| name.contains(other))
}

/// The CPUs that an interrupt goes to: those that it was given, else those that it may be given.
fn cpus(number: u32) -> Vec<usize> {
    let read = |file| fs::read_to_string(format!("/proc/irq/{number}/{file}")).ok();
    let lists = ["effective_affinity_list", "smp_affinity_list"].map(read);
    let mut lists = lists.iter().flatten();
    let cpus = lists.find_map(|list| cpu_list(list.trim()).ok());
    cpus.map(|list| list.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
           CPU0       CPU1
  24:          1          0  PCI-MSIX-0000:01:00.0   0-edge      eth1
  25:        100          0  PCI-MSIX-0000:01:00.0   1-edge      eth1-TxRx-0
  26:          0        100  PCI-MSIX-0000:01:00.0   2-edge      eth1-TxRx-1
  27:          0        100  PCI-MSIX-0000:02:00.0   2-edge      eth2-TxRx-1
  28:          0          0  PCI-MSIX-0000:03:00.0   0-edge      virtio1-config
  29:          0          0  PCI-MSIX-0000:03:00.0   1-edge      virtio1-input.0
  30:          0          0  PCI-MSIX-0000:03:00.0   2-edge      virtio1-output.0
  31:          0          0  PCI-MSIX-0000:01:00.0   3-edge      eth1-rx-0
  32:          0          0  PCI-MSIX-0000:01:00.0   4-edge      eth1-tx-0
 NMI:          0          0   Non-maskable interrupts
";

    #[test]
    fn only_those_of_queues_that_receive_count() {
        let names = |numbers: &[u32]| -> Vec<String> {
            let found = of_queues(TABLE, "eth1", numbers);
            found.into_iter().map(|interrupt| interrupt.name).collect()
        };
        assert_eq!(names(&[24, 25, 26]), ["eth1-TxRx-0", "eth1-TxRx-1"]);
        assert_eq!(names(&[28, 29, 30]), ["virtio1-input.0"]);
        assert_eq!(names(&[24, 31, 32]), ["eth1-rx-0"]);
        assert!(names(&[]).is_empty());
    }
}
