//! What the command line says of itself: completions for shells, and man pages.

use crate::config::Arguments;
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use std::fs;
use std::path::Path;

/// The name of the binary.
const NAME: &str = "ripples";

/// A script that has the shell complete the command line.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut script);
    script
}

/// ripples(1).
pub fn page() -> Result<Vec<u8>> {
    let mut page = Vec::new();
    // As `generate_to` has it.
    let mut command = Arguments::command()
        .name(NAME)
        .disable_help_subcommand(true);
    command.build();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(page)
}

/// A page for each command, as in ripples-ctl-status(1).
pub fn write_pages(folder: &Path) -> Result<()> {
    let write = || {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(Arguments::command().name(NAME), folder)
    };
    write().with_context(|| format!("man pages: {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(completions(*shell)).unwrap();
            for word in ["compile", "log-level", "cookies", "zones-dir"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }

    #[test]
    fn the_page_names_every_command() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name().replace('-', "\\-");
            assert!(
                page.contains(&format!("ripples\\-{name}(1)")),
                "{name}: {page}"
            );
        }
    }
}
