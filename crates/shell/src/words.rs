//! What a terminal says in words of ours, in both languages; a sentence without a translation does not compile. The words
//! of real tools are not here: they stay as those tools print them where no catalogues of messages are installed.

/// A language that these words are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// Japanese.
    Ja,
    /// English.
    En,
}

/// The variables that choose the language of messages, as in setlocale(3): the first that is not empty.
const VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

impl Language {
    /// The language that an environment asks for; English where it asks for another.
    pub(crate) fn of<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Language {
        let locale = VARIABLES.into_iter().filter_map(variable).find(|value| !value.is_empty());
        match locale.and_then(|locale| locale.split(['_', '.', '@']).next()) {
            Some("ja") => Language::Ja,
            _ => Language::En,
        }
    }
}

macro_rules! words {
    ($($key:ident: $ja:literal, $en:literal;)*) => {
        /// A sentence, with places such as `{at}`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Words { $($key),* }

        impl Words {
            fn template(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Words::$key, Language::Ja) => $ja, (Words::$key, Language::En) => $en,)*
                }
            }

            #[cfg(test)]
            const ALL: &'static [Words] = &[$(Words::$key),*];
        }
    };
}

words! {
    FullWidth: "ヒント: {at} 文字目の「{c}」(U+{code}) は全角です。半角の {instead} を入力してください。", "hint: {c} (U+{code}) at character {at} is a full-width character: type {instead} instead";
    Quote: "ヒント: {at} 文字目の「{c}」(U+{code}) は文章用の引用符です。半角の {instead} を入力してください。", "hint: {c} (U+{code}) at character {at} is a typographic quote: type {instead} instead";
    Dash: "ヒント: {at} 文字目の「{c}」(U+{code}) はハイフンに似た別の文字です。半角の {instead} を入力してください。", "hint: {c} (U+{code}) at character {at} is a dash that is no minus sign: type {instead} instead";
    LongDash: "ヒント: {at} 文字目の「{c}」(U+{code}) は長いダッシュです。半角の {instead} を入力してください。", "hint: {c} (U+{code}) at character {at} is a long dash: type {instead} instead";
    Ellipsis: "ヒント: {at} 文字目の「{c}」(U+{code}) は三点リーダーです。半角の {instead} を入力してください。", "hint: {c} (U+{code}) at character {at} is an ellipsis: type {instead} instead";
    Yen: "ヒント: {at} 文字目の「{c}」(U+{code}) は円記号です。バックスラッシュ {instead} を入力してください。", "hint: {c} (U+{code}) at character {at} is a yen sign: type {instead} instead";
    FullWidthBlank: "ヒント: {at} 文字目の空白 (U+{code}) は全角です。半角の空白を入力してください。", "hint: (U+{code}) at character {at} is a full-width blank: type a plain blank instead";
    FixedBlank: "ヒント: {at} 文字目の空白 (U+{code}) は、単語の区切りにならない特別な空白です。半角の空白を入力してください。", "hint: (U+{code}) at character {at} is a blank that does not separate words: type a plain blank instead";
    Invisible: "ヒント: {at} 文字目に、目に見えない文字 (U+{code}) があります。消してください。", "hint: (U+{code}) at character {at} is an invisible character: remove it";
    More: "ヒント: このような文字が、ほかに {count} 個あります。", "hint: and {count} more of this kind";
    DidYouMean: "ヒント: 次のコマンドではありませんか: {line}", "hint: did you mean: {line}";
    Prompt: "ヒント: {prompt} は例のプロンプトです。そのあとだけを入力してください: {line}", "hint: {prompt} is the prompt of the example; type only what follows it: {line}";
    EditorOpen: "{file} を端末の横のエディターで開きました。そちらで保存して閉じてください。", "{file} is open in the editor beside the terminal. Save and close it there.";
}

impl Words {
    /// The sentence with its places filled in.
    pub(crate) fn say(self, language: Language, places: &[(&str, &str)]) -> String {
        let mut out = String::new();
        let mut rest = self.template(language);
        // In one go: what is filled in is the learner's and may look like a place.
        while let Some((before, (name, after))) = next_place(rest) {
            out.push_str(before);
            out.push_str(places.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text));
            rest = after;
        }
        out + rest
    }
}

/// What stands before the first place, its name, and what stands behind it.
fn next_place(template: &str) -> Option<(&str, (&str, &str))> {
    let (before, after) = template.split_once('{')?;
    Some((before, after.split_once('}')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(mut template: &str) -> Vec<&str> {
        let mut names = Vec::new();
        while let Some((_, (name, after))) = next_place(template) {
            names.push(name);
            template = after;
        }
        names.sort_unstable();
        names
    }

    #[test]
    fn every_sentence_is_in_both_languages() {
        for words in Words::ALL {
            let [ja, en] = [Language::Ja, Language::En].map(|language| words.template(language));
            assert!(en.len() > 20 && en.is_ascii(), "{words:?}: {en}");
            let hiragana = ja.chars().filter(|c| ('\u{3041}'..='\u{3096}').contains(c)).count();
            assert!(hiragana > 2, "{words:?} is not Japanese: {ja}");
            assert_eq!(en.starts_with("hint: "), ja.starts_with("ヒント: "), "{words:?}");
            assert_eq!(places(ja), places(en), "{words:?}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_a_place() {
        let said = Words::Prompt.say(Language::En, &[("prompt", "{line}$"), ("line", "echo {prompt}")]);
        assert_eq!(said, "hint: {line}$ is the prompt of the example; type only what follows it: echo {prompt}");
    }

    #[test]
    fn the_language_is_that_of_the_environment() {
        for (variables, expected) in [
            (&[][..], Language::En),
            (&[("LANG", "ja_JP.UTF-8")], Language::Ja),
            (&[("LANG", "ja")], Language::Ja),
            (&[("LANG", "en_US.UTF-8")], Language::En),
            (&[("LANG", "C.UTF-8")], Language::En),
            (&[("LANG", "jam_JM")], Language::En),
            (&[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "")], Language::Ja),
            (&[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "C")], Language::En),
            (&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "ja_JP.UTF-8")], Language::Ja),
        ] {
            let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(Language::of(variable), expected, "{variables:?}");
        }
    }
}
