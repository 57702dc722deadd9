//! The watched folder of zones: one file each, named after its zone.

use crate::config::ZoneSource;
use crate::name;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

/// Lists the zones of a folder: its files `ORIGIN.zone` and `ORIGIN.img`, in order of their names.
/// Whatever is called otherwise is not looked at: drafts and copies that editors leave. With them
/// come the complaints about names that are none.
pub(super) fn list(folder: &Path) -> io::Result<(Vec<ZoneSource>, Vec<String>)> {
    let mut zones: Vec<ZoneSource> = Vec::new();
    let mut complaints = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(stem) = stem(&name) else {
            continue;
        };
        let is_folder = entry.file_type()?.is_dir();
        match origin(stem) {
            _ if is_folder => {}
            Some(origin) => zones.push(ZoneSource {
                origin,
                file: entry.path(),
            }),
            None => complaints.push(format!(
                "{}: its name is not that of a zone",
                entry.path().display()
            )),
        }
    }
    zones.sort_unstable_by(|a, b| (&a.origin, &a.file).cmp(&(&b.origin, &b.file)));
    zones.dedup_by(|second, first| {
        let is_same = second.origin == first.origin;
        if is_same {
            complaints.push(format!(
                "{}: left out, for {} is of the same zone",
                second.file.display(),
                first.file.display()
            ));
        }
        is_same
    });
    Ok((zones, complaints))
}

/// What stands before `.zone` or `.img`.
fn stem(name: &OsStr) -> Option<&str> {
    let name = name.to_str().filter(|name| !name.starts_with('.'))?;
    let stem = name.strip_suffix(".zone").or(name.strip_suffix(".img"))?;
    Some(stem).filter(|stem| !stem.is_empty())
}

/// The zone that a file is of, as `ripples compile` names them: `root` is the root zone, and `%2f`
/// stands for the character with that number.
fn origin(stem: &str) -> Option<Vec<u8>> {
    if stem == "root" {
        return Some(vec![0]);
    }
    let mut text = String::new();
    let mut rest = stem;
    while let Some((before, behind)) = rest.split_once('%') {
        let (digits, behind) = behind.split_at_checked(2)?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        text.push_str(&format!("{before}\\{byte:03}"));
        rest = behind;
    }
    text.push_str(rest);
    name::lowered_from_text(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_the_zones_that_its_files_are_named_after() {
        let folder = std::env::temp_dir().join(format!("ripples-folder-{}", std::process::id()));
        fs::create_dir_all(folder.join("sub.zone")).unwrap();
        for file in [
            "Example.com.zone",
            "root.zone",
            "0%2f26.2.0.192.in-addr.arpa.img",
            "example.org.zone",
            "example.org.img",
            "a..b.zone",
            "c%zz.zone",
            "example.net.zone~",
            ".example.net.zone.swp",
            "#example.net.zone#",
            "README",
            ".zone",
        ] {
            fs::write(folder.join(file), "").unwrap();
        }
        let (zones, mut complaints) = list(&folder).unwrap();
        let shown = |zone: &ZoneSource| name::display(&zone.origin).to_string();
        let shown: Vec<String> = zones.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                ".",
                "0/26.2.0.192.in-addr.arpa.",
                "example.com.",
                "example.org."
            ]
        );
        assert!(zones[3].file.ends_with("example.org.img"));
        complaints.sort_unstable();
        let ends = [
            "a..b.zone: its name is not that of a zone",
            "c%zz.zone: its",
        ];
        assert!(complaints[0].contains(ends[0]), "{complaints:?}");
        assert!(complaints[1].contains(ends[1]), "{complaints:?}");
        assert!(
            complaints[2].contains("example.org.zone: left out"),
            "{complaints:?}"
        );
        assert_eq!(complaints.len(), 3);
        fs::remove_dir_all(&folder).unwrap();
        assert!(list(&folder).is_err());
    }
}
