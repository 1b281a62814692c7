//! The one test binary beside the modules' own tests: one file per promise.

// `cfg(test)` tells clippy too that this is test code, helpers included.
#[cfg(test)]
mod laws;
