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

/// Two sheets, or a tick once the text was copied.
#[derive(Properties, PartialEq)]
pub struct CopyIconProps {
    /// Copied.
    pub done: bool,
}

/// The picture on copy buttons.
#[component]
pub fn CopyIcon(props: &CopyIconProps) -> Html {
    html! {
        <svg width="15" height="15" viewBox="0 0 16 16" aria-hidden="true">
            if props.done {
                <path d="M3 8.5l3.2 3.2L13 4.8" />
            } else {
                <rect x="5.5" y="5.5" width="8" height="8.5" rx="1.5" />
                <path d="M10.5 3.2A1.5 1.5 0 0 0 9 2H4a1.5 1.5 0 0 0-1.5 1.5V9A1.5 1.5 0 0 0 3.6 10.4" />
            }
        </svg>
    }
}

/// An arrow that comes round: once more.
#[component]
pub fn ReloadIcon() -> Html {
    html! {
        <svg class="line-icon" width="15" height="15" viewBox="0 0 16 16" aria-hidden="true">
            <path d="M13.2 8a5.2 5.2 0 1 1-1.7-3.9M13.4 1.8v3.4H10" />
        </svg>
    }
}

/// Two arrows in a circle: again and again.
#[component]
pub fn RepeatIcon() -> Html {
    html! {
        <svg class="line-icon" width="15" height="15" viewBox="0 0 16 16" aria-hidden="true">
            <path d="M3 7.5V6a2 2 0 0 1 2-2h8M10.8 1.8L13 4l-2.2 2.2M13 8.5V10a2 2 0 0 1-2 2H3M5.2 9.8L3 12l2.2 2.2" />
        </svg>
    }
}
