//! Faults below HTTP, or in how an answer ends: connections that break, hang, trickle or never stop; encodings; TLS; names.

use std::time::Duration;

use serde_json::json;

use super::Ends::{AtOnce, ByAnswer, ByClock, ByDeadline};
use super::{Fault, hold, limited, run, success};
use crate::harness::{self, Story, in_parallel};
use crate::stand_in::{DeadPort, End, Framing, Gzip, On, Reply, Service, Tls};

const MIB: u64 = 1024 * 1024;

#[test]
fn a_broken_answer_is_no_answer() {
    let always = |what: &'static str, reply: Reply| run(what, [reply.forever()], AtOnce, "unreachable", 6);
    let once = |what: &'static str, reply: Reply| run(what, [reply], ByAnswer, "passed", 0);
    let good = |what: &'static str, reply: Reply| run(what, [reply.forever()], AtOnce, "passed", 0);
    let trickle = Duration::from_millis(300);
    let faults: Vec<Fault> = vec![
        once("closed once", Reply::close()),
        once("reset once", Reply::reset()),
        once("truncated once", success().cut_at(50)),
        run("closed for ever", [Reply::close().forever()], ByClock, "unreachable", 6),
        run("reset for ever", [Reply::reset().forever()], ByClock, "unreachable", 6),
        always("cut in the head", success().cut_in_head()),
        always("truncated", success().cut_at(50)),
        always("truncated and reset", success().cut_at(50).then(End::Reset)),
        always("a length that is longer", success().framing(Framing::Length(9999)).then(End::Close)),
        always("a length that is shorter", success().framing(Framing::Length(60))),
        always("two lengths", success().header("content-length", "1").header("content-length", "2")),
        always("a chunk without a number", success().framing(Framing::ChunkedBadSize)),
        always("a chunk that is too short", success().framing(Framing::ChunkedWrongSize)),
        always("no last chunk", success().framing(Framing::ChunkedNoEnd)),
        always("not HTTP", Reply::garbage(b"\x16\x03\x01\x02\x00 SSH-2.0-OpenSSH\r\n")),
        always("33 MB", success().padded_to(33 * MIB)),
        always("a gzip bomb", success().padded_to(100 * MIB).gzip(Gzip::Right)),
        always("an endless body", success().endless()),
        always("an endless gzip", success().endless().gzip(Gzip::Right)),
        always("gzip that is none", success().gzip(Gzip::Claimed)),
        always("a gzip cut short", success().gzip(Gzip::Truncated)),
        always("a gzip with a wrong checksum", success().gzip(Gzip::Corrupt)),
        always("bad UTF-8 in a value", success().swap_bytes("SUCCESS\"", b"SUCCESS\",\"x\":\"\xff\"")),
        always("bad UTF-8 in the trace", success().set("trace", "MARK").swap_bytes("MARK", b"\xff\xfe")),
        always("UTF-16", Reply::bytes(200, b"\xff\xfe{\0}\0")),
        good("gzip", success().gzip(Gzip::Right)),
        good("chunks", success().framing(Framing::Chunked)),
        good("no length", success().framing(Framing::UntilClose)),
        good("a hint before", success().interim(103)),
        good("31 MB", success().padded_to(31 * MIB)),
        good("a wrong content type", success().header("content-type", "image/png")),
        good("no date", success().without_header("date")),
        good("closed behind each answer", success().then(End::Close)),
        run("a slow answer", [success().delay(Duration::from_secs(1))], ByAnswer, "passed", 0),
        run("hangs: the last look is cut", [Reply::hang().forever()], ByDeadline, "unreachable", 6),
        run("hangs after it was seen", [Reply::run("RUNNING"), Reply::hang().forever()], ByDeadline, "timed-out", 3),
        run("hangs in the body", [success().cut_at(50).then(End::Hang).forever()], ByDeadline, "unreachable", 6),
        run("trickles past the deadline", [success().trickle(1, trickle).forever()], ByDeadline, "unreachable", 6),
        run(
            "trickles for ever in the head of the end",
            [success().endless().trickle(1, trickle).forever()],
            ByDeadline,
            "unreachable",
            6,
        ),
    ];
    hold(&faults);
}

#[test]
fn only_a_certificate_of_a_trusted_root_for_this_very_host_is_taken() {
    enum Roots {
        CaFile,
        SslCertFile,
        None,
    }
    let rows = [
        ("a private CA with ca-file", Tls::Trusted, Roots::CaFile, "passed", 0),
        ("a private CA with SSL_CERT_FILE", Tls::Trusted, Roots::SslCertFile, "passed", 0),
        ("a private CA without", Tls::Trusted, Roots::None, "unreachable", 6),
        ("another CA of the same name", Tls::Untrusted, Roots::CaFile, "unreachable", 6),
        ("expired", Tls::Expired, Roots::CaFile, "unreachable", 6),
        ("another host's", Tls::WrongHost, Roots::CaFile, "unreachable", 6),
        ("none at all: plain HTTP", Tls::Claimed, Roots::CaFile, "unreachable", 6),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, tls, roots, verdict, code)| {
            let mut scenario = harness::scenario(json!({}));
            scenario.tls = *tls;
            let service = Service::start(scenario);
            let story = Story::at(&service);
            let story = match roots {
                Roots::CaFile => story.with_file("ca-file", service.ca_pem()),
                Roots::SslCertFile => {
                    let story = story.with_file("ca-file", service.ca_pem()).without("ca-file");
                    let path = story.given("ca-file");
                    story.env("SSL_CERT_FILE", path)
                }
                Roots::None => story,
            };
            let outcome = limited(story, ByAnswer).play();
            outcome.assert_ended(verdict, *code);
            if *code != 0 {
                assert!(service.requests().is_empty(), "a password was sent to somebody else");
            }
            if *code != 0 {
                assert_eq!(outcome.report()["polls"], 1, "waiting fixes no certificate");
                let named = if *tls == Tls::Claimed { "does not speak TLS" } else { "certificate" };
                assert!(outcome.report()["reason"].to_string().contains(named), "{}", outcome.log());
            }
        },
    );
}

#[test]
fn a_host_that_is_not_there_is_unreachable() {
    let dead = DeadPort::reserve().expect("a port");
    let outcome = limited(Story::at_address(&dead.base_url()), ByClock).play();
    outcome.assert_ended("unreachable", 6);
    // No name under .invalid is ever found (RFC 6761); a resolver that does not answer is cut at the deadline.
    let outcome = limited(Story::at_address("https://x.invalid"), ByDeadline).play();
    outcome.assert_ended("unreachable", 6);
}

#[test]
fn nothing_is_asked_twice_at_a_timeout_of_zero() {
    let rows: [(&str, On, Reply, &str, i32, usize); 7] = [
        ("success", On::Run, success(), "passed", 0, 1),
        ("failed", On::Run, Reply::run("FAILED"), "failed", 1, 1),
        ("running", On::Run, Reply::run("RUNNING"), "timed-out", 3, 1),
        ("not visible", On::Run, Reply::status(404), "not-found", 4, 1),
        ("an outage", On::Run, Reply::status(503), "unreachable", 6, 1),
        ("a refused token is renewed", On::Run, Reply::status(401), "passed", 0, 2),
        ("no sign-in", On::SignIn, Reply::status(503), "unreachable", 6, 0),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, on, reply, verdict, code, looks)| {
            let service = harness::service();
            service.order(*on, reply.clone());
            Story::at(&service).with("timeout", "0").play().assert_ended(verdict, *code);
            assert_eq!(service.requests_to(On::Run).len(), *looks);
        },
    );
}
