//! Claims about what the gate does, one file per promise; one binary, so that they link once.

mod action;
mod agreement;
mod fixture;
mod golden;
mod hostile;
mod hostile_text;
mod laws;
mod limits;
mod outputs;
mod reports;
mod runner;
mod standin;

#[path = "../../examples/stand-in/service/mod.rs"]
mod stand_in;
