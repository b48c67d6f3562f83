//! The editor windows that programs of the session have opened, as the page knows them.

use cluster::Effect;

/// One window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editor {
    /// Its number.
    pub id: u32,
    /// The terminal whose program waits for it.
    pub terminal: u8,
    /// The file.
    pub path: String,
    /// Its text when it was opened.
    pub text: String,
    /// It cannot be saved.
    pub read_only: bool,
}

/// All windows, and the one that is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editors {
    /// In the order of their tabs.
    pub open: Vec<Editor>,
    /// The one that is seen.
    pub shown: u32,
}

impl Editors {
    /// Takes in an effect; one that is not about an editor changes nothing.
    pub fn hear(&mut self, effect: &Effect) {
        match effect {
            Effect::Edit { id, terminal, path, text, read_only } => {
                self.open.retain(|editor| editor.id != *id);
                self.shown = *id;
                self.open.push(Editor {
                    id: *id,
                    terminal: *terminal,
                    path: path.clone(),
                    text: text.clone(),
                    read_only: *read_only,
                });
            }
            Effect::EditEnded { id } => {
                self.open.retain(|editor| editor.id != *id);
                if self.shown == *id {
                    self.shown = self.open.last().map_or(0, |editor| editor.id);
                }
            }
            Effect::Browse { .. } | Effect::Dashboard { .. } => {}
        }
    }

    /// Shows another window.
    pub fn show(&mut self, id: u32) {
        if self.open.iter().any(|editor| editor.id == id) {
            self.shown = id;
        }
    }
}

impl Editor {
    /// The name without its folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether its text should be YAML: JSON is YAML, too.
    pub fn is_yaml(&self) -> bool {
        let ending = self.name().rsplit_once('.').map(|(_, ending)| ending);
        matches!(ending, Some("yaml" | "yml" | "json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(id: u32, path: &str) -> Effect {
        Effect::Edit { id, terminal: 1, path: path.to_owned(), text: "a: 1\n".to_owned(), read_only: false }
    }

    #[test]
    fn the_newest_window_is_seen_and_the_one_below_it_when_it_ends() {
        let mut editors = Editors::default();
        for effect in [edit(1, "/tmp/a.yaml"), edit(2, "b.txt"), edit(3, "c.yaml"), Effect::EditEnded { id: 9 }] {
            editors.hear(&effect);
        }
        assert_eq!((editors.open.len(), editors.shown), (3, 3));
        editors.show(1);
        editors.show(7);
        assert_eq!(editors.shown, 1);
        editors.hear(&Effect::EditEnded { id: 2 });
        assert_eq!((editors.open.len(), editors.shown), (2, 1));
        editors.hear(&Effect::EditEnded { id: 1 });
        assert_eq!(editors.shown, 3);
        editors.hear(&Effect::EditEnded { id: 3 });
        assert_eq!(editors, Editors::default());
    }

    #[test]
    fn names_say_what_language_a_text_is_in() {
        for (path, name, yaml) in [
            ("/tmp/kubectl-edit-1.yaml", "kubectl-edit-1.yaml", true),
            ("web.yml", "web.yml", true),
            ("/a.b/notes", "notes", false),
        ] {
            let mut editors = Editors::default();
            editors.hear(&edit(1, path));
            assert_eq!((editors.open[0].name(), editors.open[0].is_yaml()), (name, yaml), "{path}");
        }
    }
}
