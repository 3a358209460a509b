//! Figures side by side, for people.

/// Lays out rows under `head`: the first column to the left, numbers to the right, two spaces between.
pub(crate) fn lay_out(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut out = line(&widths, head.iter().copied());
    let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    out.push_str(&line(&widths, rule.iter().map(String::as_str)));
    for row in rows {
        out.push_str(&line(&widths, row.iter().map(String::as_str)));
    }
    out
}

/// Lays out words under `head`, all to the left, two spaces between.
pub(crate) fn lay_out_text(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut out = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// A number with as many digits as anybody can use: whole with groups of thousands from 100 on, two
/// digits after the point below 10, one between.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => grouped(value.round() as i64),
    }
}

/// A whole number with groups of thousands.
pub(crate) fn count(value: usize) -> String {
    grouped(value as i64)
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::from(if value < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn line<'a>(widths: &[usize], cells: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (column, (width, cell)) in widths.iter().zip(cells).enumerate() {
        if column == 0 {
            out.push_str(&format!("{cell:<width$}"));
        } else {
            out.push_str(&format!("  {cell:>width$}"));
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["fan-out".to_owned(), "2,130".to_owned()], vec!["é".to_owned(), "7".to_owned()]];
        let expected = "what     ns\n-------  -----\nfan-out  2,130\né            7\n";
        let expected = expected.replace("what     ns", "what        ns");
        assert_eq!(lay_out(&["what", "ns"], &rows), expected);
    }

    #[test]
    fn a_row_may_end_early() {
        assert_eq!(lay_out(&["a", "b"], &[vec!["x".to_owned()]]), "a  b\n-  -\nx\n");
    }

    #[test]
    fn numbers_have_useful_digits_only() {
        let table = [
            (0.0, "0.00"),
            (1.047, "1.05"),
            (9.994, "9.99"),
            (36.44, "36.4"),
            (361.4, "361"),
            (999.6, "1,000"),
            (2130.4, "2,130"),
            (4_400_000.0, "4,400,000"),
            (-12_345.0, "-12,345"),
        ];
        for (value, text) in table {
            assert_eq!(number(value), text);
        }
    }
}
