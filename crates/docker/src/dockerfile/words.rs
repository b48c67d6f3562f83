//! Words: quotes, and variables as the builder expands them (`frontend/dockerfile/shell/lex.go`).

/// Words within words, as in `${a:-${b:-c}}`.
const DEPTH_MAX: usize = 32;
/// Bytes of one text with its variables in: Linux has no longer argument either (`MAX_ARG_STRLEN`).
const EXPANDED_BYTES_MAX: usize = 128 << 10;

/// Where variables are looked up.
pub(crate) type Scope<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Splits at white space outside of quotes; quotes and escapes stay.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quote, mut escaped) = (None, false);
    for c in text.chars() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote != Some('\'') {
            escaped = true;
        } else if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && (c == '"' || c == '\'') {
            quote = Some(c);
        } else if quote.is_none() && c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Takes quotes off and puts the values of variables in.
///
/// # Errors
/// An unclosed `${`, a modifier that is not known, or more than there is room for.
pub(crate) fn expand(text: &str, scope: Scope<'_>) -> Result<String, String> {
    expand_at(text, scope, 0)
}

fn expand_at(text: &str, scope: Scope<'_>, depth: usize) -> Result<String, String> {
    if depth > DEPTH_MAX {
        return Err(format!("syntax error: more than {DEPTH_MAX} words within each other"));
    }
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = rest.next() {
        match (c, quote) {
            ('\'', None) | ('"', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            ('\\', None) => out.extend(rest.next()),
            ('\\', Some('"')) => match rest.peek() {
                Some('"' | '$' | '\\') => out.extend(rest.next()),
                _ => out.push('\\'),
            },
            ('$', None | Some('"')) => out.push_str(&variable(&mut rest, scope, depth)?),
            (c, _) => out.push(c),
        }
        if out.len() > EXPANDED_BYTES_MAX {
            return Err("argument list too long".to_owned());
        }
    }
    Ok(out)
}

fn variable(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    scope: Scope<'_>,
    depth: usize,
) -> Result<String, String> {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    if rest.next_if_eq(&'{').is_none() {
        let mut name = String::new();
        while let Some(c) = rest.next_if(is_name) {
            name.push(c);
        }
        return Ok(if name.is_empty() { "$".to_owned() } else { scope(&name).unwrap_or_default() });
    }
    let mut inside = String::new();
    let mut open = 1;
    for c in rest.by_ref() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            break;
        }
        inside.push(c);
    }
    if open > 0 {
        return Err("syntax error: missing '}'".to_owned());
    }
    let end = inside.find(|c: char| !is_name(&c)).unwrap_or(inside.len());
    let (name, modifier) = inside.split_at(end);
    let value = scope(name);
    if let Some(word) = modifier.strip_prefix(":-") {
        return value.filter(|v| !v.is_empty()).map_or_else(|| expand_at(word, scope, depth + 1), Ok);
    }
    if let Some(word) = modifier.strip_prefix(":+") {
        return if value.is_some_and(|v| !v.is_empty()) {
            expand_at(word, scope, depth + 1)
        } else {
            Ok(String::new())
        };
    }
    if let Some(word) = modifier.strip_prefix('-') {
        return value.map_or_else(|| expand_at(word, scope, depth + 1), Ok);
    }
    if modifier.is_empty() {
        return Ok(value.unwrap_or_default());
    }
    Err(format!("unsupported modifier ({}) in substitution", modifier.chars().take(2).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_somewhere() {
        let none: Scope<'_> = &|_| None;
        let nested = |depth: usize| format!("{}x{}", "${a:-".repeat(depth), "}".repeat(depth));
        assert_eq!(expand(&nested(DEPTH_MAX), none), Ok("x".to_owned()));
        assert!(expand(&nested(20_000), none).is_err_and(|why| why.starts_with("syntax error")));
        assert!(expand(&"${a:-".repeat(20_000), none).is_err());
        let long: Scope<'_> = &|_| Some("a".repeat(1000));
        assert_eq!(expand(&"$A".repeat(100), long).map(|text| text.len()), Ok(100_000));
        assert_eq!(expand(&"$A".repeat(200), long), Err("argument list too long".to_owned()));
    }
}
