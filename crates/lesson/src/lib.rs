//! lesson: see ARCHITECTURE.md.
