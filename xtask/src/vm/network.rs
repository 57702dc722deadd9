//! How the guest's two interfaces are connected.

use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// A pair of interfaces of one kind, one cable between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// Intel's 82576, emulated: the driver `igb`. Only the guest itself is on the cable.
    Igb,
}

impl Network {
    /// The options of QEMU.
    pub(super) fn devices(self) -> Vec<String> {
        let mut options = Vec::new();
        for number in 0..2 {
            let mac = format!("52:54:00:53:00:0{}", number + 1);
            options.extend([
                "-device".to_owned(),
                format!("pcie-root-port,id=port{number},chassis={number},slot={number}"),
                "-netdev".to_owned(),
                format!("hubport,id=net{number},hubid=1"),
                "-device".to_owned(),
                format!("igb,bus=port{number},netdev=net{number},mac={mac},romfile="),
            ]);
        }
        options
    }

    /// What `qemu` is to be run by, so that it ends with this process.
    pub(super) fn surround(self, _userland: &Path, qemu: &Command) -> Result<Command> {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(qemu.get_program())
            .args(qemu.get_args());
        Ok(command)
    }
}
