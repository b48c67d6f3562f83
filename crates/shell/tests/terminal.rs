//! The terminal: editing, completion, line discipline, jobs; seen on a model of a screen.

mod common;
#[path = "common/screen.rs"]
mod screen;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use machine::{TtySize, Writer};
use screen::Screen;
use shell::Terminal;

struct Session {
    machine: common::Machine,
    terminal: Terminal,
    bytes: Rc<RefCell<Vec<u8>>>,
    columns: usize,
}

impl Session {
    fn new(columns: u16) -> Session {
        Session::with_variables(columns, &[])
    }

    fn with_variables(columns: u16, variables: &[(&str, &str)]) -> Session {
        let mut machine = common::Machine::new();
        machine.ctx.env.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let bytes = Rc::new(RefCell::new(Vec::new()));
        let size = TtySize { cols: columns, rows: 24 };
        let terminal = Terminal::start(machine.ctx.clone(), Writer::into_buffer(Rc::clone(&bytes)), size);
        let session = Session { machine, terminal, bytes, columns: columns.into() };
        session.wait(0);
        session
    }

    fn wait(&self, seconds: u64) {
        self.machine.settle(Duration::from_secs(seconds));
    }

    /// Presses keys and lets a second pass.
    fn keys(&self, text: &str) -> &Session {
        self.terminal.keys(text.as_bytes());
        self.wait(1);
        self
    }

    fn screen(&self) -> Screen {
        let mut screen = Screen::new(self.columns);
        screen.feed(std::str::from_utf8(&self.bytes.borrow()).expect("UTF-8"));
        screen
    }

    fn shows(&self, expected: &str) -> &Session {
        assert_eq!(self.screen().shown(), expected);
        self
    }
}

const P: &str = "learner@kubonsai:~$ ";

#[test]
fn a_command_is_typed_and_run() {
    let s = Session::new(80);
    s.shows(&format!("{P}█\n"));
    s.keys("echo hi\r").shows(&format!("{P}echo hi\nhi\n{P}█\n"));
    s.keys("nosuch\r").shows(&format!("{P}echo hi\nhi\n{P}nosuch\nbash: nosuch: command not found\n{P}█\n"));
    s.keys("exit\r");
    assert!(s.terminal.has_ended());
}

#[test]
fn the_prompt_has_its_colours() {
    let s = Session::new(80);
    let bytes = s.bytes.borrow();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("\x1b[32mlearner@kubonsai\x1b[0m:\x1b[33m~\x1b[0m$ "), "{text:?}");
}

#[test]
fn editing_in_the_middle_and_wide_characters() {
    let s = Session::new(80);
    s.keys("echo word\x1b[D\x1b[D").shows(&format!("{P}echo wo█rd\n"));
    s.keys("X").shows(&format!("{P}echo woX█rd\n"));
    s.keys("\x01").shows(&format!("{P}█echo woXrd\n")).keys("\x05\x17").shows(&format!("{P}echo █\n"));
    s.keys("日本\x1b[D").shows(&format!("{P}echo 日█本\n")).keys("\x7f").shows(&format!("{P}echo █本\n"));
    s.keys("\x15\x0b").shows(&format!("{P}█\n")).keys("\x19").shows(&format!("{P}本█\n"));
}

#[test]
fn long_lines_wrap_and_come_back() {
    let s = Session::new(30);
    s.keys("echo 12345").shows("learner@kubonsai:~$ echo 12345\n█\n");
    s.keys("678").shows("learner@kubonsai:~$ echo 12345\n678█\n");
    s.keys("\x01").shows("learner@kubonsai:~$ █echo 12345\n678\n");
    s.keys("\x05\x7f\x7f\x7f\x7f").shows("learner@kubonsai:~$ echo 1234█\n");
    s.keys("\r").shows("learner@kubonsai:~$ echo 1234\n1234\nlearner@kubonsai:~$ █\n");
}

#[test]
fn history_and_search() {
    let s = Session::new(80);
    s.keys("true one\r").keys("true two\r").keys("dra").keys("\x1b[A");
    assert!(s.screen().shown().ends_with(&format!("{P}true two█\n")));
    s.keys("\x1b[A");
    assert!(s.screen().shown().ends_with(&format!("{P}true one█\n")));
    s.keys("\x1b[B\x1b[B");
    assert!(s.screen().shown().ends_with(&format!("{P}dra█\n")));
    s.keys("\x15\x12one");
    assert!(s.screen().shown().ends_with("(reverse-i-search)`one': true one█\n"), "{}", s.screen().shown());
    s.keys("\x05!");
    assert!(s.screen().shown().ends_with(&format!("{P}true one!█\n")));
}

#[test]
fn unfinished_commands_ask_for_more() {
    let s = Session::new(80);
    s.keys("echo 'a\r").shows(&format!("{P}echo 'a\n> █\n"));
    s.keys("b'\r").shows(&format!("{P}echo 'a\n> b'\na\nb\n{P}█\n"));
    s.keys("cat <<E\r").keys("x\r").keys("E\r");
    assert!(s.screen().shown().ends_with(&format!("{P}cat <<E\n> x\n> E\nx\n{P}█\n")));
    s.keys("for i in 1 2\r").keys("do echo $i\r").keys("done\r");
    assert!(s.screen().shown().ends_with(&format!("> done\n1\n2\n{P}█\n")));
    s.keys("if true\r").keys("\x03");
    assert!(s.screen().shown().ends_with(&format!("{P}if true\n> ^C\n{P}█\n")));
}

#[test]
fn completion() {
    let s = Session::new(40);
    s.keys("mkdir folder; touch file1 'file 2'\r").keys("\x0c");
    s.keys("ls fo\t").shows(&format!("{P}ls folder/█\n")).keys("\x15");
    s.keys("cat fi\t").shows(&format!("{P}cat file█\n"));
    s.keys("\t").shows(&format!("{P}cat file\nfile 2  file1\n{P}cat file█\n"));
    s.keys("\\ \t").shows(&format!("{P}cat file\nfile 2  file1\n{P}cat file\\ 2 █\n")).keys("\x15\x0c");
    s.keys("hostn\t").shows(&format!("{P}hostname █\n")).keys("\x15");
    s.keys("echo $HO\t").shows(&format!("{P}echo $HOME █\n")).keys("\x15");
    let bells = s.screen().bells;
    s.keys("cat nothing\t");
    assert_eq!(s.screen().bells, bells + 1);
}

#[test]
fn the_line_discipline_serves_programs() {
    let s = Session::new(80);
    s.keys("cat\r").keys("helo\x7flo\r").keys("\x04");
    s.shows(&format!("{P}cat\nhello\nhello\n{P}█\n"));
    s.keys("read x\r").keys("日\x7fok\r").keys("echo $x\r");
    assert!(s.screen().shown().ends_with(&format!("{P}read x\nok\n{P}echo $x\nok\n{P}█\n")));
}

#[test]
fn ctrl_c_ends_what_runs_and_not_the_shell() {
    let s = Session::new(80);
    s.keys("sleep 100\r").shows(&format!("{P}sleep 100\n█\n"));
    s.keys("\x03").shows(&format!("{P}sleep 100\n^C\n{P}█\n"));
    s.keys("echo $?\r");
    assert!(s.screen().shown().ends_with(&format!("130\n{P}█\n")));
    s.keys("while true; do sleep 1; done\r").keys("\x03");
    assert!(s.screen().shown().ends_with(&format!("^C\n{P}█\n")));
    s.keys("while true; do :; done\r").keys("\x03").keys("echo back\r");
    assert!(s.screen().shown().ends_with(&format!("back\n{P}█\n")));
}

#[test]
fn typing_ahead_is_not_lost() {
    let s = Session::new(80);
    s.terminal.keys(b"sleep 3\recho later\r");
    s.wait(10);
    assert!(s.screen().shown().ends_with(&format!("{P}echo later\nlater\n{P}█\n")), "{}", s.screen().shown());
}

#[test]
fn background_jobs_are_reported() {
    let s = Session::new(80);
    s.keys("sleep 5 &\r").keys("jobs\r");
    s.shows(&format!("{P}sleep 5 &\n[1] 1001\n{P}jobs\n[1]+  Running                 sleep 5 &\n{P}█\n"));
    s.wait(10);
    s.keys("\r");
    assert!(
        s.screen().shown().ends_with(&format!("[1]+  Done                    sleep 5\n{P}█\n")),
        "{}",
        s.screen().shown()
    );
    s.keys("sleep 50 &\r").keys("kill %1\r").keys("\r");
    assert!(s.screen().shown().contains("[1]+  Terminated              sleep 50\n"), "{}", s.screen().shown());
}

#[test]
fn pasting_waits_for_enter() {
    let s = Session::new(80);
    s.keys("\x1b[200~echo one\necho two\x1b[201~");
    s.shows(&format!("{P}echo one\necho two█\n"));
    s.keys("\r").shows(&format!("{P}echo one\necho two\none\ntwo\n{P}█\n"));
}

#[test]
fn a_new_width_redraws() {
    let s = Session::new(80);
    s.keys("echo abc");
    s.terminal.resize(TtySize { cols: 40, rows: 24 });
    s.keys("d\r");
    assert!(s.screen().shown().contains("abcd\n"));
}

#[test]
fn history_expansion() {
    let s = Session::new(80);
    s.keys("echo a b\r").keys("echo !$\r");
    assert!(s.screen().shown().ends_with(&format!("{P}echo !$\necho b\nb\n{P}█\n")));
    s.keys("!nosuch\r");
    assert!(s.screen().shown().ends_with(&format!("bash: !nosuch: event not found\n{P}█\n")));
    s.keys("echo hello!\r");
    assert!(s.screen().shown().ends_with(&format!("hello!\n{P}█\n")));
}

#[test]
fn what_was_pasted_from_an_article_is_explained() {
    let s = Session::new(100);
    s.keys("cat “a”\r");
    let shown = s.screen().shown();
    assert!(shown.contains("hint: “ (U+201C) at character 5 is a typographic quote: type \" instead\n"), "{shown}");
    assert!(shown.ends_with(&format!("hint: did you mean: cat \"a\"\n{P}█\n")), "{shown}");
    s.keys("\x0c").keys("$ echo hi\r");
    let hint = "hint: $ is the prompt of the example; type only what follows it: echo hi";
    assert!(
        s.screen().shown().ends_with(&format!("bash: $: command not found\n{hint}\n{P}█\n")),
        "{}",
        s.screen().shown()
    );
    s.keys("\x0c").keys("echo \"“hi”\" –\r").shows(&format!("{P}echo \"“hi”\" –\n“hi” –\n{P}█\n"));
    // It exits with 0, but does not do what was meant.
    s.keys("\x0c").keys("echo “a  b”\r");
    let shown = s.screen().shown();
    assert!(shown.starts_with(&format!("{P}echo “a  b”\n“a b”\nhint: “ (U+201C) at character 6")), "{shown}");
}

#[test]
fn what_was_typed_wrongly_is_explained_in_the_language_of_the_shell() {
    let s = Session::with_variables(100, &[("LANG", "ja_JP.UTF-8")]);
    s.keys("ｌｓ\r");
    let named = |c: char, at: u8, code: &str, instead: char| {
        format!("ヒント: {at} 文字目の「{c}」(U+{code}) は全角です。半角の {instead} を入力してください。\n")
    };
    let hints = named('ｌ', 1, "FF4C", 'l') + &named('ｓ', 2, "FF53", 's');
    s.shows(&format!(
        "{P}ｌｓ\nbash: ｌｓ: command not found\n{hints}ヒント: 次のコマンドではありませんか: ls\n{P}█\n"
    ));
    let hint = "ヒント: $ は例のプロンプトです。そのあとだけを入力してください: echo hi";
    s.keys("\x0c").keys("$ echo hi\r").shows(&format!("{P}$ echo hi\nbash: $: command not found\n{hint}\n{P}█\n"));
    // As on any machine, a variable of the shell chooses.
    s.keys("export LANG=en_US.UTF-8\r\x0c").keys("$ echo hi\r");
    assert!(s.screen().shown().contains("\nhint: $ is the prompt of the example"), "{}", s.screen().shown());
    s.keys("LC_ALL=ja_JP.UTF-8\r\x0c").keys("$ echo hi\r");
    assert!(s.screen().shown().contains(hint), "{}", s.screen().shown());
}

#[test]
fn a_variable_that_is_exported_from_outside_is_there_for_the_next_line() {
    let s = Session::new(100);
    s.keys("sleep 5\r");
    s.terminal.export("LANG", "ja_JP.UTF-8");
    s.wait(10);
    s.keys("\x0c").keys("env | grep LANG; ｌ\r");
    let shown = s.screen().shown();
    assert!(shown.contains("\nLANG=ja_JP.UTF-8\n") && shown.contains("\nヒント: "), "{shown}");
    // A line that is being typed is not disturbed.
    s.keys("\x0c").keys("echo $LA");
    s.terminal.export("LANG", "en_US.UTF-8");
    s.keys("NG\r").shows(&format!("{P}echo $LANG\nen_US.UTF-8\n{P}█\n"));
    // What the learner made read-only stays.
    s.keys("readonly LANG\r");
    s.terminal.export("LANG", "ja_JP.UTF-8");
    s.keys("\x0c").keys("echo $LANG\r").shows(&format!("{P}echo $LANG\nen_US.UTF-8\n{P}█\n"));
}
