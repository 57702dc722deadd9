//! What people are shown of the log's levels.

use super::table::{Table, items, shown};
use serde_json::Value;

/// A line per target.
pub(super) fn text(result: &Value) -> String {
    let mut table = Table::new(&["LEVEL", "TARGET"], &[]);
    for level in items(&result["levels"]) {
        let target = match &level["target"] {
            Value::Null => "all others".to_owned(),
            target => shown(target),
        };
        table.row([shown(&level["level"]), target]);
    }
    format!("{}{}\n", table.text(), shown(&result["lasts"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_target_has_a_line_with_its_level() {
        let levels = json!([
            {"target": "ripples::health", "level": "debug"},
            {"target": null, "level": "info"},
        ]);
        let text = text(&json!({"levels": levels, "lasts": "until the end"}));
        let expected = "LEVEL  TARGET\n\
                        debug  ripples::health\n\
                        info   all others\n\
                        until the end\n";
        assert_eq!(text, expected);
    }
}
