//! The program and its maps. Userspace finds them by the names in `common::names`.

use aya_ebpf::bindings::xdp_action::{XDP_PASS, XDP_REDIRECT};
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{Array, PerCpuArray, XskMap};
use aya_ebpf::programs::XdpContext;
use aya_log_ebpf::debug;
use common::{Action, FilterConfig, QUEUES_MAX, Verdict, classify, source};
use core::net::{IpAddr, Ipv6Addr};

use crate::frame::{Frame, increment};

#[map]
static CONFIG: Array<FilterConfig> = Array::with_max_entries(1, 0);
#[map]
static SOCKETS: XskMap = XskMap::with_max_entries(QUEUES_MAX, 0);
#[map]
static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Verdict::COUNT as u32, 0);

/// Sorts one received frame.
#[xdp]
fn ripples_xdp(ctx: XdpContext) -> u32 {
    // The entry of an array is always there; only the verifier does not know.
    let Some(config) = CONFIG.get(0) else {
        return XDP_PASS;
    };
    let frame = Frame::new(&ctx);
    let mut verdict = classify(&frame, config);
    let action = match verdict.action() {
        Action::Pass => XDP_PASS,
        Action::Redirect => match SOCKETS.redirect(ctx.rx_queue_index(), XDP_PASS.into()) {
            Ok(_) => XDP_REDIRECT,
            Err(_) => {
                verdict = Verdict::NoSocket;
                XDP_PASS
            }
        },
    };
    if let Some(counter) = COUNTERS.get_ptr_mut(verdict.index()) {
        increment(counter);
    }
    // The level is constant once the program is loaded: where it is lower, the verifier takes this
    // out, arguments included.
    debug!(
        &ctx,
        "{:i} {}",
        source(&frame).unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        verdict.name()
    );
    action
}

/// What `no_std` asks for. No path leads here: the verifier would refuse the loop.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
