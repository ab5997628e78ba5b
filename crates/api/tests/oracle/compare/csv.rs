//! A CSV parser.

/// Parses CSV by RFC 4180: quoted cells may contain commas, line ends and doubled quotes. Leaves
/// out empty lines.
pub(crate) fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let mut lines = vec![vec![String::new()]];
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let line = lines.last_mut().expect("a line");
        let cell = line.last_mut().expect("a cell");
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => line.push(String::new()),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => lines.push(vec![String::new()]),
            other => cell.push(other),
        }
    }
    lines.retain(|line| line.len() > 1 || !line[0].is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::parse_csv;

    #[test]
    fn quoted_cells_may_contain_quotes_commas_and_line_ends() {
        let lines = parse_csv("a,b\r\n\"x \"\"y\"\",\nz\",2\n\n# end of 1 rows\n");
        assert_eq!(
            lines,
            [
                vec!["a", "b"],
                vec!["x \"y\",\nz", "2"],
                vec!["# end of 1 rows"]
            ]
        );
    }
}
