//! What people are shown: a line for each value, or a table with a heading.

use serde_json::Value;

/// One line per value, nested names joined by dots.
pub(super) fn lines(value: &Value) -> String {
    let mut text = String::new();
    nested(&mut text, "", value);
    text
}

fn nested(text: &mut String, name: &str, value: &Value) {
    let under = |key: &str| {
        if name.is_empty() {
            key.to_owned()
        } else {
            format!("{name}.{key}")
        }
    };
    match value {
        Value::Object(fields) => {
            // A histogram's ranges are for programs; people have the shares beside them.
            let told = fields.iter().filter(|(key, _)| *key != "ranges");
            told.for_each(|(key, value)| nested(text, &under(key), value));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(at, item)| nested(text, &under(&at.to_string()), item));
        }
        Value::Null => {}
        Value::String(plain) => *text += &format!("{name:<40} {plain}\n"),
        other => *text += &format!("{name:<40} {other}\n"),
    }
}

/// A value in a column.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(plain) => plain.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// The items of a list; none if it is no list.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Rows below headings, in columns as wide as they need to be.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// Columns whose text is at their right end.
    right: &'static [usize],
}

#[derive(Debug)]
enum Row {
    Cells(Vec<String>),
    /// What is said of the row above.
    Remark(String),
}

impl Table {
    /// A table of these columns, those at the places `right` being numbers.
    pub(super) fn new(headings: &[&str], right: &'static [usize]) -> Self {
        let headings = headings.iter().map(ToString::to_string).collect();
        let rows = vec![Row::Cells(headings)];
        Self { rows, right }
    }

    /// Adds a row, with as many cells as there are columns.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(Row::Cells(cells.into_iter().collect()));
    }

    /// Adds a line below the last row.
    pub(super) fn remark(&mut self, text: impl Into<String>) {
        self.rows.push(Row::Remark(text.into()));
    }

    /// The whole table, a line each.
    pub(super) fn text(&self) -> String {
        let cells = self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells),
            Row::Remark(_) => None,
        });
        let mut widths: Vec<usize> = Vec::new();
        for row in cells {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let line = match row {
                Row::Cells(cells) => self.line(cells, &widths),
                Row::Remark(remark) => format!("  {remark}"),
            };
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let cells = cells.iter().zip(widths).enumerate();
        let cells = cells.map(|(at, (cell, &width))| match self.right.contains(&at) {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_line_per_value() {
        let value = serde_json::json!({"a": {"b": 1, "c": ["x", 2]}, "d": null, "ranges": [1]});
        let text = lines(&value);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(lines, [["a.b", "1"], ["a.c.0", "x"], ["a.c.1", "2"]]);
    }

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let mut table = Table::new(&["NAME", "COUNT"], &[1]);
        table.row(["überlang.".to_owned(), "7".to_owned()]);
        table.remark("what is to be said of it");
        table.row(["b.".to_owned(), "1234567".to_owned()]);
        let expected = "NAME         COUNT\n\
                        überlang.        7\n  \
                          what is to be said of it\n\
                        b.         1234567\n";
        assert_eq!(table.text(), expected);
    }
}
