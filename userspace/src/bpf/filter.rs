//! The loaded kernel program with its maps.
#![expect(
    unsafe_code,
    reason = "aya wants the promise that FilterConfig is plain data"
)]

use super::BpfError;
use super::log::{Events, KernelLog};
use crate::sys::{bpf_link, interface};
use aya::maps::{Array, Map, MapData, MapError, PerCpuArray, XskMap};
use aya::programs::{ProgramError, TestRun, TestRunOptions, Xdp};
use aya::sys::SyscallError;
use aya::util::KernelVersion;
use aya::{Ebpf, EbpfLoader};
use aya_log::{EbpfLogger, Level};
use common::{Action, CONFIG, COUNTERS, FilterConfig, PROGRAM, SOCKETS, Verdict};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// The program, as `cargo xtask build-ebpf` compiled it.
const OBJECT: &[u8] = aya::include_bytes_aligned!("../../../xdp-ebpf/object/ripples-xdp.o");

/// aya-log's ring of records in the object.
const LOG_RECORDS: &str = "AYA_LOGS";

/// How the program is run for the frames of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachMode {
    /// By the driver, before the kernel makes a packet of the frame.
    Native,
    /// By the kernel, for any driver and much slower (SKB mode).
    Generic,
}

impl fmt::Display for AttachMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Generic => "generic",
        })
    }
}

/// The kernel program of one interface, loaded with maps of its own.
///
/// `SOCKETS` is indexed by receive queue alone, so each interface has a filter for itself.
pub struct Filter {
    ebpf: Ebpf,
    config: Array<MapData, ConfigValue>,
    sockets: XskMap<MapData>,
    counters: PerCpuArray<MapData, u64>,
    log: Option<KernelLog>,
    /// The attachment. The kernel ends it when all who have it have closed it, and so with the
    /// process too.
    link: Option<OwnedFd>,
}

impl Filter {
    /// Loads the program; it runs from [`Filter::attach`] on. With `debug` it writes a log record
    /// of every frame's source and verdict; without, the verifier has taken that code out.
    ///
    /// # Errors
    ///
    /// An old kernel; a lack of `CAP_BPF`, `CAP_PERFMON` or `CAP_NET_ADMIN`; too little memory.
    pub fn load(config: &FilterConfig, debug: bool) -> Result<Self, BpfError> {
        check_kernel()?;
        let mut ebpf = parse(debug)?;
        let mut filter = Self {
            config: map(&mut ebpf, CONFIG)?,
            sockets: map(&mut ebpf, SOCKETS)?,
            counters: map(&mut ebpf, COUNTERS)?,
            log: debug
                .then(|| EbpfLogger::init_with_logger(&mut ebpf, Events))
                .transpose()
                .map_err(|error| BpfError::failed("read the XDP program's log", error))?,
            ebpf,
            link: None,
        };
        filter.update_config(config)?;
        program_mut(&mut filter.ebpf)?
            .load()
            .map_err(|error| BpfError::failed("load the XDP program", error))?;
        Ok(filter)
    }

    /// Attaches the program to the interface of this name in the thread's network namespace. A
    /// program that is there is never displaced.
    ///
    /// # Errors
    ///
    /// [`BpfError::Occupied`], [`BpfError::NoInterface`], [`BpfError::Permission`] as they say;
    /// [`BpfError::Refused`] where the driver does not do this mode: try [`AttachMode::Generic`]
    /// where [`BpfError::suggests_generic`].
    pub fn attach(&mut self, interface: &str, mode: AttachMode) -> Result<(), BpfError> {
        let index = interface::index(interface).ok_or_else(|| BpfError::NoInterface {
            interface: interface.to_owned(),
        })?;
        let link = program(&self.ebpf)?
            .fd()
            .map_err(|error| BpfError::failed("attach the XDP program", error))
            .and_then(|program| {
                bpf_link::attach(program.as_fd(), index, mode == AttachMode::Generic)
                    .map_err(|error| BpfError::attach(interface, mode, refusal(error)))
            })?;
        self.link = Some(link);
        Ok(())
    }

    /// Takes over an attachment that another process made, which may keep it as well: from now on
    /// the frames go through this program, in the mode that was chosen there.
    ///
    /// # Errors
    ///
    /// `link` is no attachment to an interface, or the interface is gone.
    pub fn adopt(&mut self, link: OwnedFd) -> Result<(), BpfError> {
        self.link = Some(link);
        self.resume()
    }

    /// Puts this program back into its attachment, whoever may have adopted that meanwhile.
    ///
    /// # Errors
    ///
    /// The interface is gone.
    pub fn resume(&self) -> Result<(), BpfError> {
        let failed = |error: ProgramError| BpfError::failed("switch the XDP program", error);
        let program = program(&self.ebpf)?.fd().map_err(failed)?;
        match &self.link {
            Some(link) => bpf_link::switch(link.as_fd(), program.as_fd())
                .map_err(|error| failed(refusal(error))),
            None => Ok(()),
        }
    }

    /// The attachment, to be handed to another process.
    pub fn link(&self) -> Option<BorrowedFd<'_>> {
        self.link.as_ref().map(AsFd::as_fd)
    }

    /// Detaches the program: from now on the kernel gets every frame.
    pub fn detach(&mut self) {
        self.link = None;
    }

    /// Gives the frames of a receive queue to the AF_XDP socket that is bound to it. The kernel
    /// forgets the socket when it is closed.
    ///
    /// # Errors
    ///
    /// The queue is beyond [`common::QUEUES_MAX`], or `socket` is no AF_XDP socket with an RX ring.
    pub fn register_socket(&mut self, queue: u32, socket: RawFd) -> Result<(), BpfError> {
        self.sockets
            .set(queue, socket, 0)
            .map_err(|error| BpfError::failed(format!("give queue {queue} its socket"), error))
    }

    /// Lets the kernel have the frames of a receive queue again.
    ///
    /// # Errors
    ///
    /// The queue has no socket, or is beyond [`common::QUEUES_MAX`].
    pub fn unregister_socket(&mut self, queue: u32) -> Result<(), BpfError> {
        self.sockets
            .unset(queue)
            .map_err(|error| BpfError::failed(format!("take queue {queue} its socket"), error))
    }

    /// Changes what is ours, while the program runs. A frame that arrives meanwhile may be judged
    /// by parts of both configurations.
    pub fn update_config(&mut self, config: &FilterConfig) -> Result<(), BpfError> {
        self.config
            .set(0, ConfigValue(*config), 0)
            .map_err(|error| BpfError::failed("configure the XDP program", error))
    }

    /// Frames by [`Verdict::index`] since the program was loaded, summed over the CPUs.
    pub fn verdict_counts(&self) -> Result<[u64; Verdict::COUNT], BpfError> {
        let mut counts = [0; Verdict::COUNT];
        for (verdict, count) in Verdict::ALL.iter().zip(&mut counts) {
            let per_cpu = self
                .counters
                .get(&verdict.index(), 0)
                .map_err(|error| BpfError::failed("read the XDP program's counters", error))?;
            *count = per_cpu.iter().sum();
        }
        Ok(counts)
    }

    /// Becomes readable when there are log records; none without `debug`.
    pub fn log_fd(&self) -> Option<BorrowedFd<'_>> {
        self.log.as_ref().map(AsFd::as_fd)
    }

    /// Turns the log records that have come into `tracing` events of target `xdp`.
    pub fn drain_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }

    /// Lets the kernel run the loaded program on one frame, as if it had arrived on queue 0, and
    /// tells what would become of it (BPF_PROG_TEST_RUN). No interface is involved.
    ///
    /// # Errors
    ///
    /// The kernel takes frames from 14 bytes up to about 3,500.
    pub fn try_frame(&self, frame: &[u8]) -> Result<Action, BpfError> {
        const XDP_PASS: u32 = 2;
        const XDP_REDIRECT: u32 = 4;
        let action = format!("try a frame of {} bytes", frame.len());
        let options = TestRunOptions {
            data_in: Some(frame),
            ..TestRunOptions::default()
        };
        let result = program(&self.ebpf)?.test_run(options);
        match result.map(|result| result.return_value) {
            Ok(XDP_PASS) => Ok(Action::Pass),
            Ok(XDP_REDIRECT) => Ok(Action::Redirect),
            Ok(other) => Err(BpfError::failed(
                action,
                format!("XDP action {other} returned"),
            )),
            Err(error) => Err(BpfError::failed(action, error)),
        }
    }
}

/// [`FilterConfig`] as the value of a map.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct ConfigValue(FilterConfig);

// SAFETY: FilterConfig is `repr(C)`, made of integers that take any value, and has no padding: a
// test in `common` pins its layout.
unsafe impl aya::Pod for ConfigValue {}

/// Sees that the kernel has bpf_link for XDP (5.9) and the ring buffer (5.8) before aya tries
/// without.
fn check_kernel() -> Result<(), BpfError> {
    let running = KernelVersion::current()
        .map_err(|error| BpfError::failed("tell the kernel's version", error.to_string()))?;
    if running >= KernelVersion::new(5, 9, 0) {
        return Ok(());
    }
    let running = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Err(BpfError::OldKernel {
        running: running.trim().to_owned(),
        needed: "5.9",
    })
}

/// Reads the object, creates its maps and sets its constants.
fn parse(debug: bool) -> Result<Ebpf, BpfError> {
    let level = if debug { Level::Debug as u8 } else { 0 };
    let mut loader = EbpfLoader::new();
    // Nothing in the program depends on the kernel's types, so they need not be read.
    loader
        .btf(None)
        .override_global(aya_log::LEVEL, &level, true);
    if !debug {
        // The smallest that the kernel takes; aya rounds up to a page.
        loader.map_max_entries(LOG_RECORDS, 1);
    }
    loader
        .load(OBJECT)
        .map_err(|error| BpfError::failed("create the XDP program's maps", error))
}

/// Takes a map out of the object, as what it must be.
fn map<M: TryFrom<Map, Error = MapError>>(ebpf: &mut Ebpf, name: &str) -> Result<M, BpfError> {
    let map = ebpf.take_map(name).ok_or_else(|| missing(name))?;
    M::try_from(map).map_err(|error| BpfError::failed(format!("use the map {name}"), error))
}

/// The program in the object.
fn program(ebpf: &Ebpf) -> Result<&Xdp, BpfError> {
    let program = ebpf
        .program(PROGRAM)
        .and_then(|program| program.try_into().ok());
    program.ok_or_else(|| missing(PROGRAM))
}

/// What the kernel says of an attachment, in aya's words.
fn refusal(io_error: std::io::Error) -> ProgramError {
    let call = "bpf_link";
    SyscallError { call, io_error }.into()
}

/// The program in the object, to load it.
fn program_mut(ebpf: &mut Ebpf) -> Result<&mut Xdp, BpfError> {
    let program = ebpf
        .program_mut(PROGRAM)
        .and_then(|program| program.try_into().ok());
    program.ok_or_else(|| missing(PROGRAM))
}

/// The embedded object and `common::names` disagree.
fn missing(name: &str) -> BpfError {
    BpfError::failed(
        format!("find {name} in the XDP object"),
        "run `cargo xtask build-ebpf`",
    )
}
