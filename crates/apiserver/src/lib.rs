//! apiserver: see ARCHITECTURE.md.
