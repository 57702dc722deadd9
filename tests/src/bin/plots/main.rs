//! Draws saved runs: `plots RUNS TO` reads the JSON lines of every file in the folder RUNS and
//! writes one SVG file per figure to the folder TO. `cargo xtask bench report` calls it.
//!
//! A line belongs to a figure by its keys; docs/performance.md has the list.

mod draw;
mod figures;
mod latency;
mod panels;
mod wire;

use anyhow::{Context, Result, bail};
use figures::Line;
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runs, to] = &arguments[..] else {
        bail!("usage: plots RUNS TO");
    };
    let lines = read(Path::new(runs))?;
    let figures = figures::of(&lines);
    if figures.is_empty() {
        bail!("nothing in {runs} can be drawn");
    }
    std::fs::create_dir_all(to).with_context(|| format!("could not make {to}"))?;
    for figure in &figures {
        let path = Path::new(to).join(format!("{}.svg", figure.name));
        let shown = path.display();
        std::fs::write(&path, draw::svg(figure)?).with_context(|| format!("{shown}"))?;
        eprintln!("{shown}");
    }
    Ok(())
}

/// All lines of all files, the files by name.
fn read(folder: &Path) -> Result<Vec<Line>> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.with_context(|| format!("could not read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    paths.sort();
    let mut lines = Vec::new();
    for path in paths {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(|| shown.clone())?;
        for (number, line) in (1..).zip(text.lines()) {
            let line = serde_json::from_str(line);
            lines.push(line.with_context(|| format!("{shown}:{number}"))?);
        }
    }
    Ok(lines)
}
