//! Records and errors that a program has damaged: a failed run has failed all the same, and what the service says is shown.

use super::Ends::AtOnce;
use super::limited;
use crate::harness::{self, Story, in_parallel};
use crate::stand_in::{Gzip, On, Reply};

const MIB: u64 = 1024 * 1024;

#[test]
fn a_failed_run_with_a_damaged_record_has_failed() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    // Each with what the log says of it; nothing where the record is a whole one.
    let rows: Vec<(&str, &[u8], &str)> = vec![
        ("a Latin-1 byte", b"\"caf\xe9\"", "bytes that are not UTF-8"),
        ("a raw line break", b"\"a\nb\"", "an unescaped control character"),
        ("NaN", b"NaN", "NaN or Infinity"),
        ("half a character", b"\"\\ud83d\"", "half of a surrogate pair"),
        ("a huge number", b"1e400", "a number that is too large"),
        ("deep nesting", deep.as_bytes(), "too many levels of nesting"),
        ("nothing", b"null", ""),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(what, value, says)| {
            for (word, verdict, code) in
                [("FAILED", "failed", 1), ("CANCELED", "failed", 1), ("SUCCESS", "unreachable", 6)]
            {
                let reply = Reply::run(word).set("extra", "MARK").swap_bytes("\"MARK\"", value);
                let marked = reply.clone().prepend("\u{feff}");
                for (reply, says) in [(reply, *says), (marked, "a byte order mark")] {
                    if word == "SUCCESS" && says.is_empty() {
                        continue;
                    }
                    let service = harness::service();
                    service.order(On::Run, reply.forever());
                    let outcome = limited(Story::at(&service), AtOnce).play();
                    outcome.assert_ended(verdict, code);
                    assert!(outcome.log().contains(says), "{what}, {word}: {}", outcome.log());
                    assert_eq!(outcome.log().contains("was repaired"), !says.is_empty(), "{what}: {}", outcome.log());
                }
            }
        },
    );
}

#[test]
fn a_failed_run_with_an_unusual_record_has_failed() {
    let failed = || Reply::run("FAILED");
    let rows = [
        ("30 MiB", failed().padded_to(30 * MIB)),
        ("30 MiB of gzip", failed().padded_to(30 * MIB).gzip(Gzip::Right)),
        ("a coding's old name", failed().gzip(Gzip::Right).header("content-encoding", "x-gzip")),
        ("a coding in capitals", failed().gzip(Gzip::Right).header("content-encoding", "GZIP")),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, reply)| {
            let service = harness::service();
            service.order(On::Run, reply.clone().forever());
            limited(Story::at(&service), AtOnce).play().assert_ended("failed", 1);
        },
    );
}

#[test]
fn an_error_shows_its_cause_and_a_page_its_title() {
    let cause = r#"{"msg":"There was an error retrieving the pipeline_run.","error":"Database connection error"}"#;
    let page =
        "<!DOCTYPE html><html><head><style>b{}</style><title>502 Bad &amp; sad</title></head><body>no</body></html>";
    let rows = [
        (500, cause, "There was an error retrieving the pipeline_run. (Database connection error)"),
        (502, page, "502 Bad & sad"),
        (200, page, "502 Bad & sad"),
    ];
    for (status, body, says) in rows {
        let service = harness::service();
        service.order(On::Run, Reply::text(status, body).forever());
        let outcome = limited(Story::at(&service), AtOnce).play();
        outcome.assert_ended("unreachable", 6);
        assert!(outcome.log().contains(says) && !outcome.everything().contains("<title>"), "{}", outcome.log());
    }
}
