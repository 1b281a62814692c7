//! The one test binary.

mod fixture;
mod golden;
mod limits;
mod outputs;
mod reports;
