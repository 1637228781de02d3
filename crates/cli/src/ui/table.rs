//! Listings: a head in capitals and plain columns, so that `awk` reads them too.

use comfy_table::{ContentArrangement, Table, presets};

/// Rows under a head, as text without a last line break.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| super::out::tame(&cell))));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Names and values, one a line, the values under one another.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    let lines: Vec<String> = facts
        .iter()
        .map(|(name, value)| format!("{name:width$}{}", super::out::tame(value)))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_one_another_without_frames() {
        let rows = vec![["pa".into(), "running".into()], ["work".into(), "frozen".into()]];
        assert_eq!(table(["NAME", "STATE"], rows), "NAME  STATE\npa    running\nwork  frozen");
        assert_eq!(facts(&[("a", "1".into()), ("long", "2".into())]), "a     1\nlong  2");
    }
}
