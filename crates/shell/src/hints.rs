//! What to say after a line that failed because of how it was typed: characters that look like those of a keyboard and
//! are not (pasted from an article, typed with an input method), and prompt signs copied along.
//!
//! bash says nothing of the kind. Only the prompt does, after bash's own words, and as a rule only when a line failed: all
//! these characters are fine in texts. The sentences are in words.rs.

use crate::words::{Language, Words};

/// Most characters that are named for one line.
const NAMED_MAX: usize = 3;

/// Letters of a word below which it is too short to say what was meant.
const SHORTEST: usize = 3;
/// Letters from which on two may be wrong.
const LONG: usize = 7;

/// What a character was probably meant to be, and what to say of it; an empty text means that it should not be there.
fn meant(c: char) -> Option<(&'static str, Words)> {
    Some(match c {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' => ("\"", Words::Quote),
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{b4}' => ("'", Words::Quote),
        '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{30fc}' => ("-", Words::Dash),
        '\u{2014}' | '\u{2015}' => ("--", Words::LongDash),
        '\u{3000}' => (" ", Words::FullWidthBlank),
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' => (" ", Words::FixedBlank),
        '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' => ("", Words::Invisible),
        '\u{2026}' => ("...", Words::Ellipsis),
        '\u{a5}' | '\u{ffe5}' => ("\\", Words::Yen),
        '\u{3002}' => (".", Words::FullWidth),
        '\u{3001}' => (",", Words::FullWidth),
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

/// The line with plain characters, and a sentence for each of the first few that are not. `suspect` says of a character,
/// by its place, whether it may be wrong at all.
fn plain(line: &str, language: Language, suspect: impl Fn(usize) -> bool) -> (String, Vec<String>) {
    let (mut text, mut sentences, mut before) = (String::new(), Vec::new(), None);
    for (at, c) in line.chars().enumerate() {
        let in_word = before.replace(c).is_some_and(|before| lengthens(before, c));
        let (instead, words) = match (narrow(c), meant(c)) {
            (Some(narrow), _) if suspect(at) => (narrow.to_string(), Words::FullWidth),
            (None, Some((instead, words))) if suspect(at) && !in_word => (instead.to_owned(), words),
            _ => {
                text.push(c);
                continue;
            }
        };
        let (c, code, at) = (c.to_string(), format!("{:04X}", u32::from(c)), (at + 1).to_string());
        sentences.push(words.say(language, &[("c", &c), ("code", &code), ("at", &at), ("instead", &instead)]));
        text.push_str(&instead);
    }
    if sentences.len() > NAMED_MAX {
        let more = (sentences.len() - NAMED_MAX).to_string();
        sentences.truncate(NAMED_MAX);
        sentences.push(Words::More.say(language, &[("count", &more)]));
    }
    (text, sentences)
}

/// Whether `c` makes the kana before it long, as in a Japanese word, and so is no dash.
fn lengthens(before: char, c: char) -> bool {
    c == '\u{30fc}' && matches!(before, '\u{3041}'..='\u{30fa}')
}

/// Places of typographic quotes that stand where the shell's own would quote something: not inside of those, nor in
/// comments, here-documents or the middle of words (apostrophes).
fn loose_quotes(line: &str) -> Vec<usize> {
    let (mut found, mut opens) = (Vec::new(), false);
    let (mut quote, mut escaped, mut before) = (None, false, ' ');
    for (at, c) in line.chars().enumerate() {
        let last = std::mem::replace(&mut before, c);
        match (quote, c) {
            _ if std::mem::take(&mut escaped) => {}
            (None | Some('"'), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '#') if last.is_whitespace() => break,
            (None, '\n') if line.contains("<<") => break,
            (None, _) if matches!(meant(c), Some((_, Words::Quote))) => {
                opens |= !last.is_alphanumeric();
                found.push(at);
            }
            (None, _) => {}
        }
    }
    if opens && found.len() > 1 { found } else { Vec::new() }
}

/// The command behind a prompt that was typed or pasted along.
fn behind_prompt(line: &str) -> Option<(&str, &str)> {
    let (first, rest) = line.trim_start().split_once(' ')?;
    let sign = first.chars().last().filter(|c| matches!(c, '$' | '#' | '%' | '>'))?;
    let whole = first.chars().count() == 1 || (first.contains(['@', ':']) && sign != '>');
    (whole && !rest.trim().is_empty()).then(|| (first, rest.trim()))
}

/// What to say after `text` failed; nothing if it was typed as it should be. `succeeded` leaves only what can be wrong
/// with a line that did something else than was meant: a command behind `#` is a comment, and quotes that quote nothing are
/// part of the word. `is_command` knows the names of programs.
pub(crate) fn hints(text: &str, succeeded: bool, language: Language, is_command: impl Fn(&str) -> bool) -> Vec<String> {
    let line = text.trim_end_matches('\n');
    let prompt = behind_prompt(line).filter(|(_, rest)| rest.split_whitespace().next().is_some_and(&is_command));
    if let Some((prompt, rest)) = prompt
        && (!succeeded || prompt.starts_with('#'))
    {
        return vec![Words::Prompt.say(language, &[("prompt", prompt), ("line", rest)])];
    }
    let (corrected, mut sentences) = if succeeded {
        let quotes = loose_quotes(line);
        plain(line, language, |at| quotes.contains(&at))
    } else {
        plain(line, language, |_| true)
    };
    if !sentences.is_empty() {
        sentences.push(Words::DidYouMean.say(language, &[("line", &corrected)]));
    }
    sentences
}

/// What to say of a line whose first word is no command but nearly one; nothing where several are as near.
pub(crate) fn misspelt<'a>(text: &str, language: Language, commands: impl Iterator<Item = &'a str>) -> Option<String> {
    let line = text.trim();
    let first = line.split(char::is_whitespace).next()?;
    let length = first.chars().count();
    let is_word = length >= SHORTEST && first.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_word {
        return None;
    }
    let edits_max = if length < LONG { 1 } else { 2 };
    let mut near: Vec<(usize, &str)> = commands.map(|name| (machine::distance(first, name), name)).collect();
    near.retain(|(edits, _)| *edits <= edits_max);
    near.sort_unstable();
    near.dedup();
    match near[..] {
        // What was not found then is another word of the line.
        [(0, _), ..] => None,
        [(edits, name), ref others @ ..] if others.first().is_none_or(|(more, _)| *more > edits) => {
            let meant = format!("{name}{}", &line[first.len()..]);
            Some(Words::DidYouMean.say(language, &[("line", &meant)]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        assert_eq!(hints(line, false, Language::En, |name| name == "kubectl"), expected, "{line}");
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
        let said = hints("ｋｕｂｅｃｔｌ get pods", false, Language::En, |_| false);
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
        assert_eq!(hints("# kubectl get pods", true, Language::En, |name| name == "kubectl").len(), 1);
    }

    #[test]
    fn quotes_that_quote_nothing_are_named_though_the_line_succeeds() {
        let said = |line: &str| hints(line, true, Language::En, |_| true);
        assert_eq!(
            said("kubectl get pods -o jsonpath=“{.items}” # –"),
            [
                "hint: “ (U+201C) at character 30 is a typographic quote: type \" instead",
                "hint: ” (U+201D) at character 39 is a typographic quote: type \" instead",
                "hint: did you mean: kubectl get pods -o jsonpath=\"{.items}\" # –",
            ]
        );
        assert_eq!(
            said("echo ‘a b’ サーバー —").last().map(String::as_str),
            Some("hint: did you mean: echo 'a b' サーバー —")
        );
        for text in [
            "echo \"“hi”\"",
            "echo '“hi”' \"it\\\" “is”\"",
            "echo \\“hi\\”",
            "echo hi # “hi”",
            "echo don’t and won’t",
            "echo 彼は“はい”と言った",
            "cat > f <<EOF\n“hi”\nEOF",
            "echo ｈｉ – …",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_japanese_word_has_no_dashes() {
        check("kubectl create cm c --from-literal=a=サーバー", &[]);
        check(
            "kubectl get pods ーn kube-system",
            &[
                "hint: ー (U+30FC) at character 18 is a dash that is no minus sign: type - instead",
                "hint: did you mean: kubectl get pods -n kube-system",
            ],
        );
    }

    #[test]
    fn a_command_that_is_nearly_right_is_named() {
        let said = |line: &str| {
            misspelt(
                line,
                Language::En,
                ["cat", "cut", "curl", "kubectl", "ls", "minikube", "sed", "touch"].into_iter(),
            )
        };
        for (line, meant) in [
            ("kubctl get pods -o wide\n", Some("kubectl get pods -o wide")),
            ("kubeclt", Some("kubectl")),
            ("minkube start", Some("minikube start")),
            ("Kubectl version", Some("kubectl version")),
            ("crul http://localhost", None),
            ("curll http://localhost", Some("curl http://localhost")),
            // As near to cat as to cut; too short; something else; a path; no command at all.
            ("cot x", None),
            ("l", None),
            ("docker ps", None),
            ("nosuch", None),
            ("cat x | gerp y", None),
            ("./kubect1", None),
            ("", None),
        ] {
            let expected = meant.map(|line| format!("hint: did you mean: {line}"));
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn japanese_learners_are_told_in_japanese() {
        let said = |line: &str| hints(line, false, Language::Ja, |name| name == "kubectl");
        for (line, expected) in [
            (
                "ｋubectl\u{3000}get pods",
                &[
                    "ヒント: 1 文字目の「ｋ」(U+FF4B) は全角です。半角の k を入力してください。",
                    "ヒント: 8 文字目の空白 (U+3000) は全角です。半角の空白を入力してください。",
                    "ヒント: 次のコマンドではありませんか: kubectl get pods",
                ][..],
            ),
            (
                "$ kubectl get pods",
                &["ヒント: $ は例のプロンプトです。そのあとだけを入力してください: kubectl get pods"],
            ),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
        // Whatever character is named, its sentence is whole in both languages.
        for c in ('\u{80}'..='\u{ffff}').filter(|c| narrow(*c).is_some() || meant(*c).is_some()) {
            for language in [Language::Ja, Language::En] {
                let line = format!("ls {c}{c}{c}{c}");
                let said = hints(&line, false, language, |_| false);
                let ours = ["ヒント: ", "hint: "][usize::from(language == Language::En)];
                assert_eq!(said.len(), 5, "{said:?}");
                assert!(said.iter().all(|sentence| sentence.starts_with(ours)), "{said:?}");
                assert!(said[0].contains(&format!("(U+{:04X})", u32::from(c))) && said[0].contains(" 4 "), "{said:?}");
                assert!(!said[0].contains("  ") && !said[0].contains('{') || c == '\u{ff5b}', "{said:?}");
            }
        }
    }
}
