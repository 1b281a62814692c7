//! The one test binary: claims that need a socket, a process or a file.

mod standin;

#[path = "../../examples/stand-in/service/mod.rs"]
mod stand_in;
