//! `mmdb SOURCE DATABASE`: writes the MaxMind database that a text describes, as
//! `xtask/demo/geo.toml` does.

use anyhow::{Context, Result, bail};
use std::path::Path;
use tests::mmdb::from_toml;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [source, database] = &arguments[..] else {
        bail!("usage: mmdb SOURCE DATABASE");
    };
    let shown = Path::new(source).display();
    let text = std::fs::read_to_string(source).with_context(|| shown.to_string())?;
    let writer = from_toml(&text).map_err(|problem| anyhow::anyhow!("{shown}: {problem}"))?;
    let shown = Path::new(database).display();
    std::fs::write(database, writer.finish()).with_context(|| shown.to_string())
}
