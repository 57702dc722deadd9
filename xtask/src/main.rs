//! The developer's commands: `cargo xtask COMMAND`, one file or folder each.

mod bench;
mod bpf_toolchain;
mod build_ebpf;
mod ci;
mod debian_archive;
mod demo;
mod fuzz;
mod install;
mod output;
mod packages;
mod repository;
mod run;
mod shell;
mod tally;
mod test;
mod tidy;
mod tools;
mod vm;

use anyhow::Result;
use clap::{Parser, Subcommand};
use install::Installer;
use std::process::ExitCode;

/// Build, try, test and check Ripples
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Arguments {
    /// Show every command before it runs
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Never install a system package: name what is missing and stop
    #[arg(long, global = true)]
    no_install: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server: a demonstration in network namespaces, or here with your options
    Run(run::Options),
    /// Install what the tests need, then build and run all of them
    Test(test::Options),
    /// Everything a change must pass: what `.ci/run` runs
    Ci,
    /// Compile the XDP program and refresh the committed object
    BuildEbpf {
        /// Compare with the committed object instead of replacing it
        #[arg(long)]
        check: bool,
    },
    /// Measure what the server can do
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Feed random messages to the parsers (cargo-fuzz, on the stable toolchain)
    Fuzz(fuzz::Options),
    /// Try the server on real drivers, in an emulated machine
    Vm(vm::Options),
    /// Check the house rules that rustfmt and clippy do not know
    Tidy,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    output::set_verbose(arguments.verbose);
    match dispatch(arguments) {
        Ok(code) => code,
        Err(error) => {
            output::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs one command.
fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    let installer = Installer::new(!arguments.no_install);
    match arguments.command {
        Command::Run(options) => run::run(&options, &installer)?,
        Command::Test(options) => return Ok(test::run(&options, &installer)?.exit_code()),
        Command::Ci => return Ok(ci::run(&installer).exit_code()),
        Command::BuildEbpf { check } => {
            installer.ensure_named(build_ebpf::PACKAGES, "compiles the XDP program")?;
            build_ebpf::run(check)?;
        }
        Command::Bench(bench) => bench::run(&bench, &installer)?,
        Command::Fuzz(options) => fuzz::run(&options, &installer)?,
        Command::Vm(options) => return Ok(vm::run(&options, &installer)?.exit_code()),
        Command::Tidy => tidy::run()?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_follows_the_dashes_belongs_to_the_server() {
        let parsed =
            Arguments::try_parse_from(["xtask", "run", "--", "--zone", ".=root.zone"]).unwrap();
        let Command::Run(options) = parsed.command else {
            panic!("not `run`");
        };
        assert_eq!(options.server_arguments, ["--zone", ".=root.zone"]);
    }
}
