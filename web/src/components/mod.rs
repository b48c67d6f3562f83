//! What is seen: one file a component. Components hold no cluster logic; what they show comes from [`crate::state`].

pub mod blocks;
pub mod browser_pane;
pub mod chain_pane;
pub mod checks;
pub mod clock;
pub mod divider;
pub mod dock;
pub mod dot;
pub mod editor_pane;
pub mod header;
pub mod home;
pub mod icons;
pub mod inspector;
pub mod inspector_tabs;
pub mod lesson_pane;
pub mod map_view;
pub mod notices;
pub mod page_view;
pub mod phone_keys;
pub mod quiz;
pub mod session_menu;
pub mod stage;
pub mod strip;
pub mod term;
pub mod terminals;
pub mod tour;
