//! Where the frames of a port are.

/// How many frames are in each place of a frame's life:
///
/// ```text
/// free ─► fill ─► rx ─► held ─► tx ─► free
///                        └── recycle ──►┘
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// In the port, in nobody's hands.
    pub free: usize,
    /// With the kernel or the NIC, to be filled with received packets.
    pub fill: usize,
    /// Received, not taken yet.
    pub rx: usize,
    /// Handed out by `receive`, not given back yet.
    pub held: usize,
    /// With the kernel or the NIC, to be sent, or sent and not returned yet.
    pub tx: usize,
}

impl Census {
    /// All frames; always the port's `frame_count`.
    pub fn total(&self) -> usize {
        self.free + self.fill + self.rx + self.held + self.tx
    }
}
