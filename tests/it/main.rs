//! Claims about what the gate does, one file per promise; one binary, so that they link once.

mod hostile;
mod hostile_text;
mod runner;
