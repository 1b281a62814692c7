//! One escaper per grammar that text enters.
