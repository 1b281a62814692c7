//! The action's steps as GitHub's runner runs them: `sh -e` on the script, in an environment that holds what `action.yml`
//! says and nothing else of the inputs. (act passes `INPUT_*` to composite actions by itself; a missing line in `env:` goes
//! unseen there.) What `if:` says is evaluated by act, in tests/act; here the guard runs where it says that it does.

#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "these tests set up what a runner sets up, in a folder of their own")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Once;

use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::Action;
use crate::runner::github;

/// What the action may need of an image: all of it is in busybox, and in every Debian, Fedora, macOS and Git for Windows.
const TOOLS: [&str; 15] =
    ["cat", "chmod", "cp", "cut", "env", "gzip", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "tar", "tr", "uname"];

/// By their ids, in order. The last step of `action.yml` has no shell to run here.
const STEPS: [&str; 3] = ["program", "gate", "guard"];

/// One of these checks a download.
const SUMS: [&str; 2] = ["sha256sum", "shasum"];

/// A checkout of the action, a runner around it, and an image that has `TOOLS` and what the test adds.
pub struct Runner {
    folder: TempDir,
    shell: &'static str,
    pub inputs: BTreeMap<&'static str, String>,
    pub repository: &'static str,
    pub variables: BTreeMap<&'static str, String>,
}

/// What came of the steps.
#[derive(Debug)]
pub struct Ended {
    /// Of the first step that failed, or 0.
    pub code: Option<i32>,
    /// Both streams of all steps: the runner shows them as one.
    pub log: String,
    /// Of the gate's step alone.
    pub stdout: String,
    /// As the action maps them.
    pub outputs: BTreeMap<String, String>,
    pub summary: String,
}

impl Ended {
    /// Exit code and verdict.
    pub fn how(&self) -> (Option<i32>, &str) {
        (self.code, self.outputs.get("verdict").map_or("", String::as_str))
    }

    /// The errors shown at the top of the run's page.
    pub fn errors(&self) -> Vec<String> {
        let commands = github::commands(&self.log);
        commands.into_iter().filter(|command| command.name == "error").map(|command| command.data).collect()
    }
}

/// The shells that are `sh` somewhere, as far as this machine has them, each once. busybox knows by itself what it runs
/// on, and the tests speak of one system.
pub fn shells() -> Vec<&'static str> {
    let mut seen = BTreeSet::new();
    let is_new =
        |shell: &&str| find(shell).and_then(|path| path.canonicalize().ok()).is_some_and(|path| seen.insert(path));
    let usual = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        &["sh", "dash", "bash", "busybox"][..]
    } else {
        &["sh", "dash", "bash"]
    };
    usual.iter().copied().filter(is_new).collect()
}

/// What is started in the background of a script has SIGINT ignored, and so has all that it starts: a shell can't even trap
/// it then, and these tests would wait for ever. A signal that has a handler here is as usual again in what is started.
fn hear_interrupts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
        let is_ignored = u64::from_str_radix(ignored.trim(), 16).is_ok_and(|set| set & (1 << 1) != 0);
        if is_ignored {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            let _entered = runtime.enter();
            // The handler stays when this is dropped.
            drop(signal(SignalKind::interrupt()).expect("a handler"));
        }
    });
}

impl Runner {
    pub fn new(shell: &'static str) -> Runner {
        let runner = Runner {
            folder: tempfile::tempdir().expect("a folder"),
            shell,
            inputs: BTreeMap::new(),
            repository: "acme/gate",
            variables: BTreeMap::new(),
        };
        for name in ["gate/action", "bin", "temp", "cache", "workspace"] {
            fs::create_dir_all(runner.path(name)).expect("a folder");
        }
        fs::copy(crate::repository::path("action/find-program.sh"), runner.path("gate/action/find-program.sh"))
            .expect("the script");
        for tool in TOOLS.iter().chain(&SUMS) {
            match find(if *tool == "sh" { shell } else { tool }) {
                Some(program) => symlink(program, runner.path("bin").join(tool)).expect("a link"),
                None => assert!(SUMS.contains(tool), "no {tool} on this machine"),
            }
        }
        runner
    }

    /// A path in this test's folder: `gate` is the action, `bin` the image's programs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        fs::write(&path, text).expect("it can be written");
        path
    }

    /// An executable script; `#!` names the machine's own shell, for the image's is under test.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        path
    }

    /// Starts the step with this id, or the guard.
    fn start_step(&self, step: &str) -> Child {
        let action = Action::read();
        let step_yaml = action.step(step);
        let script = self.write(&format!("temp/{step}.sh"), step_yaml["run"].as_str().expect("a script"));
        for name in ["output", "summary"] {
            self.write(&format!("{step}.{name}"), "");
        }
        let mut command = Command::new(self.path("bin/sh"));
        // busybox is its applet by the name it is called by.
        command.args(["-e"]).arg(script).env_clear().current_dir(self.path("workspace"));
        command.env("PATH", self.path("bin")).env("HOME", self.folder.path());
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_SERVER_URL", "https://ghe.example");
        command.env("GITHUB_ACTION_PATH", self.path("gate"));
        command.env("GITHUB_STEP_SUMMARY", self.path(&format!("{step}.summary")));
        command.env("GITHUB_OUTPUT", self.path(&format!("{step}.output")));
        command.env("RUNNER_TEMP", self.path("temp")).env("RUNNER_TOOL_CACHE", self.path("cache"));
        command.envs(&self.variables);
        for (name, value) in action.env(step) {
            command.env(name, self.evaluate(value));
        }
        let stream = |name| fs::File::create(self.path(&format!("{step}.{name}"))).expect("a log");
        hear_interrupts();
        command.stdin(Stdio::null()).stderr(stream("stderr")).stdout(stream("stdout"));
        command.spawn().unwrap_or_else(|error| panic!("start {}: {error}", self.shell))
    }

    /// Starts the first step.
    pub fn start_first(&self) -> Child {
        for step in STEPS {
            for name in ["output", "summary", "stdout", "stderr"] {
                self.write(&format!("{step}.{name}"), "");
            }
        }
        self.start_step("program")
    }

    /// Runs the first step, which must find a program, and starts the gate's.
    pub fn start(&self) -> Child {
        let code = self.start_first().wait().expect("it ends").code();
        assert_eq!(code, Some(0), "{}", self.read("program.stderr") + &self.read("program.stdout"));
        self.start_step("gate")
    }

    /// Waits for the gate's step, and runs the guard if `action.yml` does.
    pub fn end(&self, mut child: Child) -> Ended {
        let mut code = child.wait().expect("it ends").code();
        if code == Some(0) && self.outputs_of("gate").get("verdict").map(String::as_str) != Some("passed") {
            code = self.start_step("guard").wait().expect("it ends").code();
        }
        self.ended(code)
    }

    /// Waits for the first step and runs those after it.
    pub fn end_first(&self, mut child: Child) -> Ended {
        match child.wait().expect("it ends").code() {
            Some(0) => self.end(self.start_step("gate")),
            code => self.ended(code),
        }
    }

    pub fn run(&self) -> Ended {
        self.end_first(self.start_first())
    }

    fn ended(&self, code: Option<i32>) -> Ended {
        let all = |names: &[&str]| {
            STEPS.iter().flat_map(|step| names.iter().map(move |name| self.read(&format!("{step}.{name}")))).collect()
        };
        let action = Action::read();
        let outputs = action
            .entries("outputs")
            .into_iter()
            .map(|(name, attributes)| (name.to_owned(), self.evaluate(attributes["value"])));
        Ended {
            code,
            log: all(&["stderr", "stdout"]),
            stdout: self.read("gate.stdout"),
            outputs: outputs.collect(),
            summary: all(&["summary"]),
        }
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).expect("it is there")).into_owned()
    }

    fn outputs_of(&self, step: &str) -> BTreeMap<String, String> {
        github::outputs(&self.read(&format!("{step}.output"))).expect("a file that the runner takes")
    }

    /// The expressions of `env:` and `outputs:`. What was not given is empty.
    fn evaluate(&self, value: &str) -> String {
        let Some(expression) = value.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) else {
            assert!(!value.contains("${{"), "{value}");
            return value.to_owned();
        };
        let mut values = expression.split(" || ").map(|term| self.term(term));
        values.find(|value| !value.is_empty()).unwrap_or_default()
    }

    fn term(&self, term: &str) -> String {
        if let Some(text) = term.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return text.to_owned();
        }
        if let Some(input) = term.strip_prefix("inputs.") {
            return self.inputs.get(input).cloned().unwrap_or_default();
        }
        if let Some((step, output)) = term.strip_prefix("steps.").and_then(|rest| rest.split_once(".outputs.")) {
            return self.outputs_of(step).remove(output).unwrap_or_default();
        }
        assert_eq!(term, "github.action_repository", "an unknown expression");
        self.repository.to_owned()
    }
}

/// Where this machine has a program.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Sends a signal to one process, as the runner does.
pub fn send(signal: &str, process: u32) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(process.to_string()).status();
    assert!(sent.expect("kill is here").success());
}
