//! machine: see ARCHITECTURE.md.
