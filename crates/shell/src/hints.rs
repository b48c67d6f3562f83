//! What to say after a line that failed because of how it was typed: characters that look like those of a keyboard and
//! are not (pasted from an article, typed with an input method), and prompt signs copied along.
//!
//! bash says nothing of the kind. Only the prompt does, after bash's own words, and only when a line failed: all these
//! characters are fine in texts.

/// Most characters that are named for one line.
const NAMED_MAX: usize = 3;

/// What a character was probably meant to be, and what it is; an empty text means that it should not be there.
fn meant(c: char) -> Option<(&'static str, &'static str)> {
    Some(match c {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' => ("\"", "a typographic quote"),
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{b4}' => ("'", "a typographic quote"),
        '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{30fc}' => ("-", "a dash that is no minus sign"),
        '\u{2014}' | '\u{2015}' => ("--", "a long dash"),
        '\u{3000}' => (" ", "a full-width blank"),
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' => (" ", "a blank that does not separate words"),
        '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' => ("", "an invisible character"),
        '\u{2026}' => ("...", "an ellipsis"),
        '\u{a5}' | '\u{ffe5}' => ("\\", "a yen sign"),
        '\u{3002}' => (".", "a full-width character"),
        '\u{3001}' => (",", "a full-width character"),
        _ => return None,
    })
}

/// The plain character that a full-width one stands for.
fn narrow(c: char) -> Option<char> {
    match u32::from(c) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0),
        _ => None,
    }
}

/// The line with plain characters, and a sentence for each of the first few that are not.
fn plain(line: &str) -> (String, Vec<String>) {
    let (mut text, mut sentences) = (String::new(), Vec::new());
    for (at, c) in line.chars().enumerate() {
        let (instead, what) = match (narrow(c), meant(c)) {
            (Some(narrow), _) => (narrow.to_string(), "a full-width character"),
            (None, Some((instead, what))) => (instead.to_owned(), what),
            (None, None) => {
                text.push(c);
                continue;
            }
        };
        let shown = if c.is_whitespace() || instead.is_empty() { String::new() } else { format!("{c} ") };
        let advice = match instead.as_str() {
            "" => "remove it".to_owned(),
            " " => "type a plain blank instead".to_owned(),
            other => format!("type {other} instead"),
        };
        sentences.push(format!("{shown}(U+{:04X}) at character {} is {what}: {advice}", u32::from(c), at + 1));
        text.push_str(&instead);
    }
    if sentences.len() > NAMED_MAX {
        let more = sentences.len() - NAMED_MAX;
        sentences.truncate(NAMED_MAX);
        sentences.push(format!("and {more} more of this kind"));
    }
    (text, sentences)
}

/// The command behind a prompt that was typed or pasted along.
fn behind_prompt(line: &str) -> Option<(&str, &str)> {
    let (first, rest) = line.trim_start().split_once(' ')?;
    let sign = first.chars().last().filter(|c| matches!(c, '$' | '#' | '%' | '>'))?;
    let whole = first.chars().count() == 1 || (first.contains(['@', ':']) && sign != '>');
    (whole && !rest.trim().is_empty()).then(|| (first, rest.trim()))
}

/// What to say after `text` failed; nothing if it was typed as it should be. `succeeded` leaves only what can be wrong
/// with a line that did nothing: a command behind `#` is a comment. `is_command` knows the names of programs.
pub(crate) fn hints(text: &str, succeeded: bool, is_command: impl Fn(&str) -> bool) -> Vec<String> {
    let line = text.trim_end_matches('\n');
    let prompt = behind_prompt(line).filter(|(_, rest)| rest.split_whitespace().next().is_some_and(&is_command));
    if let Some((prompt, rest)) = prompt
        && (!succeeded || prompt.starts_with('#'))
    {
        return vec![format!("hint: {prompt} is the prompt of the example; type only what follows it: {rest}")];
    }
    if succeeded {
        return Vec::new();
    }
    let (corrected, mut sentences) = plain(line);
    if sentences.is_empty() {
        return sentences;
    }
    sentences.push(format!("did you mean: {corrected}"));
    sentences.iter().map(|sentence| format!("hint: {sentence}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        assert_eq!(hints(line, false, |name| name == "kubectl"), expected, "{line}");
    }

    #[test]
    fn names_the_character_its_place_and_the_key_to_press() {
        check("kubectl get pods", &[]);
        check(
            "kubectl get pods -l “app=web”",
            &[
                "hint: “ (U+201C) at character 21 is a typographic quote: type \" instead",
                "hint: ” (U+201D) at character 29 is a typographic quote: type \" instead",
                "hint: did you mean: kubectl get pods -l \"app=web\"",
            ],
        );
        check(
            "kubectl get pods –n kube-system",
            &[
                "hint: – (U+2013) at character 18 is a dash that is no minus sign: type - instead",
                "hint: did you mean: kubectl get pods -n kube-system",
            ],
        );
        check(
            "kubectl\u{3000}get pods",
            &[
                "hint: (U+3000) at character 8 is a full-width blank: type a plain blank instead",
                "hint: did you mean: kubectl get pods",
            ],
        );
        let said = hints("ｋｕｂｅｃｔｌ get pods", false, |_| false);
        assert_eq!(said[0], "hint: ｋ (U+FF4B) at character 1 is a full-width character: type k instead");
        assert_eq!(said[3..], ["hint: and 4 more of this kind", "hint: did you mean: kubectl get pods"]);
        check(
            "kubectl get\u{200b} pods",
            &[
                "hint: (U+200B) at character 12 is an invisible character: remove it",
                "hint: did you mean: kubectl get pods",
            ],
        );
    }

    #[test]
    fn a_prompt_is_not_part_of_a_command() {
        for prompt in ["$", "#", "%", ">", "learner@kubonsai:~$", "root@web-1:/#"] {
            let expected =
                format!("hint: {prompt} is the prompt of the example; type only what follows it: kubectl get pods");
            check(&format!("{prompt} kubectl get pods"), &[&expected]);
        }
        check("$ nonsense", &[]);
        check("$HOME kubectl", &[]);
        // A comment succeeds, but did not do what was meant.
        assert_eq!(hints("# kubectl get pods", true, |name| name == "kubectl").len(), 1);
        assert!(hints("echo “hi”", true, |_| true).is_empty(), "texts may have any character");
    }
}
