//! Instructions per packet, held against what is written down: they hardly move between runs.

use super::{Options, executable, lines, words, write};
use crate::install::Installer;
use crate::{output, packages, repository, shell};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the numbers are written down.
const FILE: &str = "tests/benches/core/instructions.json";
/// Rises up to this are let pass.
const RISE_MAX_PERCENT: f64 = 3.0;
/// What the line of a commit's message begins with that says why there are more.
const WORD: &str = "Instructions: ";

/// Instructions per packet of each case, and the compiler that made them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Instructions {
    rustc: String,
    per_packet: BTreeMap<String, f64>,
}

/// Counts, and then writes down, compares, or both.
pub(super) fn run(options: &Options, installer: &Installer) -> Result<()> {
    let mut counted = count(options, installer)?;
    let named = |file: &Option<PathBuf>| file.clone().unwrap_or_else(kept);
    if let Some(file) = &options.compare {
        check(&read(&named(file))?, &counted)?;
    }
    let Some(file) = &options.save else {
        return Ok(());
    };
    // A part of the cases replaces these only.
    if options.part.is_some()
        && let Ok(earlier) = read(&named(file))
        && earlier.rustc == counted.rustc
    {
        let mut all = earlier.per_packet;
        all.append(&mut counted.per_packet);
        counted.per_packet = all;
    }
    let text = serde_json::to_string_pretty(&counted).context("numbers are JSON")?;
    write(&named(file), &(text + "\n"))
}

/// What CI does: nothing rises unsaid, neither what is counted nor what is written down.
pub(crate) fn check_all(installer: &Installer) -> Result<()> {
    let written = read(&kept())?;
    if let Some(parents) = parents() {
        check(&parents, &written)?;
    }
    let rustc = rustc()?;
    if rustc != written.rustc {
        let made = &written.rustc;
        output::note(format!(
            "{FILE} was made with {made}, this is {rustc}: not compared"
        ));
        return Ok(());
    }
    let options = Options {
        part: None,
        json: false,
        all: false,
        callgrind: true,
        compare: Some(None),
        note: None,
        save: None,
    };
    run(&options, installer)
}

/// Builds the benchmark and counts.
fn count(options: &Options, installer: &Installer) -> Result<Instructions> {
    installer.ensure(&[packages::BUILD, packages::CALLGRIND])?;
    output::step("Building", "the benchmark `core` (instructions)");
    let mut core = Command::new(executable("core", "instructions")?);
    let mut counted = Instructions {
        rustc: rustc()?,
        ..Instructions::default()
    };
    lines(core.arg("--callgrind").args(words(options)), |json| {
        let line: serde_json::Value = serde_json::from_str(json)?;
        let case = line["case"].as_str().context("a line without a case")?;
        let case = match line["query_log"].as_bool() {
            Some(true) => format!("{case}, query log"),
            _ => case.to_owned(),
        };
        let count = line["instructions_per_packet"].as_f64();
        let count = count.with_context(|| format!("{case} without a count"))?;
        counted.per_packet.insert(case.clone(), count);
        match options.json {
            true => output::result(json),
            false => output::result(format!("{case:<26}{count:>9.1}")),
        }
        Ok(())
    })?;
    Ok(counted)
}

/// Fails where a case needs more instructions than before and the last commit does not say why.
fn check(before: &Instructions, now: &Instructions) -> Result<()> {
    judge(before, now, &message()?)
}

/// The same for a commit with this message.
fn judge(before: &Instructions, now: &Instructions, message: &str) -> Result<()> {
    if before.rustc != now.rustc {
        let (old, new) = (&before.rustc, &now.rustc);
        output::note(format!("counted with {old}, now it is {new}: not compared"));
        return Ok(());
    }
    let (mut risen, mut fallen) = (Vec::new(), Vec::new());
    for (case, count) in &now.per_packet {
        let Some(earlier) = before.per_packet.get(case) else {
            output::note(format!(
                "{case} is not written down yet: --callgrind --save does it"
            ));
            continue;
        };
        let percent = (count / earlier - 1.0) * 100.0;
        let change = format!("{case}: {earlier} → {count} ({percent:+.1} %)");
        if percent > RISE_MAX_PERCENT {
            risen.push(change);
        } else if percent < -RISE_MAX_PERCENT {
            fallen.push(change);
        }
    }
    if !fallen.is_empty() {
        output::note(format!("fewer instructions: {}", fallen.join("; ")));
    }
    if risen.is_empty() {
        return Ok(());
    }
    let risen = risen.join("; ");
    if let Some(word) = word(message) {
        output::note(format!(
            "more instructions: {risen}; the commit says why: {word}"
        ));
        return Ok(());
    }
    bail!(
        "more instructions per packet: {risen}; mend it, or say why in a line \
         `{WORD}…` of the commit's message and run `cargo xtask bench core --callgrind --save`"
    )
}

/// What a commit's message says about instructions.
fn word(message: &str) -> Option<&str> {
    let words = message.lines().find_map(|line| line.strip_prefix(WORD))?;
    Some(words.trim()).filter(|words| !words.is_empty())
}

fn kept() -> PathBuf {
    repository::root().join(FILE)
}

fn read(path: &Path) -> Result<Instructions> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| {
        let path = path.display();
        format!("could not read {path}; `cargo xtask bench core --callgrind --save` makes it")
    })?;
    serde_json::from_str(&text).with_context(|| format!("in {}", path.display()))
}

/// What the commit before the last one had written down; nothing where the clone ends there.
fn parents() -> Option<Instructions> {
    let text = git(&["show", &format!("HEAD~1:{FILE}")]).ok()?;
    serde_json::from_str(&text).ok()
}

/// The last commit's message.
fn message() -> Result<String> {
    git(&["log", "-1", "--format=%B"])
}

fn git(arguments: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(repository::root()).args(arguments);
    shell::read(&mut git, "see that this is a git checkout")
}

fn rustc() -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(repository::root()).arg("--version");
    let said = shell::read(&mut rustc, "see that rustc is installed")?;
    Ok(said.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(rustc: &str, counts: &[(&str, f64)]) -> Instructions {
        Instructions {
            rustc: rustc.to_owned(),
            per_packet: counts
                .iter()
                .map(|&(case, count)| (case.to_owned(), count))
                .collect(),
        }
    }

    #[test]
    fn only_a_rise_of_more_than_three_percent_counts() {
        let before = counted("1", &[("hot", 1000.0), ("wildcard", 2000.0)]);
        let passes = |now| judge(&before, &now, "").is_ok();
        assert!(passes(counted("1", &[("hot", 1029.9), ("new", 9.0)])));
        assert!(passes(counted("1", &[("hot", 500.0)])));
        assert!(passes(counted("2", &[("hot", 5000.0)])));
        assert!(!passes(counted(
            "1",
            &[("hot", 1000.0), ("wildcard", 2061.0)]
        )));
    }

    #[test]
    fn the_word_is_a_line_of_its_own_that_says_something() {
        assert_eq!(word("hot path\n\nInstructions: cookies\n"), Some("cookies"));
        assert_eq!(word("hot path\n\nInstructions: \n"), None);
        assert_eq!(word("fewer Instructions: x"), None);
    }

    #[test]
    fn a_rise_names_the_case_unless_the_commit_says_why() {
        let before = counted("1", &[("hot", 1000.0)]);
        let outcome = judge(&before, &counted("1", &[("hot", 1031.0)]), "no word");
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("hot: 1000 → 1031 (+3.1 %)"), "{error}");
        judge(
            &before,
            &counted("1", &[("hot", 1031.0)]),
            "a\n\nInstructions: b",
        )
        .unwrap();
    }
}
