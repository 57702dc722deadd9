//! Which kernel modules need which others: `modules.dep` (modules.dep(5)).

use anyhow::{Context, Result};

/// The files of modules and of all that they need, each behind those that it needs; paths are as
/// `table` has them.
pub(super) fn closure<'t>(table: &'t str, names: &[&str]) -> Result<Vec<&'t str>> {
    let mut files: Vec<&str> = Vec::new();
    for name in names {
        let line = table.lines().find_map(|line| {
            let (file, needed) = line.split_once(':')?;
            (module_name(file) == normal(name)).then_some((file, needed))
        });
        let (file, needed) = line.with_context(|| format!("the kernel has no module {name}"))?;
        // The last one is needed by those before.
        for file in needed.split_whitespace().rev().chain([file]) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// The name by which the kernel knows the module in this file.
fn module_name(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    normal(name.split('.').next().unwrap_or(name))
}

/// Hyphens and underscores are the same to the kernel.
fn normal(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
kernel/drivers/dca/dca.ko.xz:
kernel/drivers/net/igb/igb.ko.xz: kernel/i2c/i2c-algo-bit.ko.xz kernel/drivers/dca/dca.ko.xz
kernel/i2c/i2c-algo-bit.ko.xz:
kernel/drivers/net/virtio_net.ko.xz: kernel/net/net_failover.ko.xz kernel/net/failover.ko.xz
";

    #[test]
    fn what_a_module_needs_comes_before_it_and_once() {
        let files = closure(TABLE, &["igb", "dca", "virtio-net"]).unwrap();
        let names: Vec<_> = files.iter().map(|file| module_name(file)).collect();
        let expected = [
            "dca",
            "i2c_algo_bit",
            "igb",
            "failover",
            "net_failover",
            "virtio_net",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_module_that_is_not_there_is_named() {
        let error = closure(TABLE, &["ixgbe"]).unwrap_err().to_string();
        assert_eq!(error, "the kernel has no module ixgbe");
    }
}
