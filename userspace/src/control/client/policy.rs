//! What people are shown of the policy.

use super::table::{Table, items, shown};
use serde_json::Value;

/// A line per option; what is not configured is `none`.
pub(super) fn text(result: &Value) -> String {
    let mut table = Table::new(&["OPTION", "VALUE"], &[]);
    for (option, value) in result.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(fields) => {
                for (field, value) in fields {
                    table.row([format!("{option}.{field}"), plain(value)]);
                }
            }
            None => table.row([option.clone(), plain(value)]),
        }
    }
    table.text()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(_) => items(value).iter().map(shown).collect::<Vec<_>>().join(" "),
        other => shown(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_option_has_a_line_and_so_has_one_that_is_not_configured() {
        let result = json!({
            "access": {"allow": [], "deny": ["192.0.2.0/24", "::/0"]},
            "nsid": "", "rate_limit": null, "udp": true,
        });
        let expected = "OPTION        VALUE\n\
                        access.allow  none\n\
                        access.deny   192.0.2.0/24 ::/0\n\
                        nsid          none\n\
                        rate_limit    none\n\
                        udp           true\n";
        assert_eq!(text(&result), expected);
    }
}
