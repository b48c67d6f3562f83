//! basename.

use crate::applet::{Fail, Io, Outcome};

/// The last part of a path.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let Some(path) = args.get(1) else { return Err(Fail::Message("missing operand".to_owned())) };
    let trimmed = path.trim_end_matches('/');
    let name = if trimmed.is_empty() && !path.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or("") };
    let short = args.get(2).and_then(|s| name.strip_suffix(s.as_str())).filter(|s| !s.is_empty());
    writeln!(io.out, "{}", short.unwrap_or(name))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn names() {
        check("basename", &["/a/b.txt", ".txt"], "", "b\n");
        check("basename", &["/"], "", "/\n");
        check("dirname", &["/a/b.txt"], "", "/a\n");
        check("dirname", &["b"], "", ".\n");
        check("dirname", &["/b"], "", "/\n");
    }
}
