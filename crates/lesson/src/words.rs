//! Words that were misspelt.

/// The word of a list that was probably meant, be its letters small or capital.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    words.into_iter().find(|known| is_near(&word.to_lowercase(), &known.to_lowercase()))
}

/// Whether two words differ by at most one letter: changed, left out, added, or swapped with the next.
fn is_near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    match (a, b) {
        ([], []) => true,
        ([], rest) | (rest, []) => rest.len() == 1,
        ([_, x @ ..], [_, y @ ..]) => {
            x == y
                || x == b
                || a == y
                || (a.len() > 1 && b.len() > 1 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_may_be_wrong() {
        let known = ["Deployment", "Pod", "Job"];
        for (word, meant) in [
            ("Deploment", Some("Deployment")),
            ("Deploymnet", Some("Deployment")),
            ("pods", Some("Pod")),
            ("job", Some("Job")),
            ("Dploymnt", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
