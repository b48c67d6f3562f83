//! Small pictures.

use yew::prelude::*;

/// The brand: a tree in a pot.
#[component]
pub fn Logo() -> Html {
    html! {
        <svg class="logo-mark" width="24" height="24" viewBox="0 0 24 24" fill="none" aria-hidden="true">
            <path d="M5 19.5h14l-1.6 2.5H6.6z" class="logo-pot" />
            <path d="M12 19.5c0-5-4-5-4-9" class="logo-branch" />
            <path d="M12 15.5c1-3 3-4 3.5-6" class="logo-branch" />
            <circle cx="8" cy="7.5" r="4" class="logo-leaf" />
            <circle cx="15.6" cy="6.2" r="3.2" class="logo-leaf" />
        </svg>
    }
}

/// A check that is reached, or a ring for one that is not.
#[derive(Properties, PartialEq)]
pub struct MarkProps {
    /// Reached.
    pub reached: bool,
}

/// The mark of a check: the shape says it, not the colour alone.
#[component]
pub fn Mark(props: &MarkProps) -> Html {
    if props.reached {
        html! {
            <svg class="mark reached" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                <circle cx="9" cy="9" r="9" />
                <path d="M5 9.2l2.8 2.8 5.2-5.8" />
            </svg>
        }
    } else {
        html! {
            <svg class="mark missing" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                <circle cx="9" cy="9" r="7.4" />
            </svg>
        }
    }
}
