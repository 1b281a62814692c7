//! Faults of the sign-in.

use std::time::Duration;

use serde_json::json;

use super::Ends::{self, AtOnce, ByAnswer, ByClock, ByDeadline};
use super::{Fault, hold, on};
use crate::harness::{self, PASSWORD, Story};
use crate::stand_in::{On, Reply};

fn sign_in(what: &'static str, replies: impl Into<Vec<Reply>>, ends: Ends, verdict: &'static str, code: i32) -> Fault {
    on(On::SignIn, what, replies, ends, verdict, code)
}

#[test]
fn a_sign_in_that_is_refused_denies_and_one_that_fails_is_an_outage() {
    let mfa = || Reply::json(200, json!({"permissions": [], "tokens": {}, "mfaStatus": "required"}));
    let empty = || Reply::json(200, json!({"tokens": {"accessToken": ""}, "mfaStatus": "none"}));
    hold(&[
        sign_in(
            "400",
            [Reply::json(400, json!({"statusCode": 400, "message": "email"})).forever()],
            ByAnswer,
            "denied",
            5,
        ),
        sign_in("401", [Reply::json(401, json!({"msg": "Unauthorized"})).forever()], ByAnswer, "denied", 5),
        sign_in("403", [Reply::json(403, json!({"code": "AUTH.FORBIDDEN"})).forever()], ByAnswer, "denied", 5),
        sign_in("the MFA trap: 200 without a token", [mfa().forever()], ByAnswer, "denied", 5),
        sign_in("an empty token", [empty().forever()], ByAnswer, "denied", 5),
        sign_in("{}", [Reply::json(200, json!({})).forever()], ByAnswer, "denied", 5),
        sign_in("404", [Reply::status(404).forever()], ByAnswer, "unreachable", 6),
        sign_in("405", [Reply::status(405).forever()], ByAnswer, "unreachable", 6),
        sign_in("407", [Reply::status(407).forever()], ByAnswer, "unreachable", 6),
        sign_in("500 for ever", [Reply::status(500).forever()], ByClock, "unreachable", 6),
        sign_in("500 once", [Reply::status(500)], ByAnswer, "passed", 0),
        sign_in("502 HTML", [Reply::html(502).forever()], AtOnce, "unreachable", 6),
        sign_in("200 HTML", [Reply::html(200).forever()], AtOnce, "unreachable", 6),
        sign_in("200 HTML once", [Reply::html(200)], ByAnswer, "passed", 0),
        sign_in("null", [Reply::text(200, "null").forever()], AtOnce, "unreachable", 6),
        sign_in("an array", [Reply::text(200, "[]").forever()], AtOnce, "unreachable", 6),
        sign_in("a redirect", [Reply::redirect(307, "/auth/sign-in").forever()], AtOnce, "unreachable", 6),
        sign_in(
            "a redirect off the origin",
            [Reply::redirect(307, "https://evil.invalid/").forever()],
            ByAnswer,
            "unreachable",
            6,
        ),
        sign_in("429 once", [Reply::status(429).retry_after(1)], ByAnswer, "passed", 0),
        sign_in("closed", [Reply::close().forever()], AtOnce, "unreachable", 6),
        sign_in("reset once", [Reply::reset()], ByAnswer, "passed", 0),
        sign_in("slow", [Reply::normal().delay(Duration::from_secs(1))], ByAnswer, "passed", 0),
        sign_in("hangs", [Reply::hang().forever()], ByDeadline, "unreachable", 6),
        sign_in("endless", [Reply::normal().endless().forever()], AtOnce, "unreachable", 6),
    ]);
}

#[test]
fn refused_credentials_are_sent_once() {
    for status in [400, 401, 403] {
        let service = harness::service();
        service.order(On::SignIn, Reply::status(status).forever());
        let runs = ["a", "b", "c", "d"].map(|run| format!("{}/{run}", harness::PIPELINE));
        let story = Story::at(&service).with("run-id", runs.join(","));
        let outcome = story.play();
        outcome.assert_ended("denied", 5);
        assert_eq!(outcome.verdicts(), ["denied"; 4], "a refused sign-in ends all runs");
        assert_eq!(service.requests().len(), 1, "an account is locked by repeating what was refused");
    }
}

#[test]
fn a_wrong_password_is_refused_by_the_service_itself_and_shown_nowhere() {
    let service = harness::service();
    let story = Story::at(&service).without_env("DADOSFERA_PASSWORD");
    let outcome = story.secret_env("DADOSFERA_PASSWORD", "another-password-entirely").play();
    outcome.assert_ended("denied", 5);
    assert!(outcome.everything().contains("Incorrect username or password"), "what the service said is shown");
    assert!(!outcome.everything().contains(PASSWORD));
}
