//! Bonds: packets come in on their members, and those are what XDP programs are attached to.

use std::fs;

/// The members of the bond `name`, in the order in which they were added; none when it is no bond.
///
/// Not by /sys: what is mounted there may be another namespace's.
pub(super) fn members(name: &str) -> Option<Vec<String>> {
    // A name from the command line must not lead elsewhere.
    let file = (!name.contains('/')).then(|| format!("/proc/thread-self/net/bonding/{name}"))?;
    Some(members_of(&fs::read_to_string(file).ok()?))
}

/// The interfaces to attach to: of bonds their members, each once.
pub(super) fn resolve(interfaces: &[String]) -> Vec<String> {
    resolve_with(interfaces, members)
}

fn resolve_with(
    interfaces: &[String],
    members: impl Fn(&str) -> Option<Vec<String>>,
) -> Vec<String> {
    let mut resolved = Vec::new();
    for interface in interfaces {
        let own = members(interface).unwrap_or_else(|| vec![interface.clone()]);
        resolved.extend(own);
    }
    let mut seen = std::collections::HashSet::new();
    resolved.retain(|interface| seen.insert(interface.clone()));
    resolved
}

/// Finds the members in what the bonding driver says of a bond.
fn members_of(text: &str) -> Vec<String> {
    let members = text
        .lines()
        .filter_map(|line| line.strip_prefix("Slave Interface: "));
    members.map(|member| member.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bond_stands_for_its_members() {
        let text = "\
Ethernet Channel Bonding Driver: v6.12.117+deb13-amd64

Bonding Mode: fault-tolerance (active-backup)
Currently Active Slave: eth1
MII Status: up

Slave Interface: eth1
MII Status: up

Slave Interface: eth2
MII Status: up
";
        let members = |name: &str| (name == "bond0").then(|| members_of(text));
        let resolved = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            resolve_with(&names, members)
        };
        assert_eq!(resolved(&["eth0", "bond0"]), ["eth0", "eth1", "eth2"]);
        assert_eq!(resolved(&["eth2", "bond0"]), ["eth2", "eth1"]);
        assert_eq!(resolved(&["eth0"]), ["eth0"]);
    }

    #[test]
    fn what_is_no_bond_has_no_members() {
        assert_eq!(members("lo"), None);
        assert_eq!(members("../bonding"), None);
    }
}
