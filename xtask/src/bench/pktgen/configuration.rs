//! What is written to /proc/net/pktgen, in order: <https://docs.kernel.org/networking/pktgen.html>.

use super::Options;
use super::interface::Mac;
use anyhow::{Result, bail};
use std::fmt;
use std::net::IpAddr;

/// Where the kernel has its files.
pub(super) const FOLDER: &str = "/proc/net/pktgen";
/// The file for all threads.
pub(super) const CONTROL: &str = "pgctrl";
/// The smallest frames, which both kinds of headers and pktgen's own fit into.
const SIZE_IPV4: u32 = 60;
const SIZE_IPV6: u32 = 78;

/// A line, and the file that it goes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The file's name in the folder.
    pub(super) file: String,
    /// The command.
    pub(super) text: String,
}

/// All lines before `start`.
#[derive(Debug)]
pub(super) struct Configuration {
    /// In the order in which they are written.
    pub(super) lines: Vec<Line>,
    /// What pktgen calls the interface on each thread.
    pub(super) devices: Vec<String>,
}

impl Configuration {
    /// A thread on each of the CPUs, all of them sending to `mac`.
    pub(super) fn new(options: &Options, mac: Mac, cpus: &[u32]) -> Result<Self> {
        check(options)?;
        let mut this = Self {
            lines: vec![line(CONTROL, "reset")],
            devices: Vec::new(),
        };
        for (number, cpu) in cpus.iter().enumerate() {
            let (thread, device) = (
                format!("kpktgend_{cpu}"),
                format!("{}@{cpu}", options.interface),
            );
            this.lines.push(line(&thread, "rem_device_all"));
            this.lines
                .push(line(&thread, &format!("add_device {device}")));
            let texts = texts(options, mac, number, cpus.len());
            this.lines
                .extend(texts.iter().map(|text| line(&device, text)));
            this.devices.push(device);
        }
        Ok(this)
    }
}

impl fmt::Display for Configuration {
    /// As a shell would do it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = line(CONTROL, "start");
        for Line { file, text } in self.lines.iter().chain([&start]) {
            writeln!(f, "echo {text} > {FOLDER}/{file}")?;
        }
        Ok(())
    }
}

fn line(file: &str, text: &str) -> Line {
    Line {
        file: file.to_owned(),
        text: text.to_owned(),
    }
}

/// What pktgen would misunderstand.
fn check(options: &Options) -> Result<()> {
    if let Some(src) = options.src {
        if src.first.is_ipv6() != options.dst.is_ipv6() || src.last.is_ipv6() != src.first.is_ipv6()
        {
            bail!("--src and --dst are of different families");
        }
        if src.first.is_ipv6() && !src.is_one() {
            bail!(
                "--src: pktgen sends from one IPv6 address; many --ports make many flows as well"
            );
        }
    }
    if options.rate == Some(0) || options.count == Some(0) {
        bail!("--rate and --count: at least 1");
    }
    Ok(())
}

/// What is said about thread `number` of so many.
fn texts(options: &Options, mac: Mac, number: usize, threads: usize) -> Vec<String> {
    let share = |all: u64| {
        let (number, threads) = (number as u64, threads as u64);
        all / threads + u64::from(number < all % threads)
    };
    let mut texts = vec![
        format!("count {}", options.count.map_or(0, share)),
        format!("clone_skb {}", options.clones),
        format!("burst {}", options.burst),
        match options.rate {
            None => "delay 0".to_owned(),
            // 0 would be misread.
            Some(rate) => format!("ratep {}", share(rate).max(1)),
        },
        "flag NO_TIMESTAMP".to_owned(),
    ];
    match options.queues {
        None => texts.push("flag QUEUE_MAP_CPU".to_owned()),
        Some(queues) => {
            let count = usize::from(queues.last - queues.first) + 1;
            let queue = usize::from(queues.first) + number % count;
            texts.push(format!("queue_map_min {queue}"));
            texts.push(format!("queue_map_max {queue}"));
        }
    }
    texts.extend(sizes(options));
    texts.push(format!("dst_mac {mac}"));
    texts.extend(addresses(options));
    texts.extend(ports(options));
    texts
}

/// How long frames are.
fn sizes(options: &Options) -> Vec<String> {
    let least = match options.dst {
        IpAddr::V4(_) => SIZE_IPV4,
        IpAddr::V6(_) => SIZE_IPV6,
    };
    match options.size {
        None => vec![format!("pkt_size {least}")],
        Some(size) if size.is_one() => vec![format!("pkt_size {}", size.first)],
        Some(size) => vec![
            format!("min_pkt_size {}", size.first),
            // A random one is below the maximum.
            format!("max_pkt_size {}", size.last + u32::from(!options.in_order)),
            flag("TXSIZE_RND", options),
        ],
    }
}

/// From and to where.
fn addresses(options: &Options) -> Vec<String> {
    let dst = options.dst;
    let mut texts = match dst {
        // A UDP checksum of zero is an error in IPv6 (RFC 8200 §8.1).
        IpAddr::V6(_) => vec![format!("dst6 {dst}"), "flag UDPCSUM".to_owned()],
        IpAddr::V4(_) => vec![format!("dst_min {dst}"), format!("dst_max {dst}")],
    };
    if dst.is_ipv4() && options.checksum {
        texts.push("flag UDPCSUM".to_owned());
    }
    match options.src.map(|src| (src.first, src.last)) {
        None => {}
        Some((IpAddr::V4(first), IpAddr::V4(last))) => {
            // As with sizes.
            let is_random = first != last && !options.in_order;
            let end = u32::from(last).saturating_add(u32::from(is_random));
            texts.push(format!("src_min {first}"));
            texts.push(format!("src_max {}", std::net::Ipv4Addr::from(end)));
            if first != last {
                texts.push(flag("IPSRC_RND", options));
            }
        }
        Some((first, _)) => texts.push(format!("src6 {first}")),
    }
    texts
}

/// UDP ports. The upper end is never reached, in order or at random.
fn ports(options: &Options) -> Vec<String> {
    let (port, ports) = (options.port, options.ports);
    let end = match ports.is_one() {
        true => ports.last,
        false => ports.last.saturating_add(1),
    };
    let mut texts = vec![
        format!("udp_dst_min {port}"),
        format!("udp_dst_max {port}"),
        format!("udp_src_min {}", ports.first),
        format!("udp_src_max {end}"),
    ];
    if !ports.is_one() {
        texts.push(flag("UDPSRC_RND", options));
    }
    texts
}

/// Sets what makes something random, or takes it away.
fn flag(name: &str, options: &Options) -> String {
    match options.in_order {
        true => format!("flag !{name}"),
        false => format!("flag {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::pktgen::tests::options;

    const MAC: &str = "02:00:00:00:00:01";

    fn configuration(words: &[&str], cpus: &[u32]) -> Result<Configuration> {
        Configuration::new(&options(words), MAC.parse().unwrap(), cpus)
    }

    /// What is written to one file.
    fn written(configuration: &Configuration, file: &str) -> Vec<String> {
        let lines = configuration.lines.iter().filter(|line| line.file == file);
        lines.map(|line| line.text.clone()).collect()
    }

    #[test]
    fn a_thread_sends_from_many_ports_to_port_53() {
        let text = configuration(&["--dst", "10.0.0.1"], &[3]).unwrap();
        let expected = "\
echo reset > /proc/net/pktgen/pgctrl
echo rem_device_all > /proc/net/pktgen/kpktgend_3
echo add_device eth1@3 > /proc/net/pktgen/kpktgend_3
echo count 0 > /proc/net/pktgen/eth1@3
echo clone_skb 0 > /proc/net/pktgen/eth1@3
echo burst 1 > /proc/net/pktgen/eth1@3
echo delay 0 > /proc/net/pktgen/eth1@3
echo flag NO_TIMESTAMP > /proc/net/pktgen/eth1@3
echo flag QUEUE_MAP_CPU > /proc/net/pktgen/eth1@3
echo pkt_size 60 > /proc/net/pktgen/eth1@3
echo dst_mac 02:00:00:00:00:01 > /proc/net/pktgen/eth1@3
echo dst_min 10.0.0.1 > /proc/net/pktgen/eth1@3
echo dst_max 10.0.0.1 > /proc/net/pktgen/eth1@3
echo udp_dst_min 53 > /proc/net/pktgen/eth1@3
echo udp_dst_max 53 > /proc/net/pktgen/eth1@3
echo udp_src_min 1024 > /proc/net/pktgen/eth1@3
echo udp_src_max 65535 > /proc/net/pktgen/eth1@3
echo flag UDPSRC_RND > /proc/net/pktgen/eth1@3
echo start > /proc/net/pktgen/pgctrl
";
        assert_eq!(text.to_string(), expected);
    }

    #[test]
    fn threads_share_the_rate_the_count_and_the_queues() {
        let words = ["--dst", "10.0.0.1", "--rate", "1001", "--count", "8"];
        let words = [&words[..], &["--queues", "4-5"]].concat();
        let configuration = configuration(&words, &[0, 1, 2]).unwrap();
        let of = |device: &str| {
            let written = written(&configuration, device);
            let shared = ["count ", "ratep ", "queue_map_min "];
            let is_shared = |text: &&String| shared.iter().any(|word| text.starts_with(word));
            let shared: Vec<String> = written.iter().filter(is_shared).cloned().collect();
            shared.join(", ")
        };
        assert_eq!(of("eth1@0"), "count 3, ratep 334, queue_map_min 4");
        assert_eq!(of("eth1@1"), "count 3, ratep 334, queue_map_min 5");
        assert_eq!(of("eth1@2"), "count 2, ratep 333, queue_map_min 4");
        assert_eq!(configuration.devices, ["eth1@0", "eth1@1", "eth1@2"]);
    }

    #[test]
    fn a_random_value_reaches_the_end_of_its_span() {
        let words = ["--dst", "10.0.0.1", "--src", "198.18.0.1-198.18.0.255"];
        let words = [&words[..], &["--ports", "7-8", "--size", "64-128"]].concat();
        let random = written(&configuration(&words, &[0]).unwrap(), "eth1@0").join(", ");
        let expected = [
            "min_pkt_size 64, max_pkt_size 129, flag TXSIZE_RND",
            "src_min 198.18.0.1, src_max 198.18.1.0, flag IPSRC_RND",
            "udp_src_min 7, udp_src_max 9, flag UDPSRC_RND",
        ];
        for part in expected {
            assert!(random.contains(part), "{part}: {random}");
        }
        let words = [&words[..], &["--in-order"]].concat();
        let ordered = written(&configuration(&words, &[0]).unwrap(), "eth1@0").join(", ");
        let expected = [
            "max_pkt_size 128, flag !TXSIZE_RND",
            "src_max 198.18.0.255, flag !IPSRC_RND",
            "udp_src_max 9, flag !UDPSRC_RND",
        ];
        for part in expected {
            assert!(ordered.contains(part), "{part}: {ordered}");
        }
    }

    #[test]
    fn ipv6_has_its_own_words_and_a_checksum() {
        let words = ["--dst", "fd53::1", "--src", "fd53::2"];
        let written = written(&configuration(&words, &[0]).unwrap(), "eth1@0").join(", ");
        assert!(written.contains("pkt_size 78"), "{written}");
        assert!(
            written.contains("dst6 fd53::1, flag UDPCSUM, src6 fd53::2"),
            "{written}"
        );
    }

    #[test]
    fn what_pktgen_would_misunderstand_is_refused() {
        let refusal = |words: &[&str]| configuration(words, &[0]).unwrap_err().to_string();
        let families = refusal(&["--dst", "fd53::1", "--src", "10.0.0.1"]);
        assert!(families.contains("different families"));
        let many = refusal(&["--dst", "fd53::1", "--src", "fd53::2-fd53::9"]);
        assert!(many.contains("one IPv6 address"));
        assert!(refusal(&["--dst", "10.0.0.1", "--rate", "0"]).contains("at least 1"));
    }
}
