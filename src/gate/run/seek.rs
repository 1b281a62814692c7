//! A run that is not known yet: chosen from a list, or started and then found in one.

use chrono::{DateTime, Utc};

use super::super::select::{Choice, choose};
use super::super::trigger::{
    After, Baseline, Before, Behind, Group, Held, Post, Starting, after, before, shows_taken_as_over,
};
use super::super::{
    Answer, Ask, During, Event, Foreign, IfRunning, Launch, Listing, Miss, MissKind, PipelineId, RunId, Scope,
    Selector, Taken, Target, Verdict, Wanted,
};
use super::{Moment, Phase, Reading, Run};

fn miss(during: During, kind: MissKind) -> Miss {
    Miss { during, kind, detail: None }
}

/// What was started is not listed, and may wait behind this run.
fn held_up(behind: Option<RunId>) -> Miss {
    Miss { detail: behind.map(|id| Foreign::new(id.as_str())), ..miss(During::List, MissKind::Queued) }
}

impl Starting {
    pub(super) fn ask(&mut self, pipeline: &PipelineId) -> Ask {
        match self {
            Starting::Ready(baseline) => {
                *self = Starting::Asked(baseline.clone());
                Ask::Execute(pipeline.clone())
            }
            // Asked, and no answer was taken: it is never asked twice, and the list tells.
            Starting::Before(_) | Starting::Asked(_) | Starting::Seeking(..) => Ask::List(pipeline.clone()),
        }
    }
}

impl Run {
    /// A pipeline's list.
    pub(super) fn list(&mut self, at: Moment<'_>, answer: Answer<Listing>, tell: &mut impl FnMut(Event)) -> Reading {
        let listing = match self.found(at, answer.observation, tell) {
            Ok(listing) => listing,
            Err(reading) => return reading,
        };
        match self.phase.clone() {
            Phase::Choosing(pipeline, selector) => self.choose(at, pipeline, selector, &listing, tell),
            Phase::Starting(pipeline, Starting::Before(if_running), _) => {
                self.before(at, pipeline, if_running, &listing, answer.date, tell)
            }
            Phase::Starting(pipeline, Starting::Seeking(baseline, post), _) => {
                self.seek(at, &pipeline, baseline, &post, &listing, tell)
            }
            // An answer to the request to start was never taken.
            Phase::Starting(pipeline, Starting::Asked(baseline), _) => {
                let post = Post::Lost(miss(During::Execute, MissKind::Broken));
                self.seek(at, &pipeline, baseline, &post, &listing, tell)
            }
            Phase::Confirming(target, baseline) => self.confirm(at, &target, baseline, &listing, tell),
            Phase::Starting(_, Starting::Ready(_), _) | Phase::Watching(_) => Reading::Over(Verdict::InternalError),
        }
    }

    fn choose(
        &mut self,
        at: Moment<'_>,
        pipeline: PipelineId,
        selector: Selector,
        listing: &Listing,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        let Ok(Choice { run, passed_over }) = choose(selector, listing, &at.rules.vocabulary) else {
            return self.unusable(at, miss(During::List, MissKind::Unplaceable), tell);
        };
        match (run, selector) {
            (Some(id), _) => {
                self.present(at, tell);
                tell(Event::Chosen { run: at.run, selector, id: id.clone(), passed_over });
                self.watch(Target { pipeline, run: id });
                Reading::Next
            }
            // A run may just have been started, and not be listed yet.
            (None, Selector::Latest) => self.not_visible(at, miss(During::List, MissKind::NotListed), tell),
            // Whatever comes now was no success when the gate started.
            (None, Selector::LastSuccess) => {
                self.clocks.end_outage(at.run, at.elapsed, tell);
                self.over_for(miss(During::List, MissKind::NotListed), Verdict::NotFound)
            }
        }
    }

    fn before(
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
                Reading::Next
            }
            Ok(Before::Start(baseline)) => {
                self.present(at, tell);
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
        let Phase::Starting(pipeline, Starting::Asked(baseline), if_running) = self.phase.clone() else {
            return Reading::Over(Verdict::InternalError);
        };
        self.started = matches!(launch, Launch::Accepted(_) | Launch::Lost(_));
        let post = match launch {
            Launch::Accepted(id) => {
                self.present(at, tell);
                tell(Event::Started { run: at.run });
                Post::Accepted(id)
            }
            Launch::Lost(miss) => {
                tell(Event::StartLost { run: at.run, miss: miss.clone() });
                Post::Lost(miss)
            }
            // Nothing was started. The list from before grows old, so that it would be read again.
            Launch::Refused(_)
            | Launch::NotFound(_)
            | Launch::Denied(..)
            | Launch::Unreachable(_)
            | Launch::NotSent(_) => {
                self.phase = Phase::Starting(pipeline, Starting::Before(if_running), if_running);
                return self.not_started(at, launch, tell);
            }
        };
        if let Post::Lost(miss) = &post {
            self.miss = Some(miss.clone());
        }
        self.phase = Phase::Starting(pipeline, Starting::Seeking(baseline, post), if_running);
        self.without_record = self.when_absent();
        Reading::Next
    }

    /// The request to start was answered with a no, or not sent at all.
    fn not_started(&mut self, at: Moment<'_>, launch: Launch, tell: &mut impl FnMut(Event)) -> Reading {
        match launch {
            Launch::Accepted(_) | Launch::Lost(_) => Reading::Over(Verdict::InternalError),
            Launch::Refused(miss) => self.over_for(miss, Verdict::NotStarted),
            Launch::NotFound(miss) => self.over_for(miss, Verdict::NotFound),
            Launch::Denied(Scope::SignIn, miss) => Reading::AllDenied(miss),
            Launch::Denied(Scope::Run, miss) => self.over_for(miss, Verdict::Denied),
            Launch::Unreachable(miss) => self.over_for(miss, Verdict::Unreachable),
            Launch::NotSent(miss) => self.unusable(at, miss, tell),
        }
    }

    fn seek(
        &mut self,
        at: Moment<'_>,
        pipeline: &PipelineId,
        mut baseline: Baseline,
        post: &Post,
        listing: &Listing,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        let said = match post {
            Post::Accepted(id) => id.as_ref(),
            Post::Lost(_) => None,
        };
        let Ok(found) = after(listing, &baseline, said, &at.rules.vocabulary) else {
            return self.unusable(at, miss(During::List, MissKind::Unplaceable), tell);
        };
        let target = |run: RunId| Target { pipeline: pipeline.clone(), run };
        match found {
            After::Nothing(Behind::Run(behind) | Behind::Overtaken(behind)) => {
                self.clocks.end_outage(at.run, at.elapsed, tell);
                self.queued(at, behind.clone(), tell);
                self.missed(&held_up(behind), self.when_absent());
                self.clocks.excused(at.elapsed);
                Reading::On
            }
            After::Nothing(Behind::Nobody) => {
                let why = match post {
                    Post::Accepted(_) => miss(During::List, MissKind::NotListed),
                    Post::Lost(miss) => miss.clone(),
                };
                self.not_visible(at, why, tell)
            }
            After::Ours(id) => {
                self.present(at, tell);
                tell(Event::Taken { run: at.run, id: id.clone(), taken: Taken::Ours });
                self.watch(target(id));
                Reading::Next
            }
            After::These(ids) => {
                self.present(at, tell);
                let of = ids.len();
                ids.iter().for_each(|id| baseline.take(id));
                let mut targets = ids.into_iter();
                let Some(first) = targets.next() else { return Reading::Over(Verdict::InternalError) };
                tell(Event::Taken { run: at.run, id: first.clone(), taken: Taken::Candidate { of } });
                self.watch(target(first));
                Reading::Took(
                    targets.map(target).collect(),
                    Box::new(Group { baseline, said: said.cloned(), held: Held::No }),
                )
            }
        }
    }

    /// The run has passed, and nothing else may be what was started: it is over if the list says so too.
    pub(super) fn await_confirmation(&mut self, group: Box<Group>) -> Reading {
        let Phase::Watching(target) = &self.phase else { return Reading::Over(Verdict::InternalError) };
        self.phase = Phase::Confirming(target.clone(), group);
        Reading::Next
    }

    fn confirm(
        &mut self,
        at: Moment<'_>,
        target: &Target,
        mut group: Box<Group>,
        listing: &Listing,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        let said = group.said.as_ref();
        let Ok(found) = after(listing, &group.baseline, said, &at.rules.vocabulary) else {
            return self.unusable(at, miss(During::List, MissKind::Unplaceable), tell);
        };
        // A list from before their end (an old copy, an empty one) says nothing about what has come up since.
        if matches!(found, After::Nothing(Behind::Nobody | Behind::Overtaken(_)))
            && !shows_taken_as_over(listing, &group.baseline, &at.rules.vocabulary)
        {
            return self.unusable(at, miss(During::List, MissKind::Lagging), tell);
        }
        self.present(at, tell);
        let beside = |run: RunId| Target { pipeline: target.pipeline.clone(), run };
        match found {
            After::Nothing(Behind::Nobody | Behind::Overtaken(_)) => {
                let until = match group.held {
                    Held::No => return Reading::Over(Verdict::Passed),
                    Held::Yes => at.elapsed.saturating_add(at.rules.limits.appear),
                    Held::Until(until) => until,
                };
                if at.elapsed >= until {
                    return Reading::Over(Verdict::Passed);
                }
                group.held = Held::Until(until);
                self.doubt(target, group, None)
            }
            // The service queues what is started while a run is going: this one passed it, so it is hardly ours.
            After::Nothing(Behind::Run(behind)) => {
                group.held = Held::Yes;
                self.queued(at, behind.clone(), tell);
                self.doubt(target, group, behind)
            }
            After::Ours(id) => Reading::PassedBeside(vec![beside(id)], None),
            After::These(ids) => {
                ids.iter().for_each(|id| group.baseline.take(id));
                Reading::PassedBeside(ids.into_iter().map(beside).collect(), Some(group))
            }
        }
    }

    /// What has passed need not be what was started: the list is read again.
    fn doubt(&mut self, target: &Target, group: Box<Group>, behind: Option<RunId>) -> Reading {
        self.miss = Some(held_up(behind));
        self.phase = Phase::Confirming(target.clone(), group);
        Reading::On
    }

    /// An earlier run may hold up what was started: told once of each.
    fn queued(&mut self, at: Moment<'_>, behind: Option<RunId>, tell: &mut impl FnMut(Event)) {
        if self.behind.as_ref() != Some(&behind) {
            tell(Event::Queued { run: at.run, behind: behind.clone() });
            self.behind = Some(behind);
        }
    }

    fn watch(&mut self, target: Target) {
        // The list knows the run; if the time is up before it was asked for by itself, that is what ended the watch.
        self.without_record = Verdict::TimedOut;
        self.clocks.turn_to(&Wanted::Run(target.clone()));
        self.phase = Phase::Watching(target);
    }

    /// What it means that what was looked for is not there.
    pub(super) fn when_absent(&self) -> Verdict {
        match &self.phase {
            Phase::Starting(_, Starting::Asked(_) | Starting::Seeking(_, Post::Lost(_)), _) => Verdict::NotStarted,
            Phase::Starting(
                _,
                Starting::Before(_) | Starting::Ready(_) | Starting::Seeking(_, Post::Accepted(_)),
                _,
            )
            | Phase::Choosing(..)
            | Phase::Watching(_)
            | Phase::Confirming(..) => Verdict::NotFound,
        }
    }
}
