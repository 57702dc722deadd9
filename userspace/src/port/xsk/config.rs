//! What an AF_XDP port is opened with.

use super::error::{Cause, XskError};
use std::fmt;

/// Bytes before the packet in a frame that are the XDP program's (include/uapi/linux/bpf.h).
pub(super) const XDP_HEADROOM: u32 = 256;
/// Bytes of a VLAN tag.
pub(super) const VLAN_LEN: u32 = 4;
/// Bytes of an Ethernet header with two VLAN tags.
const LINK_HEADER_MAX: u32 = 22;
/// Some NICs put a receive timestamp before the packet, at the expense of its room.
pub(super) const TIMESTAMP_ROOM: u32 = 64;
/// The kernel's smallest frame; one page is its largest (net/xdp/xdp_umem.c).
const FRAME_SIZES: [u32; 2] = [2048, 4096];

/// The largest packet in bytes, link header not counted, that a frame is sure to hold.
pub const PACKET_MAX: u32 = FRAME_SIZES[1] - XDP_HEADROOM - TIMESTAMP_ROOM - LINK_HEADER_MAX;

/// How frames pass between the NIC and the UMEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindMode {
    /// The NIC reads and writes the UMEM. Not every driver can.
    ZeroCopy,
    /// The kernel copies. Works on every driver, with native and with generic XDP.
    Copy,
}

/// What an `XskPort` is opened with. Sizes are counts of frames, each a power of two.
#[derive(Clone, Debug)]
pub struct XskConfig {
    /// The interface's name.
    pub interface: String,
    /// The receive queue, from 0.
    pub queue: u32,
    /// How frames pass between the NIC and the UMEM.
    pub mode: BindMode,
    /// Whether checksums of received packets are verified.
    pub verify: bool,
    /// The VLAN whose tag replies to untagged queries get: the NIC takes tags off.
    pub tag: Option<u16>,
    /// Frames in the UMEM.
    pub frame_count: u32,
    /// Bytes of a frame, 2048 or 4096; none chooses by the interface's MTU.
    pub frame_size: Option<u32>,
    /// Frames that may wait in the RX ring.
    pub rx_size: u32,
    /// Frames that may wait in the TX ring.
    pub tx_size: u32,
    /// Frames that may wait to be filled.
    pub fill_size: u32,
}

impl XskConfig {
    /// The usual sizes, for `queue` of `interface`.
    pub fn new(interface: &str, queue: u32, mode: BindMode) -> Self {
        Self {
            interface: interface.to_owned(),
            queue,
            mode,
            verify: false,
            tag: None,
            // Twice the fill ring, so that it stays full while as many frames are being sent.
            frame_count: 8192,
            frame_size: None,
            // Several milliseconds of queries at a million a second.
            rx_size: 4096,
            tx_size: 2048,
            // As many as a NIC's largest usual ring, which zero-copy drivers fill from here.
            fill_size: 4096,
        }
    }

    /// Checks the sizes against each other.
    pub(super) fn check(&self) -> Result<(), XskError> {
        for (field, value) in [
            ("frame_count", self.frame_count),
            ("rx_size", self.rx_size),
            ("tx_size", self.tx_size),
            ("fill_size", self.fill_size),
        ] {
            if !value.is_power_of_two() {
                let problem =
                    format!("{field} = {value}: must be a power of two, for example 2048");
                return Err(self.error(Cause::Config(problem)));
            }
        }
        // With frames left over when the TX ring is full, there is always one to receive into.
        if self.tx_size >= self.frame_count {
            let (tx, frames) = (self.tx_size, self.frame_count);
            let problem = format!("tx_size = {tx}: must be less than frame_count, {frames}");
            return Err(self.error(Cause::Config(problem)));
        }
        match self.frame_size {
            Some(size) if !FRAME_SIZES.contains(&size) => {
                let problem = format!("frame_size = {size}: must be 2048 or 4096");
                Err(self.error(Cause::Config(problem)))
            }
            _ => Ok(()),
        }
    }

    /// Bytes of a frame on a link that carries packets of `mtu` bytes.
    pub(super) fn frame_size_for(&self, mtu: u32) -> u32 {
        let [small, large] = FRAME_SIZES;
        let needed = mtu.saturating_add(XDP_HEADROOM + TIMESTAMP_ROOM + LINK_HEADER_MAX);
        let fitting = if needed <= small { small } else { large };
        self.frame_size.unwrap_or(fitting)
    }

    /// Bytes of the UMEM on such a link.
    pub fn umem_bytes(&self, mtu: u32) -> usize {
        self.frame_count as usize * self.frame_size_for(mtu) as usize
    }

    /// An error of the port that this describes.
    pub(super) fn error(&self, cause: Cause) -> XskError {
        XskError {
            interface: self.interface.clone(),
            queue: self.queue,
            mode: self.mode,
            cause,
        }
    }
}

impl fmt::Display for BindMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroCopy => "zero-copy",
            Self::Copy => "copy mode",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(edit: impl FnOnce(&mut XskConfig)) -> String {
        let mut config = XskConfig::new("eth7", 3, BindMode::Copy);
        edit(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn says_which_size_is_wrong_and_what_it_should_be() {
        XskConfig::new("eth7", 3, BindMode::Copy).check().unwrap();
        assert_eq!(
            problem(|config| config.rx_size = 1000),
            "AF_XDP on eth7, queue 3, copy mode: rx_size = 1000: must be a power of two, for \
             example 2048"
        );
        assert!(problem(|config| config.fill_size = 0).contains("fill_size = 0"));
        assert!(problem(|config| config.tx_size = 8192).contains("less than frame_count, 8192"));
        assert!(problem(|config| config.frame_size = Some(3000)).contains("2048 or 4096"));
    }

    #[test]
    fn a_frame_holds_the_largest_packet_where_a_page_can() {
        let config = XskConfig::new("eth7", 3, BindMode::Copy);
        assert_eq!(config.frame_size_for(1500), 2048);
        assert_eq!(config.frame_size_for(1706), 2048);
        assert_eq!(config.frame_size_for(1707), 4096);
        assert_eq!(config.frame_size_for(9000), 4096);
        assert_eq!(config.frame_size_for(u32::MAX), 4096);
    }
}
