//! Which kernel this is.

use nix::errno::Errno;
use nix::sys::utsname::uname;

/// Its release, as `uname -r` prints it.
pub fn release() -> Result<String, Errno> {
    Ok(uname()?.release().to_string_lossy().into_owned())
}
