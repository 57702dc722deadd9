//! What the server counts and says about itself. Each metric is declared once, here.

mod counters;
pub mod exposition;
mod histogram;
pub mod log;
mod zone_counts;

pub use counters::{Counters, Tally, Totals};
use exposition::Kind;
pub use histogram::{Distribution, Histograms, Measure};
pub use zone_counts::{ZoneCount, ZoneCounts};

/// Declares an enum whose variants are metrics: the name is the label, the doc line the help text.
macro_rules! metrics {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident {
            $( #[doc = $help:literal] $Variant:ident = $label:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $Name {
            $( #[doc = $help] $Variant, )*
        }

        impl $Name {
            /// Every variant, in the order of their indices.
            pub const ALL: &'static [$Name] = &[$( $Name::$Variant, )*];
            /// The number of variants.
            pub const COUNT: usize = Self::ALL.len();

            /// The metric label.
            pub const fn label(self) -> &'static str {
                match self { $( $Name::$Variant => $label, )* }
            }

            /// One sentence for whoever reads the metric.
            pub const fn help(self) -> &'static str {
                match self { $( $Name::$Variant => $help.trim_ascii(), )* }
            }

            /// The place in a table of all variants.
            pub const fn index(self) -> usize {
                self as usize
            }
        }
    };
}

/// As `metrics!`, where each variant is a family of its own among the metrics: the first name is
/// the field that `ctl stats` has, the second one the family.
macro_rules! families {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident {
            $(
                #[doc = $help:literal]
                $Variant:ident = $label:literal, $Kind:ident $family:literal,
            )*
        }
    ) => {
        $crate::telemetry::metrics! {
            $(#[$meta])*
            pub enum $Name {
                $( #[doc = $help] $Variant = $label, )*
            }
        }

        impl $crate::telemetry::Family for $Name {
            fn label(self) -> &'static str {
                self.label()
            }

            fn family(self) -> (&'static str, $crate::telemetry::exposition::Kind) {
                use $crate::telemetry::exposition::Kind;
                match self { $( $Name::$Variant => ($family, Kind::$Kind), )* }
            }

            fn help(self) -> &'static str {
                self.help()
            }
        }
    };
}

pub(crate) use {families, metrics};

/// A metric that is a number without labels.
pub trait Family: Copy + 'static {
    /// The field that has it in JSON.
    fn label(self) -> &'static str;

    /// What it is called among the metrics, without `ripples_`, and what its numbers are.
    fn family(self) -> (&'static str, Kind);

    /// One sentence for whoever reads the metric.
    fn help(self) -> &'static str;
}

metrics! {
    /// Why a frame was not answered. Each unanswered frame counts under exactly one reason.
    pub enum Discard {
        /// The frame ends inside its headers.
        ShortFrame = "short_frame",
        /// Neither IPv4 nor IPv6, or more than two VLAN tags.
        NotIp = "not_ip",
        /// The IP header contradicts itself or the frame.
        BadIpHeader = "bad_ip_header",
        /// The packet is a fragment.
        Fragment = "fragment",
        /// The IP payload is not UDP.
        NotUdp = "not_udp",
        /// The UDP length and the IP payload's differ.
        UdpLength = "udp_length",
        /// The checksum of the IPv4 header or of the datagram is wrong.
        BadChecksum = "bad_checksum",
        /// The source port is zero or the source address no host's: no reply could reach it.
        NoReturn = "no_return",
        /// The message is longer than a frame, and was cut.
        Oversize = "oversize",
        /// The message is shorter than a DNS header.
        ShortMessage = "short_message",
        /// The message is itself a response: an answer is never answered.
        Response = "response",
        /// The frame has no room for a reply.
        NoRoom = "no_room",
        /// The client is in a network that is not answered, and not told so.
        Denied = "denied",
        /// The client's network has had as many replies as it gets.
        RateLimited = "rate_limited",
    }
}

metrics! {
    /// How a query was answered: the response code. Replies and discards sum to the received
    /// frames.
    pub enum Rcode {
        /// The name exists (RFC 1035).
        NoError = "noerror",
        /// The query could not be understood (RFC 1035).
        FormErr = "formerr",
        /// The server failed to answer (RFC 1035).
        ServFail = "servfail",
        /// The name does not exist (RFC 1035).
        NxDomain = "nxdomain",
        /// The kind of query is not supported (RFC 1035).
        NotImp = "notimp",
        /// The name is in none of the zones, or policy forbids (RFC 1035).
        Refused = "refused",
        /// A DNAME substitution grew too long (RFC 6672).
        YxDomain = "yxdomain",
        /// The EDNS version is not supported (RFC 6891).
        BadVers = "badvers",
        /// The server cookie is missing or wrong (RFC 7873).
        BadCookie = "badcookie",
        /// The query is signed, and no key is known (RFC 8945).
        NotAuth = "notauth",
    }
}

impl Rcode {
    /// The code on the wire: 12 bits, the upper 8 of them in the OPT record.
    #[inline(always)]
    pub const fn code(self) -> u16 {
        const CODES: [u16; Rcode::COUNT] = [0, 1, 2, 3, 4, 5, 6, 16, 23, 9];
        CODES[self as usize]
    }
}

metrics! {
    /// What was asked for, of each query that was answered.
    pub enum QueryType {
        /// No question that could be read.
        None = "none",
        /// An IPv4 address (RFC 1035).
        A = "a",
        /// Name servers (RFC 1035).
        Ns = "ns",
        /// An alias (RFC 1035).
        Cname = "cname",
        /// The start of authority (RFC 1035).
        Soa = "soa",
        /// A pointer to a name (RFC 1035).
        Ptr = "ptr",
        /// Mail exchanges (RFC 1035).
        Mx = "mx",
        /// Text (RFC 1035).
        Txt = "txt",
        /// An IPv6 address (RFC 3596).
        Aaaa = "aaaa",
        /// The location of a service (RFC 2782).
        Srv = "srv",
        /// Rules to rewrite by (RFC 3403).
        Naptr = "naptr",
        /// A delegation's signer (RFC 4034).
        Ds = "ds",
        /// Signatures (RFC 4034).
        Rrsig = "rrsig",
        /// Keys (RFC 4034).
        Dnskey = "dnskey",
        /// Certificates of TLS (RFC 6698).
        Tlsa = "tlsa",
        /// A service's parameters (RFC 9460).
        Svcb = "svcb",
        /// The same for HTTPS (RFC 9460).
        Https = "https",
        /// Changes of a zone (RFC 1995).
        Ixfr = "ixfr",
        /// A whole zone (RFC 5936).
        Axfr = "axfr",
        /// Whatever there is (RFC 8482).
        Any = "any",
        /// Certification authorities (RFC 8659).
        Caa = "caa",
        /// Any other type.
        Other = "other",
    }
}

impl QueryType {
    /// The one that a query for `qtype` counts under.
    #[inline(always)]
    pub const fn of(qtype: u16) -> Self {
        /// By number, and one more for those above.
        const LAST: usize = 258;
        const TABLE: [QueryType; LAST + 1] = {
            let mut table = [QueryType::Other; LAST + 1];
            let mut at = 0;
            while at < NUMBERS.len() {
                let (number, kind) = NUMBERS[at];
                table[number] = kind;
                at += 1;
            }
            table
        };
        const NUMBERS: [(usize, QueryType); 21] = [
            (0, QueryType::None),
            (1, QueryType::A),
            (2, QueryType::Ns),
            (5, QueryType::Cname),
            (6, QueryType::Soa),
            (12, QueryType::Ptr),
            (15, QueryType::Mx),
            (16, QueryType::Txt),
            (28, QueryType::Aaaa),
            (33, QueryType::Srv),
            (35, QueryType::Naptr),
            (43, QueryType::Ds),
            (46, QueryType::Rrsig),
            (48, QueryType::Dnskey),
            (52, QueryType::Tlsa),
            (64, QueryType::Svcb),
            (65, QueryType::Https),
            (251, QueryType::Ixfr),
            (252, QueryType::Axfr),
            (255, QueryType::Any),
            (257, QueryType::Caa),
        ];
        let at = qtype as usize;
        TABLE[if at < LAST { at } else { LAST }]
    }
}

metrics! {
    /// Everything else that is counted per worker.
    pub enum Event {
        /// Frames taken from the port.
        Received = "received",
        /// Those among the received that came by UDP; the others are messages of TCP.
        Udp = "udp",
        /// Turns of the loop that found at least one frame.
        Turns = "turns",
        /// Turns that found nothing.
        IdleTurns = "idle_turns",
        /// Times the worker went to sleep.
        Sleeps = "sleeps",
        /// Frames sent back as they came, by the measuring mode `--reflect`.
        Reflected = "reflected",
        /// Queries with an OPT record.
        Edns = "edns",
        /// Those among them of another version or malformed (BADVERS, FORMERR); the rest is valid.
        EdnsBad = "edns_bad",
        /// Queries that asked for DNSSEC records.
        DnssecOk = "dnssec_ok",
        /// Queries without a cookie of legal length, or with cookies switched off.
        CookieNone = "cookie_none",
        /// Queries with a client cookie only.
        CookieClientOnly = "cookie_client_only",
        /// Queries with a right server cookie.
        CookieValid = "cookie_valid",
        /// Queries with a server cookie that is wrong or too old.
        CookieBad = "cookie_bad",
        /// Queries that were told the server's identifier.
        Nsid = "nsid",
        /// Queries whose client subnet was read.
        ClientSubnet = "client_subnet",
        /// Queries that were told the idle timeout of TCP.
        Keepalive = "keepalive",
        /// Queries of class CH.
        Chaos = "chaos",
        /// Replies with the TC bit.
        Truncated = "truncated",
        /// Replies without records to networks that have had their share.
        Slipped = "slipped",
        /// Referrals to another server.
        Referrals = "referrals",
        /// Replies the port could not send.
        TransmitFailed = "transmit_failed",
        /// Replies with no route to the client, or one that drops them.
        NoRoute = "no_route",
        /// Replies that went back to the sender's Ethernet address: the next hop's is not known.
        NextHopUnresolved = "next_hop_unresolved",
        /// Replies that went back there because the next hop is by another interface or VLAN.
        NextHopElsewhere = "next_hop_elsewhere",
        /// Wake-ups of the kernel for transmission.
        Kicks = "kicks",
        /// Wake-ups that the kernel put off: it was busy, out of buffers or out of its budget.
        Stalls = "stalls",
        /// Replies that somebody wanted to see and the query log had no room for.
        Unlogged = "unlogged",
        /// Errors of the kernel while sending or receiving, beyond a full ring.
        PortErrors = "port_errors",
    }
}

families! {
    /// What is told of resources.
    pub enum ResourceMetric {
        /// Which snapshot is served, counted from the first.
        Generation = "generation", Gauge "snapshot_generation",
        /// How long ago what is served was put together, in seconds.
        AgeSeconds = "age_seconds", Gauge "snapshot_age_seconds",
        /// Zones that are served.
        Zones = "zones", Gauge "zones",
        /// Zones whose files cannot be read as they are.
        ZonesFailed = "zones_failed", Gauge "zones_failed",
        /// Old snapshots that a worker still has.
        SnapshotsOutstanding = "snapshots_outstanding", Gauge "snapshots_outstanding",
        /// Reloads, also those that changed nothing.
        Reloads = "reloads", Counter "reloads",
        /// Reloads that left something as it was because it could not be read.
        ReloadErrors = "reload_errors", Counter "reload_errors",
    }
}
