//! Paths of fields below an object that its schema knows (`ValidFieldPath`): `fieldPath` of a rule, and selectable fields.

use json::Value;

/// The path as complaints show it.
///
/// # Errors
/// Why it is no path in the schema.
pub fn read(path: &str, schema: &Value) -> Result<String, String> {
    walk(path, schema, true).map(|(found, _)| found)
}

/// The path as complaints show it, and the schema of what it leads to; with `['name']` if that is allowed.
///
/// # Errors
/// As [`read`].
pub fn walk<'a>(path: &str, schema: &'a Value, allows_brackets: bool) -> Result<(String, &'a Value), String> {
    let mut tokens = tokens(path).into_iter();
    let (mut schema, mut found) = (schema, String::new());
    while let Some(token) = tokens.next() {
        let name = match token.as_str() {
            "." => tokens.next().ok_or("unexpected end of JSON path")?,
            "[" if !allows_brackets => return Err("array notation is not allowed".to_owned()),
            "[" => {
                let quoted = tokens.next().ok_or("unexpected end of JSON path")?;
                let inner = quoted.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
                let inner = inner.ok_or_else(|| format!("expected single quoted string but got {quoted}"))?;
                let name = unescape(inner)?;
                let end = tokens.next().ok_or("unexpected end of JSON path")?;
                if end != "]" {
                    return Err(format!("expected ] but got {end}"));
                }
                name
            }
            other => return Err(format!("expected [ or . but got: {other}")),
        };
        if schema["properties"].is_object() {
            schema = schema["properties"].get(&name).ok_or("does not refer to a valid field")?;
            found = if found.is_empty() { name } else { format!("{found}.{name}") };
        } else if schema["additionalProperties"].is_object() {
            schema = &schema["additionalProperties"];
            found = format!("{found}[{name}]");
        } else {
            return Err("does not refer to a valid field".to_owned());
        }
    }
    Ok((found, schema))
}

/// Dots, brackets, and what is between them; quoted texts in one piece.
fn tokens(path: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut last = '\0';
    for c in path.chars() {
        let is_quoted = current.starts_with('\'');
        if is_quoted {
            current.push(c);
            if c == '\'' && last != '\\' {
                found.push(std::mem::take(&mut current));
            }
        } else if matches!(c, '.' | '[' | ']') {
            if !current.is_empty() {
                found.push(std::mem::take(&mut current));
            }
            found.push(c.to_string());
        } else {
            current.push(c);
        }
        last = c;
    }
    if !current.is_empty() {
        found.push(current);
    }
    found
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next() {
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some(c @ ('\'' | '\\')) => c,
            other => {
                let shown = other.map(String::from).unwrap_or_default();
                return Err(format!("invalid string literal: invalid escape char \\{shown}"));
            }
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn read(path: &str, schema: &json::Value) -> Result<String, String> {
        walk(path, schema, true).map(|(found, _)| found)
    }

    #[test]
    fn fields_and_keys() {
        let schema = json!({"properties": {"spec": {"properties": {"a.b": {}, "env": {"additionalProperties": {}}}}}});
        assert_eq!(read(".spec['a.b']", &schema).as_deref(), Ok("spec.a.b"));
        assert_eq!(read(".spec.env['K']", &schema).as_deref(), Ok("spec.env[K]"));
        assert_eq!(read(".spec.x", &schema), Err("does not refer to a valid field".into()));
        assert_eq!(read("spec", &schema), Err("expected [ or . but got: spec".into()));
        assert_eq!(read(".spec[0]", &schema), Err("expected single quoted string but got 0".into()));
    }
}
