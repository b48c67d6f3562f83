//! cluster: see ARCHITECTURE.md.
