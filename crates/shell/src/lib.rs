//! shell: see ARCHITECTURE.md.
