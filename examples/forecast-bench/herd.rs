//! stub
pub fn show(_seed: u64) {}
