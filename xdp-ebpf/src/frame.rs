//! The frame under the program's hand: the only unsafe code in the kernel.
#![expect(unsafe_code, reason = "reads packet memory, as the verifier allows")]

use core::arch::asm;

use aya_ebpf::programs::XdpContext;
use common::Bytes;

/// The bytes between `data` and `data_end`.
pub(crate) struct Frame {
    start: usize,
    end: usize,
}

impl Frame {
    /// Borrows the frame of `ctx`.
    #[inline(always)]
    pub(crate) fn new(ctx: &XdpContext) -> Self {
        Self {
            start: ctx.data(),
            end: ctx.data_end(),
        }
    }
}

impl Bytes for Frame {
    #[inline(always)]
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let mut start = self.start + offset;
        // SAFETY: moves a register into itself. Not knowing that, the optimiser keeps the check
        // below even where an earlier one implies it: the verifier does not see such things.
        unsafe { asm!("{0} = {0}", inout(reg) start, options(pure, nomem, nostack)) };
        if start + N > self.end {
            return None;
        }
        // SAFETY: the N bytes lie before the frame's end, and byte arrays are aligned everywhere.
        Some(unsafe { *(start as *const [u8; N]) })
    }

    #[inline(always)]
    fn reaches(&self, mut length: usize) -> bool {
        // SAFETY: clears bits that no frame's length has. The optimiser would leave that out:
        // it knows that two swapped bytes are below 65536, which the verifiers of Linux 6.1 and
        // 6.12 do not, and without a bound they refuse the sum.
        unsafe { asm!("{0} &= 0x7fffffff", inout(reg) length, options(pure, nomem, nostack)) };
        self.start + length <= self.end
    }
}

/// Adds one to a counter of this CPU.
#[inline(always)]
pub(crate) fn increment(counter: *mut u64) {
    // SAFETY: the pointer is to this CPU's entry of a map, where no other program writes meanwhile.
    unsafe { *counter += 1 }
}
