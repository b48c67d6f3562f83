//! Results as `mysql` draws them: boxes for people, tabs for programs, one field a line for `\G`.

use crate::connection::Column;

/// Columns that a text takes on a terminal: two for the wide letters of East Asia.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match u32::from(c) {
            0x300..=0x36f | 0x200b..=0x200f => 0,
            0x1100..=0x115f
            | 0x2e80..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0xffe0..=0xffe6
            | 0x1f300..=0x1faff
            | 0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}

fn widths(columns: &[Column], rows: &[Vec<Option<String>>], names: bool) -> Vec<usize> {
    let of = |(at, column): (usize, &Column)| {
        let fields = rows.iter().map(|row| row[at].as_deref().map_or(4, width)).max().unwrap_or(0);
        // Where NULL may stand there is room for it.
        fields.max(if names { width(&column.name) } else { 0 }).max(if column.nullable { 4 } else { 0 })
    };
    columns.iter().enumerate().map(of).collect()
}

/// A box with lines around it.
pub fn table(columns: &[Column], rows: &[Vec<Option<String>>], names: bool) -> String {
    let widths = widths(columns, rows, names);
    let line: String = widths.iter().map(|w| format!("+{}", "-".repeat(w + 2))).collect::<String>() + "+\n";
    let mut out = line.clone();
    if names {
        for (column, w) in columns.iter().zip(&widths) {
            out.push_str(&format!("| {}{} ", column.name, " ".repeat(w.saturating_sub(width(&column.name)))));
        }
        out.push_str("|\n");
        out.push_str(&line);
    }
    for row in rows {
        for ((field, column), w) in row.iter().zip(columns).zip(&widths) {
            let text = field.as_deref().unwrap_or("NULL");
            let room = " ".repeat(w.saturating_sub(width(text)));
            out.push_str(&if column.number { format!("| {room}{text} ") } else { format!("| {text}{room} ") });
        }
        out.push_str("|\n");
    }
    out + &line
}

/// Fields with tabs between them; what would break a line is escaped.
pub fn tabs(columns: &[Column], rows: &[Vec<Option<String>>], names: bool) -> String {
    let escaped =
        |text: &str| text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\0', "\\0");
    let mut out = String::new();
    if names {
        out.push_str(&columns.iter().map(|c| escaped(&c.name)).collect::<Vec<_>>().join("\t"));
        out.push('\n');
    }
    for row in rows {
        let fields: Vec<String> = row.iter().map(|f| f.as_deref().map_or("NULL".to_owned(), escaped)).collect();
        out.push_str(&fields.join("\t"));
        out.push('\n');
    }
    out
}

/// One field a line.
pub fn vertical(columns: &[Column], rows: &[Vec<Option<String>>]) -> String {
    let widest = columns.iter().map(|c| width(&c.name)).max().unwrap_or(0);
    let stars = "*".repeat(27);
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        out.push_str(&format!("{stars} {}. row {stars}\n", at + 1));
        for (column, field) in columns.iter().zip(row) {
            let room = " ".repeat(widest - width(&column.name));
            out.push_str(&format!("{room}{}: {}\n", column.name, field.as_deref().unwrap_or("NULL")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Vec<Column>, Vec<Vec<Option<String>>>) {
        let column = |name: &str, number, nullable| Column { name: name.to_owned(), number, nullable };
        let columns = vec![column("id", true, false), column("name", false, true)];
        let field = |text: &str| Some(text.to_owned());
        (columns, vec![vec![field("1"), field("a\tb")], vec![field("10"), None], vec![field("2"), field("木村")]])
    }

    #[test]
    fn three_ways() {
        let (columns, rows) = sample();
        let expected = "+----+------+\n| id | name |\n+----+------+\n|  1 | a\tb  |\n| 10 | NULL |\n|  2 | 木村 |\n+----+------+\n";
        assert_eq!(table(&columns, &rows, true), expected);
        assert_eq!(tabs(&columns, &rows, true), "id\tname\n1\ta\\tb\n10\tNULL\n2\t木村\n");
        let first = "*************************** 1. row ***************************\n  id: 1\nname: a\tb\n";
        assert!(vertical(&columns, &rows).starts_with(first));
    }
}
