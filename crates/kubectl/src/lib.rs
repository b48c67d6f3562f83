//! kubectl: see ARCHITECTURE.md.
