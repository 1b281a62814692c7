//! The index of what is promised about writing reports.

use super::index::section;
use super::names::{KILLED, Line, REPORTS, line};

pub const DELIVERY: &[Line] = &[
    section("#report-files"),
    line(
        "a first version before the first request, so that no old pass is left",
        &[KILLED, "a_reused_workspace_never_shows_an_old_pass", "an_old_pass_is_overwritten_by_an_input_error_too"],
    ),
    line(
        "an old report that stays, a path used twice, a CI's file: invalid-input",
        &[
            "an_old_report_that_can_not_be_replaced_is_an_input_error_before_any_request",
            "a_path_used_twice_or_a_file_of_the_ci_is_an_input_error_and_left_alone",
        ],
    ),
    line(
        "any other destination: a warning",
        &[REPORTS, "a_ci_file_that_can_not_be_written_is_a_warning_and_changes_no_verdict"],
    ),
    line(
        "a closed or stalled stdout",
        &["a_reader_who_is_gone_changes_nothing", "a_reader_who_is_asleep_changes_nothing"],
    ),
    line(
        "a report that leads to the log or out of the workspace: invalid-input",
        &[
            "no_report_goes_into_the_log",
            "a_report_into_the_log_s_own_file_is_refused_by_every_name",
            "a_committed_link_to_the_log_is_refused",
            "a_file_of_the_ci_is_known_by_any_path",
            "no_link_leads_a_report_out_of_the_workspace",
            "a_report_outside_the_workspace_is_written_if_it_is_named_so_and_noted",
        ],
    ),
    line("a report in a pipe", &["a_report_to_a_pipe_is_the_last_version_alone"]),
    line(
        "new files get the umask, old ones keep their mode",
        &["new_files_have_the_umask_s_mode_and_old_ones_keep_theirs", "a_mode_that_somebody_set_is_kept"],
    ),
    line(
        "a full disk, a limit of file sizes: the earlier whole version stays",
        &[
            "a_disk_that_fills_up_leaves_whole_versions",
            "a_disk_that_is_full_from_the_start_keeps_no_old_pass",
            "a_limit_of_file_sizes_is_an_error_and_no_death",
            "a_file_that_can_not_be_replaced_is_overwritten_and_said_so",
        ],
    ),
    line(
        "few threads, descriptors, memory: the reports agree",
        &[
            "without_a_thread_everything_is_written_all_the_same",
            "a_limit_of_threads_changes_no_verdict",
            "however_little_memory_there_is_the_reports_agree",
            "with_few_descriptors_the_reports_agree",
        ],
    ),
    line(
        "the summary on GitHub starts with the result",
        &["the_first_version_of_a_page_is_taken_back_while_it_is_its_end", "what_others_wrote_behind_it_is_kept"],
    ),
    line(
        "a bug exits 70 before anything is written; later the verdict stands",
        &[
            "a_panic_in_the_core_or_while_polling_is_an_internal_error_and_the_first_versions_stand",
            "a_panic_in_any_renderer_turns_even_a_pass_into_an_internal_error_before_anything_is_written",
            "a_panic_in_the_first_version_leaves_no_old_pass",
            "a_panic_of_a_writer_is_a_warning_and_the_verdict_stands",
            "a_panic_after_the_verdict_was_written_leaves_it_standing",
        ],
    ),
];
