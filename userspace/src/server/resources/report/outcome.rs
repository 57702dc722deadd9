//! What came of a reload.

use crate::server::resources::Outcome;
use serde_json::{Value, json};

impl Outcome {
    /// For whoever asked for the reload: an error when something could not be read.
    pub(in crate::server::resources) fn json(
        &self,
        generation: u64,
        zones: usize,
    ) -> Result<Value, String> {
        let update = &self.update;
        if update.problems.is_empty() {
            return Ok(json!({
                "generation": generation,
                "zones": zones,
                "loaded": update.loaded,
                "removed": update.removed,
                "seconds": self.duration.as_secs_f64(),
            }));
        }
        let mut text = match update.failed {
            0 => "not all could be read, the rest is served as it was:".to_owned(),
            failed => format!("{failed} zones cannot be loaded and are served as they were:"),
        };
        for line in &update.problems {
            text.push_str("\n  ");
            text.push_str(line);
        }
        Err(text)
    }
}
