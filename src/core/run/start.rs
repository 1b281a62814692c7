//! A run that is to be started: the list from before, the one request, and the run that its answer names.

use chrono::{DateTime, Utc};

use super::super::trigger::{Baseline, Before, Behind, Post, Starting, before, behind};
use super::super::{
    Answer, Ask, During, Event, Foreign, IfRunning, Launch, Listing, Miss, MissKind, Observation, PipelineId, RunId,
    Scope, Taken, Target, Verdict,
};
use super::discovery::{held_up, miss};
use super::{Moment, Pass, Phase, Reading, Run};

impl Starting {
    pub(super) fn ask(&mut self, pipeline: &PipelineId) -> Ask {
        match self {
            Starting::Ready(baseline) => {
                *self = Starting::Asked(baseline.clone());
                Ask::Execute(pipeline.clone())
            }
            Starting::Named(_, run) | Starting::Guessed(_, run) => {
                Ask::Run(Target { pipeline: pipeline.clone(), run: run.clone() })
            }
            // Asked, and no answer was taken: it is never asked twice, and the list tells.
            Starting::Before | Starting::Asked(_) | Starting::Hidden(..) | Starting::Seeking(..) => {
                Ask::List(pipeline.clone())
            }
        }
    }
}

impl Run {
    /// The list from before the start.
    pub(super) fn before(
        &mut self,
        at: Moment<'_>,
        pipeline: PipelineId,
        if_running: IfRunning,
        listing: &Listing,
        date: Option<DateTime<Utc>>,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        match before(listing, date, if_running, &at.rules.vocabulary) {
            Err(kind) => self.unusable(at, miss(During::List, kind), tell),
            Ok(Before::Going(id)) => {
                let detail = id.map(|id| Foreign::new(id.as_str()));
                self.present(at, tell);
                self.over_for(Miss { detail, ..miss(During::Execute, MissKind::AlreadyGoing) }, Verdict::NotStarted)
            }
            Ok(Before::Attach(id)) => {
                self.present(at, tell);
                tell(Event::Taken { run: at.run, id: id.clone(), taken: Taken::Attached });
                self.watch(Target { pipeline, run: id });
                Reading::Found
            }
            Ok(Before::Start(baseline)) => {
                // A list is no answer to a start that the service has put off: that outage goes on.
                if !self.was_put_off {
                    self.present(at, tell);
                }
                // Nothing is started that there is no time left to wait for.
                if self.clocks.next_step(at.rules.limits, at.elapsed, None) >= at.rules.limits.timeout {
                    return Reading::Over(Verdict::NotStarted);
                }
                self.without_record = Verdict::NotStarted;
                self.phase = Phase::Starting(pipeline, Starting::Ready(baseline), if_running);
                Reading::Next
            }
        }
    }

    /// The answer to the request to start.
    pub(super) fn launched(&mut self, at: Moment<'_>, launch: Launch, tell: &mut impl FnMut(Event)) -> Reading {
        let Phase::Starting(_, Starting::Asked(baseline), _) = self.phase.clone() else {
            return Reading::Over(Verdict::InternalError);
        };
        self.started = matches!(launch, Launch::Accepted(_) | Launch::Lost(_));
        match launch {
            Launch::Accepted(said) => {
                self.present(at, tell);
                tell(Event::Started { run: at.run });
                self.without_record = Verdict::NotFound;
                let said = said.and_then(|id| RunId::new(id.raw())).filter(|id| !baseline.is_from_before(id));
                match said {
                    Some(id) if baseline.has_shape_of(&id) => return self.named(at, baseline, id, tell),
                    Some(id) => self.turn(Starting::Guessed(baseline, id)),
                    None => self.turn(Starting::Seeking(baseline, Post::Accepted(None))),
                }
                Reading::Next
            }
            Launch::Lost(miss) => {
                tell(Event::StartLost { run: at.run, miss: miss.clone() });
                // Until a list has told, nobody knows.
                self.missed(&miss, Verdict::Unreachable);
                self.turn(Starting::Seeking(baseline, Post::Lost(miss)));
                Reading::Next
            }
            // Nothing was started. The list from before grows old, so that it would be read again.
            Launch::Refused(_)
            | Launch::NotFound(_)
            | Launch::Denied(..)
            | Launch::Unreachable(_)
            | Launch::NotExecuted(_) => {
                self.turn(Starting::Before);
                self.not_started(at, launch, tell)
            }
        }
    }

    /// The request to start was answered with a no, or certainly not executed.
    fn not_started(&mut self, at: Moment<'_>, launch: Launch, tell: &mut impl FnMut(Event)) -> Reading {
        match launch {
            Launch::Accepted(_) | Launch::Lost(_) => Reading::Over(Verdict::InternalError),
            // The sign-in before it was refused, and nothing was sent.
            Launch::Denied(scope, miss) if miss.during == During::SignIn => {
                self.refused(at, Verdict::Denied, scope, miss, tell)
            }
            Launch::Unreachable(miss) if miss.during == During::SignIn => {
                self.refused(at, Verdict::Unreachable, Scope::Run, miss, tell)
            }
            Launch::Refused(miss) => self.over_for(miss, Verdict::NotStarted),
            Launch::NotFound(miss) => self.over_for(miss, Verdict::NotFound),
            Launch::Denied(_, miss) => self.over_for(miss, Verdict::Denied),
            Launch::Unreachable(miss) => self.over_for(miss, Verdict::Unreachable),
            Launch::NotExecuted(miss) => {
                self.was_put_off = true;
                self.unusable(at, miss, tell)
            }
        }
    }

    /// The service named the run that it started.
    pub(super) fn named(
        &mut self,
        at: Moment<'_>,
        baseline: Baseline,
        id: RunId,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        tell(Event::Taken { run: at.run, id: id.clone(), taken: Taken::Ours });
        self.turn(Starting::Named(baseline, id));
        Reading::Next
    }

    /// An answer about the run whose id the request was answered with.
    pub(super) fn look_for_named(
        &mut self,
        at: Moment<'_>,
        answer: Answer,
        pass: Pass,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        let Phase::Starting(pipeline, starting, _) = self.phase.clone() else {
            return Reading::Over(Verdict::InternalError);
        };
        let (baseline, id, is_run) = match starting {
            Starting::Named(baseline, id) => (baseline, id, true),
            Starting::Guessed(baseline, id) => (baseline, id, false),
            Starting::Before
            | Starting::Ready(_)
            | Starting::Asked(_)
            | Starting::Hidden(..)
            | Starting::Seeking(..) => return Reading::Over(Verdict::InternalError),
        };
        match answer.observation {
            // A list that was not complete does not make an old run ours.
            Observation::Record(record) if baseline.is_older(record.created_at) => {
                if is_run {
                    return self.unusable(at, miss(During::GetRun, MissKind::BeforeStart), tell);
                }
                self.turn(Starting::Seeking(baseline, Post::Accepted(Some(id))));
                Reading::Next
            }
            Observation::Record(record) => {
                if !is_run {
                    tell(Event::Taken { run: at.run, id: id.clone(), taken: Taken::Ours });
                }
                self.watch(Target { pipeline, run: id });
                self.record(at, record, answer.date, pass, tell)
            }
            // It is no run's id, or not yet: whatever is new may be ours.
            Observation::NotVisible(_)
            | Observation::Denied(..)
            | Observation::Unreachable(_)
            | Observation::Unusable(_)
                if !is_run =>
            {
                self.turn(Starting::Seeking(baseline, Post::Accepted(Some(id))));
                Reading::Next
            }
            // It may wait behind an earlier run, and then the appear clock must stand still.
            Observation::NotVisible(miss) => {
                self.clocks.end_outage(at.run, at.elapsed, tell);
                self.missed(&miss, self.when_absent());
                self.turn(Starting::Hidden(baseline, id));
                Reading::Next
            }
            Observation::Denied(scope, miss) => self.refused(at, Verdict::Denied, scope, miss, tell),
            Observation::Unreachable(miss) => self.refused(at, Verdict::Unreachable, Scope::Run, miss, tell),
            Observation::Unusable(miss) => self.unusable(at, miss, tell),
        }
    }

    /// The list that tells whether the named run may wait behind an earlier one. It decides nothing else, so that one that
    /// can't be read excuses nothing.
    pub(super) fn hidden(
        &mut self,
        at: Moment<'_>,
        baseline: Baseline,
        id: RunId,
        list: Observation<Listing>,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        let behind = match list {
            Observation::Record(listing) => behind(&listing, &baseline, &at.rules.vocabulary),
            Observation::NotVisible(_)
            | Observation::Denied(..)
            | Observation::Unreachable(_)
            | Observation::Unusable(_) => Behind::Nobody,
        };
        self.turn(Starting::Named(baseline, id));
        match behind {
            Behind::Run(behind) | Behind::Overtaken(behind) => self.excused(at, behind, tell),
            Behind::Nobody => self.not_visible(at, miss(During::List, MissKind::NotListed), tell),
        }
    }

    /// What was started is not there, and an earlier run is still going.
    pub(super) fn excused(&mut self, at: Moment<'_>, behind: Option<RunId>, tell: &mut impl FnMut(Event)) -> Reading {
        self.clocks.end_outage(at.run, at.elapsed, tell);
        self.queued(at, behind.clone(), tell);
        self.missed(&held_up(behind), self.when_absent());
        self.clocks.excused(at.elapsed);
        Reading::On
    }

    /// The next step of a start.
    fn turn(&mut self, next: Starting) {
        if let Phase::Starting(_, starting, _) = &mut self.phase {
            *starting = next;
        }
    }
}
