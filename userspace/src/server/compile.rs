//! `ripples compile`: zones → saved images, all of them or none.

use super::resources;
use crate::config::{Config, ZoneSource};
use crate::name;
use crate::zone::image::ZoneImage;
use crate::zone::saved::Below;
use anyhow::{Context, Result, bail};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes that are gathered before they are written.
const BUFFER_LEN: usize = 1 << 20;

/// Compiles the zones and saves them. Prints what is wrong, or what it wrote; false when there are
/// errors, and then nothing is written.
pub fn compile(config: &Config, output: &Path) -> Result<bool> {
    let (zones, complaints) = resources::sources(config);
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    let zones = zones.unwrap_or_default();
    if zones.is_empty() {
        bail!("there is no zone: --zone ORIGIN=FILE names one");
    }
    let is_folder = output.is_dir();
    if zones.len() > 1 && !is_folder {
        bail!("--output: for several zones it must be a folder that exists");
    }
    let mut print = |line: &str| {
        // Whoever closed standard output does not want the rest.
        let _ = writeln!(io::stdout(), "{line}");
    };
    let Some(images) = images(&zones, &mut print) else {
        return Ok(false);
    };
    let mut random = [0; 24];
    getrandom::fill(&mut random).context("random numbers for the names' key")?;
    let seed = bytemuck::pod_read_unaligned(&random);
    let below = Below::of(&zones);
    let mut written = Vec::new();
    for (source, image) in zones.iter().zip(&images) {
        let path = match is_folder {
            true => output.join(file_name(&source.origin)),
            false => output.to_owned(),
        };
        let draft = Draft::write(path, |file| below.write(image, seed, file));
        written.push(draft?);
    }
    for (draft, image) in written.into_iter().zip(&images) {
        let (path, len) = draft.publish()?;
        let (names, records) = (image.node_count(), image.record_count());
        let path = path.display();
        print(&format!(
            "{path}: {names} names, {records} records, {len} bytes"
        ));
    }
    Ok(true)
}

/// The zones' images; none when one has errors.
fn images(zones: &[ZoneSource], mut print: impl FnMut(&str)) -> Option<Vec<ZoneImage>> {
    let mut images = Vec::new();
    for (source, loaded) in zones.iter().zip(resources::load_all(zones)) {
        loaded.warnings.iter().for_each(|warning| print(warning));
        match loaded.image {
            // What it was compiled beside cannot be changed any more.
            Ok(image) if image.saved().is_some() => {
                print(&format!(
                    "{}: this is a saved image already",
                    source.file.display()
                ));
            }
            Ok(zone) if zone.variants.is_some() => {
                print(&format!(
                    "{}: the zone has variants, which a saved image cannot hold: serve this file",
                    source.file.display()
                ));
            }
            Ok(zone) => images.push(zone.image),
            Err(errors) => errors.iter().for_each(|error| print(error)),
        }
    }
    (images.len() == zones.len()).then_some(images)
}

/// What a zone's file is called: its origin, with other characters than names of hosts have in
/// hexadecimal digits.
fn file_name(origin: &[u8]) -> String {
    let mut file = String::new();
    for label in name::labels(origin).filter(|label| !label.is_empty()) {
        if !file.is_empty() {
            file.push('.');
        }
        for &byte in label {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => file.push(char::from(byte)),
                _ => file.push_str(&format!("%{byte:02x}")),
            }
        }
    }
    if file.is_empty() {
        file.push_str("root");
    }
    file + ".img"
}

/// A file that is whole before it gets its name; gone unless it does.
struct Draft {
    draft: PathBuf,
    path: PathBuf,
    len: u64,
    published: bool,
}

impl Draft {
    /// Writes a file beside its later place, for the user's eyes only: the key in it is a secret.
    fn write(path: PathBuf, write: impl FnOnce(&mut dyn Write) -> io::Result<u64>) -> Result<Self> {
        let shown = path.display().to_string();
        let name = path
            .file_name()
            .with_context(|| format!("{shown} is no file's name"))?;
        let draft = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
        let mut draft = Self {
            draft: path.with_file_name(draft),
            path,
            len: 0,
            published: false,
        };
        draft.len = draft.fill(write).with_context(|| shown.clone())?;
        Ok(draft)
    }

    fn fill(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<u64>) -> io::Result<u64> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut buffer = BufWriter::with_capacity(BUFFER_LEN, options.open(&self.draft)?);
        let len = write(&mut buffer)?;
        buffer.flush()?;
        buffer.get_ref().sync_all()?;
        Ok(len)
    }

    /// Puts it in its place, at once.
    fn publish(mut self) -> Result<(PathBuf, u64)> {
        let path = self.path.clone();
        fs::rename(&self.draft, &path).with_context(|| path.display().to_string())?;
        self.published = true;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new(".")));
        folder
            .and_then(|folder| folder.sync_all())
            .context("the folder of the output")?;
        Ok((path, self.len))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // It is of no use to anybody; it may not even exist.
            let _ = fs::remove_file(&self.draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_zone_whatever_that_is_called() {
        assert_eq!(file_name(b"\x07example\x03com\0"), "example.com.img");
        assert_eq!(file_name(b"\0"), "root.img");
        assert_eq!(file_name(b"\x04a/.b\x01*\0"), "a%2f%2eb.%2a.img");
    }
}
