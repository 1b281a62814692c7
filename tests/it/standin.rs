//! The stand-in is what the story tests stand on, so what it says and how it misbehaves is held here, byte by byte, by a
//! client that is no HTTP library.

mod endpoints;
mod executions;
mod faults;
mod ordered;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stand_in::{Scenario, Service};

pub use crate::harness::{FAILED, PIPELINE, SUCCESS};
pub const RUN_PATH: &str =
    "/platform/pipeline/1b33ad2f_33d3_4837_9eeb_83c82c8b909d/pipeline_run/e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c";

/// Everything that came back on one connection that carried one request.
#[derive(Debug)]
pub struct Came {
    pub raw: Vec<u8>,
    /// How the connection ended: none for an orderly end, `WouldBlock` when it went silent.
    pub ended: Option<ErrorKind>,
}

impl Came {
    fn split(&self) -> (String, Vec<u8>) {
        let at = self.raw.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        (String::from_utf8(self.raw[..at].to_vec()).expect("a head in UTF-8"), self.raw[at + 4..].to_vec())
    }

    pub fn status(&self) -> u16 {
        self.split().0[9..12].parse().expect("a status")
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.split().0;
        let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }

    pub fn body(&self) -> Vec<u8> {
        self.split().1
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body()).expect("a body in UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).expect("a body in JSON")
    }
}

pub use crate::harness::HANG_TIMEOUT;

/// How long a connection that was ordered to hang must stay silent: more than a busy machine takes to send what comes before.
pub const SILENCE: Duration = Duration::from_secs(5);

/// Sends one request on a connection of its own and reads until it ends.
pub fn ask(service: &Service, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Came {
    ask_within(HANG_TIMEOUT, service, method, path, headers, body)
}

/// The same, or until it is silent for so long.
pub fn ask_within(
    grace_period: Duration,
    service: &Service,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Came {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: stand-in\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    let mut stream = connect(service);
    stream.write_all(request.as_bytes()).expect("room for a request");
    read(stream, grace_period)
}

pub fn connect(service: &Service) -> TcpStream {
    let url = service.base_url();
    let address = url.split('/').nth(2).expect("scheme://address/prefix");
    TcpStream::connect(address).expect("the service listens")
}

/// What comes until the connection ends, or is silent for so long.
pub fn read(mut stream: TcpStream, grace_period: Duration) -> Came {
    stream.set_read_timeout(Some(grace_period)).expect("a length above zero");
    let mut raw = Vec::new();
    let ended = stream.read_to_end(&mut raw).err().map(|error| match error.kind() {
        // What Windows says for the same.
        ErrorKind::TimedOut => ErrorKind::WouldBlock,
        kind => kind,
    });
    Came { raw, ended }
}

pub fn sign_in(service: &Service, username: &str) -> String {
    let body = json!({"username": username, "password": "correct-horse-battery", "totp": null}).to_string();
    let came = ask(service, "POST", "/auth/sign-in", &[], &body);
    came.json()["tokens"]["accessToken"].as_str().expect("a token").to_owned()
}

/// A service that takes the token `good`, and whose documented run has this timeline.
pub fn playing(runs: Value) -> Scenario {
    scenario(json!({"pipelines": [{"pipeline_id": PIPELINE, "runs": runs}]}))
}

/// A scenario from its JSON, which takes the token `good`.
pub fn scenario(mut json: Value) -> Scenario {
    json["tokens"]["accept"] = json!(["good"]);
    Scenario::from_json(&json.to_string()).expect("a scenario")
}

pub fn get(service: &Service, path: &str) -> Came {
    ask(service, "GET", path, &[("authorization", "good")], "")
}

pub fn execute(service: &Service) -> Came {
    let body = json!({"pipeline_id": PIPELINE}).to_string();
    ask(service, "POST", "/platform/pipeline/execute", &[("authorization", "good")], &body)
}

pub fn list(service: &Service) -> Value {
    get(service, &format!("/platform/pipeline/{PIPELINE}/pipeline_run")).json()
}
