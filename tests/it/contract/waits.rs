//! What docs/reference.md promises about refusals, pauses, starts and suspensions, with the tests that hold it.

use super::names::{BELOW, FAULTS, Line, ORDER, SIGN_IN, STATUSES, line};

pub const WAITS: &[Line] = &[
    line("401 and 403 renew once per row of refusals", &[FAULTS, "a_renewal_comes_once_per_row_of_refusals"]),
    line(
        "a certificate, a redirect off the origin, 407, other 4xx are refusals",
        &[FAULTS, STATUSES, "only_a_certificate_of_a_trusted_root_for_this_very_host_is_taken"],
    ),
    line(
        "one refusal never ends a wait in which something has worked",
        &[
            "a_refusal_between_good_answers_ends_no_wait",
            "an_odd_answer_between_good_ones_ends_no_wait",
            "what_has_worked_for_one_run_has_worked_for_all_and_a_sign_in_is_enough",
            "a_refused_list_is_confirmed_like_a_refused_run",
            "while_refusals_go_on_each_poll_is_one_request_with_the_renewed_token",
            "an_old_token_is_tried_again_where_its_renewal_is_refused",
        ],
    ),
    line(
        "a refusal that is the first answer of all and asks for no pause ends the gate at once",
        &[
            "a_refusal_that_is_the_first_thing_ever_seen_ends_the_wait_unless_it_asks_for_a_pause",
            "a_refusal_that_is_the_first_thing_ever_seen_ends_the_gate_at_once",
        ],
    ),
    line(
        "a minute of nothing but refusals, their pauses not counted, ends the wait with their own verdict",
        &[
            "a_minute_of_nothing_but_refusals_ends_the_wait_with_their_own_verdict",
            "what_the_service_asks_for_is_added_to_the_minute",
            "any_other_answer_begins_the_minute_anew",
            "a_refusal_stops_no_outage",
        ],
    ),
    line(
        "at the deadline and at a timeout of zero a refusal counts as what it is",
        &[
            "at_the_deadline_a_refusal_counts_as_what_it_is_and_a_poll_is_not_repeated_at_a_timeout_of_zero",
            "at_the_deadline_a_refusal_counts_as_what_it_is",
        ],
    ),
    line("sign-in's own rows", &[SIGN_IN, "refused_credentials_are_sent_once"]),
    line(
        "at most two refused sign-ins in the life of a token, the second code among them",
        &[
            "credentials_are_refused_twice_at_most_in_the_life_of_a_token",
            "a_refused_code_is_tried_once_more_with_the_next_one",
            "two_jobs_of_one_account_in_the_same_half_minute_both_pass",
        ],
    ),
    line(
        "a refused sign-in ends all runs, a 403 its own",
        &["refused_credentials_are_sent_once", "a_refused_sign_in_ends_all_runs_and_a_403_only_its_own", ORDER],
    ),
    line(
        "Retry-After in both forms, clamped",
        &["retry_after_is_obeyed_in_both_forms_and_on_any_answer", "retry_after_cannot_outlast_a_clock"],
    ),
    line("an announced pause is no outage", &["an_announced_pause_is_no_outage", "a_pause_stops_the_outage_clock"]),
    line(
        "a start is made again only if it was certainly not executed",
        &[
            "a_start_that_was_certainly_not_executed_is_made_again_after_the_list_was_read_anew",
            "what_others_started_while_a_start_was_put_off_is_met_as_if_running_says",
            "a_start_is_one_request_and_is_made_again_only_if_it_was_certainly_not_executed",
            "a_refused_sign_in_before_the_request_to_start_is_confirmed_and_a_refused_start_is_not_repeated",
        ],
    ),
    line(
        "the run that the service named is the only one that counts",
        &[
            "an_id_of_the_shape_of_listed_ones_names_a_run_whether_that_is_listed_or_not",
            "the_run_that_the_service_named_is_the_only_one_that_counts",
            "with_the_id_that_was_answered_a_stranger_decides_nothing",
            "an_id_that_need_not_be_a_run_s_is_asked_for_once",
        ],
    ),
    line(
        "a start under way at the deadline may have started a run",
        &["a_request_to_start_that_is_under_way_at_the_deadline_may_have_started_a_run"],
    ),
    line(
        "the last poll is cut five seconds after the deadline",
        &["a_poll_without_an_answer_is_cut_five_seconds_after_the_deadline", BELOW],
    ),
    line(
        "timeout 0 polls once, and fetches no logs of a run in progress",
        &[
            "timeout_zero_polls_once",
            "nothing_is_asked_twice_at_a_timeout_of_zero",
            "logs_are_fetched_for_the_verdicts_that_were_asked_for",
        ],
    ),
    line(
        "after a suspension there is one last poll, an answer that came counts, and ages go on",
        &[
            "a_gate_that_was_suspended_over_its_deadline_polls_once_more",
            "an_answer_that_came_during_the_suspension_counts",
            "an_answer_that_came_during_the_suspension_is_not_the_last_poll",
            "a_request_that_is_never_answered_after_the_suspension_is_not_the_last_poll",
            "after_a_suspension_over_the_deadline_there_is_a_last_poll",
            "an_answer_that_came_during_a_suspension_is_read_after_it",
            "a_status_from_before_the_suspension_is_reported_with_its_age",
            "the_time_of_a_suspension_is_added_to_the_age_of_a_success",
        ],
    ),
    line(
        "a SIGHUP that was ignored at the start stays ignored",
        &["a_hang_up_that_was_ignored_at_the_start_stays_ignored", "the_mask_of_ignored_signals_says_of_nohup"],
    ),
    line("a list is no poll of a run", &["a_list_is_no_poll_of_the_run_that_it_names"]),
];
