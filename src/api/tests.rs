//! The services that the tests of this module talk to.

pub(super) mod http2_frames;
pub(super) mod scripted_server;
