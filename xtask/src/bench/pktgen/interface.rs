//! What has to be known of the interface and of the way to the server.

use crate::shell;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

/// `IFF_UP` (netdevice(7)).
const UP: u32 = 1;
/// `ARPHRD_ETHER`: pktgen knows nothing else.
const ETHERNET: &str = "1";

/// An interface that pktgen can send from.
pub(super) struct Interface {
    /// Its name.
    pub(super) name: String,
    /// Its folder in /sys/class/net.
    folder: PathBuf,
}

impl Interface {
    /// Looks at an interface; `sys` is where sysfs is mounted.
    pub(super) fn open(sys: &Path, name: &str) -> Result<Self> {
        let interfaces = sys.join("class/net");
        let folder = interfaces.join(name);
        if !folder.is_dir() {
            let names = names(&interfaces).join(", ");
            bail!("there is no interface {name}; there are {names}");
        }
        let interface = Self {
            name: name.to_owned(),
            folder,
        };
        if interface.read("type")? != ETHERNET {
            bail!("{name} is no Ethernet interface: pktgen sends from nothing else");
        }
        let flags = interface.read("flags")?;
        let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16);
        if flags.with_context(|| format!("the flags of {name}"))? & UP == 0 {
            bail!("{name} is down; `ip link set {name} up` changes that");
        }
        if interface.read("carrier")? == "0" {
            bail!("{name} has no link: look at the cable and at the other end");
        }
        Ok(interface)
    }

    /// How many queues it sends from.
    pub(super) fn send_queues(&self) -> usize {
        let names = names(&self.folder.join("queues"));
        names.iter().filter(|name| name.starts_with("tx-")).count()
    }

    /// Counter `name` of those that every interface has.
    pub(super) fn counter(&self, name: &str) -> Result<u64> {
        let text = self.read(&format!("statistics/{name}"))?;
        text.parse().with_context(|| format!("{name}: {text:?}"))
    }

    /// The counters of its driver, by name; none where it has none or `ethtool` is missing.
    pub(super) fn driver_counters(&self) -> Vec<(String, u64)> {
        let mut ethtool = Command::new("ethtool");
        ethtool.args(["-S", &self.name]);
        let text = shell::read_again(&mut ethtool, "see that the driver has statistics");
        text.map(|text| driver_counters(&text)).unwrap_or_default()
    }

    /// The MAC address of a neighbour.
    pub(super) fn neighbour(&self, address: IpAddr) -> Result<Mac> {
        let mut ip = Command::new("ip");
        let (name, to) = (&self.name, address.to_string());
        ip.args(["-json", "neighbour", "show", "to", &to, "dev", name]);
        let text = shell::read(&mut ip, "see that iproute2 is installed")?;
        neighbour(&text).ok_or_else(|| {
            anyhow!(
                "{address} is no known neighbour on {name}: `ping -c 1 {address}` makes it one, \
                 or give its MAC address as --mac, behind a router the router's"
            )
        })
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| format!("could not read {}", path.display()))?;
        Ok(text.trim().to_owned())
    }
}

/// The CPUs that are there.
pub(super) fn cpus(sys: &Path) -> Result<Vec<u32>> {
    let path = sys.join("devices/system/cpu/online");
    let text = fs::read_to_string(&path);
    let text = text.with_context(|| format!("could not read {}", path.display()))?;
    let mut cpus = Vec::new();
    for part in text.trim().split(',') {
        let span: super::Span<u32> = part.parse().map_err(|error: String| anyhow!(error))?;
        cpus.extend(span.first..=span.last);
    }
    Ok(cpus)
}

/// What a folder has, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The counters that `ethtool -S` prints.
fn driver_counters(text: &str) -> Vec<(String, u64)> {
    let counters = text.lines().filter_map(|line| {
        let (name, value) = line.rsplit_once(':')?;
        Some((name.trim().to_owned(), value.trim().parse().ok()?))
    });
    counters.collect()
}

/// The address in what `ip -json neighbour` prints; one that was looked for in vain has none.
fn neighbour(json: &str) -> Option<Mac> {
    let json: Value = serde_json::from_str(json).ok()?;
    json.as_array()?
        .iter()
        .find_map(|entry| entry["lladdr"].as_str()?.parse().ok())
}

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mac([u8; 6]);

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let byte = |part: &str| {
            u8::from_str_radix(part, 16)
                .ok()
                .filter(|_| part.len() == 2)
        };
        let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| "six bytes are meant, as in 02:00:00:00:00:01".to_owned())
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.map(|byte| format!("{byte:02x}"));
        f.write_str(&bytes.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::pktgen::tests::Fake;

    #[test]
    fn what_pktgen_cannot_send_from_is_refused_with_the_way_out() {
        let fake = Fake::new("interface");
        let refusal = |name: &str| {
            let refusal = Interface::open(&fake.sys(), name).err();
            refusal.map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(refusal("eth1"), "");
        assert_eq!(
            refusal("eth7"),
            "there is no interface eth7; there are eth1"
        );
        fake.write("sys/class/net/eth1/carrier", "0\n");
        assert!(refusal("eth1").contains("no link"));
        fake.write("sys/class/net/eth1/flags", "0x1002\n");
        assert!(refusal("eth1").contains("ip link set eth1 up"));
        fake.write("sys/class/net/eth1/type", "772\n");
        assert!(refusal("eth1").contains("no Ethernet interface"));
    }

    #[test]
    fn queues_cpus_and_counters_are_read() {
        let fake = Fake::new("queues");
        let interface = Interface::open(&fake.sys(), "eth1").unwrap();
        assert_eq!(interface.send_queues(), 2);
        assert_eq!(interface.counter("tx_packets").unwrap(), 1000);
        assert_eq!(cpus(&fake.sys()).unwrap(), [0, 1, 4]);
        let text = "NIC statistics:\n     rx_missed: 7\n     [0]: tx: 9\n     link: up\n";
        let expected = [("rx_missed".to_owned(), 7), ("[0]: tx".to_owned(), 9)];
        assert_eq!(driver_counters(text), expected);
    }

    #[test]
    fn a_neighbour_that_does_not_answer_has_no_address() {
        let known = r#"[{"dst":"10.0.0.1","lladdr":"02:fc:00:00:00:05","state":["STALE"]}]"#;
        assert_eq!(neighbour(known).unwrap().to_string(), "02:fc:00:00:00:05");
        assert_eq!(
            neighbour(r#"[{"dst":"10.0.0.1","state":["FAILED"]}]"#),
            None
        );
        assert_eq!(neighbour("[]"), None);
        assert!("02:fc:00:00:00".parse::<Mac>().is_err());
        assert!("02:fc:00:00:00:5".parse::<Mac>().is_err());
    }
}
