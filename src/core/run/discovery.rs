//! A run that is not known yet: chosen from a list, or started and then found in one.

use super::super::select::{Choice, choose};
use super::super::trigger::{After, Baseline, Behind, Group, Held, Post, Starting, after, shows_taken_as_over};
use super::super::{
    Answer, During, Event, Foreign, Listing, Miss, MissKind, PipelineId, RunId, Selector, Taken, Target, Verdict,
    Wanted,
};
use super::{Moment, Phase, Reading, Run};

pub(super) fn miss(during: During, kind: MissKind) -> Miss {
    Miss { during, kind, detail: None }
}

/// What was started is not listed, and may wait behind this run.
pub(super) fn held_up(behind: Option<RunId>) -> Miss {
    Miss { detail: behind.map(|id| Foreign::new(id.as_str())), ..miss(During::List, MissKind::Queued) }
}

impl Run {
    /// A pipeline's list.
    pub(super) fn list(&mut self, at: Moment<'_>, answer: Answer<Listing>, tell: &mut impl FnMut(Event)) -> Reading {
        if let Phase::Starting(_, Starting::Hidden(baseline, id), _) = self.phase.clone() {
            return self.hidden(at, baseline, id, answer.observation, tell);
        }
        let listing = match self.found(at, answer.observation, tell) {
            Ok(listing) => listing,
            Err(reading) => return reading,
        };
        match self.phase.clone() {
            Phase::Choosing(pipeline, selector) => self.choose(at, pipeline, selector, &listing, tell),
            Phase::Starting(pipeline, Starting::Before, if_running) => {
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
            Phase::Starting(
                _,
                Starting::Ready(_) | Starting::Named(..) | Starting::Hidden(..) | Starting::Guessed(..),
                _,
            )
            | Phase::Watching(_) => Reading::Over(Verdict::InternalError),
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
                Reading::Found
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
            After::Nothing(Behind::Run(behind) | Behind::Overtaken(behind)) => self.excused(at, behind, tell),
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
                Reading::Found
            }
            After::Named(id) => self.named(at, baseline, id, tell),
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
            After::Ours(id) | After::Named(id) => Reading::PassedBeside(vec![beside(id)], None),
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
    pub(super) fn queued(&mut self, at: Moment<'_>, behind: Option<RunId>, tell: &mut impl FnMut(Event)) {
        if self.behind.as_ref() != Some(&behind) {
            tell(Event::Queued { run: at.run, behind: behind.clone() });
            self.behind = Some(behind);
        }
    }

    pub(super) fn watch(&mut self, target: Target) {
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
                Starting::Before
                | Starting::Ready(_)
                | Starting::Named(..)
                | Starting::Hidden(..)
                | Starting::Guessed(..)
                | Starting::Seeking(_, Post::Accepted(_)),
                _,
            )
            | Phase::Choosing(..)
            | Phase::Watching(_)
            | Phase::Confirming(..) => Verdict::NotFound,
        }
    }
}
