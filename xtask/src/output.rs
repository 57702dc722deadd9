//! What a person sees: headings, notes and errors on stderr, results on stdout.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once, by `--verbose`.
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// Remembers whether every command is shown.
pub(crate) fn set_verbose(verbose: bool) {
    VERBOSE.store(verbose, Ordering::Relaxed);
}

/// Says what happens now, in cargo's style.
pub(crate) fn step(verb: &str, what: impl Display) {
    eprintln!("{} {what}", paint("1;32", &format!("{verb:>12}")));
}

/// Says something worth knowing that is no error.
pub(crate) fn note(what: impl Display) {
    eprintln!("{} {what}", paint("1;33", "note:"));
}

/// Says why the command failed.
pub(crate) fn error(what: &str) {
    eprintln!("{} {what}", paint("1;31", "error:"));
}

/// Shows a command line about to run, when that was asked for.
pub(crate) fn command(line: &str) {
    if VERBOSE.load(Ordering::Relaxed) {
        eprintln!("{}", paint("2", &format!("$ {line}")));
    }
}

/// Prints one line of a result. A reader that went away is no reason to panic.
pub(crate) fn result(line: impl Display) {
    // The reader may have closed its end; there is nobody left to tell.
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Dresses `text` in an SGR style where colours are welcome.
fn paint(style: &str, text: &str) -> String {
    if colours() {
        format!("\x1b[{style}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Whether stderr takes colours: cargo's own switch first, then <https://no-color.org>.
fn colours() -> bool {
    match std::env::var("CARGO_TERM_COLOR").as_deref() {
        Ok("always") => true,
        Ok("never") => false,
        _ => std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal(),
    }
}
