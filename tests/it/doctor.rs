//! `maestro-gate doctor` finds each problem, names it in its row, and exits with its code.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{
    HANG_TIMEOUT, PASSWORD, PIPELINE, RUNNING, SUCCESS, USERNAME, in_parallel, scenario, service, service_of,
};
use crate::stand_in::{DeadPort, On, Reply, Service};

/// Doctor with these flags and variables, beside a way to sign in.
fn command(address: &str, flags: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = crate::harness::command();
    command.arg("doctor").arg(format!("--base-url={address}")).args(flags);
    let has_token = variables.iter().any(|(name, _)| name.starts_with("DADOSFERA"));
    if !has_token {
        command.env("DADOSFERA_USERNAME", USERNAME).env("DADOSFERA_PASSWORD", PASSWORD);
    }
    command.envs(variables.iter().copied());
    command
}

pub fn doctor(address: &str, flags: &[&str], variables: &[(&str, &str)]) -> Output {
    command(address, flags, variables).output().expect("the program starts")
}

pub struct Table {
    pub code: Option<i32>,
    pub text: String,
}

impl Table {
    #[track_caller]
    pub fn of(output: Output) -> Table {
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(!text.contains(PASSWORD), "{text}");
        Table { code: output.status.code(), text }
    }

    /// The states of the rows with this name.
    pub fn states(&self, name: &str) -> Vec<&str> {
        let found = self.text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let state = words.next()?;
            (words.next()? == name).then_some(state)
        });
        found.collect()
    }
}

pub const RUN: [&str; 2] =
    ["--pipeline-id=1b33ad2f_33d3_4837_9eeb_83c82c8b909d", "--run-id=e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c"];

#[test]
fn where_nothing_is_in_the_way_every_row_says_so() {
    let service = service();
    let table = Table::of(doctor(&service.base_url(), &RUN, &[]));
    assert_eq!(table.code, Some(0), "{}", table.text);
    for row in ["inputs", "files", "proxy", "dns", "connection", "sign-in", "clock", "token", "pipeline", "run"] {
        assert_eq!(table.states(row), ["ok"], "{row}: {}", table.text);
    }
    assert!(
        table.text.ends_with("maestro-gate doctor: passed (exit code 0): nothing is in the way\n"),
        "{}",
        table.text
    );
    // A run that is in progress, or has failed, is no problem of the gate.
    let run = format!("--run-id={RUNNING},latest,last-success");
    let table = Table::of(doctor(&service.base_url(), &[RUN[0], &run, "--max-age=any"], &[]));
    assert_eq!((table.code, table.states("run").len()), (Some(0), 3), "{}", table.text);
    let json = doctor(&service.base_url(), &[RUN[0], RUN[1], "--log-format=json"], &[]).stdout;
    let rows: Vec<Value> =
        String::from_utf8_lossy(&json).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.last().map(|row| &row["exit_code"]), Some(&json!(0)));
}

#[test]
fn doctor_starts_nothing_and_leaves_every_report_as_it_is() {
    let service = service();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    crate::harness::write(Path::new(&path("old.json")), "of before");
    let flags = [
        RUN[0].to_owned(),
        "--trigger".to_owned(),
        format!("--json={}", path("old.json")),
        format!("--junit={}", path("deep/new.xml")),
        format!("--output-dir={}", path("outputs")),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let table = Table::of(doctor(&service.base_url(), &flags, &[]));
    assert_eq!(table.code, Some(0), "{}", table.text);
    assert_eq!(table.states("files"), ["ok"; 3], "{}", table.text);
    assert_eq!(table.states("run"), ["note"], "a run of it is going: {}", table.text);
    assert_eq!(table.states("start"), ["ok"], "{}", table.text);
    assert_eq!(service.requests_to(On::Execute).len(), 0);
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(crate::harness::read(Path::new(&path("old.json"))).as_deref(), Some("of before"));
}

#[test]
fn each_trouble_of_the_service_is_found_in_its_row() {
    type Row = (&'static str, On, Reply, &'static str, i32);
    let rows: [Row; 12] = [
        ("a wrong password", On::SignIn, Reply::status(401), "sign-in", 5),
        ("MFA", On::SignIn, Reply::json(200, json!({"mfaStatus": "required"})), "sign-in", 5),
        ("a sign-in that is down", On::SignIn, Reply::status(503), "sign-in", 6),
        ("a reset", On::Any, Reply::reset().times(9), "connection", 6),
        ("no right", On::Runs, Reply::status(403).times(9), "pipeline", 5),
        ("an outage", On::Runs, Reply::html(502), "pipeline", 6),
        ("no such pipeline", On::Runs, Reply::status(404), "pipeline", 4),
        ("a garbled list", On::Runs, Reply::text(200, "[{]"), "pipeline", 6),
        ("an unplaceable list", On::Runs, Reply::json(200, unplaceable()), "run", 6),
        ("no such run", On::Run, Reply::text(200, "null"), "run", 4),
        ("a run that may not be seen", On::Run, Reply::status(403).times(9), "run", 5),
        ("a garbled run", On::Run, Reply::text(200, "{\"a\":1}"), "run", 6),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, on, reply, row, code)| {
            let service = service();
            service.order(*on, reply.clone());
            let table = Table::of(doctor(&service.base_url(), &[RUN[0], "--run-id=latest", "--max-age=any"], &[]));
            one_trouble(&table, row, *code);
        },
    );
}

/// A record that may be the newest run.
fn unplaceable() -> Value {
    json!([{"pipeline_id": PIPELINE, "pipeline_run_id": "odd", "last_status": "FAILED", "created_at": null}])
}

#[track_caller]
fn one_trouble(table: &Table, row: &str, code: i32) {
    assert_eq!(table.code, Some(code), "{}", table.text);
    assert_eq!(table.states(row), ["trouble"], "{}", table.text);
    assert_eq!(table.text.matches("trouble ").count(), 2, "one row, and the last line: {}", table.text);
    assert!(table.text.contains("-> next step: "), "{}", table.text);
}

#[test]
fn a_list_that_can_not_be_had_is_a_note_where_the_gate_needs_none() {
    let rows = [
        ("403", Reply::status(403).forever()),
        ("404", Reply::status(404).forever()),
        ("500", Reply::status(500).forever()),
        ("a reset", Reply::reset().forever()),
        ("unplaceable", Reply::json(200, unplaceable()).forever()),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(name, reply)| {
            let service = service();
            service.order(On::Runs, reply.clone());
            let table = Table::of(doctor(&service.base_url(), &RUN, &[]));
            assert_eq!(table.code, Some(0), "{}", table.text);
            let state = if *name == "unplaceable" { "ok" } else { "note" };
            assert_eq!((table.states("run"), table.states("pipeline")), (vec!["ok"], vec![state]), "{}", table.text);
            assert_eq!(table.states("connection"), ["ok"], "{}", table.text);
        },
    );
    // If the run is not there, the list is read all the same: it shows which of the two ids is wrong.
    let table = Table::of(doctor(&service().base_url(), &[RUN[0], "--run-id=unknown"], &[]));
    one_trouble(&table, "run", 4);
    assert_eq!(table.states("pipeline"), ["ok"], "{}", table.text);
}

#[test]
fn what_would_keep_a_pipeline_from_being_started_is_found() {
    let past = json!({"count": 3, "newest": "1h", "every": "1h", "takes": "10m"});
    let going = json!([{"record": {"pipeline_run_id": "going", "created_at": "begin-10m"}}]);
    type Row = (&'static str, Value, &'static str, &'static str, i32);
    let rows: [Row; 11] = [
        ("nothing", json!({"history": past}), "", "start", 0),
        ("paused", json!({"history": past, "paused": true}), "", "start", 8),
        ("paused, and never run", json!({"paused": true}), "", "start", 8),
        ("unknown", json!({"pipeline_id": "another"}), "", "start", 4),
        ("going", json!({"runs": going}), "--if-running=queue", "run", 0),
        ("going, and paused", json!({"runs": going, "paused": true}), "--if-running=queue", "start", 8),
        ("going, to attach to", json!({"runs": going, "paused": true}), "--if-running=attach", "run", 0),
        ("going, to fail for", json!({"runs": going}), "--if-running=fail", "run", 8),
        ("none going, to fail for", json!({"history": past}), "--if-running=fail", "run", 0),
        ("an unplaceable list", json!({"list": {"raw": unplaceable()}}), "", "run", 6),
        ("another state", json!({"history": past, "details": {"status": "error"}}), "", "start", 0),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, pipeline, flag, row, code)| {
            let service = service_of(pipeline.clone());
            let flags: Vec<&str> = [RUN[0], "--trigger", flag].into_iter().filter(|flag| !flag.is_empty()).collect();
            let table = Table::of(doctor(&service.base_url(), &flags, &[]));
            if *code == 0 {
                assert_eq!(table.code, Some(0), "{}", table.text);
                assert!(!table.states(row).contains(&"trouble"), "{}", table.text);
            } else {
                one_trouble(&table, row, *code);
            }
            assert_eq!(service.requests_to(On::Execute).len(), 0);
        },
    );
    // Without a date new and old runs look the same.
    let service = service();
    service.order(On::Runs, Reply::normal().without_header("date").forever());
    one_trouble(&Table::of(doctor(&service.base_url(), &[RUN[0], "--trigger"], &[])), "run", 6);
    // Whether it is paused is a help, which the gate itself does without.
    for reply in [Reply::status(404), Reply::status(403).times(9), Reply::html(200), Reply::reset()] {
        let service = crate::harness::service();
        service.order(On::Pipeline, reply);
        let table = Table::of(doctor(&service.base_url(), &[RUN[0], "--trigger"], &[]));
        assert_eq!((table.code, table.states("start")), (Some(0), vec!["note"]), "{}", table.text);
    }
}

#[test]
fn a_signal_ends_doctor_too_and_is_its_exit_code() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let service = service();
        service.order(On::Run, Reply::hang().forever());
        let mut command = command(&service.base_url(), &RUN, &[]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        let table = Table::of(child.wait_with_output().expect("its output"));
        assert_eq!((table.code, table.states("connection")), (Some(code), vec!["trouble"]), "{}", table.text);
    }
}

#[test]
fn what_can_not_be_reached_is_distinguished_from_what_is_not_trusted() {
    let dead = DeadPort::reserve().expect("a port");
    let table = Table::of(doctor(&dead.base_url(), &RUN, &[]));
    assert_eq!((table.code, table.states("connection")), (Some(6), vec!["trouble"]), "{}", table.text);
    assert_eq!(table.states("sign-in"), ["skipped"], "{}", table.text);
    let service = Service::start(scenario(json!({"tls": "untrusted"})));
    let table = Table::of(doctor(&service.base_url(), &RUN, &[]));
    assert_eq!((table.code, table.states("connection")), (Some(6), vec!["trouble"]), "{}", table.text);
    assert!(table.text.contains("ca-file"), "{}", table.text);
    // No name under .invalid is ever found (RFC 6761), but a resolver may not answer at all.
    let table = Table::of(doctor("https://x.invalid", &RUN, &[]));
    let row = if table.text.contains("can't be resolved") { "dns" } else { "connection" };
    one_trouble(&table, row, 6);
    assert_eq!(table.states("sign-in"), ["skipped"], "{}", table.text);
    // A proxy that says no, before a service that is fine.
    let proxy = crate::harness::service();
    proxy.order(On::Connect, Reply::status(407).times(9));
    let address = proxy.base_url().replace("http://", "http://me:hunter22@");
    let table = Table::of(doctor(&service.base_url(), &RUN, &[("HTTPS_PROXY", &address)]));
    assert_eq!((table.code, table.states("proxy")), (Some(6), vec!["trouble"]), "{}", table.text);
    assert!(!table.text.contains("hunter22"), "{}", table.text);
}

#[test]
fn doctor_names_the_proxy_and_what_vouched_for_the_service() {
    let service = Service::start(scenario(json!({"tls": "trusted"})));
    let ca_file = tempfile::NamedTempFile::new().expect("a file");
    crate::harness::write(ca_file.path(), service.ca_pem());
    let trusting = format!("--ca-file={}", ca_file.path().display());
    let proxy = crate::harness::service();
    let address = proxy.base_url().replace("http://", "http://me:hunter22@");
    let table = Table::of(doctor(&service.base_url(), &[RUN[0], RUN[1], &trusting], &[("HTTPS_PROXY", &address)]));
    let host_and_port = proxy.base_url().replace("http://", "");
    assert!(table.text.contains(&format!("requests go through {host_and_port} (HTTPS_PROXY)")), "{}", table.text);
    assert!(table.text.contains("the certificate is trusted by: ca-file"), "{}", table.text);
    assert!(!table.text.contains("hunter22"), "{}", table.text);
    let table = Table::of(doctor(&service.base_url(), &RUN, &[("NO_PROXY", "http://x")]));
    assert_eq!((table.code, table.states("inputs")), (Some(2), vec!["trouble"]), "{}", table.text);
}

#[test]
fn input_errors_and_files_that_can_not_be_written_are_found_without_a_request() {
    let service = service();
    let table = Table::of(doctor(&service.base_url(), &["--run-id=x", "--timeout=ever"], &[]));
    assert_eq!((table.code, table.states("inputs").len()), (Some(2), 2), "{}", table.text);
    let no_token = [("DADOSFERA_ACCESS_TOKEN_FILE", "missing")];
    let table = Table::of(doctor(&service.base_url(), &RUN, &no_token));
    assert_eq!((table.code, table.states("inputs")), (Some(2), vec!["trouble"]), "{}", table.text);
    assert!(table.text.contains("access-token-file"), "{}", table.text);
    assert_eq!(service.requests().len(), 0);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let report = format!("--json={}/report.json", file.path().display());
    let table = Table::of(doctor(&service.base_url(), &[RUN[0], RUN[1], &report], &[]));
    assert_eq!((table.code, table.states("files")), (Some(2), vec!["trouble"]), "{}", table.text);
}

#[cfg(unix)]
#[test]
fn a_file_under_two_names_is_found_as_the_gate_would_find_it() {
    let service = service();
    let folder = tempfile::tempdir().expect("a folder");
    let [json, junit] = ["a.json", "b.xml"].map(|name| folder.path().join(name));
    crate::harness::write(&json, "old");
    std::os::unix::fs::symlink(&json, &junit).expect("a link");
    let [json, junit] = [format!("--json={}", json.display()), format!("--junit={}", junit.display())];
    let table = Table::of(doctor(&service.base_url(), &[RUN[0], RUN[1], &json, &junit], &[]));
    assert_eq!((table.code, table.states("files")), (Some(2), vec!["trouble", "ok"]), "{}", table.text);
    assert!(table.text.contains("this path is the report of json; another one is needed"), "{}", table.text);
}

#[test]
fn the_ci_s_own_places_are_tried_by_their_names() {
    let service = service();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for name in ["out", "summary"] {
        crate::harness::write(Path::new(&path(name)), "");
    }
    let marks: [(&str, Vec<(&str, String)>); 3] = [
        (
            "GITHUB_OUTPUT",
            vec![
                ("GITHUB_ACTIONS", "true".to_owned()),
                ("GITHUB_OUTPUT", path("out")),
                ("GITHUB_STEP_SUMMARY", path("summary")),
            ],
        ),
        ("BASH_ENV", vec![("CIRCLECI", "true".to_owned()), ("BASH_ENV", path("out"))]),
        // There is no agent here.
        ("buildkite-agent", vec![("BUILDKITE", "true".to_owned())]),
    ];
    for (name, marks) in &marks {
        let variables: Vec<(&str, &str)> = marks.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let table = Table::of(doctor(&service.base_url(), &RUN, &variables));
        assert!(table.text.contains(&format!("files       {name}")), "{}", table.text);
        let (code, state) = if *name == "buildkite-agent" { (2, "trouble") } else { (0, "ok") };
        assert_eq!((table.code, table.states("files")[0]), (Some(code), state), "{}", table.text);
    }
    assert_eq!(crate::harness::read(Path::new(&path("out"))).as_deref(), Some(""));
}

#[test]
fn a_token_that_ends_before_the_deadline_and_a_clock_that_is_wrong_are_reported() {
    // Good until 2033, or over within the wait.
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let token = |ends: i64| format!("{}.{}.sig", part(r#"{"alg":"none"}"#), part(&format!(r#"{{"exp":{ends}}}"#)));
    #[expect(clippy::disallowed_methods, reason = "the token is of this moment")]
    let now = chrono::Utc::now().timestamp();
    let (long, short) = (token(2_000_000_000.max(now + 86_400)), token(now + 600));
    let accept = json!({"tokens": {"accept": [long, short]}});
    for (text, code, state) in [(&long, 0, "ok"), (&short, 5, "trouble")] {
        let service = Service::start(scenario(accept.clone()));
        let table = Table::of(doctor(&service.base_url(), &RUN, &[("DADOSFERA_ACCESS_TOKEN", text)]));
        assert_eq!((table.code, table.states("token")), (Some(code), vec![state]), "{}", table.text);
        assert!(!table.text.contains(text.as_str()), "{}", table.text);
    }
    // The service ends a token by its own clock: the same token is good for an hour less where that is ahead.
    let near = token(now + 5400);
    for (skew, code, state) in [("0s", 0, "ok"), ("1h", 5, "trouble"), ("-1h", 0, "ok")] {
        let service = Service::start(scenario(json!({"skew": skew, "tokens": {"accept": [near]}})));
        let table = Table::of(doctor(&service.base_url(), &RUN, &[("DADOSFERA_ACCESS_TOKEN", &near)]));
        assert_eq!((table.code, table.states("token")), (Some(code), vec![state]), "{skew}: {}", table.text);
    }
    let service = Service::start(scenario(json!({"skew": "2h"})));
    let table = Table::of(doctor(&service.base_url(), &RUN, &[]));
    assert_eq!((table.code, table.states("clock")), (Some(0), vec!["note"]), "{}", table.text);
    let mfa = [
        ("DADOSFERA_USERNAME", USERNAME),
        ("DADOSFERA_PASSWORD", PASSWORD),
        ("DADOSFERA_TOTP_SECRET", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
    ];
    let table = Table::of(doctor(&service.base_url(), &RUN, &mfa));
    assert_eq!((table.code, table.states("clock")), (Some(5), vec!["trouble"]), "{}", table.text);
    // What is chosen must be there to be chosen.
    let service = service_of(json!({"runs": [{"record": {"pipeline_run_id": SUCCESS}}]}));
    let table = Table::of(doctor(&service.base_url(), &[RUN[0], "--run-id=last-success", "--max-age=any"], &[]));
    assert_eq!((table.code, table.states("run")), (Some(4), vec!["trouble"]), "{}", table.text);
}

#[test]
fn what_a_signal_keeps_from_being_checked_is_not_said_to_be_fine() {
    let service = service();
    service.order(On::Run, Reply::hang());
    let both = format!("--run-id={SUCCESS},nobody-knows-this-run");
    let mut command = command(&service.base_url(), &[RUN[0], &both], &[]);
    let doctor = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
    let pid = doctor.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill").success());
    let table = Table::of(doctor.wait_with_output().expect("it ends"));
    assert_eq!((table.code, table.states("signal")), (Some(143), vec!["trouble"]), "{}", table.text);
}
