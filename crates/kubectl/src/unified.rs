//! The difference of two texts, as `diff -u` prints it.

/// Lines of context around a change.
const CONTEXT_LINES: usize = 3;
/// Above this product of changed lines on both sides, a change is shown as one block.
const CELLS_MAX: usize = 4_000_000;

/// One line of the result: taken over, removed or added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit<'a> {
    Keep(&'a str),
    Remove(&'a str),
    Add(&'a str),
}

/// The hunks, empty when the texts are the same.
pub fn hunks(old: &str, new: &str) -> String {
    let edits = edits(&lines(old), &lines(new));
    let mut out = String::new();
    let is_change = |e: &Edit<'_>| !matches!(e, Edit::Keep(_));
    let mut at = 0;
    while let Some(first) = (at..edits.len()).find(|i| is_change(&edits[*i])) {
        let start = first.saturating_sub(CONTEXT_LINES).max(at);
        let mut end = first;
        // Changes with little between them share a hunk.
        while let Some(next) = (end..edits.len()).find(|i| is_change(&edits[*i])) {
            if next > end && next - end > 2 * CONTEXT_LINES {
                break;
            }
            end = next + 1;
        }
        let stop = (end + CONTEXT_LINES).min(edits.len());
        hunk(&edits, start, stop, &mut out);
        at = stop;
    }
    out
}

/// Lines with their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Edit<'a>> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = old.iter().zip(new).take_while(same).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(same).count();
    let (a, b) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut edits: Vec<Edit<'a>> = old[..head].iter().map(|l| Edit::Keep(l)).collect();
    if a.len().saturating_mul(b.len()) > CELLS_MAX {
        edits.extend(a.iter().map(|l| Edit::Remove(l)));
        edits.extend(b.iter().map(|l| Edit::Add(l)));
    } else {
        middle(a, b, &mut edits);
    }
    edits.extend(old[old.len() - tail..].iter().map(|l| Edit::Keep(l)));
    edits
}

/// By the longest common subsequence; removals come before additions.
fn middle<'a>(a: &[&'a str], b: &[&'a str], edits: &mut Vec<Edit<'a>>) {
    let width = b.len() + 1;
    let mut longest = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * width + j] = if a[i] == b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            edits.push(Edit::Keep(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
            edits.push(Edit::Remove(a[i]));
            i += 1;
        } else {
            edits.push(Edit::Add(b[j]));
            j += 1;
        }
    }
}

fn hunk(edits: &[Edit<'_>], start: usize, stop: usize, out: &mut String) {
    let count = |range: &[Edit<'_>], side: fn(&Edit<'_>) -> bool| range.iter().filter(|e| side(e)).count();
    let in_old: fn(&Edit<'_>) -> bool = |e| !matches!(e, Edit::Add(_));
    let in_new: fn(&Edit<'_>) -> bool = |e| !matches!(e, Edit::Remove(_));
    let range = |side| {
        let (before, within) = (count(&edits[..start], side), count(&edits[start..stop], side));
        match within {
            0 => format!("{before},0"),
            1 => format!("{}", before + 1),
            n => format!("{},{n}", before + 1),
        }
    };
    out.push_str(&format!("@@ -{} +{} @@\n", range(in_old), range(in_new)));
    for edit in &edits[start..stop] {
        let (mark, line) = match edit {
            Edit::Keep(line) => (' ', line),
            Edit::Remove(line) => ('-', line),
            Edit::Add(line) => ('+', line),
        };
        out.push(mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    #[test]
    fn hunks_have_context() {
        let old: String = (1..=20).map(|n| format!("{n}\n")).collect();
        // What diff -u says of the same texts.
        let new = old.replacen("5\n", "five\n", 1).replace("13\n", "");
        let new = new.trim_end();
        expect![[r#"
            @@ -2,7 +2,7 @@
             2
             3
             4
            -5
            +five
             6
             7
             8
            @@ -10,11 +10,10 @@
             10
             11
             12
            -13
             14
             15
             16
             17
             18
             19
            -20
            +20
            \ No newline at end of file
        "#]]
        .assert_eq(&super::hunks(&old, new));
        assert_eq!(super::hunks(&old, &old), "");
        assert_eq!(super::hunks("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
    }
}
