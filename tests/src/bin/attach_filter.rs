//! Attaches the kernel program to an interface, says so, and waits to be killed: a test wants to
//! see what a process leaves behind that had no time to tidy up.

use anyhow::{Context, Result};
use common::FilterConfig;
use ripples::bpf::{AttachMode, Filter};
use std::io::{Read, Write};

fn main() -> Result<()> {
    let interface = std::env::args()
        .nth(1)
        .context("usage: attach_filter INTERFACE")?;
    let mut filter = Filter::load(&FilterConfig::EMPTY, false)?;
    filter.attach(&interface, AttachMode::Native)?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "attached")?;
    stdout.flush()?;
    // Returns when the test closes its end.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
