//! Maps of databases: what the tree says is what the database says.

mod demo;
mod hostile;
mod judge;
mod maxmind;
mod world;

use ripples::config::{Config, GeoOptions, RunArguments};
use tests::folder::Folder;

/// The `[geo]` section of a configuration, checked. Files in it are in `folder`.
fn options(folder: &Folder, geo: &str) -> GeoOptions {
    let file = folder.write("r.toml", format!("[geo]\n{geo}"));
    let arguments = RunArguments {
        config: Some(file),
        ..RunArguments::default()
    };
    let config = Config::load(&arguments);
    config.unwrap_or_else(|error| panic!("{error}\n{geo}")).geo
}
