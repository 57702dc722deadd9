//! The `ripples` binary: reads the arguments, does what they say, sets the exit code.

use clap::Parser;
use ripples::config::{Arguments, Command, Config, GeoCommand};
use ripples::{control, manual, server, telemetry};
use std::io::{self, Write};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            if telemetry::log::is_elsewhere() {
                tracing::error!("{error:#}");
            }
            telemetry::log::finish();
            eprintln!("ripples: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::Run(arguments) => {
            let config = Config::load(arguments)?;
            let log = telemetry::log::start(&config.log, &config.log_output);
            log.map_err(anyhow::Error::msg)?;
            server::run(arguments, &config)?;
            telemetry::log::finish();
        }
        Command::Check(arguments) => {
            let config = Config::load(arguments)?;
            telemetry::log::check(&config.log).map_err(anyhow::Error::msg)?;
            if !server::check(arguments, &config)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Compile(arguments) => {
            let config = Config::load(&arguments.run())?;
            if !server::compile(&config, &arguments.output)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Ctl(arguments) => {
            if let Err(failure) = control::run(arguments) {
                eprintln!("ripples: {}", failure.problem);
                return Ok(failure.exit.into());
            }
        }
        Command::Completions { shell } => print(&manual::completions(*shell)),
        Command::Man { folder: None } => print(&manual::page()?),
        Command::Man {
            folder: Some(folder),
        } => manual::write_pages(folder)?,
        Command::Geo(arguments) => match &arguments.command {
            GeoCommand::Lookup(arguments) => {
                let config = Config::load(&arguments.run())?;
                let answer = server::lookup(&config, arguments)?;
                print(answer.as_bytes());
            }
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// Whoever closed standard output does not want the rest.
fn print(text: &[u8]) {
    let _ = io::stdout().write_all(text);
}
