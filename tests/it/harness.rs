//! Plays a story: the real binary against a service of the test, in an environment that holds nothing but what the story
//! sets; and reads everything that it left behind, as its readers would.
//!
//! For every story that ends, rule 2 of docs/reference.md is checked (`harness/law.rs`), whatever else it claims.

mod failures;
mod files;
mod law;
mod live;
mod outcome;
mod pipes;
mod programs;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use failures::at_the_story;
pub use failures::{in_parallel, in_parallel_up_to};
pub use files::{make_folder, read, replace_by_a_file, write};
pub use law::some_are_late;
pub use live::{HANG_TIMEOUT, Live};
pub use outcome::StoryOutcome;
pub use pipes::{make_pipe, other_end};
pub use programs::{command, example, program};

use crate::stand_in::{Scenario, Service};

pub const USERNAME: &str = "ci@example.com";
pub const PASSWORD: &str = "correct-horse-battery";
pub const TOKEN_MADE_ELSEWHERE: &str = "a-token-made-elsewhere";

/// The documented runs, ended from the start, and one that does not end.
pub const PIPELINE: &str = "1b33ad2f_33d3_4837_9eeb_83c82c8b909d";
pub const SUCCESS: &str = "e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c";
pub const FAILED: &str = "f9d8e7c6_b5a4_3928_1c0d_6e5f4a3b2c1d";
pub const RUNNING: &str = "b3c4d5e6_7f8a_9b0c_1d2e_3f4a5b6c7d8e";
pub const TRACE: &str = "Connection timeout: Unable to connect to source database after 30 seconds";

/// Every report that the gate can write to a file, with its path in a story.
pub const REPORTS: [(&str, &str); 6] = [
    ("json", "report.json"),
    ("junit", "report.xml"),
    ("dotenv", "report.env"),
    ("markdown", "report.md"),
    ("trace-file", "trace.txt"),
    ("output-dir", "outputs"),
];

/// A service with the documented runs. What else it does, the story orders.
pub fn service() -> Service {
    Service::start(scenario(json!({})))
}

/// A service with one pipeline, of these keys. It is the documented one unless they say otherwise.
pub fn service_of(pipeline: Value) -> Service {
    let pipeline = with_keys(json!({"pipeline_id": PIPELINE}), pipeline);
    Service::start(scenario(json!({"pipelines": [pipeline]})))
}

/// An object with the keys of another one, which count.
pub fn with_keys(mut whole: Value, further: Value) -> Value {
    whole.as_object_mut().expect("keys").extend(further.as_object().expect("keys").clone());
    whole
}

/// The scenario of the documented runs, with further keys of its JSON (examples/stand-in/README.md).
pub fn scenario(further: Value) -> Scenario {
    let run = |id: u32, run: &str, status: &str, created: &str, updated: &str| json!({"id": id, "pipeline_run_id": run, "last_status": status, "created_at": created, "updated_at": updated});
    let mut failed = run(43, FAILED, "FAILED", "2024-01-13T06:00:00.000Z", "2024-01-13T06:15:12.000Z");
    failed["trace"] = TRACE.into();
    let success = run(45, SUCCESS, "SUCCESS", "2024-01-15T10:30:00.000Z", "2024-01-15T10:45:23.000Z");
    let running = run(46, RUNNING, "RUNNING", "2024-01-15T14:00:00.000Z", "2024-01-15T14:00:00.000Z");
    let documented = json!({
        "accounts": [{"username": USERNAME, "password": PASSWORD}],
        "tokens": {"claims": false, "accept": [TOKEN_MADE_ELSEWHERE]},
        "pipelines": [{"pipeline_id": PIPELINE, "runs": [
            {"record": failed, "logs": "extracting\nsource database does not answer\n"},
            {"record": success, "logs": "extracting\n1204311 rows loaded\n"},
            {"record": running},
        ]}],
    });
    Scenario::from_json(&with_keys(documented, further).to_string()).expect("a scenario")
}

/// What the test does with the gate's stdout.
#[derive(Debug)]
enum Stdout {
    /// Reads all of it.
    Read,
    /// Closes it before the first line.
    Closed,
    /// Holds the pipe and never reads.
    Unread,
    /// A file or a device.
    File(PathBuf),
}

/// How the gate is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Launch {
    Direct,
    /// Process 1 of a namespace of its own, as in a container.
    ProcessOne,
    /// With SIGHUP ignored.
    Nohup,
    /// With a panic at this place: examples/provoke.rs.
    Panicking(&'static str),
    /// By this shell script, in which `"$0" "$@"` is the gate.
    Script(&'static str),
}

/// A story before it begins.
pub struct Story<'s> {
    service: Option<&'s Service>,
    /// How many requests earlier stories made.
    requests_before: usize,
    /// What the gate may write to: the CI's files and the reports.
    pub out: Arc<TempDir>,
    /// Files that the story gives to the gate.
    given: TempDir,
    inputs: BTreeMap<String, OsString>,
    env: BTreeMap<String, OsString>,
    secrets: Vec<String>,
    stdout: Stdout,
    launch: Launch,
    /// How many of the gates that may run at once it counts for.
    weight: usize,
}

impl<'s> Story<'s> {
    /// The gate waits for the documented success, on GitHub, with every report there is.
    pub fn at(service: &'s Service) -> Story<'s> {
        Story::in_workspace(service, &Arc::new(folder()))
    }

    /// The same where another gate may have left its reports.
    pub fn in_workspace(service: &'s Service, out: &Arc<TempDir>) -> Story<'s> {
        let requests_before = service.requests().len();
        Story { service: Some(service), requests_before, ..Story::new(&service.base_url(), Arc::clone(out)) }
    }

    /// The same at an address where something else answers, or nothing.
    pub fn at_address(address: &str) -> Story<'s> {
        Story::new(address, Arc::new(folder()))
    }

    fn new(address: &str, out: Arc<TempDir>) -> Story<'s> {
        let mut story = Story {
            service: None,
            requests_before: 0,
            out,
            given: folder(),
            inputs: BTreeMap::new(),
            env: BTreeMap::new(),
            secrets: vec![PASSWORD.to_owned()],
            stdout: Stdout::Read,
            launch: Launch::Direct,
            weight: 1,
        };
        for (name, file) in [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary")] {
            let path = story.path(file);
            if !path.exists() {
                write(&path, "");
            }
            story.env.insert(name.to_owned(), path.into());
        }
        for (input, file) in REPORTS {
            let path = story.path(file);
            story = story.with(input, path);
        }
        story.env.extend(programs::system_root());
        story
            .env("GITHUB_ACTIONS", "true")
            .in_its_workspace()
            .env("DADOSFERA_USERNAME", USERNAME)
            .env("DADOSFERA_PASSWORD", PASSWORD)
            .with("base-url", address)
            .with("pipeline-id", PIPELINE)
            .with("run-id", SUCCESS)
            .with("timeout", "5m")
    }

    /// With the reports in the workspace.
    fn in_its_workspace(self) -> Story<'s> {
        let workspace = self.out.path().to_owned();
        self.env("GITHUB_WORKSPACE", workspace)
    }

    /// Sets an input by its flag.
    pub fn with(mut self, input: &str, value: impl Into<OsString>) -> Story<'s> {
        self.inputs.insert(input.to_owned(), value.into());
        self
    }

    pub fn without(mut self, input: &str) -> Story<'s> {
        self.inputs.remove(input);
        self
    }

    /// Without any report file of our own.
    pub fn without_files(mut self) -> Story<'s> {
        REPORTS.iter().for_each(|(input, _)| drop(self.inputs.remove(*input)));
        self
    }

    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Story<'s> {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    pub fn without_env(mut self, name: &str) -> Story<'s> {
        self.env.remove(name);
        self
    }

    /// On no CI that the gate reports to.
    pub fn outside_ci(self) -> Story<'s> {
        self.without_env("GITHUB_ACTIONS").without_env("GITHUB_OUTPUT").without_env("GITHUB_STEP_SUMMARY")
    }

    /// Signed in by what the story says itself, not by name and password.
    pub fn without_password(self) -> Story<'s> {
        self.without_env("DADOSFERA_USERNAME").without_env("DADOSFERA_PASSWORD")
    }

    /// A secret that the gate is given, to be seen nowhere.
    pub fn secret_env(mut self, name: &str, secret: &str) -> Story<'s> {
        self.secrets.push(secret.to_owned());
        self.env(name, secret)
    }

    /// A text that must be seen nowhere.
    pub fn secret(mut self, secret: &str) -> Story<'s> {
        self.secrets.push(secret.to_owned());
        self
    }

    /// Sets an input to the path of a file with this content.
    pub fn with_file(self, input: &str, content: &str) -> Story<'s> {
        let path = self.given.path().join(input);
        write(&path, content);
        self.with(input, path)
    }

    /// The file that `with_file` made.
    pub fn given(&self, input: &str) -> PathBuf {
        self.given.path().join(input)
    }

    /// Several runs of the documented pipeline.
    pub fn runs(self, runs: &[&str]) -> Story<'s> {
        self.with("run-id", runs.join(","))
    }

    pub fn with_closed_stdout(self) -> Story<'s> {
        Story { stdout: Stdout::Closed, ..self }
    }

    pub fn with_unread_stdout(self) -> Story<'s> {
        Story { stdout: Stdout::Unread, ..self }
    }

    pub fn with_stdout(self, path: impl Into<PathBuf>) -> Story<'s> {
        Story { stdout: Stdout::File(path.into()), ..self }
    }

    pub fn with_pid_one(self) -> Story<'s> {
        Story { launch: Launch::ProcessOne, ..self }
    }

    pub fn under_nohup(self) -> Story<'s> {
        Story { launch: Launch::Nohup, ..self }
    }

    pub fn with_panic_at(self, place: &'static str) -> Story<'s> {
        Story { launch: Launch::Panicking(place), ..self }
    }

    /// Started by a shell script, in which `"$0" "$@"` is the gate and `$OUT` the folder of the reports.
    pub fn run_by_script(self, script: &'static str) -> Story<'s> {
        let out = self.out.path().to_owned();
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        Story { launch: Launch::Script(script), ..self }.env("OUT", out).env("PATH", path)
    }

    /// Where a report goes, or any other file beside it.
    pub fn path(&self, file: &str) -> PathBuf {
        self.out.path().join(file)
    }

    /// For a story whose result depends on a machine that has time for it: it waits until few others run.
    pub fn heavy(self) -> Self {
        Story { weight: live::HEAVY, ..self }
    }

    /// Plays the story to its end, and checks rule 2.
    #[track_caller]
    pub fn play(self) -> StoryOutcome {
        self.start().finish()
    }

    /// Starts the gate.
    #[track_caller]
    pub fn start(self) -> Live<'s> {
        let mut command = match self.launch {
            Launch::Direct => Command::new(program()),
            Launch::Panicking(place) => {
                let mut command = Command::new(example("provoke"));
                command.arg(place);
                command
            }
            Launch::Nohup => {
                let mut command = Command::new("nohup");
                command.arg(program());
                command
            }
            Launch::Script(script) => {
                let mut command = Command::new("sh");
                command.args(["-c", script]).arg(program());
                command
            }
            Launch::ProcessOne => {
                let mut command = Command::new("unshare");
                command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(program());
                command
            }
        };
        for (input, value) in &self.inputs {
            let mut flag = OsString::from(format!("--{input}="));
            flag.push(value);
            command.arg(flag);
        }
        command.env_clear().envs(&self.env).current_dir(self.given.path()).stdin(Stdio::null()).stderr(Stdio::piped());
        let stdout = match &self.stdout {
            Stdout::File(path) => Stdio::from(files::append_to(path)),
            Stdout::Read | Stdout::Closed | Stdout::Unread => Stdio::piped(),
        };
        let slot = live::Slot::take(self.weight);
        // What the service's runs do, they do from now on, however long the gate waited for its turn.
        self.service.iter().for_each(|service| service.begin());
        let begun = now();
        let child = command.stdout(stdout).spawn().expect("the program starts");
        Live::new(self, begun, child, slot)
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[expect(clippy::disallowed_methods, reason = "how long a real process takes")]
pub fn now() -> Instant {
    Instant::now()
}

/// Whether namespaces can be made here. If not, the tests that need them are skipped, which is printed.
pub fn can_be_process_one() -> bool {
    let made = Command::new("unshare").args(["--pid", "--fork", "--mount-proc", "true"]).output();
    made.is_ok_and(|output| output.status.success())
}

/// Whether a file system can be mounted here.
pub fn can_mount() -> bool {
    let made = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).output();
    made.is_ok_and(|output| output.status.success())
}

/// Prints that something could not be tested here.
#[expect(clippy::disallowed_macros, reason = "a skipped test must be seen")]
pub fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}
