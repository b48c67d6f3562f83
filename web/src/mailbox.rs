//! What the worker tells and nobody waits for: it is taken in a little later, and together. Drawing the page takes
//! longer than most commands do, and the answer of a command is to be seen first.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use yew::Callback;

use crate::protocol::FromWorker;

/// Real time that news may wait, in milliseconds: less than a blink, longer than it takes to show an answer.
const NEWS_DELAY_MS: u32 = 60;

/// Messages on their way to the page.
#[derive(Clone)]
pub struct Mailbox(Rc<Inner>);

struct Inner {
    waiting: RefCell<Vec<FromWorker>>,
    timer: RefCell<Option<Timeout>>,
    deliver: Callback<Vec<FromWorker>>,
}

impl Mailbox {
    /// An empty one.
    pub fn new(deliver: Callback<Vec<FromWorker>>) -> Mailbox {
        Mailbox(Rc::new(Inner { waiting: RefCell::default(), timer: RefCell::default(), deliver }))
    }

    /// Takes a message. All that came before it is delivered before it.
    pub fn put(&self, message: FromWorker) {
        let news = is_news(&message);
        self.0.waiting.borrow_mut().push(message);
        if !news {
            self.deliver();
        } else if self.0.timer.borrow().is_none() {
            let mailbox = self.clone();
            *self.0.timer.borrow_mut() = Some(Timeout::new(NEWS_DELAY_MS, move || mailbox.deliver()));
        }
    }

    /// Delivers what waits.
    pub fn deliver(&self) {
        drop(self.0.timer.take());
        let messages = self.0.waiting.take();
        if !messages.is_empty() {
            self.0.deliver.emit(messages);
        }
    }
}

/// Whether the page only shows it, beside what the learner does.
fn is_news(message: &FromWorker) -> bool {
    matches!(
        message,
        FromWorker::Clock { .. }
            | FromWorker::Picture { .. }
            | FromWorker::Trace { .. }
            | FromWorker::Chain { .. }
            | FromWorker::Requests { .. }
            | FromWorker::Checks { .. }
            | FromWorker::Saved { .. }
    )
}
