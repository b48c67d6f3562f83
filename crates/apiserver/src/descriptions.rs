//! The prose of the OpenAPI documents: a static file of the product, fetched when it is first asked for.
//!
//! `xtask/descriptions` makes the file and says what it looks like. Without it the documents have no descriptions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use simulation::Sim;

/// Where it is, below the folder of static files.
pub const FILE: &str = "api/descriptions.txt";

/// What is known of a definition.
#[derive(Default)]
struct Definition {
    text: String,
    fields: BTreeMap<String, String>,
}

/// All the prose.
#[derive(Default)]
pub struct Descriptions(BTreeMap<String, Definition>);

impl Descriptions {
    fn parse(file: &str) -> Descriptions {
        let mut all = BTreeMap::new();
        let mut current: Option<(String, Definition)> = None;
        for line in file.lines() {
            let Some((name, text)) = line.split_once('\t') else { continue };
            if let Some(name) = name.strip_prefix('=') {
                all.extend(current.take());
                current = Some((name.to_owned(), Definition { text: unescaped(text), ..Definition::default() }));
            } else if let Some((_, definition)) = &mut current {
                definition.fields.insert(name.trim_start().to_owned(), unescaped(text));
            }
        }
        all.extend(current);
        Descriptions(all)
    }

    /// Of a definition, by its name without `io.k8s.`.
    pub fn definition(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|d| d.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Of a field of it.
    pub fn field(&self, name: &str, field: &str) -> Option<&str> {
        self.0.get(name)?.fields.get(field).map(String::as_str)
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// Fetches the file once.
#[derive(Default)]
pub struct Library(RefCell<Option<Rc<Descriptions>>>);

impl Library {
    /// The prose; empty if the file is not to be had. A platform that failed is asked again the next time.
    pub async fn get(&self, sim: &Sim) -> Rc<Descriptions> {
        let known = self.0.borrow().clone();
        if let Some(known) = known {
            return known;
        }
        let found = match sim.fetch(FILE).await {
            Ok(bytes) => Descriptions::parse(&String::from_utf8_lossy(&bytes)),
            Err(simulation::ExternalError::NotFound) => Descriptions::default(),
            Err(simulation::ExternalError::Unavailable(_)) => return Rc::default(),
        };
        let found = Rc::new(found);
        *self.0.borrow_mut() = Some(Rc::clone(&found));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_file() {
        let all = Descriptions::parse("=a.Box\tA box.\\n\\nOf \\\\things.\n lid\tIts lid.\n=a.Lid\t\n");
        assert_eq!(all.definition("a.Box"), Some("A box.\n\nOf \\things."));
        assert_eq!(all.field("a.Box", "lid"), Some("Its lid."));
        assert_eq!(all.field("a.Box", "key"), None);
        assert_eq!(all.definition("a.Lid"), None);
        assert_eq!(all.definition("a.Key"), None);
    }
}
