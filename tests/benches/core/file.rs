//! A saved image, loaded as the server does.

use nix::sys::prctl::set_thp_disable;
use ripples::config::ZoneSource;
use ripples::sys::cpu;
use ripples::zone::image::ZoneImage;
use ripples::zone::load::load_all;
use ripples::zone::progress::{Effort, Progress};
use tests::folder::Folder;
use tests::saved::saved;

/// A file with an image, gone with this value; whoever has loaded it keeps it.
pub(crate) struct File {
    source: ZoneSource,
    _folder: Folder,
}

impl File {
    /// Saves an image.
    pub(crate) fn of(image: &ZoneImage) -> Self {
        let folder = Folder::new();
        let source = ZoneSource {
            origin: image.apex().name().to_vec(),
            file: folder.write("bench.img", saved(image)),
        };
        Self {
            source,
            _folder: folder,
        }
    }

    /// Loads it.
    pub(crate) fn load(&self) -> ZoneImage {
        let effort = Effort {
            threads: cpu::allowed().map_or(1, |cpus| cpus.len()),
            progress: &Progress::none(),
        };
        let sources = std::slice::from_ref(&self.source);
        let loaded = load_all(sources, effort).pop().expect("one zone");
        let zone = loaded.image.unwrap_or_else(|errors| panic!("{errors:?}"));
        zone.image
    }

    /// Loads it where the kernel maps files in small pages only.
    pub(crate) fn load_into_small_pages(&self) -> ZoneImage {
        set_thp_disable(true).expect("Linux");
        let image = self.load();
        set_thp_disable(false).expect("Linux");
        image
    }
}
