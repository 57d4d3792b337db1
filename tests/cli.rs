//! The program as its users start it.
