//! Nothing but tests of the laws (ARCHITECTURE.md); see tests/.
