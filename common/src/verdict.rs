//! Every outcome of the kernel program, declared once: action, counter, name, help.

/// What the kernel does with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The frame goes to the AF_XDP socket of its receive queue.
    Redirect,
    /// The frame goes on into Linux, as if there were no program.
    Pass,
}

/// Declares [`Verdict`] from one list, so that a verdict cannot lack its name or its counter.
macro_rules! verdicts {
    ($($(#[$doc:meta])* $variant:ident = $action:ident, $name:literal, $help:literal;)+) => {
        /// Why a frame goes where it goes. A frame gets exactly one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Verdict {
            $($(#[$doc])* #[doc = $help] $variant,)+
        }

        impl Verdict {
            /// Every verdict, in the order of [`Verdict::index`].
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// What the kernel does with a frame of this verdict.
            #[inline(always)]
            pub const fn action(self) -> Action {
                match self { $(Self::$variant => Action::$action,)+ }
            }

            /// The verdict's name in logs and as the value of a metric's label.
            #[inline(always)]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One sentence for the operator.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)+ }
            }
        }
    };
}

verdicts! {
    Redirect = Redirect, "redirect",
        "DNS for us, handed to the AF_XDP socket of its receive queue.";
    /// Said by the kernel program alone: [`classify`](crate::classify) knows no sockets.
    NoSocket = Pass, "no_socket",
        "DNS for us on a receive queue that has no AF_XDP socket, or of a filter not configured.";
    Truncated = Pass, "truncated",
        "The frame ends before the headers or the IP packet that it announces.";
    GroupFrame = Pass, "group_frame",
        "The Ethernet destination is a broadcast or multicast address.";
    VlanDepth = Pass, "vlan_depth",
        "The frame carries more than two VLAN tags.";
    NotIp = Pass, "not_ip",
        "The frame carries neither IPv4 nor IPv6, as ARP does.";
    MalformedIp = Pass, "malformed_ip",
        "The version or a length in the IP header contradicts the rest of the packet.";
    NotUdp = Pass, "not_udp",
        "The packet carries no UDP, as TCP and ICMP do.";
    ExtensionHeader = Pass, "extension_header",
        "The IPv6 packet has an extension header other than a fragment's.";
    Fragment = Pass, "fragment",
        "The packet is a fragment: the first one, a later one or the last one.";
    GroupAddress = Pass, "group_address",
        "The IP destination is a broadcast or multicast address.";
    OtherAddress = Pass, "other_address",
        "No endpoint of ours has the packet's destination address.";
    OtherPort = Pass, "other_port",
        "An endpoint of ours has the packet's destination address, none its port as well.";
    UdpLength = Pass, "udp_length",
        "The UDP length is not the length of the IP payload.";
}

impl Verdict {
    /// Number of verdicts, and of entries in the `COUNTERS` map.
    pub const COUNT: usize = Self::ALL.len();

    /// The verdict's place in the `COUNTERS` map, `0..COUNT`.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_the_place_in_all() {
        for (place, verdict) in Verdict::ALL.iter().enumerate() {
            assert_eq!(verdict.index() as usize, place);
        }
    }

    #[test]
    fn names_are_unique_metric_labels() {
        for (place, verdict) in Verdict::ALL.iter().enumerate() {
            let name = verdict.name();
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{name}"
            );
            assert!(
                Verdict::ALL[..place]
                    .iter()
                    .all(|earlier| earlier.name() != name),
                "{name}"
            );
            assert!(verdict.help().ends_with('.'), "{name}");
        }
    }

    #[test]
    fn only_one_verdict_takes_frames_from_linux() {
        let redirects = Verdict::ALL
            .iter()
            .filter(|verdict| verdict.action() == Action::Redirect);
        assert_eq!(redirects.count(), 1);
        assert_eq!(Verdict::Redirect.action(), Action::Redirect);
    }
}
