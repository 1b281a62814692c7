//! The view on a console that is read, and on one that is not.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use indicatif::ProgressDrawTarget;

use super::*;
use crate::core::{Limits, PipelineId, Rules, RunId, Target};

fn gate() -> Gate {
    let limits = Limits { timeout: HEARTBEAT * 100, appear: HEARTBEAT, outage: HEARTBEAT };
    let rules = Rules::within(limits);
    let target = Target { pipeline: PipelineId::new("p").expect("an id"), run: RunId::new("r").expect("an id") };
    Gate::new(rules, vec![target])
}

fn view(out: impl Write + Send + 'static, volume: Volume, bar: Option<ProgressBar>) -> View {
    View::new(Console::over(out), LogFormat::Text, volume, Sanitizer::new(), bar)
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_minute_is_silent_whenever_the_last_line_was_said() {
    for volume in [Volume::Normal, Volume::Quiet] {
        for spoken_at in [0, 1, 3, 30, 53, 54, 59, 200] {
            let out = Shared::default();
            let mut view = view(out.clone(), volume, None);
            let spoken_at = Duration::from_secs(spoken_at);
            view.say(spoken_at, Sanitized::ours("a line"));
            let mut now = Duration::ZERO;
            let gate = gate();
            loop {
                now += view.heartbeat();
                if now > spoken_at + Duration::from_secs(60) {
                    break;
                }
                if now >= spoken_at {
                    view.update_view(&gate, LoopEvent::Beat, &[], now, 1);
                }
            }
            view.console.flushed().await;
            let said = String::from_utf8_lossy(&out.0.lock().expect("not poisoned")).into_owned();
            assert_eq!(said.matches("still waiting").count(), 1, "{spoken_at:?}: {said}");
        }
    }
}

/// Says that it is being written to, and never comes back.
struct Stalled(Sender<()>);

impl Write for Stalled {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        let _told = self.0.send(());
        loop {
            std::thread::park();
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stopped_terminal_does_not_stop_the_gate() {
    let bar = spinner();
    bar.set_draw_target(ProgressDrawTarget::hidden());
    let (update_view, stalled) = channel();
    let mut view =
        view(BesideProgressBar { bar: Some(bar.clone()), out: Stalled(update_view) }, Volume::Normal, Some(bar));
    view.say(Duration::ZERO, Sanitized::ours("a line"));
    stalled.recv().expect("the line is being written, and the spinner is held aside");
    let (done, finished) = channel();
    std::thread::spawn(move || {
        let gate = gate();
        for turn in 1..10_u32 {
            view.update_view(&gate, LoopEvent::Beat, &[], TURN * turn, 1);
        }
        view.close();
        let _read = done.send(());
    });
    finished.recv_timeout(Duration::from_secs(20)).expect("the view blocks nobody");
}
