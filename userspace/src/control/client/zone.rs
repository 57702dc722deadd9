//! What people are shown of one zone.

use super::table::{items, lines, shown};
use serde_json::Value;

/// A line for each thing that is known of it, then what a name answers, as a master file has it.
pub(super) fn text(result: &Value) -> String {
    let mut told = result.clone();
    let answers = told.as_object_mut().and_then(|told| told.remove("answers"));
    let Some(answers) = answers else {
        return lines(&told);
    };
    items(&answers).iter().map(answer).collect()
}

/// An answer, each section that has records with its name above.
fn answer(answer: &Value) -> String {
    let authority = match answer["aa"].as_bool() {
        Some(true) => "authoritative",
        _ => "not authoritative",
    };
    let (rtype, rcode) = (shown(&answer["type"]), shown(&answer["rcode"]));
    let mut text = format!("; {rtype}: {rcode}, {authority}\n");
    for section in ["answer", "authority", "additional"] {
        let records = items(&answer[section]);
        if !records.is_empty() && section != "answer" {
            text += &format!("; {section}\n");
        }
        for record in records {
            let [name, ttl, class, rtype, data] =
                ["name", "ttl", "class", "type", "data"].map(|field| shown(&record[field]));
            text += &format!("{name} {ttl} {class} {rtype} {data}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_reads_as_a_master_file() {
        let record = |rtype: &str, data: &str| {
            let (name, class) = ("www.a.", "IN");
            json!({"name": name, "ttl": 300, "class": class, "type": rtype, "data": data})
        };
        let answer = json!({
            "type": "A", "rcode": "NOERROR", "aa": true, "answer": [record("A", "192.0.2.1")],
            "authority": [record("NS", "ns.a.")], "additional": [],
        });
        let text = text(&json!({ "origin": "a.", "answers": [answer] }));
        let expected = "; A: NOERROR, authoritative\n\
                        www.a. 300 IN A 192.0.2.1\n\
                        ; authority\n\
                        www.a. 300 IN NS ns.a.\n";
        assert_eq!(text, expected);
    }
}
