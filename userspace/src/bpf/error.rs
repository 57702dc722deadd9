//! What can go wrong with the kernel program, and what to do about it.

use super::{AttachMode, capabilities};
use aya::programs::ProgramError;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

/// Why the kernel program could not be loaded, attached or fed. Each message is complete: it ends
/// with what the kernel said.
#[derive(Debug, thiserror::Error)]
pub enum BpfError {
    /// The kernel lacks what the program needs.
    #[error("Linux {running} is too old for the XDP program: it needs {needed} or later")]
    OldKernel {
        /// The running kernel's release.
        running: String,
        /// The oldest kernel that will do.
        needed: &'static str,
    },
    /// The process lacks a capability.
    #[error("no permission to {action}: {} ({cause})", advice(missing))]
    Permission {
        /// What was tried.
        action: String,
        /// The capabilities that the thread lacks.
        missing: Vec<&'static str>,
        /// What the kernel said.
        cause: Cause,
    },
    /// The interface does not exist in this network namespace.
    #[error("there is no network interface {interface} (`ip link` lists them)")]
    NoInterface {
        /// The name that was asked for.
        interface: String,
    },
    /// Another program is attached; it stays.
    #[error(
        "{interface} already has an XDP program, which is left alone: `ip link show dev \
         {interface}` tells which; `ip link set dev {interface} xdp off` removes one that no \
         process holds"
    )]
    Occupied {
        /// The interface.
        interface: String,
    },
    /// The interface or its driver refuses this mode.
    #[error("{interface} does not run the XDP program in {mode} mode: {cause}")]
    Refused {
        /// The interface.
        interface: String,
        /// The mode that was tried.
        mode: AttachMode,
        /// What the kernel or the driver said.
        cause: Cause,
    },
    /// Anything else: most likely a fault of Ripples or of the kernel.
    #[error("could not {action}: {cause}")]
    Failed {
        /// What was tried.
        action: String,
        /// What aya or the kernel said.
        cause: Cause,
    },
}

impl BpfError {
    /// Tells whether generic mode may work where native mode did not.
    pub fn suggests_generic(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                mode: AttachMode::Native,
                ..
            }
        )
    }

    /// An error of the kernel while `action` was tried.
    pub(super) fn failed(action: impl Into<String>, cause: impl Into<Cause>) -> Self {
        let (action, cause) = (action.into(), cause.into());
        let missing = capabilities::missing();
        // The verifier says EACCES of what a program does, and refuses more to those who may less.
        match (cause.kind(), cause.is_verdict()) {
            (Some(ErrorKind::PermissionDenied), false) => Self::Permission {
                action,
                missing,
                cause,
            },
            (_, true) if !missing.is_empty() => Self::Permission {
                action,
                missing,
                cause,
            },
            _ => Self::Failed { action, cause },
        }
    }

    /// An error of the kernel while the program was attached to `interface`.
    pub(super) fn attach(interface: &str, mode: AttachMode, error: ProgramError) -> Self {
        let interface = interface.to_owned();
        if let ProgramError::UnknownInterface { .. } = error {
            return Self::NoInterface { interface };
        }
        let cause = Cause::from(error);
        match cause.kind() {
            // EBUSY; EEXIST where the other program runs in the other mode.
            Some(ErrorKind::ResourceBusy | ErrorKind::AlreadyExists) => {
                Self::Occupied { interface }
            }
            Some(ErrorKind::PermissionDenied) => Self::Permission {
                action: format!("attach to {interface}"),
                missing: capabilities::missing(),
                cause,
            },
            _ => Self::Refused {
                interface,
                mode,
                cause,
            },
        }
    }
}

/// What lies beneath an error of this module; it prints with its own causes.
#[derive(Debug)]
pub struct Cause(Box<dyn Error + Send + Sync>);

impl Cause {
    /// The kind of the kernel's error, wherever in the chain it stands.
    fn kind(&self) -> Option<ErrorKind> {
        self.chain()
            .find_map(|error| Some(error.downcast_ref::<io::Error>()?.kind()))
    }

    /// Tells whether the verifier refused the program, and gave its reasons.
    fn is_verdict(&self) -> bool {
        verifier_log(&*self.0).is_some()
    }

    /// The error, its source, the source of that, and so on.
    fn chain(&self) -> impl Iterator<Item = &(dyn Error + 'static)> {
        let first: &(dyn Error + 'static) = &*self.0;
        std::iter::successors(Some(first), |error| (*error).source())
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Cause {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        for error in self.chain() {
            let text = verifier_log(error).unwrap_or_else(|| error.to_string());
            // Some errors repeat their source.
            if said.contains(&text) {
                continue;
            }
            let separator = if said.is_empty() { "" } else { ": " };
            said.extend([separator, &text]);
        }
        f.write_str(&said)
    }
}

/// The end of what the verifier said, where it was the verifier: the whole is thousands of lines.
fn verifier_log(error: &(dyn Error + 'static)) -> Option<String> {
    let ProgramError::LoadError { verifier_log, .. } = error.downcast_ref()? else {
        return None;
    };
    let log = verifier_log.to_string();
    let lines: Vec<_> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let end = lines.get(lines.len().saturating_sub(VERIFIER_LINES)..)?;
    (!end.is_empty()).then(|| format!("the verifier ends with\n{}\n", end.join("\n")))
}

/// Lines of the verifier's output in an error: the reason, where it stood, and its statistics.
const VERIFIER_LINES: usize = 8;

/// What to do about a lack of permission.
fn advice(missing: &[&str]) -> String {
    match missing {
        [] => "a container, a security module or lockdown forbids it to this process".to_owned(),
        _ => format!("run as root, or with {} as well", missing.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aya::maps::MapError;
    use aya::sys::SyscallError;

    /// errno(3).
    const EPERM: i32 = 1;
    const EBUSY: i32 = 16;
    const EEXIST: i32 = 17;
    const ERANGE: i32 = 34;
    const EOPNOTSUPP: i32 = 95;

    #[test]
    fn a_refused_map_is_a_lack_of_permission() {
        let source = MapError::CreateError {
            name: "SOCKETS".to_owned(),
            io_error: io::Error::from_raw_os_error(EPERM),
        };
        let error = BpfError::failed("create the maps", source);
        assert!(matches!(error, BpfError::Permission { .. }), "{error}");
    }

    #[test]
    fn the_missing_capabilities_are_named() {
        let error = BpfError::Permission {
            action: "attach to eth9".to_owned(),
            missing: vec!["CAP_BPF", "CAP_NET_ADMIN"],
            cause: Cause::from("EPERM"),
        };
        assert_eq!(
            error.to_string(),
            "no permission to attach to eth9: run as root, or with CAP_BPF, CAP_NET_ADMIN as well \
             (EPERM)"
        );
    }

    #[test]
    fn only_a_refusal_of_native_mode_suggests_generic_mode() {
        let attach = |mode, errno| BpfError::attach("eth9", mode, syscall(errno));
        assert!(attach(AttachMode::Native, EOPNOTSUPP).suggests_generic());
        assert!(attach(AttachMode::Native, ERANGE).suggests_generic());
        assert!(!attach(AttachMode::Generic, EOPNOTSUPP).suggests_generic());
        for errno in [EBUSY, EEXIST, EPERM] {
            let error = attach(AttachMode::Native, errno);
            assert!(!error.suggests_generic(), "{error}");
            assert!(error.to_string().contains("eth9"), "{error}");
        }
    }

    #[test]
    fn the_kernels_reason_is_told_once() {
        let error = BpfError::attach("eth9", AttachMode::Native, syscall(EOPNOTSUPP));
        assert_eq!(
            format!("{:#}", anyhow::Error::from(error)),
            "eth9 does not run the XDP program in native mode: `bpf_link_create` failed: \
             Operation not supported (os error 95)"
        );
    }

    fn syscall(errno: i32) -> ProgramError {
        let io_error = io::Error::from_raw_os_error(errno);
        SyscallError {
            call: "bpf_link_create",
            io_error,
        }
        .into()
    }
}
