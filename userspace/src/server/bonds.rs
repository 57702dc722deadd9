//! Bonds: packets come in on their members, and those are what XDP programs are attached to.

use std::fs;

/// The interfaces to attach to, each once: of bonds their members, of which `tell` is told.
pub(super) fn resolve(interfaces: &[String], tell: impl FnMut(&str, &[String])) -> Vec<String> {
    resolve_with(interfaces, members, tell)
}

/// The members of the bond `name`, in the order in which they were added; none when it is no bond.
///
/// Not by /sys: what is mounted there may be another namespace's.
fn members(name: &str) -> Option<Vec<String>> {
    // A name from the command line must not lead elsewhere.
    let file = (!name.contains('/')).then(|| format!("/proc/thread-self/net/bonding/{name}"))?;
    Some(members_of(&fs::read_to_string(file).ok()?))
}

fn resolve_with(
    interfaces: &[String],
    members: impl Fn(&str) -> Option<Vec<String>>,
    mut tell: impl FnMut(&str, &[String]),
) -> Vec<String> {
    let mut resolved = Vec::new();
    for interface in interfaces {
        match members(interface) {
            Some(members) => {
                tell(interface, &members);
                resolved.extend(members);
            }
            None => resolved.push(interface.clone()),
        }
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
            let mut told = Vec::new();
            let resolved = resolve_with(&names, members, |bond, members| {
                told.push(format!("{bond}: {}", members.join(" ")));
            });
            let bonds = names.iter().filter(|name| *name == "bond0");
            assert_eq!(told, bonds.map(|_| "bond0: eth1 eth2").collect::<Vec<_>>());
            resolved
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
