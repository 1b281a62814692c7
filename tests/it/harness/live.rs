//! A gate that is running: what it says so far, signals for it, and its end.

use std::io::Read;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Launch, Stdout, Story, StoryOutcome, at_the_story, law};

/// A story, or a wait in it, that takes longer hangs. It is far more than any of them needs: on a machine that is busy enough, the
/// answer of 31 MB has taken minutes.
pub const HANG_TIMEOUT: Duration = Duration::from_secs(900);

/// What a stream has printed so far, and a condition to wait for more.
#[derive(Default)]
struct Capture {
    text: Mutex<Vec<u8>>,
    more: Condvar,
}

impl Capture {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("not poisoned")).into_owned()
    }
}

/// The program that runs. It ends with its test, also with one that fails.
struct Process {
    pid: u32,
    ended: Receiver<ExitStatus>,
    is_over: bool,
}

impl Process {
    fn new(mut child: Child) -> Process {
        let pid = child.id();
        let (send, ended) = channel();
        thread::spawn(move || send.send(child.wait().expect("a child")));
        Process { pid, ended, is_over: false }
    }

    fn wait(&mut self) -> Option<ExitStatus> {
        let status = self.ended.recv_timeout(HANG_TIMEOUT).ok();
        self.is_over = status.is_some();
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_over && matches!(self.ended.try_recv(), Err(TryRecvError::Empty)) {
            drop(kill("KILL", self.pid));
        }
    }
}

fn kill(signal: &str, pid: u32) -> std::io::Result<ExitStatus> {
    Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status()
}

pub struct Live<'s> {
    pub story: Story<'s>,
    process: Process,
    stdout: Arc<Capture>,
    stderr: Arc<Capture>,
    listeners: Vec<JoinHandle<()>>,
    /// Keeps a pipe open that nobody reads.
    _asleep: Option<std::process::ChildStdout>,
    _slot: Slot,
    /// A moment before the program was started.
    begun: Instant,
}

impl<'s> Live<'s> {
    pub(super) fn new(story: Story<'s>, begun: Instant, mut child: Child, slot: Slot) -> Live<'s> {
        let (stdout, stderr) = (Arc::<Capture>::default(), Arc::<Capture>::default());
        let mut listeners = vec![listen(child.stderr.take().expect("piped"), &stderr)];
        let mut asleep = None;
        match (&story.stdout, child.stdout.take()) {
            (Stdout::Read, Some(pipe)) => listeners.push(listen(pipe, &stdout)),
            (Stdout::Unread, pipe) => asleep = pipe,
            (Stdout::Closed | Stdout::File(_) | Stdout::Read, pipe) => drop(pipe),
        }
        let process = Process::new(child);
        Live { story, process, stdout, stderr, listeners, _asleep: asleep, _slot: slot, begun }
    }

    /// Blocks until the gate has said this on stdout.
    #[track_caller]
    pub fn wait_for_output(&self, words: &str) {
        let silent = |text: &mut Vec<u8>| !String::from_utf8_lossy(text).contains(words);
        let text = self.stdout.text.lock().expect("not poisoned");
        let (text, waited) = self.stdout.more.wait_timeout_while(text, HANG_TIMEOUT, silent).expect("not poisoned");
        assert!(!waited.timed_out(), "it never said {words:?}, but {}", String::from_utf8_lossy(&text));
    }

    /// Blocks until a report says this.
    #[track_caller]
    pub fn wait_for_text_in(&self, file: &str, words: &str) {
        let path = self.story.path(file);
        let from = super::now();
        while !super::read(&path).is_some_and(|text| text.contains(words)) {
            assert!(from.elapsed() < HANG_TIMEOUT, "{file} never said {words:?}");
            thread::yield_now();
        }
    }

    /// Suspends the gate. Whether that was before its timeout, for certain: else the machine was too busy, and what
    /// follows proves nothing.
    #[track_caller]
    pub fn suspended_within(&self, timeout: Duration) -> bool {
        self.signal("STOP").duration_since(self.begun) < timeout
    }

    /// Sends a signal to the gate; returns when.
    #[track_caller]
    pub fn signal(&self, name: &str) -> Instant {
        let pid = match self.story.launch {
            Launch::Direct | Launch::Nohup | Launch::Panicking(_) | Launch::Script(_) => self.process.pid,
            Launch::ProcessOne => self.only_child(),
        };
        let sent = kill(name, pid).expect("a shell");
        assert!(sent.success(), "kill -{name} {pid}");
        super::now()
    }

    /// The most memory that the gate has had so far, in KiB, if the kernel reports it.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().trim_end_matches("kB").trim().parse().ok()
    }

    /// The gate as this namespace sees it: what was started here waits for it.
    fn only_child(&self) -> u32 {
        let children = format!("/proc/{0}/task/{0}/children", self.process.pid);
        let children = std::fs::read_to_string(children).expect("the kernel lists children");
        children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("one child")
    }

    /// Waits for the end of the story, and checks rule 2.
    #[track_caller]
    pub fn finish(self) -> StoryOutcome {
        let service = self.story.service;
        let (story, outcome) = self.over();
        at_the_story(|| law::check(&story, &outcome, service));
        outcome
    }

    /// Waits for the end of a story to which rule 2 does not apply.
    #[track_caller]
    pub fn finish_unchecked(self) -> StoryOutcome {
        self.over().1
    }

    #[track_caller]
    fn over(mut self) -> (Story<'s>, StoryOutcome) {
        let Some(status) = self.process.wait() else {
            panic!("it hangs; it said {}\n{}", self.stdout.text(), self.stderr.text());
        };
        self.listeners.into_iter().for_each(|listener| listener.join().expect("no panic"));
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        let outcome = at_the_story(|| StoryOutcome::read(&self.story, status, stdout, stderr));
        (self.story, outcome)
    }
}

/// Listens on a thread of its own, so that the gate never waits for us.
fn listen(mut pipe: impl Read + Send + 'static, heard: &Arc<Capture>) -> JoinHandle<()> {
    let heard = Arc::clone(heard);
    thread::spawn(move || {
        let mut some = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut some) {
            heard.text.lock().expect("not poisoned").extend_from_slice(&some[..count]);
            heard.more.notify_all();
        }
    })
}

/// How many gates run at once, whatever the number of tests: enough to wait together, few enough to be punctual.
const AT_ONCE: usize = 24;

/// What a heavy story counts for: it leaves room for those that run two or three gates together.
pub(super) const HEAVY: usize = 20;

static SLOTS: Mutex<usize> = Mutex::new(AT_ONCE);
static FREED: Condvar = Condvar::new();

/// The right to run a gate, given back when dropped.
pub(super) struct Slot(usize);

impl Slot {
    pub(super) fn take(weight: usize) -> Slot {
        let free = SLOTS.lock().expect("not poisoned");
        *FREED.wait_while(free, |free| *free < weight).expect("not poisoned") -= weight;
        Slot(weight)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *SLOTS.lock().expect("not poisoned") += self.0;
        FREED.notify_all();
    }
}
